package mapping

import (
	"bytes"
	"encoding/json"
	"strings"

	"scimgate/internal/scim"
)

// Barred refuses a new resource that names what no client can set: where the
// declaration does not let that be ignored, as SCIM does. body has been decoded
// as a resource before.
func (m *Mapping) Barred(body []byte) error {
	if len(m.barred) == 0 {
		return nil
	}
	var object map[string]any
	if err := json.Unmarshal(bytes.TrimPrefix(body, []byte("\ufeff")), &object); err != nil {
		return scim.BadRequest(scim.TypeInvalidSyntax, "the body is not one valid JSON object")
	}
	return m.barredIn(object, "")
}

// barredIn looks through the names of an object: attributes, paths, and schemas
// with attributes of their own.
func (m *Mapping) barredIn(object map[string]any, urn string) error {
	for name, v := range object {
		p, err := scim.ParsePath(name)
		if err != nil {
			continue
		}
		if p.URN == "" {
			p.URN = urn
		}
		_, p, ok := m.def.Lookup(p)
		switch inner, isObject := v.(map[string]any); {
		case !ok:
		case p.Attr == "" && isObject && urn == "":
			if err := m.barredIn(inner, p.URN); err != nil {
				return err
			}
		default:
			if err := m.barredAt(p, v); err != nil {
				return err
			}
		}
	}
	return nil
}

// barredAt looks at one attribute, or one part of it.
func (m *Mapping) barredAt(p scim.Path, v any) error {
	for _, b := range m.barred {
		if b.URN != p.URN || b.Attr != p.Attr || b.Sub != "" && p.Sub != "" && b.Sub != p.Sub {
			continue
		}
		if b.Sub != "" && p.Sub == "" {
			v = part(v, b.Sub)
		}
		if !blank(v) {
			return scim.BadRequest(scim.TypeInvalidValue, "%s", unsupported(b))
		}
	}
	return nil
}

// part returns what a complex value has under a name, in any case.
func part(v any, name string) any {
	if list, ok := v.([]any); ok && len(list) == 1 {
		v = list[0]
	}
	object, _ := v.(map[string]any)
	for key, value := range object {
		if strings.EqualFold(key, name) {
			return value
		}
	}
	return nil
}

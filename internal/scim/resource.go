package scim

import (
	"maps"
	"slices"
	"strings"
)

// Resource is a SCIM resource under the canonical names of its attributes. Its
// values are string, bool, json.Number, map[string]any (complex) and []any
// (multi-valued); the attributes of an extension are in a map[string]any under
// its URN. What is empty is not in it (RFC 7643 section 2.5).
type Resource map[string]any

// Decode reads the body of a POST or PUT. What identity providers send is
// brought into the one shape that Resource describes (docs/identity-providers.md,
// rules 6, 9, 10 and 17 to 20): names in any case, top-level names with a URN
// or a dot, nulls and blanks, booleans as text, single values for lists. Unknown
// names, unknown URNs and read-only attributes are dropped without a word (RFC
// 7644 section 3.3).
//
// A body that is not one JSON object is a 400 invalidSyntax, a value of a wrong
// type a 400 invalidValue.
func Decode(body []byte, def Definition) (Resource, error) {
	object, err := decodeObject(body)
	if err != nil {
		return nil, err
	}
	e := editor{def: def, r: Resource{}, creating: true}
	if err := e.merge("add", "", object); err != nil {
		return nil, err
	}
	return e.r, nil
}

// Mentioned reports whether the body names the attribute, a sub-attribute of it
// or one element of it, whatever value it gives: also null, and also a read-only
// attribute. It is false for a body that Decode refuses as syntax.
func Mentioned(body []byte, def Definition, attr string) bool {
	return presence(body, def, attr, func(any) bool { return true })
}

// Given is Mentioned for a value that is not empty: {"groups":[]} mentions
// groups but does not give any.
func Given(body []byte, def Definition, attr string) bool {
	return presence(body, def, attr, func(v any) bool { return !isBlank(v) })
}

func presence(body []byte, def Definition, attr string, counts func(any) bool) bool {
	object, err := decodeObject(body)
	if err != nil {
		return false
	}
	p, err := ParsePath(attr)
	if err != nil {
		return false
	}
	_, wanted, ok := def.Lookup(p)
	return ok && mentions(def, "", object, wanted, counts)
}

func mentions(def Definition, urn string, object map[string]any, wanted Path, counts func(any) bool) bool {
	for key, v := range object {
		t, ok, err := def.key(urn, key)
		if !ok || err != nil {
			continue
		}
		if t.path.Attr == "" && wanted.Attr != "" {
			nested, _ := v.(map[string]any)
			if urn == "" && mentions(def, t.path.URN, nested, wanted, counts) {
				return true
			}
			continue
		}
		if t.path.URN != wanted.URN || t.path.Attr != wanted.Attr {
			continue
		}
		if wanted.Sub != "" && t.path.Sub == "" {
			nested, _ := v.(map[string]any)
			if v, ok = member(nested, wanted.Sub); !ok {
				continue
			}
		} else if wanted.Sub != "" && t.path.Sub != wanted.Sub {
			continue
		}
		if counts(v) {
			return true
		}
	}
	return false
}

func member(object map[string]any, name string) (any, bool) {
	for key, v := range object {
		if strings.EqualFold(key, name) {
			return v, true
		}
	}
	return nil, false
}

// key finds what a name in a body addresses: an attribute, a path, or a whole
// schema, within the schema urn if that is not "". The error is for a path whose
// value filter cannot be read; other names that cannot be read are unknown ones.
func (d Definition) key(urn, name string) (target, bool, error) {
	p, err := ParsePath(name)
	if err != nil {
		if strings.Contains(name, "[") {
			return target{}, false, err
		}
		return target{}, false, nil
	}
	if p.URN == "" {
		p.URN = urn
	}
	t, ok := d.find(p)
	return t, ok, nil
}

// Clone copies the resource deeply.
func (r Resource) Clone() Resource {
	copied, _ := clone(map[string]any(r)).(map[string]any)
	return copied
}

// Values returns the values that p addresses, one for each element of a
// multi-valued attribute, none if it has none. A value filter in p that cannot
// be evaluated selects nothing.
func (r Resource) Values(def Definition, p Path) []any {
	_, values, err := resourceScope(def, r)(p)
	if err != nil {
		return nil
	}
	return values
}

// attributes returns the map that holds the attributes of the schema.
func (r Resource) attributes(urn string) map[string]any {
	if urn == "" {
		return r
	}
	extension, _ := r[urn].(map[string]any)
	return extension
}

func sortedKeys(object map[string]any) []string {
	return slices.Sorted(maps.Keys(object))
}

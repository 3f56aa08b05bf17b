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
	e := editor{def: def, r: Resource{}, work: new(int), creating: true}
	if err := e.merge("add", "", object); err != nil {
		return nil, err
	}
	return e.r, nil
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

// member returns the value of a name in any case. A name that is there in two
// cases could mean either, so it is a 400 invalidSyntax.
func member(object map[string]any, name string) (any, bool, error) {
	var value any
	found := false
	for key, v := range object {
		if !strings.EqualFold(key, name) {
			continue
		}
		if found {
			return nil, false, BadRequest(TypeInvalidSyntax, "%q is there twice, expected it once", name)
		}
		value, found = v, true
	}
	return value, found, nil
}

func sortedKeys(object map[string]any) []string {
	return slices.Sorted(maps.Keys(object))
}

package scim

import (
	"encoding/json"
	"slices"
	"strings"
)

// Replace returns what a PUT of the resource to leaves, where now is there (RFC
// 7644 section 3.5.1): read-only attributes are those of now, and an immutable
// one that is set stays. Another value for it is a 400 mutability; leaving it
// out is not, since it cannot mean anything else.
func Replace(def Definition, now, to Resource) (Resource, error) {
	made := to.Clone()
	err := def.eachFixed(func(f fixed) error {
		old := f.in(now)
		if old == nil {
			return nil
		}
		var err error
		if f.attribute.Mutability == Immutable && f.in(made) != nil {
			err = f.unchanged(def, old, f.in(made))
		}
		f.set(made, old)
		return err
	})
	return made, err
}

// unchanged makes sure that a patch has left the immutable attributes that were
// set before as they were.
func unchanged(def Definition, before, after Resource) error {
	return def.eachFixed(func(f fixed) error {
		if old := f.in(before); f.attribute.Mutability == Immutable && old != nil {
			return f.unchanged(def, old, f.in(after))
		}
		return nil
	})
}

// fixed is an attribute, or a part of one with a single value, that a client
// may not change, or only once. Immutable parts of multi-valued attributes are
// not among them: their elements come and go as a whole (RFC 7643 section 4.2).
type fixed struct {
	path      Path
	attribute Attribute
}

func (d Definition) eachFixed(do func(fixed) error) error {
	for i, s := range append([]Schema{d.Core}, d.Extensions...) {
		urn := s.ID
		if i == 0 {
			urn = ""
		}
		for _, a := range s.Attributes {
			parts := []fixed{{Path{URN: urn, Attr: a.Name}, a}}
			if !a.MultiValued && a.Mutability != ReadOnly {
				for _, sub := range a.SubAttributes {
					parts = append(parts, fixed{Path{URN: urn, Attr: a.Name, Sub: sub.Name}, sub})
				}
			}
			for _, f := range parts {
				if f.attribute.Mutability != ReadOnly && f.attribute.Mutability != Immutable {
					continue
				}
				if err := do(f); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// in returns the value that a resource has, nil for none.
func (f fixed) in(r Resource) any {
	v := r.attributes(f.path.URN)[f.path.Attr]
	if f.path.Sub != "" {
		object, _ := v.(map[string]any)
		v = object[f.path.Sub]
	}
	return v
}

// set gives a resource the value.
func (f fixed) set(r Resource, v any) {
	e := editor{r: r}
	if f.path.Sub != "" {
		object, _ := clone(e.get(f.path)).(map[string]any)
		if object == nil {
			object = map[string]any{}
		}
		object[f.path.Sub] = v
		v = object
	}
	e.put(f.path, clone(v))
}

func (f fixed) unchanged(def Definition, old, v any) error {
	if slices.Equal(f.forms(old), f.forms(v)) {
		return nil
	}
	return BadRequest(TypeMutability, "%s of %s cannot be changed once it is set; send the value that it has, or leave it out", f.path, def.Name)
}

// forms are texts by which two values can be compared: a list has no order, and
// what follows from a reference is no part of it.
func (f fixed) forms(v any) []string {
	var all []string
	for _, one := range elements(v) {
		if object, ok := one.(map[string]any); ok && object["value"] != nil {
			object, _ = clone(object).(map[string]any)
			for name := range object {
				if sub, ok := f.attribute.Sub(name); name == "$ref" || ok && sub.Mutability == ReadOnly {
					delete(object, name)
				}
			}
			one = object
		}
		form, _ := json.Marshal(one) // values of a resource always can be written
		s := string(form)
		if !f.attribute.CaseExact && f.attribute.Type == String {
			s = strings.ToLower(s)
		}
		all = append(all, s)
	}
	slices.Sort(all)
	return all
}

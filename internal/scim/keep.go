package scim

import "slices"

// Replace returns what a PUT of the resource to leaves, where now is there (RFC
// 7644 section 3.5.1): read-only attributes are those of now, and an immutable
// one that is set stays. Another value for it is a 400 mutability; leaving it
// out is not, since it cannot mean anything else. What is returned on request
// only stays where it is left out: a client that sends back what it got has not
// seen it.
func Replace(def Definition, now, to Resource) (Resource, error) {
	made := to.Clone()
	err := def.eachFixed(func(f fixed) error {
		old := f.in(now)
		if old == nil {
			return nil
		}
		if given := f.in(made); f.attribute.fixed() && given != nil && !alike(f.attribute, old, given) {
			return BadRequest(TypeMutability, "%s of %s cannot be changed once it is set; send the value that it has, or leave it out", f.path, def.Name)
		}
		f.set(made, old)
		return nil
	})
	def.eachAttribute(func(f fixed) {
		if f.attribute.Returned == ReturnedRequest && f.in(made) == nil && f.in(now) != nil {
			f.set(made, f.in(now))
		}
	})
	return made, err
}

// fixed is an attribute, or a part of one with a single value, that a client
// may not change, or only once. Immutable parts of multi-valued attributes are
// not among them: their elements come and go as a whole (RFC 7643 section 4.2).
type fixed struct {
	path      Path
	attribute Attribute
}

// eachAttribute does something with every attribute of the schemas.
func (d Definition) eachAttribute(do func(fixed)) {
	for i, s := range append([]Schema{d.Core}, d.Extensions...) {
		urn := s.ID
		if i == 0 {
			urn = ""
		}
		for _, a := range s.Attributes {
			do(fixed{Path{URN: urn, Attr: a.Name}, a})
		}
	}
}

// eachFixed does something with every attribute and part that is fixed, until
// that fails.
func (d Definition) eachFixed(do func(fixed) error) error {
	var err error
	d.eachAttribute(func(f fixed) {
		for _, f := range (target{top: f.attribute, leaf: f.attribute, path: f.path}).fixed(ReadOnly, Immutable) {
			if err == nil {
				err = do(f)
			}
		}
	})
	return err
}

// fixed are the attribute that t is in and its parts, as far as they are of one
// of the kinds.
func (t target) fixed(kinds ...Mutability) []fixed {
	whole := Path{URN: t.path.URN, Attr: t.path.Attr}
	parts := []fixed{{whole, t.top}}
	if !t.top.MultiValued && t.top.Mutability != ReadOnly && t.path.Attr != "" {
		for _, sub := range t.top.SubAttributes {
			part := whole
			part.Sub = sub.Name
			parts = append(parts, fixed{part, sub})
		}
	}
	return slices.DeleteFunc(parts, func(f fixed) bool { return !slices.Contains(kinds, f.attribute.Mutability) })
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

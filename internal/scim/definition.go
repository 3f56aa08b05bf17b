package scim

import "strings"

// Definition is one resource type's vocabulary: what names exist at all, mapped
// or not (RFC 7643 section 6). The common attributes belong to every Definition.
type Definition struct {
	Name, Endpoint string // "User", "Users"
	Core           Schema
	Extensions     []Schema
}

// Lookup finds what p addresses: the attribute or sub-attribute, and the path
// in canonical spelling, whose URN is that of the extension and "" for core and
// common attributes. Names match in any case (RFC 7643 section 2.1). A URN may
// be the core schema's, or "enterprise" for the enterprise extension's; a bare
// name that the core does not have is looked for in the extensions, and "email"
// is "emails".
//
// A path that is a schema's URN alone addresses all of it: the attribute is
// then complex, with the schema's attributes, and the path has no Attr.
func (d Definition) Lookup(p Path) (Attribute, Path, bool) {
	t, ok := d.find(p)
	return t.leaf, t.path, ok
}

// target is what a path addresses: the attribute, the sub-attribute of it or
// the attribute again, and the path in canonical spelling.
type target struct {
	top, leaf Attribute
	path      Path
}

func (t target) readOnly() bool {
	return t.top.Mutability == ReadOnly || t.leaf.Mutability == ReadOnly
}

func (d Definition) find(p Path) (target, bool) {
	whole := p.URN
	if p.Attr != "" {
		whole += ":" + p.Attr
	}
	if s, ok := d.schema(whole); ok && p.URN != "" {
		if p.Sub != "" { // urn:...:User.department
			return d.find(Path{URN: s.ID, Attr: p.Sub})
		}
		all := Attribute{Name: s.ID, Type: Complex, SubAttributes: s.Attributes}.WithDefaults()
		return target{top: all, leaf: all, path: Path{URN: s.ID}}, p.Filter == nil
	}
	top, urn, ok := d.attribute(p.URN, p.Attr)
	if !ok {
		return target{}, false
	}
	t := target{top: top, leaf: top, path: Path{URN: urn, Attr: top.Name}}
	if p.Filter != nil {
		if t.path.Filter, ok = canonicalFilter(top, p.Filter); !ok {
			return target{}, false
		}
	}
	if p.Sub == "" {
		return t, true
	}
	if t.leaf, ok = top.Sub(p.Sub); !ok {
		return target{}, false
	}
	if !top.isComplex() { // the value of a simple element is the element
		t.leaf = top
		return t, true
	}
	t.path.Sub = t.leaf.Name
	return t, true
}

// attribute finds a top-level attribute and the URN of the extension it is in.
func (d Definition) attribute(urn, name string) (Attribute, string, bool) {
	if urn != "" {
		s, ok := d.schema(urn)
		if !ok {
			return Attribute{}, "", false
		}
		if s.ID != d.Core.ID {
			a, ok := findAttribute(s.Attributes, name)
			return a, s.ID, ok
		}
	}
	names := []string{name}
	if strings.EqualFold(name, "email") {
		names = append(names, "emails") // Okta's older connectors filter by email.value
	}
	for _, name := range names {
		if a, ok := findAttribute(d.Core.Attributes, name); ok {
			return a, "", true
		}
		if a, ok := findAttribute(common, name); ok {
			return a, "", true
		}
	}
	if urn == "" {
		for _, s := range d.Extensions {
			if a, ok := findAttribute(s.Attributes, name); ok && !s.Apart {
				return a, s.ID, true
			}
		}
	}
	return Attribute{}, "", false
}

// schema finds the core schema or an extension by its URN or its short name.
func (d Definition) schema(urn string) (Schema, bool) {
	if strings.EqualFold(urn, "enterprise") {
		urn = EnterpriseURN
	}
	if urn != "" && strings.EqualFold(urn, d.Core.ID) {
		return d.Core, true
	}
	for _, s := range d.Extensions {
		if strings.EqualFold(urn, s.ID) {
			return s, true
		}
	}
	return Schema{}, false
}

// canonicalFilter spells the names in a value filter as the attribute a does,
// and reports whether it has them all.
func canonicalFilter(a Attribute, f Filter) (Filter, bool) {
	all := func(filters []Filter) ([]Filter, bool) {
		spelt := make([]Filter, len(filters))
		for i, f := range filters {
			var ok bool
			if spelt[i], ok = canonicalFilter(a, f); !ok {
				return nil, false
			}
		}
		return spelt, true
	}
	switch f := f.(type) {
	case And:
		filters, ok := all(f.Filters)
		return And{filters}, ok
	case Or:
		filters, ok := all(f.Filters)
		return Or{filters}, ok
	case Not:
		inner, ok := canonicalFilter(a, f.Filter)
		return Not{inner}, ok
	case Compare:
		sub, ok := a.Sub(f.Path.Attr)
		return Compare{Path{Attr: sub.Name}, f.Op, f.Value}, ok
	case Present:
		sub, ok := a.Sub(f.Path.Attr)
		return Present{Path{Attr: sub.Name}}, ok
	}
	return nil, false // a value filter has no value filters in it
}

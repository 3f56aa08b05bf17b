package mapping

import (
	"slices"

	"scimgate/internal/scim"
)

// FilterReferences returns the ids in a filter that have to be looked up
// before Filter.
func (m *Mapping) FilterReferences(f scim.Filter) []Reference {
	var refs []Reference
	var walk func(f scim.Filter, around scim.Path)
	walk = func(f scim.Filter, around scim.Path) {
		switch f := f.(type) {
		case scim.And:
			for _, part := range f.Filters {
				walk(part, around)
			}
		case scim.Or:
			for _, part := range f.Filters {
				walk(part, around)
			}
		case scim.Not:
			walk(f.Filter, around)
		case scim.ValuePath:
			walk(f.Filter, f.Path)
		case scim.Present:
			if f.Path.Filter != nil {
				walk(f.Path.Filter, f.Path)
			}
		case scim.Compare:
			p := f.Path
			if around.Attr != "" {
				p = scim.Path{URN: around.URN, Attr: around.Attr, Sub: p.Attr}
			}
			if p.Filter != nil {
				walk(p.Filter, p)
			}
			refs = append(refs, m.referredBy(p, f.Text())...)
		}
	}
	walk(f, scim.Path{})
	return refs
}

// referredBy returns the id that a comparison with a text speaks of.
func (m *Mapping) referredBy(p scim.Path, text string) []Reference {
	_, p, _ = m.def.Lookup(p)
	switch p.Sub {
	case "", "value":
	case "$ref":
		text = lastPart(text)
	default:
		return nil
	}
	var refs []Reference
	for _, r := range m.at(p) {
		if r.isReference() && text != "" {
			refs = append(refs, Reference{ID: text, Types: r.config.Reference})
		}
	}
	return refs
}

// AsksReferences reports whether a filter looks at attributes whose values are
// ids of other resources.
func (m *Mapping) AsksReferences(f scim.Filter) bool {
	switch f := f.(type) {
	case scim.And:
		return slices.ContainsFunc(f.Filters, m.AsksReferences)
	case scim.Or:
		return slices.ContainsFunc(f.Filters, m.AsksReferences)
	case scim.Not:
		return m.AsksReferences(f.Filter)
	case scim.Compare:
		return m.refers(f.Path)
	case scim.Present:
		return m.refers(f.Path)
	case scim.ValuePath:
		return m.refers(f.Path)
	}
	return false
}

func (m *Mapping) refers(p scim.Path) bool {
	_, p, _ = m.def.Lookup(scim.Path{URN: p.URN, Attr: p.Attr})
	return slices.ContainsFunc(m.rules, func(r rule) bool {
		if p.URN == "" && p.Attr == "schemas" { // they are there as long as something of them shows
			return r.isReference() && r.path.URN != ""
		}
		return r.isReference() && r.path.URN == p.URN && (r.path.Attr == p.Attr || p.Attr == "")
	})
}

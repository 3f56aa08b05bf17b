package scim

import "slices"

// Project returns the part of the resource that an answer shows (RFC 7644
// section 3.9, RFC 7643 section 2.2). Without attributes that is what the schema
// returns by default; with attributes only those. Excluded ones are left out. What
// is returned "always" (id, schemas) is shown in any case, what is returned "never"
// (password) in none. Names that do not exist are ignored, and so are attributes
// of r that the Definition does not have. The result shares values with r.
func Project(def Definition, r Resource, attributes, excluded []Path) Resource {
	return NewView(def, attributes, excluded).Project(r)
}

// View is what a request wants to see of the resources of one type: the names
// are looked up once, however many resources there are.
type View struct {
	def              Definition
	core             []Attribute
	wanted, excluded map[attributeName]bool
	all              bool // no attributes were asked for
}

// attributeName addresses an attribute, or a schema as a whole, as the schema spells it.
type attributeName struct{ urn, attr, sub string }

// NewView makes the view that attributes and excludedAttributes ask for.
func NewView(def Definition, attributes, excluded []Path) View {
	return View{
		def: def, core: slices.Concat(def.Core.Attributes, common),
		wanted: canonicalNames(def, attributes), excluded: canonicalNames(def, excluded), all: len(attributes) == 0,
	}
}

func canonicalNames(def Definition, paths []Path) map[attributeName]bool {
	names := make(map[attributeName]bool, len(paths))
	for _, p := range paths {
		p.Filter = nil
		if _, p, ok := def.Lookup(p); ok {
			names[attributeName{p.URN, p.Attr, p.Sub}] = true
		}
	}
	return names
}

// Project returns the part of the resource that the view shows.
func (v View) Project(r Resource) Resource {
	shown := Resource{}
	v.show("", v.def.Core.ID, false, v.core, r, shown)
	for _, s := range v.def.Extensions {
		extension := Resource{}
		v.show(s.ID, s.ID, s.Apart, s.Attributes, r.attributes(s.ID), extension)
		if len(extension) > 0 {
			shown[s.ID] = map[string]any(extension)
		}
	}
	return shown
}

// show copies what is wanted of the attributes in from, which belong to the
// schema id, apart or not, and are addressed by urn.
func (v View) show(urn, id string, apart bool, attributes []Attribute, from map[string]any, to Resource) {
	for _, a := range attributes {
		value, ok := from[a.Name]
		if !ok || to[a.Name] != nil {
			continue
		}
		p, schema := attributeName{urn: urn, attr: a.Name}, attributeName{urn: id}
		wanted := v.all && a.Returned != ReturnedRequest || v.wanted[p] || v.wanted[schema] && (apart || a.Returned != ReturnedRequest)
		excluded := v.excluded[p] || v.excluded[schema]
		switch {
		case a.Returned == ReturnedNever:
		case a.Returned == ReturnedAlways:
			if value := v.parts(p, a, value, true); value != nil {
				to[a.Name] = value
			}
		case excluded:
		default:
			if value := v.parts(p, a, value, wanted); value != nil {
				to[a.Name] = value
			}
		}
	}
}

// parts returns what is wanted of a value: all its sub-attributes if the
// attribute itself is, else those that are named.
func (v View) parts(p attributeName, a Attribute, value any, wanted bool) any {
	if !a.isComplex() {
		if wanted {
			return value
		}
		return nil
	}
	var subs []Attribute
	named := wanted
	for _, sub := range a.SubAttributes {
		q := attributeName{p.urn, p.attr, sub.Name}
		asked := v.wanted[q]
		named = named || asked
		if sub.Returned == ReturnedNever || v.excluded[q] && sub.Returned != ReturnedAlways {
			continue
		}
		if asked || wanted && sub.Returned != ReturnedRequest || sub.Returned == ReturnedAlways {
			subs = append(subs, sub)
		}
	}
	if !named {
		return nil
	}
	if len(subs) == len(a.SubAttributes) {
		return value
	}
	return only(subs, value)
}

// only copies the sub-attributes of a complex value, or of each of a list.
func only(subs []Attribute, value any) any {
	switch value := value.(type) {
	case map[string]any:
		part := map[string]any{}
		for _, sub := range subs {
			if v, ok := value[sub.Name]; ok {
				part[sub.Name] = v
			}
		}
		if len(part) > 0 {
			return part
		}
	case []any:
		list := make([]any, 0, len(value))
		for _, element := range value {
			if part := only(subs, element); part != nil {
				list = append(list, part)
			}
		}
		if len(list) > 0 {
			return list
		}
	}
	return nil
}

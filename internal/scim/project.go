package scim

import "slices"

// Project returns the part of the resource that an answer shows (RFC 7644
// section 3.9, RFC 7643 section 2.2). Without attributes that is what the schema
// returns by default; with attributes only those. Excluded ones are left out. What
// is returned "always" (id, schemas) is shown in any case, what is returned "never"
// (password) in none. Names that do not exist are ignored, and so are attributes
// of r that the Definition does not have. The result shares values with r.
func Project(def Definition, r Resource, attributes, excluded []Path) Resource {
	v := view{wanted: canonicalPaths(def, attributes), excluded: canonicalPaths(def, excluded), all: len(attributes) == 0}
	shown := Resource{}
	core := slices.Concat(def.Core.Attributes, CommonAttributes())
	v.show("", def.Core.ID, core, r, shown)
	for _, s := range def.Extensions {
		extension := Resource{}
		v.show(s.ID, s.ID, s.Attributes, r.attributes(s.ID), extension)
		if len(extension) > 0 {
			shown[s.ID] = map[string]any(extension)
		}
	}
	return shown
}

// view is what a request wants to see.
type view struct {
	wanted, excluded []Path
	all              bool // no attributes were asked for
}

func canonicalPaths(def Definition, paths []Path) []Path {
	var canonical []Path
	for _, p := range paths {
		p.Filter = nil
		if _, p, ok := def.Lookup(p); ok {
			canonical = append(canonical, p)
		}
	}
	return canonical
}

// show copies what is wanted of the attributes in from, which belong to the
// schema id and are addressed by urn.
func (v view) show(urn, id string, attributes []Attribute, from map[string]any, to Resource) {
	for _, a := range attributes {
		value, ok := from[a.Name]
		if !ok || to[a.Name] != nil {
			continue
		}
		p := Path{URN: urn, Attr: a.Name}
		wanted := v.all && a.Returned != ReturnedRequest || has(v.wanted, p) || hasSchema(v.wanted, id) && a.Returned != ReturnedRequest
		excluded := has(v.excluded, p) || hasSchema(v.excluded, id)
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
func (v view) parts(p Path, a Attribute, value any, wanted bool) any {
	if !a.isComplex() {
		if wanted {
			return value
		}
		return nil
	}
	var subs []Attribute
	named := wanted
	for _, sub := range a.SubAttributes {
		q := Path{URN: p.URN, Attr: p.Attr, Sub: sub.Name}
		asked := has(v.wanted, q)
		named = named || asked
		if sub.Returned == ReturnedNever || has(v.excluded, q) && sub.Returned != ReturnedAlways {
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

func has(paths []Path, p Path) bool {
	return slices.ContainsFunc(paths, func(q Path) bool {
		return q.URN == p.URN && q.Attr == p.Attr && q.Sub == p.Sub
	})
}

func hasSchema(paths []Path, id string) bool { return has(paths, Path{URN: id}) }

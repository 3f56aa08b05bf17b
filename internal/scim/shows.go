package scim

// Shows reports whether Project shows something of what p addresses, so that a
// server need not find out what nobody will see.
func Shows(def Definition, p Path, attributes, excluded []Path) bool {
	p.Filter = nil
	_, p, ok := def.Lookup(p)
	if !ok {
		return false
	}
	top, _, _ := def.Lookup(Path{URN: p.URN, Attr: p.Attr})
	var value any = "x"
	if top.isComplex() {
		parts := map[string]any{}
		for _, sub := range top.SubAttributes {
			if p.Sub == "" || p.Sub == sub.Name {
				parts[sub.Name] = "x"
			}
		}
		value = parts
	}
	if top.MultiValued {
		value = []any{value}
	}
	r := Resource{p.Attr: value}
	if p.URN != "" {
		r = Resource{p.URN: map[string]any(r)}
	}
	return Project(def, r, attributes, excluded).attributes(p.URN)[p.Attr] != nil
}

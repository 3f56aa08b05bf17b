package scim

// Shows reports whether the view shows something of what p addresses, so that a
// server need not find out what nobody will see.
func (v View) Shows(p Path) bool {
	p.Filter = nil
	_, p, ok := v.def.Lookup(p)
	if !ok {
		return false
	}
	top, _, _ := v.def.Lookup(Path{URN: p.URN, Attr: p.Attr})
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
	return v.Project(r).attributes(p.URN)[p.Attr] != nil
}

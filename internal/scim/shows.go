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
	schema, apart := v.def.Core.ID, false
	for _, e := range v.def.Extensions {
		if e.ID == p.URN {
			schema, apart = e.ID, e.Apart
		}
	}
	shown := Resource{}
	v.show(p.URN, schema, apart, []Attribute{top}, map[string]any{p.Attr: value}, shown)
	return shown[p.Attr] != nil
}

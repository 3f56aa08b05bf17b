package mapping

import (
	"slices"

	"scimgate/internal/scim"
)

// Reads returns the LDAP attributes that hold the values of SCIM attributes:
// what has to be read of an entry so that its resource has these. A path into a
// list brings the attribute as a whole, since its rules make the elements
// together, and a path to what is shown of another resource brings the reference.
// The naming attribute is always among them, so the answer is never
// empty, which would be no attributes at all.
func (m *Mapping) Reads(paths []scim.Path) []string {
	names := []string{m.config.RDN.LDAP}
	for _, p := range paths {
		if p.Filter != nil {
			p.Sub = "" // it looks at other parts, too
		}
		_, p, ok := m.def.Lookup(scim.Path{URN: p.URN, Attr: p.Attr, Sub: p.Sub})
		if !ok {
			continue
		}
		if p.URN == m.def.Core.ID { // the whole core schema, whose rules have no URN
			p.URN = ""
		}
		for i := range m.rules {
			r := &m.rules[i]
			whole := p.Attr == "" && r.path.URN == p.URN
			wanted := whole || r.at(p.URN, p.Attr) && (r.top.MultiValued || p.Sub == "" || p.Sub == r.path.Sub || r.shownOf(p.Sub))
			if wanted && !r.isComputed() && !r.isSecret() && !slices.Contains(names, r.config.LDAP) {
				names = append(names, r.config.LDAP)
			}
		}
	}
	return names
}

// ReadsMarker reports whether one of the attributes is made of what is known of
// an entry beside its LDAP attributes: its marker, version and times.
func (m *Mapping) ReadsMarker(paths []scim.Path) bool {
	return slices.ContainsFunc(paths, func(p scim.Path) bool {
		_, p, _ = m.def.Lookup(scim.Path{URN: p.URN, Attr: p.Attr, Sub: p.Sub})
		return p.URN == "" && (p.Attr == "active" || p.Attr == "meta") || p.URN == m.def.Core.ID || p.URN == scim.ProvenanceURN
	})
}

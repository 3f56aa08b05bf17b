package mapping

import (
	"fmt"
	"slices"
	"strings"

	"scimgate/internal/directory"
	"scimgate/internal/scim"
)

// computesDistinct reports whether a value that must be unique may be made of
// others, so that a resource does not show it.
func (m *Mapping) computesDistinct() bool {
	for i := range m.rules {
		r := &m.rules[i]
		if r.distinct && !r.suffixes() && (r.isComputed() || r.fallback != nil) {
			return true
		}
	}
	return false
}

// keys returns what no other entry may have: the values, in the rule's attribute
// and in those of its peers.
func (r *rule) keys(values []string) []directory.Key {
	var keys []directory.Key
	for _, v := range values {
		keys = append(keys, directory.Key{Attribute: r.config.LDAP, Value: v, Exact: r.leaf.CaseExact})
		for _, p := range r.peers {
			keys = append(keys, directory.Key{Attribute: p.config.LDAP, Value: v, Exact: p.leaf.CaseExact})
		}
	}
	return keys
}

// holds reports whether an entry has what a key claims already, be it in the
// attribute of a peer.
func (m *Mapping) holds(e directory.Entry, k directory.Key) bool {
	if slices.Contains(e.Attributes[k.Attribute], k.Value) {
		return true
	}
	for i := range m.rules {
		r := &m.rules[i]
		if r.config.LDAP == k.Attribute && slices.ContainsFunc(r.peers, func(p *rule) bool { return slices.Contains(e.Attributes[p.config.LDAP], k.Value) }) {
			return true
		}
	}
	return false
}

// Made returns the values of an entry that are computed: a directory may want
// them to be unique, whatever the declaration says.
func (m *Mapping) Made(want Want) []directory.Key {
	var keys []directory.Key
	for i := range m.rules {
		if r := &m.rules[i]; r.isComputed() {
			for _, v := range want.Attributes[r.config.LDAP] {
				keys = append(keys, directory.Key{Attribute: r.config.LDAP, Value: v})
			}
		}
	}
	return keys
}

// Claims returns the values of a resource that no other may have, folded so
// that equal ones meet. known is false where the mapping makes such values of
// others, so that they cannot be told beforehand.
func (m *Mapping) Claims(res scim.Resource) (values []string, known bool) {
	for i := range m.rules {
		r := &m.rules[i]
		if !r.distinct || r.suffixes() {
			continue
		}
		for _, f := range r.find(res) {
			for _, k := range r.keys([]string{fmt.Sprint(f.value)}) {
				values = append(values, strings.ToLower(k.Attribute)+"="+directory.FoldValue(k.Value))
			}
		}
	}
	return values, !m.computesDistinct()
}

// MayClaim reports whether a patch may change a value that no other resource
// may have. What cannot be told is assumed.
func (m *Mapping) MayClaim(p scim.Patch) bool {
	if m.computesDistinct() {
		return true
	}
	for _, o := range p.Operations {
		if o.Path != nil {
			if m.mayClaim(*o.Path) {
				return true
			}
			continue
		}
		object, ok := o.Value.(map[string]any)
		if !ok {
			return true
		}
		for name := range object {
			if p, err := scim.ParsePath(name); err != nil || m.mayClaim(p) {
				return true
			}
		}
	}
	return false
}

func (m *Mapping) mayClaim(p scim.Path) bool {
	_, canonical, ok := m.def.Lookup(p)
	if !ok || canonical.Attr == "" { // unknown, or a whole schema
		return true
	}
	for i := range m.rules {
		r := &m.rules[i]
		if r.at(canonical.URN, canonical.Attr) && r.distinct {
			return true
		}
	}
	return false
}

// Identifying says what keeps a SCIM attribute from finding one resource at
// most; "" is nothing: it is the id, or every rule that maps it is unique.
func (m *Mapping) Identifying(attribute string) string {
	p, err := scim.ParsePath(attribute)
	if err != nil {
		return fmt.Sprintf("%q is no attribute: %s", attribute, detail(err))
	}
	found, canonical, ok := m.def.Lookup(p)
	switch {
	case !ok || p.Filter != nil:
		return fmt.Sprintf("%q is no attribute of a %s; give for example userName", attribute, m.def.Name)
	case len(found.SubAttributes) > 0:
		return fmt.Sprintf("%s has parts; give one, for example %s.value", attribute, attribute)
	case canonical.URN == "" && canonical.Attr == "id":
		return ""
	}
	mapped := false
	for i := range m.rules {
		r := &m.rules[i]
		if !r.at(canonical.URN, canonical.Attr) || r.path.Sub != canonical.Sub || r.isSecret() {
			continue
		}
		if !r.distinct {
			return fmt.Sprintf("%s is not unique, so it could find several people; set unique: true at the rule of %s", attribute, r.path)
		}
		mapped = true
	}
	if !mapped {
		return fmt.Sprintf("%s is not mapped, so it finds nobody; add a rule for it, or use userName", attribute)
	}
	return ""
}

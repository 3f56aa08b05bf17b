package mapping

import (
	"slices"

	"scimgate/internal/directory"
	"scimgate/internal/scim"
)

// knownBy are the attributes of a resource that people know it by.
var knownBy = []string{"userName", "displayName", "externalId", "emails"}

// Called returns what an entry is called over SCIM, the best known first, as far as
// that was read.
func (m *Mapping) Called(e directory.Entry) []string {
	var names []string
	for _, name := range knownBy {
		for i := range m.rules {
			r := &m.rules[i]
			if r.at("", name) && !r.isReference() && !r.isSecret() && (r.path.Sub == "" || r.path.Sub == "value") {
				names = append(names, e.Attributes[r.config.LDAP]...)
			}
		}
	}
	return names
}

// Secrets returns the names of the attributes whose values nobody may see once they
// were sent, password among them in any case. Of a list whose values are secret it is
// the name of the list.
func (m *Mapping) Secrets() []string {
	names := []string{"password"}
	for i := range m.rules {
		r := &m.rules[i]
		if !r.isSecret() {
			continue
		}
		name := r.leaf.Name
		if r.top.Returned == scim.ReturnedNever || name == "value" {
			name = r.top.Name
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

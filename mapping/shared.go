package mapping

import (
	"fmt"
	"strings"

	"scimgate/internal/directory"
)

// Disagreements are the faults of a declaration that shares a schema with
// another of the same tenant: the schema of an extension may belong to several
// resource types, and its attributes are the same in all of them; a type's own
// schema is nobody else's. %s in a problem stands for the other.
func Disagreements(other, c Config) []directory.Fault {
	faults := c.listed(other)
	for i, e := range c.Extensions {
		key := fmt.Sprintf("extensions[%d]", i)
		if other.further() && strings.EqualFold(e.URN, other.Kind.Schema) {
			faults = append(faults, directory.Fault{Key: key + ".urn", Problem: "is the schema of %s; give the extension a URN of its own"})
		}
		for _, shared := range other.Extensions {
			if strings.EqualFold(e.URN, shared.URN) {
				faults = append(faults, e.disagreements(key, shared)...)
			}
		}
	}
	for _, e := range other.Extensions {
		if c.further() && strings.EqualFold(e.URN, c.Kind.Schema) {
			faults = append(faults, directory.Fault{Key: "schema", Problem: "is an extension of %s; give the type a URN of its own"})
		}
	}
	return faults
}

func (e ExtensionConfig) disagreements(key string, other ExtensionConfig) []directory.Fault {
	first := map[string]RuleConfig{}
	for _, r := range other.Attributes {
		first[strings.ToLower(r.SCIM)] = r
	}
	var faults []directory.Fault
	for i, r := range e.Attributes {
		if o, ok := first[strings.ToLower(r.SCIM)]; ok && r.SCIM != "" {
			if differs := differ(o, r); differs != "" {
				faults = append(faults, directory.Fault{Key: fmt.Sprintf("%s.attributes[%d].%s", key, i, differs),
					Problem: "differs from what %s says of the same attribute of the same schema; write the same here"})
			}
		}
	}
	return faults
}

// listed finds members that are listed by a value which the entries of the other
// type, if it is theirs, are not named after.
func (c Config) listed(people Config) []directory.Fault {
	var faults []directory.Fault
	for i, r := range c.Attributes {
		if r.By != "" && !strings.EqualFold(r.By, people.RDN.LDAP) && !people.further() {
			faults = append(faults, directory.Fault{Key: fmt.Sprintf("attributes[%d].by", i),
				Problem: "is not what entries of %s are named after, so nobody could say whom a value means; name them after it with rdn"})
		}
	}
	return faults
}

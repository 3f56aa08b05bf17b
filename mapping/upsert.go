package mapping

import (
	"fmt"

	"scimgate/internal/directory"
)

// UpsertConfig says by which values, beside the stable key, a create finds
// somebody whom the tenant has or had: who is deleted comes back, and who is there
// is brought up to date, under the id of before. None is the rule that such a
// create is a conflict, and that a deleted person's name is given away.
type UpsertConfig struct {
	// By are SCIM attributes: an entry has to have the value of every one.
	By []string `yaml:"by,orscalar"`
}

// upsert compiles by which attributes a create finds somebody again.
func (c *compiler) upsert() {
	by := c.m.config.Upsert.By
	if len(by) > 0 && c.m.def.Name == "Group" {
		c.fault("upsert", "is not for groups: what a create says of the members would be all that is known of them; remove the key")
		return
	}
	for i, name := range by {
		key := fmt.Sprintf("upsert.by[%d]", i)
		switch r := c.finder(key, name, c.m.finders); {
		case r == nil:
		case !r.distinct:
			c.fault(key, "%s is not unique, so it could find several; set unique: true at its rule, or name another", name)
		default:
			c.m.finders = append(c.m.finders, r)
		}
	}
}

// Upserts reports whether a create may bring up to date who is there already.
func (m *Mapping) Upserts() bool { return len(m.finders) > 0 }

// finds returns the values by which a create finds somebody again: none where the
// resource lacks one of them. They count byte for byte, as the stable key does.
func (m *Mapping) finds(want Want) []directory.Key {
	var keys []directory.Key
	for _, r := range m.finders {
		value := want.Attributes.First(r.config.LDAP)
		if value == "" {
			return nil
		}
		keys = append(keys, directory.Key{Attribute: r.config.LDAP, Value: value, Exact: true})
	}
	return keys
}

// Known returns what is wanted of somebody whom a create has found, and who is
// there: everything that the resource says but for the password, since they have
// one. They are to be active unless it says otherwise, as those who are new.
func (m *Mapping) Known(want Want) Want {
	want.Secrets = nil
	want.Hidden = want.Hidden.Clone()
	for name := range want.Hidden {
		if secret(name) {
			delete(want.Hidden, name)
		}
	}
	if want.Active == nil {
		active := true
		want.Active = &active
	}
	return want
}

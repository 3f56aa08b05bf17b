package mapping

import (
	"fmt"
	"strings"
)

// Origin returns the key of the declaration that an LDAP attribute's values
// come from, and what they are made of: a SCIM path, a template, or the
// gateway's own. hidden values are passwords and the like. ok is false for an
// attribute that the declaration does not name; it too can be a password, which
// an account gets that would have none.
func (c Config) Origin(ldap string) (key, of string, hidden, ok bool) {
	base, _, _ := strings.Cut(ldap, ";")
	is := func(name string) bool { return strings.EqualFold(name, ldap) || strings.EqualFold(name, base) }
	rules := func(prefix string, all []RuleConfig) bool {
		for i, r := range all {
			if !is(r.LDAP) {
				continue
			}
			key, of = fmt.Sprintf("%sattributes[%d]", prefix, i), r.SCIM
			hidden = secret(base) || strings.EqualFold(r.SCIM, "password") || r.Returned == "never" || r.Mutability == "writeOnly"
			switch {
			case r.Allocate != nil:
				of = "allocate"
			case r.SCIM == "":
				of = "template " + r.Template
			}
			return true
		}
		return false
	}
	switch {
	case is("objectClass"):
		return "objectClasses", "objectClasses", false, true
	case is(c.Marker.State):
		return "marker.state", "marker", false, true
	case is(c.Marker.Source):
		return "marker.source", "marker", false, true
	case c.RDN.Template != "" && is(c.RDN.LDAP):
		return "rdn", "template " + c.RDN.Template, false, true
	case rules("", c.Attributes):
		return key, of, hidden, true
	}
	for i, e := range c.Extensions {
		if rules(fmt.Sprintf("extensions[%d].", i), e.Attributes) {
			return key, e.URN + ":" + of, hidden, true
		}
	}
	for i, s := range c.Deactivate {
		if s.ldap() != "" && is(s.ldap()) || s.Scramble != nil && is(s.Scramble.LDAP) {
			return fmt.Sprintf("deactivate[%d].%s", i, s.kind()), "deactivate", s.Scramble != nil || secret(base), true
		}
	}
	return "", "", secret(base), false
}

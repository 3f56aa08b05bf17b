package mapping

import (
	"fmt"
	"slices"
	"strings"

	"scimgate/internal/directory"
	"scimgate/internal/scim"
)

// secretAttributes hold passwords, or what is as good as one. Nobody may read
// them over SCIM, filter by them or sort by them, whatever they are mapped to.
var secretAttributes = []string{"userPassword", "authPassword", "unicodePwd", "pwdHistory",
	"sambaNTPassword", "sambaLMPassword", "sambaPasswordHistory", "krbPrincipalKey"}

// confine refuses lines through which a client could reach what is not its
// own: the classes of an entry, the passwords in it, and what the gateway keeps
// there or relies on.
func (c *compiler) confine(lines []line) {
	for _, l := range lines {
		key, rc := l.key+".ldap", l.rule
		name, option, _ := strings.Cut(rc.LDAP, ";")
		switch by := c.reserved(name); {
		case strings.EqualFold(name, "objectClass"):
			c.fault(key, "objectClass says what an entry is; list its classes in objectClasses")
		case secret(name) && rc.SCIM != "" && !l.isPassword() && rc.Returned != "never" && rc.Mutability != "writeOnly":
			c.fault(key, "%s holds passwords, which are not shown; map password to it, or say returned: never", name)
		case option != "" && ";"+strings.ToLower(option) != binaryOption && !strings.HasPrefix(strings.ToLower(option), "lang-"):
			c.fault(key, "the option %s is not known; leave it out, or use binary or a language such as lang-de", option)
		case option != "" && by != "": // a search for the name finds values with options, too
			c.fault(key, "%s is used by %s already, and a search finds it with every option", name, by)
		}
	}
}

func secret(ldap string) bool {
	return slices.ContainsFunc(secretAttributes, func(s string) bool { return strings.EqualFold(s, ldap) })
}

// reserved says what relies on an LDAP attribute, besides the lines.
func (c *compiler) reserved(ldap string) string {
	cfg := c.m.config
	uses := map[string]string{"rdn": cfg.RDN.LDAP, "marker.state": cfg.Marker.State, "marker.source": cfg.Marker.Source}
	for i, s := range cfg.Deactivate {
		if name := s.ldap(); name != "" {
			uses[fmt.Sprintf("deactivate[%d]", i)] = name
		}
	}
	for by, name := range uses {
		if strings.EqualFold(name, ldap) {
			return by
		}
	}
	if secret(ldap) {
		return "passwords"
	}
	return ""
}

// comparable holds a value that no other entry may have against the rules of
// the directory: where it has none of equality, a search for the value finds
// nobody, and everybody could have it.
func (h *holder) comparable(key string, a directory.AttributeType) {
	if a.Syntax != "" && a.Equality == "" {
		h.fault(key+".ldap", "the directory cannot compare values of %s, so it could not be told whether one is taken; use another attribute for what has to be unique", a.Names[0])
	}
}

// hides reports whether a template must not see an attribute: what it computes
// is shown.
func hides(a scim.Attribute) bool { return a.Returned == scim.ReturnedNever }

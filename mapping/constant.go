package mapping

import (
	"fmt"
	"regexp"
	"strings"

	"scimgate/internal/directory"
)

// forms are what values of the stricter syntaxes of RFC 4517 look like.
var forms = map[string]*regexp.Regexp{
	"6":  regexp.MustCompile(`^'[01]*'B$`),
	"7":  regexp.MustCompile(`^(TRUE|FALSE)$`),
	"12": regexp.MustCompile(`^$|^[A-Za-z0-9.-]+ *=`),
	"24": generalized,
	"27": regexp.MustCompile(`^(0|-?[1-9][0-9]*)$`),
	"38": regexp.MustCompile(`^([0-9]+(\.[0-9]+)*|[A-Za-z][A-Za-z0-9-]*)$`),
}

// constants holds the texts that the declaration gives to attributes against
// their syntax.
func (h *holder) constants(m *Mapping) {
	give := func(key, text, ldap string) {
		if a, ok := h.schema.Attribute(ldap); ok && len(a.Names) > 0 {
			h.constant(key, text, a)
		}
	}
	for i, s := range m.config.Deactivate {
		if s.Set != nil {
			key := fmt.Sprintf("deactivate[%d].set.", i)
			give(key+"inactive", s.Set.Inactive, s.Set.LDAP)
			give(key+"active", s.Set.Active, s.Set.LDAP)
		}
	}
	for i := range m.rules {
		give(m.ruleKey(i)+".default", m.rules[i].config.Default, m.rules[i].config.LDAP)
		give(m.ruleKey(i)+".template", m.rules[i].config.Template, m.rules[i].config.LDAP)
	}
}

// constant looks whether an attribute takes a text of the configuration. A
// template with actions is known only when it is used.
func (h *holder) constant(key, text string, a directory.AttributeType) {
	if text == "" || strings.Contains(text, "{{") {
		return
	}
	syntax := strings.TrimPrefix(a.Syntax, syntaxPrefix)
	fits := true
	if form := forms[syntax]; form != nil {
		fits = form.MatchString(text)
	}
	if has := alphabets[syntax]; has != nil {
		fits = strings.IndexFunc(text, func(c rune) bool { return !has(c) }) < 0
	}
	if !fits {
		h.fault(key, "%q is no value of %s in this directory; it takes %s", text, a.Names[0], takes[syntax])
	}
}

// markable looks whether marked entries could be found again: the directory is
// asked for the tenant by an equal value, and for the state by a beginning.
func (h *holder) markable(marker MarkerConfig) {
	if a, ok := h.schema.Attribute(marker.State); ok && a.Syntax != "" && a.Equality != "" && a.Substring == "" {
		h.fault("marker.state", "the directory cannot search for how values of %s begin, so it would find no entry of the gateway; use an attribute with a rule of substrings", marker.State)
	}
	for _, p := range []Place{{"marker.state", marker.State}, {"marker.source", marker.Source}} {
		if a, ok := h.schema.Attribute(p.Attribute); ok && a.Syntax != "" && a.Equality == "" && !a.ReadOnly {
			h.fault(p.Key, "the directory cannot compare values of %s, so it would find no entry of the gateway; use an attribute with a rule of equality", p.Attribute)
		}
	}
}

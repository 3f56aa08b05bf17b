package mapping

import (
	"fmt"
	"slices"
	"strings"

	"scimgate/internal/scim"
)

// addresses compiles which values have to be mail addresses, and of which domains.
func (c *compiler) addresses() {
	rules := c.m.config.Rules
	for i, domain := range rules.MailDomains {
		if !isDomain(domain) {
			c.fault(fmt.Sprintf("rules.mailDomains[%d]", i), "%q is no domain; write for example example.com", domain)
		}
	}
	if len(rules.MailDomains) > 0 && len(rules.MailAddresses) == 0 {
		c.fault("rules.mailDomains", "bounds nothing while no attribute has to be a mail address; set mailAddresses, for example [userName]")
	}
	for i, name := range rules.MailAddresses {
		if p, _, ok := c.demanded("mailAddresses", i, name); ok {
			c.m.checks = append(c.m.checks, c.m.address(p, rules.MailDomains))
		}
	}
}

func (m *Mapping) address(p scim.Path, domains []string) check {
	expected, more := "ann@example.com", ""
	if len(domains) > 0 {
		expected = "ann@" + domains[0]
		more = " of " + strings.Join(domains, " or ")
	}
	return func(res scim.Resource) []breach {
		var all []breach
		for _, v := range m.valuesAt(res, p) {
			if v := text(v); !isAddress(v, domains) {
				all = append(all, breach{about: p.String() + " " + v, detail: fmt.Sprintf(
					"%s: %q is no mail address%s; send one, such as %s", p, v, more, expected)})
			}
		}
		return all
	}
}

// isAddress reports whether a text has the form of a mail address, in one of the
// domains where there are any. It is about what is in front of the last @ and
// behind it; only the domain's own server knows more.
func isAddress(v string, domains []string) bool {
	at := strings.LastIndexByte(v, '@')
	if at < 1 || strings.ContainsFunc(v[:at], func(c rune) bool { return c <= ' ' || c == 0x7f || c == '<' || c == '>' || c == ',' }) {
		return false
	}
	domain := lower(v[at+1:])
	return isDomain(domain) && (len(domains) == 0 || slices.ContainsFunc(domains, func(d string) bool { return lower(d) == domain }))
}

// isDomain reports whether a text is names with dots between them, in any alphabet.
func isDomain(v string) bool {
	for label := range strings.SplitSeq(v, ".") {
		if label == "" || strings.ContainsFunc(label, func(c rune) bool { return c <= ' ' || c < 0x80 && !strings.ContainsRune(hostLetters, c) }) {
			return false
		}
	}
	return true
}

const hostLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"

// lower is v in small letters as far as they are ASCII: that is how domains
// compare (RFC 4343), and the sign of the kelvin is no k.
func lower(v string) string {
	return strings.Map(func(c rune) rune {
		if 'A' <= c && c <= 'Z' {
			return c + 'a' - 'A'
		}
		return c
	}, v)
}

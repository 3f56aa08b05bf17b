package mapping

import (
	"fmt"
	"strings"

	"scimgate/internal/directory"
	"scimgate/internal/scim"
)

// takes says in a client's words what a value of a syntax of RFC 4517 is.
var takes = map[string]string{
	"6":  "bits such as '0101'B",
	"7":  "true or false",
	"8":  "a certificate in DER, as base64",
	"11": "a country code of two letters, such as DE",
	"12": "the distinguished name of an entry",
	"15": "a text that is not empty",
	"22": "a fax number, such as +1 555 0100: ASCII letters, digits, blanks and any of ' ( ) + , - . / : ? =",
	"24": "a date and time, such as 2026-05-01T12:00:00Z",
	"26": "ASCII characters only",
	"27": "a whole number",
	"28": "a JPEG picture, as base64",
	"34": "the distinguished name of an entry",
	"36": "digits and blanks only",
	"38": "an object identifier, such as 1.3.6.1, or the name of one",
	"41": "an address of lines parted by $, such as 1 Main Street$Springfield",
	"44": "ASCII letters, digits, blanks and any of ' ( ) + , - . / : ? = only",
	"50": "a telephone number, such as +1 555 0100: ASCII letters, digits, blanks and any of ' ( ) + , - . / : ? =",
}

// alphabets are the syntaxes that are nothing but a set of characters, so that a
// value can be judged before anything is written.
var alphabets = map[string]func(rune) bool{
	"26": func(c rune) bool { return c < 0x80 },
	"36": func(c rune) bool { return c == ' ' || '0' <= c && c <= '9' },
	"44": func(c rune) bool {
		return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.ContainsRune(" '()+,-./:?=", c)
	},
}

// Takes says what values an LDAP attribute takes, as the end of "it takes"; ""
// where that is not known.
func (m *Mapping) Takes(ldap string) string {
	for i := range m.rules {
		if r := &m.rules[i]; strings.EqualFold(r.config.LDAP, ldap) {
			a, _ := r.ldap()
			return takesOf(a)
		}
	}
	return ""
}

func takesOf(a directory.AttributeType) string {
	what := takes[strings.TrimPrefix(a.Syntax, syntaxPrefix)]
	if what != "" && a.Length > 0 {
		what += fmt.Sprintf(", and of not much more than %d characters", a.Length) // RFC 4512 section 4.1.2: the least that has to be taken
	}
	if what != "" && a.Single {
		what += ", and one value at most"
	}
	return what
}

// inAlphabet refuses a value with a character that the attribute's syntax in
// this directory does not have. What is never shown is not quoted.
func (r *rule) inAlphabet(value string) error {
	a, _ := r.ldap()
	syntax := strings.TrimPrefix(a.Syntax, syntaxPrefix)
	has := alphabets[syntax]
	if has == nil || r.leaf.Type == scim.Binary {
		return nil
	}
	i := strings.IndexFunc(value, func(c rune) bool { return !has(c) })
	if i < 0 {
		return nil
	}
	return scim.BadRequest(scim.TypeInvalidValue, "%s: %s; the directory takes %s; correct it at the source, or leave the attribute out",
		r.label(), r.misfit(value, i), takes[syntax])
}

// misfit says which character of a value is the wrong one; of a secret it does not.
func (r *rule) misfit(value string, at int) string {
	if r.isSecret() {
		return "the value has a character that is not taken"
	}
	return fmt.Sprintf("the value %q has the character %q", value, string([]rune(value[at:])[:1]))
}

package mapping

import (
	"fmt"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"scimgate/internal/scim"
)

// RDNConfig says how an entry is named: by an attribute that a rule feeds, which
// has a short form, or by a template of its own.
type RDNConfig struct {
	LDAP        string `yaml:"ldap"`
	Template    string `yaml:"template"`
	OnCollision string `yaml:"onCollision"`
	MaxLength   int    `yaml:"maxLength"`
	Forbidden   string `yaml:"forbidden"`
	// ForbiddenAtEnd is as in RuleConfig.
	ForbiddenAtEnd string `yaml:"forbiddenAtEnd"`
}

// UnmarshalText reads the short form.
func (c *RDNConfig) UnmarshalText(text []byte) error {
	c.LDAP = string(text)
	return nil
}

// rule is the line that a template for the name stands for.
func (c RDNConfig) rule() RuleConfig {
	return RuleConfig{LDAP: c.LDAP, Template: c.Template, OnCollision: c.OnCollision,
		MaxLength: c.MaxLength, Forbidden: c.Forbidden, ForbiddenAtEnd: c.ForbiddenAtEnd}
}

// The values of RuleConfig.OnCollision.
const (
	CollisionConflict = "conflict"
	CollisionSuffix   = "suffix"
)

// leastLength leaves a suffix of several digits something to stand behind.
const leastLength = 6

// shape refuses what a line cannot say of the form of its values.
func (c *compiler) shape(l line) {
	rc := l.rule
	fault := func(key, format string, args ...any) { c.fault(l.key+"."+key, format, args...) }
	oneOf(fault, "onCollision", rc.OnCollision, "", CollisionConflict, CollisionSuffix)
	suffix := rc.OnCollision == CollisionSuffix
	switch names := strings.EqualFold(rc.LDAP, c.m.config.RDN.LDAP); {
	case suffix && rc.SCIM != "":
		fault("onCollision", "suffix would change what the identity provider sends for %s; use conflict, or compute the value with a template", rc.SCIM)
	case rc.OnCollision != "" && !rc.Unique && !names:
		fault("onCollision", "has no effect where several entries may have the value; add unique: true, or remove the key")
	}
	switch {
	case rc.MaxLength < 0:
		fault("maxLength", "%d is not above zero", rc.MaxLength)
	case suffix && rc.MaxLength > 0 && rc.MaxLength < leastLength:
		fault("maxLength", "%d leaves no room for a suffix; give at least %d", rc.MaxLength, leastLength)
	case (rc.MaxLength > 0 || rc.Forbidden+rc.ForbiddenAtEnd != "") && (len(rc.Reference) > 0 || rc.Type == string(scim.Binary)):
		fault("maxLength", "forbidden and forbiddenAtEnd belong to text; remove them")
	}
}

// named refuses what the name of an entry cannot be made of.
func (c *compiler) named() {
	rdn := c.m.config.RDN
	if rdn.Template == "" && rdn != (RDNConfig{LDAP: rdn.LDAP}) {
		c.fault("rdn.template", "is missing: onCollision, maxLength, forbidden and forbiddenAtEnd belong to it; give one, or write them at the line that feeds %s", rdn.LDAP)
	}
	if rdn.Template == "" && rdn.LDAP == "" && rdn != (RDNConfig{}) {
		c.fault("rdn.ldap", "is missing; name the LDAP attribute")
	}
	if c.m.naming != nil && c.m.naming.isAllocated() {
		c.fault("rdn", "%s is a number that the directory gives, so it is no name; use another attribute", rdn.LDAP)
	}
}

// suffixes reports whether the rule's value gets a suffix where it is taken.
func (r *rule) suffixes() bool { return r.config.OnCollision == CollisionSuffix }

// shaped is a computed value in the form that the rule has for it. Where
// characters are forbidden, controls are as well.
func (r *rule) shaped(v string) string {
	if r.config.Forbidden != "" {
		v = strings.TrimSpace(strings.Map(func(c rune) rune {
			if strings.ContainsRune(r.config.Forbidden, c) || unicode.IsControl(c) {
				return -1
			}
			return c
		}, v))
	}
	v = cut(v, r.config.MaxLength)
	if end := r.config.ForbiddenAtEnd; end != "" {
		v = strings.TrimRight(v, end+" ")
	}
	return v
}

// fits refuses a value that was sent and has not the rule's form.
func (r *rule) fits(v string) error {
	if most, n := r.config.MaxLength, len([]rune(v)); most > 0 && n > most {
		return scim.BadRequest(scim.TypeInvalidValue, "%s: the value has %d characters; at most %d are possible, so shorten it", r.label(), n, most)
	}
	if i := strings.IndexAny(v, r.config.Forbidden); i >= 0 {
		return scim.BadRequest(scim.TypeInvalidValue, "%s: %s; none of %s is allowed", r.label(), r.misfit(v, i), r.config.Forbidden)
	}
	if end := r.config.ForbiddenAtEnd; v != strings.TrimRight(v, end) {
		what := fmt.Sprintf("the value %q", v)
		if r.isSecret() {
			what = "the value"
		}
		return scim.BadRequest(scim.TypeInvalidValue, "%s: %s ends with one of %s; leave that away", r.label(), what, end)
	}
	return nil
}

// cut shortens a text to a number of characters; 0 leaves it. A letter keeps the
// marks that belong to it, and what is cut does not end in a separator.
func cut(text string, most int) string {
	letters := []rune(text)
	if most <= 0 || len(letters) <= most {
		return text
	}
	end := most
	for end > 0 && unicode.Is(unicode.M, letters[end]) {
		end--
	}
	if end == 0 {
		end = most
	}
	short := string(letters[:end])
	if trimmed := strings.TrimRight(short, " .-_'"); trimmed != "" {
		return trimmed
	}
	return short
}

// before is the text in front of a separator, all of it where there is none.
func before(separator, text string) string {
	front, _, _ := strings.Cut(text, separator)
	return front
}

// letters are what ascii writes for letters that are more than a letter with a
// mark.
var letters = map[rune]string{
	'ß': "ss", 'ẞ': "SS", 'æ': "ae", 'Æ': "AE", 'œ': "oe", 'Œ': "OE", 'ø': "o", 'Ø': "O", 'ł': "l", 'Ł': "L",
	'đ': "d", 'Đ': "D", 'ð': "d", 'Ð': "D", 'þ': "th", 'Þ': "Th", 'ı': "i", 'ħ': "h", 'Ħ': "H", 'ŋ': "n", 'Ŋ': "N",
	'ŧ': "t", 'Ŧ': "T", '‘': "'", '’': "'", '“': `"`, '”': `"`, '‐': "-", '‑': "-", '–': "-", '—': "-",
}

// ascii writes a text with the letters of ASCII: marks are dropped, and what is
// no Latin letter is left out.
func ascii(text string) string {
	var b strings.Builder
	for _, c := range norm.NFKD.String(text) {
		if c < unicode.MaxASCII {
			b.WriteRune(c)
		} else {
			b.WriteString(letters[c])
		}
	}
	return b.String()
}

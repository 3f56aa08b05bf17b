package mapping

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"scimgate/internal/directory"
	"scimgate/internal/scim"
)

// narrowed is a comparison that matches at least what scim.Match accepts for a
// text. Directories prepare text in ways of their own (RFC 4518 and what servers
// make of it): blanks at the ends are dropped, and of letters outside of the
// oldest alphabets they may not know the case. So what could make a directory
// miss a value is left out of what it is asked, and Match sorts out the rest.
func narrowed(op directory.FilterOp, attribute, value string) directory.Filter {
	value = norm.NFC.String(value)
	pieces := strings.FieldsFunc(value, unsure)
	if len(pieces) == 1 && pieces[0] == value {
		trimmed := strings.TrimFunc(value, insignificant)
		if trimmed == "" {
			return directory.Filter{Op: directory.Present, Attribute: attribute}
		}
		if op != directory.Equal && trimmed != value {
			op, value = directory.Contains, trimmed // what was cut off may stand there, or not
		}
		return directory.Filter{Op: op, Attribute: attribute, Value: value}
	}
	all := []directory.Filter{{Op: directory.Present, Attribute: attribute}}
	for _, piece := range pieces {
		// A mark at a piece's beginning belongs to the letter left out.
		piece = strings.TrimLeftFunc(piece, func(r rune) bool { return unicode.Is(unicode.M, r) })
		if piece = strings.TrimFunc(piece, insignificant); piece != "" {
			all = append(all, directory.Filter{Op: directory.Contains, Attribute: attribute, Value: piece})
		}
	}
	return directory.AndOf(all...)
}

// insignificant characters at the ends of a text are not compared by some.
func insignificant(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }

// unsure letters have a case that not every directory knows. Latin, Greek and
// Cyrillic pairs are known to all.
func unsure(r rune) bool {
	other := unicode.SimpleFold(r)
	switch {
	case r < 0x80 || other == r:
		return false
	case unicode.SimpleFold(other) != r: // more than two forms: σ, ς and Σ
		return true
	}
	return !wellKnown(r) || !wellKnown(other)
}

func wellKnown(r rune) bool {
	return r >= 0xC0 && r <= 0x17F || r >= 0x386 && r <= 0x3CE || r >= 0x400 && r <= 0x45F
}

// narrowed is a comparison with the rule's attribute, or presence alone where
// the directory would compare more strictly than SCIM does: with case where the
// schema has none, or not at all.
func (r *rule) narrowed(op directory.FilterOp, value string) directory.Filter {
	matching := r.ldap.Equality
	if op != directory.Equal {
		matching = r.ldap.Substring
	}
	unknown := r.ldap.Equality == "" // such as when the directory was away at the start
	strict := slices.ContainsFunc(caseExactRules, func(name string) bool { return strings.EqualFold(name, matching) })
	if unknown && r.leaf.Type == scim.Reference { // URIs compare with case in most directories
		strict = true
	}
	if strict && !r.leaf.CaseExact || !unknown && matching == "" {
		return directory.Filter{Op: directory.Present, Attribute: r.config.LDAP}
	}
	return narrowed(op, r.config.LDAP, value)
}

// caseExactRules are the matching rules that tell upper from lower case, by name
// and number (RFC 4517 section 4.2).
var caseExactRules = []string{"caseExactMatch", "2.5.13.5", "caseExactSubstringsMatch", "2.5.13.7",
	"caseExactIA5Match", "1.3.6.1.4.1.1466.109.114.1", "caseExactIA5SubstringsMatch", "octetStringMatch", "2.5.13.17"}

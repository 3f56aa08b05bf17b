package mapping

import (
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"scimgate/internal/directory"
	"scimgate/internal/scim"
)

// narrowed is a comparison that matches at least what scim.Match accepts for a
// text. Directories prepare text in ways of their own (RFC 4518 and what servers
// make of it): blanks at the ends are dropped, and of letters outside of the
// oldest alphabets they may not know the case. So what could make a directory
// miss a value is left out of what it is asked, and Match sorts out the rest. Where
// a directory compares letters as they are stored, composed or not, that is every
// letter which can be stored in another form.
func narrowed(op directory.FilterOp, attribute, value string, composes bool) directory.Filter {
	value = scim.Composed(value)
	pieces := strings.FieldsFunc(value, func(r rune) bool { return unsure(r) || !composes && hasForms(r) })
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

// hasForms reports whether a letter can be stored in another form that SCIM takes
// for the same (Unicode's canonical equivalence), be it in another case.
func hasForms(r rune) bool {
	if r < 0x80 {
		return false // see scim.Composed
	}
	if unicode.Is(unicode.M, r) || decomposed(r) != nil {
		return true
	}
	for other := unicode.SimpleFold(r); other != r; other = unicode.SimpleFold(other) {
		if formsOf()[other] || decomposed(other) != nil {
			return true
		}
	}
	return formsOf()[r]
}

// decomposed is what a letter consists of, syllables of Hangul included; nil where
// it is simple.
func decomposed(r rune) []byte {
	if form := norm.NFD.Bytes([]byte(string(r))); string(form) != string(r) {
		return form
	}
	return nil
}

// formsOf are the letters that are themselves simple and of which there is another,
// as the omega has the sign of the ohm and many ideographs have doubles.
var formsOf = sync.OnceValue(func() map[rune]bool {
	simple := map[rune]bool{}
	for r := rune(0x80); r <= lastDouble; r++ {
		if form := decomposed(r); form != nil {
			if first, size := utf8.DecodeRune(form); size == len(form) {
				simple[first] = true
			}
		}
	}
	return simple
})

// lastDouble is the end of the last block of doubles, CJK Compatibility Ideographs
// Supplement.
const lastDouble = 0x2FA1F

func wellKnown(r rune) bool {
	return r >= 0xC0 && r <= 0x17F || r >= 0x386 && r <= 0x3CE || r >= 0x400 && r <= 0x45F
}

// asked is what LDAP is asked for a comparison with the rule's attribute: the
// comparison itself if the directory finds at least what SCIM does, else
// presence alone. value is a name where the rule is a reference.
func (r *rule) asked(op scim.Op, value string) directory.Filter {
	asks, ok := substrings[op]
	switch {
	case !ok || value == "" || !r.comparable(asks):
		return r.present()
	case r.isReference():
		return directory.Filter{Op: asks, Attribute: r.config.LDAP, Value: value}
	}
	a, _ := r.ldap()
	return narrowed(asks, r.config.LDAP, value, a.Composes)
}

// present matches entries that have the rule's attribute.
func (r *rule) present() directory.Filter {
	return directory.Filter{Op: directory.Present, Attribute: r.config.LDAP}
}

// comparable reports whether a comparison in the directory finds all that is
// equal in SCIM. Numbers, times and bytes compare by what they are worth, not by
// their digits. For text it takes a matching rule, and one that minds no case
// where SCIM does not.
func (r *rule) comparable(op directory.FilterOp) bool {
	loose := !r.leaf.CaseExact && !r.isReference() // a reference compares as a name
	a, known := r.ldap()
	switch {
	case numeric(r.leaf.Type):
		return false
	case !known: // but what the gateway itself finds by its value can be found so
		return op == directory.Equal && (r.distinct || r.isReference())
	}
	matching := strings.ToLower(a.Equality)
	if op != directory.Equal {
		matching = strings.ToLower(a.Substring)
	}
	switch matching {
	case "", "octetstringmatch", "2.5.13.17": // of bytes: text in another form is another value
		return false
	}
	return !loose || !mindsCase(matching)
}

// mindsCase reports whether a matching rule, by its name in lower case or its
// number, tells upper from lower case (RFC 4517 section 4.2).
func mindsCase(matching string) bool {
	switch matching {
	case "2.5.13.5", "2.5.13.7", "1.3.6.1.4.1.1466.109.114.1", "1.3.6.1.4.1.4203.1.2.1":
		return true
	}
	return strings.HasPrefix(matching, "caseexact")
}

package scim

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Composed is text as it is compared (RFC 7644 section 7.8): an umlaut is one
// however it was typed. The three characters that this would make ASCII (the sign of
// the kelvin, the Greek question mark and varia) stay what they are, as a long s is
// no s: see foldRune.
func Composed(s string) string {
	if !strings.ContainsAny(s, asciiTwins) {
		return norm.NFC.String(s)
	}
	var b strings.Builder
	for {
		i := strings.IndexAny(s, asciiTwins)
		if i < 0 {
			b.WriteString(norm.NFC.String(s))
			return b.String()
		}
		b.WriteString(norm.NFC.String(s[:i]))
		_, size := utf8.DecodeRuneInString(s[i:])
		b.WriteString(s[i : i+size])
		s = s[i+size:]
	}
}

// asciiTwins are the characters that Unicode takes for another form of k, ; and `.
const asciiTwins = "\u212a\u037e\u1fef"

// fold maps prepared text that differs in case only to one form, by Unicode's
// simple case folding: three sigmas are one letter, ß is not ss, and the Turkish
// i without a dot is no i.
func fold(s string) string { return strings.Map(foldRune, Composed(s)) }

func foldRune(r rune) rune {
	if r < 0x80 {
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}
	least := r
	for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
		least = min(least, next)
	}
	if least < 0x80 || least == r && unicode.SimpleFold(r) == r {
		// It has no case, whatever ToLower says of it. A long s is no s: what is
		// written in ASCII is looked for in directories that would not think so.
		return r
	}
	return unicode.ToLower(least)
}

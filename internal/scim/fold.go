package scim

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// prepared is text as it is compared (RFC 7644 section 7.8): composed, so that
// an umlaut is one however it was typed.
func prepared(s string) string { return norm.NFC.String(s) }

// fold maps prepared text that differs in case only to one form, by Unicode's
// simple case folding: three sigmas are one letter, ß is not ss, and the Turkish
// i without a dot is no i.
func fold(s string) string { return strings.Map(foldRune, prepared(s)) }

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

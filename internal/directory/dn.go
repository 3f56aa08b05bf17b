package directory

import (
	"encoding/hex"
	"strings"
	"unicode"
)

// FoldDN returns a key under which two spellings of one distinguished name
// (RFC 4514) meet: letters folded, needless escapes undone, blanks around
// separators dropped. It is for comparing names, not for sending them.
func FoldDN(dn string) string {
	var b strings.Builder
	b.Grow(len(dn))
	inType, atStart := true, true
	blanks := 0 // seen, and counting only if something follows them
	for i := 0; i < len(dn); i++ {
		c := dn[i]
		switch {
		case c == ' ':
			if !atStart {
				blanks++
			}
			continue
		case c == ',' || c == ';' || c == '+' || c == '=' && inType:
			blanks, atStart, inType = 0, true, c != '='
			b.WriteByte(c)
			continue
		}
		for ; blanks > 0; blanks-- {
			b.WriteByte(' ')
		}
		if c == '\\' && i+1 < len(dn) {
			n, value := unescape(dn[i+1:])
			i += n
			if value == '#' && !atStart { // means something at the beginning only
				b.WriteByte(value)
			} else {
				writeEscaped(&b, value)
			}
		} else if c < ' ' || c == '=' { // servers differ in whether they escape it
			writeEscaped(&b, c)
		} else {
			b.WriteByte(c)
		}
		atStart = false
	}
	return strings.Map(lower, b.String())
}

// lower folds the case that every directory knows: of pairs of letters, in alphabets
// that have long been in Unicode. Two people may be called what differs in more, the
// sign of the kelvin in the place of a K or a Turkish i, and are never taken for one.
func lower(r rune) rune {
	small := unicode.ToLower(r)
	known := r < firstRecent || r >= 0x1E00 && r <= 0x1FFF && r != 'ẞ' // Vietnamese, old Greek
	if !known || unicode.ToUpper(small) != r {
		return r
	}
	return small
}

// firstRecent is behind the last alphabet with case of Unicode 1, Armenian.
const firstRecent = 0x590

// Child reports whether a name is directly below a base.
func Child(dn, base string) bool {
	own, ok := strings.CutSuffix(FoldDN(dn), ","+FoldDN(base))
	return ok && !strings.ContainsAny(own, ",;")
}

// unescape reads what follows a backslash: two hexadecimal digits or one
// character that stands for itself. It returns how many bytes it read.
func unescape(s string) (int, byte) {
	if len(s) >= 2 {
		if v, err := hex.DecodeString(s[:2]); err == nil {
			return 2, v[0]
		}
	}
	return 1, s[0]
}

// writeEscaped writes a byte that was escaped, escaped again only where it
// could be taken for something else without.
func writeEscaped(b *strings.Builder, c byte) {
	if c <= ' ' || strings.IndexByte(`"+,;<=>#\\`, c) >= 0 {
		b.WriteByte('\\')
		b.WriteString(hex.EncodeToString([]byte{c}))
		return
	}
	b.WriteByte(c)
}

// FoldValue returns a key under which values meet that the common matching
// rules hold equal: case, and blanks at the ends or in a row, do not count
// (RFC 4518 sections 2.2 and 2.6.1).
func FoldValue(v string) string { return strings.ToLower(strings.Join(strings.Fields(v), " ")) }

// Parent returns the name of the entry above, as it is written.
func Parent(dn string) string {
	for i := 0; i < len(dn); i++ {
		switch dn[i] {
		case '\\':
			i++
		case ',', ';':
			return strings.TrimLeft(dn[i+1:], " ")
		}
	}
	return ""
}

// Below reports whether a name lies below another, at any depth.
func Below(dn, base string) bool {
	return strings.HasSuffix(FoldDN(dn), ","+FoldDN(base))
}

// NameValue returns the first value of a distinguished name, as it is without
// escapes: ann of uid=ann,ou=people.
func NameValue(dn string) string {
	_, value, ok := strings.Cut(dn, "=")
	if !ok {
		return ""
	}
	value = strings.TrimLeft(value, " ")
	var b strings.Builder
	for i := 0; i < len(value); i++ {
		switch c := value[i]; {
		case c == ',' || c == ';' || c == '+':
			return strings.TrimRight(b.String(), " ")
		case c == '\\' && i+1 < len(value):
			n, plain := unescape(value[i+1:])
			i += n
			b.WriteByte(plain)
		default:
			b.WriteByte(c)
		}
	}
	return strings.TrimRight(b.String(), " ")
}

package scim

import (
	"bytes"
	"fmt"
	"strconv"
)

// errHalf says that a text holds half of a character. Go's JSON reader would put
// U+FFFD in its place, and the directory would keep what nobody sent.
func errHalf(escape []byte) error {
	return fmt.Errorf("the escape %s is half of a character; write both halves of the pair, or the character itself", escape)
}

// half returns the place of the first escape of a surrogate in JSON text that has
// no other half, -1 for none. Escapes stand in strings alone, so the text around
// them need not be read.
func half(text []byte) int {
	if !bytes.Contains(text, []byte(`\ud`)) && !bytes.Contains(text, []byte(`\uD`)) {
		return -1
	}
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' {
			continue
		}
		first := surrogate(text[i:])
		switch {
		case first == 0:
			i++ // what is escaped, which may be a backslash itself
		case first < 0xdc00 && surrogate(text[i+escapeLength:]) >= 0xdc00:
			i += 2*escapeLength - 1
		default:
			return i
		}
	}
	return -1
}

const escapeLength = len(`\ud800`)

// surrogate returns the surrogate whose escape text begins with, 0 for none.
func surrogate(text []byte) uint64 {
	if len(text) < escapeLength || text[0] != '\\' || text[1] != 'u' {
		return 0
	}
	n, err := strconv.ParseUint(string(text[2:escapeLength]), 16, 16)
	if err != nil || n < 0xd800 || n > 0xdfff {
		return 0
	}
	return n
}

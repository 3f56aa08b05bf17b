package ldapsink

import (
	"encoding/hex"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

// idForm is how a directory writes its own identifier of an entry.
type idForm int

const (
	formUUID     idForm = iota // text, as RFC 4530 section 2.1 has it
	formGUID                   // 16 bytes, the first three groups little-endian
	formUniqueID               // text, four groups of eight digits (389 DS)
)

// lengths of the groups of hexadecimal digits in the text form.
func (f idForm) groups() []int {
	if f == formUniqueID {
		return []int{8, 8, 8, 8}
	}
	return []int{8, 4, 4, 4, 12}
}

// text returns the usual text form of a stored value, or "" for what is none.
func (f idForm) text(stored string) string {
	if f != formGUID {
		return stored
	}
	if len(stored) != 16 {
		return ""
	}
	digits := hex.EncodeToString(swapGroups([]byte(stored)))
	var groups []string
	for _, n := range f.groups() {
		groups, digits = append(groups, digits[:n]), digits[n:]
	}
	return strings.Join(groups, "-")
}

// value turns the text form into an assertion value. Anything that is no id
// would make the directory's filter undefined, and its negation with it.
func (f idForm) value(text string) (value string, ok bool) {
	groups := strings.Split(text, "-")
	if len(groups) != len(f.groups()) {
		return "", false
	}
	for i, n := range f.groups() {
		if len(groups[i]) != n {
			return "", false
		}
	}
	digits, err := hex.DecodeString(strings.Join(groups, ""))
	if err != nil {
		return "", false
	}
	if f == formGUID {
		return string(swapGroups(digits)), true
	}
	return text, true
}

// swapGroups turns the byte order of the first three groups of a GUID round.
func swapGroups(b []byte) []byte {
	return []byte{b[3], b[2], b[1], b[0], b[5], b[4], b[7], b[6], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]}
}

// idOf returns an entry's id in its text form.
func (f flavor) idOf(raw *ldap.Entry) string { return f.form.text(first(raw, f.id)) }

package ldapsink

import (
	"cmp"
	"encoding/hex"
	"strconv"
	"strings"

	"scimgate/internal/directory"
)

// older says which of two entries the directory made first. All writes go to
// one server, which is asked for what does not change with later writes: a
// number of its own, or the moment in an id that is made of it. Else it is the
// versions, which are in the order of the writes; the id decides where even that
// is equal.
func (f flavor) older(a, b directory.Entry) bool {
	return cmp.Or(
		a.Created.Compare(b.Created),
		cmp.Compare(number(a.Attributes.First(f.made)), number(b.Attributes.First(f.made))),
		bothBorn(a.ID, b.ID),
		cmp.Compare(number(a.Version), number(b.Version)),
		cmp.Compare(a.Version, b.Version),
		cmp.Compare(a.ID, b.ID),
	) < 0
}

// made returns the attribute that older wants read, if there is one.
func (st *store) made() []string {
	if st.flavor.made == "" {
		return nil
	}
	return []string{st.flavor.made}
}

// number reads a number; 0 stands for none.
func number(text string) uint64 {
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// bothBorn compares the moments in two ids, if both are made of it.
func bothBorn(a, b string) int {
	x, okX := born(a)
	y, okY := born(b)
	if !okX || !okY {
		return 0
	}
	return strings.Compare(x, y)
}

// born returns the moment in an id of version 1 (RFC 9562 section 5.1), however
// its digits are grouped, as digits in the order of their worth.
func born(id string) (string, bool) {
	digits := strings.ToLower(strings.ReplaceAll(id, "-", ""))
	if _, err := hex.DecodeString(digits); err != nil || len(digits) != 32 || digits[12] != '1' {
		return "", false
	}
	return digits[13:16] + digits[8:12] + digits[:8], true
}

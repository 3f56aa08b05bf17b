package ldapsink

import (
	"maps"
	"slices"
	"strings"
)

// The names of the flavors in force.
const openLDAP = "openldap"

// flavor is what differs between directories. It is data: code that reads it
// has no branch on a name.
type flavor struct {
	// Operational attributes that carry the facts of a directory.Entry.
	id, dn, version, created, modified string
	// idValue turns the text form of an id into an assertion value; ok is false
	// for what cannot be an id.
	idValue func(text string) (value string, ok bool)
	// taken are pieces of the diagnostic by which a constraint violation (19)
	// means that a value has to be unique and is not.
	taken []string
	// misled are pieces of the diagnostic by which a failed assertion is the
	// server's mistake: see guarded.
	misled []string
	// longName is how many bytes a naming value may have before an unexplained
	// refusal means that it is too long; 0 where the server says so itself.
	longName int
}

// flavors is the table of directories this version can write to.
var flavors = map[string]flavor{
	openLDAP: {
		id: "entryUUID", dn: "entryDN", version: "entryCSN",
		created: "createTimestamp", modified: "modifyTimestamp",
		idValue:  uuidValue,
		taken:    []string{"not unique", "non-unique"}, // overlay unique
		misled:   []string{"unique_search failed"},
		longName: 200,
	},
}

func flavorNames() []string { return slices.Sorted(maps.Keys(flavors)) }

// uuidValue accepts a UUID in its text form (RFC 4530 section 2.1). Anything
// else would make the directory's filter undefined, and its negation with it.
func uuidValue(text string) (string, bool) {
	if len(text) != 36 {
		return "", false
	}
	for i, c := range []byte(text) {
		dash := i == 8 || i == 13 || i == 18 || i == 23
		if dash != (c == '-') || !dash && !strings.ContainsRune("0123456789abcdefABCDEF", rune(c)) {
			return "", false
		}
	}
	return text, true
}

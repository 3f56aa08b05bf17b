package ldapsink

import (
	"maps"
	"slices"
	"strings"

	"github.com/go-ldap/ldap/v3"
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
	// longName is how many bytes a naming value, escaped, may have before an unexplained
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

// How password policies refuse a password. These sentences, and nothing else
// that a server says, are shown to clients.
var (
	policyResults = []uint16{
		ldap.LDAPResultConstraintViolation, ldap.LDAPResultInsufficientAccessRights, ldap.LDAPResultUnwillingToPerform,
	}
	// policySentences are those of OpenLDAP's overlay ppolicy, word by word.
	policySentences = []string{
		"Password fails quality checking policy",
		"Password is in history of old passwords",
		"Password is too young to change",
		"Password is not being changed from existing value",
		"Password policy only allows one password value",
		"User alteration of password is not allowed",
		"Must supply old password to be changed as well as new one",
		"Must supply correct old password to change to new one",
	}
	// policyCodes are the errors of the policy's response control that concern
	// the new password, for servers and modules with sentences of their own.
	policyCodes = map[int8]string{
		3: "Password may not be changed",
		4: "Must supply old password to be changed as well as new one",
		5: "Password fails quality checking policy",
		6: "Password is too short",
		7: "Password is too young to change",
		8: "Password is in history of old passwords",
		9: "Password is too long",
	}
	// policyDetails are what a code says beyond the sentence that comes with it.
	policyDetails = map[int8]string{6: "it is too short", 9: "it is too long"}
)

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

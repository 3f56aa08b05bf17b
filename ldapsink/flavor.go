package ldapsink

import (
	"maps"
	"slices"

	"github.com/go-ldap/ldap/v3"
)

// The names of the flavors.
const (
	openLDAP        = "openldap"
	activeDirectory = "activeDirectory"
	ds389           = "389ds"
	generic         = "generic"
)

// flavor is what differs between directories. It is data: code that reads it
// has no branch on a name.
type flavor struct {
	// Operational attributes that carry the facts of a directory.Entry. dn is
	// one that filters can ask for an entry's name; "" where there is none.
	id, dn, version, created, modified string
	// form is how the values of id are written.
	form idForm
	// namesByID says that <GUID=...> stands for the name of the entry with an
	// id, in searches and writes alike, so that no write meets another entry.
	namesByID bool
	// taken are pieces of the diagnostic by which a constraint violation (19)
	// means that a value has to be unique and is not.
	taken []string
	// misled are pieces of the diagnostic by which a failed assertion is the
	// server's mistake: see guarded.
	misled []string
	// longName is how many bytes a naming value, escaped, may have before an unexplained
	// refusal means that it is too long; 0 where the server says so itself.
	longName int
	// pageSize is how many entries a search returns at most unless it is
	// continued page by page (RFC 2696); 0 where the server has no such limit.
	pageSize int
	// account is the object class of entries that cannot be enabled without a
	// password; one that comes without gets a random one. "" where there is none.
	account string
	// onlyTLS says that the directory takes passwords without TLS from nobody, so
	// that a connection without it is a mistake even on one machine.
	onlyTLS bool
}

// flavors is the table of directories that the gateway knows.
var flavors = map[string]flavor{
	openLDAP: {
		id: "entryUUID", dn: "entryDN", version: "entryCSN",
		created: "createTimestamp", modified: "modifyTimestamp",
		form:     formUUID,
		taken:    []string{"not unique", "non-unique"}, // overlay unique
		misled:   []string{"unique_search failed"},
		longName: 200,
	},
	activeDirectory: {
		id: "objectGUID", dn: "distinguishedName", version: "uSNChanged",
		created: "whenCreated", modified: "whenChanged",
		form: formGUID, namesByID: true, pageSize: 1000,
		account: "user", onlyTLS: true,
	},
	ds389: {
		id: "nsUniqueId", dn: "entrydn", version: "entryusn",
		created: "createTimestamp", modified: "modifyTimestamp",
		form: formUniqueID,
	},
	generic: {
		id: "entryUUID", dn: "entryDN", version: "modifyTimestamp",
		created: "createTimestamp", modified: "modifyTimestamp",
		form: formUUID,
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

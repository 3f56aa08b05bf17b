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
	// one that filters can ask for an entry's name; "" where there is none, and
	// names are searched for one by one. version is "" where no attribute tells
	// two writes of one second apart: see store.version.
	id, dn, version, created, modified string
	// form is how the values of id are written.
	form idForm
	// namesByID says that <GUID=...> stands for the name of the entry with an
	// id, in searches and writes alike, so that no write meets another entry.
	namesByID bool
	// loose says that version alone, if there is one, does not tell two versions
	// of an entry apart.
	loose bool
	// made numbers the entries of one server in the order in which it made
	// them; "" where times, versions and ids have to do.
	made string
	// wholeSeconds says that times have no fraction but ".0".
	wholeSeconds bool
	// members are result codes by which a write is refused because a member is
	// there already, or is gone already, or is nobody, beside those of any
	// value (16 and 20). They mean other things too, so a look decides.
	members []uint16
	// noCompare says that the operation Compare cannot be relied on, and that a
	// search asks instead.
	noCompare bool
	// noNames are characters that a name cannot have.
	noNames string
	// taken are pieces of the diagnostic by which a constraint violation (19)
	// means that a value has to be unique and is not.
	taken []string
	// unknown are pieces by which a missing attribute (16) means that the schema
	// has none of the name.
	unknown []string
	// misled are pieces of the diagnostic by which a failed assertion is the
	// server's mistake: see guarded.
	misled []string
	// longName is how many bytes a naming value, escaped, may have before an unexplained
	// refusal means that it is too long; 0 where the server says so itself.
	longName int
	// composes says that text compares alike however its letters and their marks are
	// composed. It is not taken for granted: others miss what is stored in another form.
	composes bool
	// schema says how the schema's gaps are filled; nil where it has none.
	schema *sparseSchema
	// pageSize is how many entries a search returns at most unless it is
	// continued page by page (RFC 2696); 0 where the server has no such limit.
	pageSize int
	// versionLocal says that versions are counted by each server for itself:
	// between servers they mean nothing. serverName is the attribute of the root
	// DSE that tells servers apart; where there is none, the URL does.
	versionLocal bool
	serverName   string
	// srv is what SRV records of the directory's servers begin with.
	srv string
	// readOnlyCapability is what a server that takes no writes says it can do.
	readOnlyCapability string
	// protects is which entries are nobody's to provision.
	protects protection
	// account is the object class of entries that cannot be enabled without a
	// password; one that comes without gets a random one. "" where there is none.
	account string
	// onlyTLS says that the directory takes passwords without TLS from nobody, so
	// that a connection without it is a mistake even on one machine.
	onlyTLS bool
	// primary says how people are in a group by a number of theirs; nil where
	// there is no such thing.
	primary *primaryGroup
}

// flavors is the table of directories that the gateway knows.
var flavors = map[string]flavor{
	openLDAP: {
		id: "entryUUID", dn: "entryDN", version: "entryCSN",
		created: "createTimestamp", modified: "modifyTimestamp",
		form:     formUUID,
		composes: true,
		taken:    []string{"not unique", "non-unique"}, // overlay unique
		misled:   []string{"unique_search failed"},
		longName: 200,
		protects: protection{roots: [2]string{"cn=config", "olcRootDN"}},
	},
	activeDirectory: {
		id: "objectGUID", dn: "distinguishedName", version: "uSNChanged",
		created: "whenCreated", modified: "whenChanged", made: "uSNCreated",
		form: formGUID, namesByID: true, wholeSeconds: true, pageSize: 1000,
		members:   []uint16{ldap.LDAPResultEntryAlreadyExists, ldap.LDAPResultUnwillingToPerform, ldap.LDAPResultNoSuchObject},
		noCompare: true, // Samba reads the value as a part of a filter, without escaping it
		// 21C7 and 21C8 are ERROR_DS_SPN_ and _UPN_VALUE_NOT_UNIQUE_IN_FOREST; Samba has words for them.
		taken: []string{"000021C7", "000021C8", "is already in use"},
		// 57 is ERROR_INVALID_PARAMETER, in the conversion of an attribute's name.
		unknown:      []string{"00000057", "was not found in the schema"},
		schema:       activeDirectorySchema,
		versionLocal: true, serverName: "dsServiceName", srv: "_ldap._tcp.dc._msdcs.",
		readOnlyCapability: "1.2.840.113556.1.4.1920", // LDAP_CAP_ACTIVE_DIRECTORY_PARTIAL_SECRETS
		protects: protection{
			marks: []mark{
				{"adminCount", "1", "its adminCount is 1, so it is or was an administrator"},
				{"isCriticalSystemObject", "TRUE", "the directory itself depends on it"},
			},
			sid: "objectSid", primary: "primaryGroupID",
			accounts: []uint32{500, 501, 502}, // Administrator, Guest, krbtgt
			// Domain Admins, Domain Controllers, Schema Admins, Enterprise Admins, Group
			// Policy Creator Owners, Read-only Domain Controllers, Key Admins, Enterprise
			// Key Admins; then Administrators, Account, Server, Print and Backup
			// Operators, Replicator.
			groups:  []uint32{512, 516, 518, 519, 520, 521, 526, 527, 544, 548, 549, 550, 551, 552},
			inChain: "1.2.840.113556.1.4.1941",
			logins:  []string{"userPrincipalName", "sAMAccountName"},
			token:   "tokenGroups",
		},
		account: "user", onlyTLS: true,
		primary: &primaryGroup{number: "primaryGroupID", token: "primaryGroupToken", sid: "objectSid"},
	},
	ds389: {
		id: "nsUniqueId", dn: "entrydn", version: "entryusn",
		created: "createTimestamp", modified: "modifyTimestamp",
		form: formUniqueID, versionLocal: true,
		loose:   true, // entryusn goes back with every write that is refused (389-ds-base issue 6250), and is there with a plug-in only
		schema:  ds389Schema,
		noNames: "\x00",                                                                 // it would be taken for a backslash and two digits
		taken:   []string{"Another entry with the same attribute value already exists"}, // plug-in "attribute uniqueness"
		protects: protection{
			// The second is FreeIPA's.
			groupNames: []string{"cn=Directory Administrators", "cn=admins,cn=groups,cn=accounts"},
			roots:      [2]string{"cn=config", "nsslapd-rootdn"},
		},
	},
	generic: {
		id: "entryUUID", created: "createTimestamp", modified: "modifyTimestamp",
		form: formUUID, loose: true,
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
	// policyPieces are for 389 DS and for Active Directory, which says 52D
	// (ERROR_PASSWORD_RESTRICTION) and no more; Samba does. The first that fits counts.
	policyPieces = []struct{ piece, attribute, reason string }{
		{"password must be at least", passwordAttribute, "Password is too short"},
		{"passwords with storage scheme are not allowed", passwordAttribute, "Password may not be sent in a hashed form"},
		{"invalid password syntax", passwordAttribute, "Password fails quality checking policy"},
		{"password in history", passwordAttribute, "Password is in history of old passwords"},
		{"within password minimum age", passwordAttribute, "Password is too young to change"},
		{"the password is too short", "unicodePwd", "Password is too short"},
		{"password is too young", "unicodePwd", "Password is too young to change"},
		{"the password was already used", "unicodePwd", "Password is in history of old passwords"},
		{"0000052D", "unicodePwd", "Password fails quality checking policy"},
	}
	// policyDetails are what a code says beyond the sentence that comes with it.
	policyDetails = map[int8]string{6: "it is too short", 9: "it is too long"}
)

func flavorNames() []string { return slices.Sorted(maps.Keys(flavors)) }

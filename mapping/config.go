package mapping

import (
	"fmt"
	"strings"

	"scimgate/internal/directory"
)

// Config declares the mapping of one resource type of one tenant.
type Config struct {
	// Base is the distinguished name below which the entries live.
	Base string `yaml:"base"`
	// ObjectClasses are those of a new entry.
	ObjectClasses []string `yaml:"objectClasses"`
	// RDN names the attribute of the relative distinguished name, or says how
	// the name is made.
	RDN RDNConfig `yaml:"rdn"`
	// Marker names the two attributes in which the gateway keeps its state.
	Marker MarkerConfig `yaml:"marker"`
	// StableKey is the SCIM attribute that finds the same person again.
	StableKey string `yaml:"stableKey"`
	// OnExisting says what a create does with an entry that nobody manages.
	OnExisting OnExisting `yaml:"onExisting"`
	// Upsert lets a create find whom the tenant has or had.
	Upsert UpsertConfig `yaml:"upsert"`
	// OnForeignLock is keep (the default) or override: whether active:true
	// undoes a lock that the gateway did not set.
	OnForeignLock string `yaml:"onForeignLock"`
	// Attributes are the rules of the core and the enterprise schema.
	Attributes []RuleConfig `yaml:"attributes"`
	// Extensions are further attributes under a URN of one's own.
	Extensions []ExtensionConfig `yaml:"extensions"`
	// Rules hold for all attributes together.
	Rules RulesConfig `yaml:"rules"`
	// Deactivate are the steps after which a person can no longer bind.
	Deactivate []StepConfig `yaml:"deactivate"`
	// Delete is disable (the default for users) or remove.
	Delete string `yaml:"delete"`

	// Provenance is request (the default) or default: when an answer shows who
	// manages a resource.
	Provenance string `yaml:"-"`
	// Kind is set for a resource type beyond users and groups.
	Kind Kind `yaml:"-"`
	// Peers are the names of such types in the same tenant, this one included:
	// what a reference may name beside User and Group.
	Peers []string `yaml:"-"`
}

// Kind is what the configuration says of a resource type that is not the
// standard's. Its schema consists of the attributes that its rules declare.
type Kind struct {
	Endpoint, Schema, Description string
}

// further reports whether the declaration is of a type beyond users and groups.
func (c Config) further() bool { return c.Kind.Schema != "" }

// MarkerConfig names the attributes of the marker.
type MarkerConfig struct {
	State  string `yaml:"state"`
	Source string `yaml:"source"`
}

// OnExisting is "conflict", or the declaration of an adoption.
type OnExisting struct {
	Action string       `yaml:"-"`
	Adopt  *AdoptConfig `yaml:"adopt"`
}

// AdoptConfig says which existing entries may be taken over.
type AdoptConfig struct {
	// By are SCIM attributes: an entry has to have the value of every one.
	By []string `yaml:"by,orscalar"`
	// Filter is a search filter in LDAP's words that the entry has to match.
	Filter string `yaml:"filter"`
}

// UnmarshalText reads the short form.
func (o *OnExisting) UnmarshalText(text []byte) error {
	o.Action = string(text)
	return nil
}

// RuleConfig translates one SCIM attribute into one LDAP attribute and back.
type RuleConfig struct {
	// SCIM is the path: userName, name.givenName, emails[type eq "work"].value,
	// enterprise:department. It is empty for a computed LDAP attribute.
	SCIM string `yaml:"scim"`
	LDAP string `yaml:"ldap"`
	// Template computes the LDAP value on every write.
	Template string `yaml:"template"`
	// Default is a template for the value where the resource has none.
	Default string `yaml:"default"`
	// Required refuses resources that lack the attribute.
	Required bool `yaml:"required"`
	// Unique refuses resources whose value another entry has.
	Unique bool `yaml:"unique"`
	// Single enforces one value: reject, primary or first; "" passes all on.
	Single string `yaml:"single"`
	// Optional and Shared take the attribute out of RulesConfig.Required and Unique:
	// the line says required: false or unique: false.
	Optional, Shared bool `yaml:"-"`
	// Reference are the resource types that the value, a SCIM id, refers to.
	Reference []string `yaml:"reference,orscalar"`
	// By is the LDAP attribute whose value lists a member, as uid does in memberUid;
	// "" lists it by its name.
	By string `yaml:"by"`
	// EmptyMember stands for an empty group where the object class demands a member.
	EmptyMember string `yaml:"emptyMember"`
	// OnCollision is conflict (the default) or suffix: what becomes of a computed
	// value that another entry has.
	OnCollision string `yaml:"onCollision"`
	// MaxLength is how many characters a value has at most; 0 is no limit. A
	// computed value is cut, one that is sent is refused.
	MaxLength int `yaml:"maxLength"`
	// Forbidden are characters that are left out of a computed value, controls with
	// them; one that is sent is refused with them.
	Forbidden string `yaml:"forbidden"`
	// ForbiddenAtEnd are characters that a value does not end with. Of a computed one
	// they are cut off, with blanks; one that is sent is refused.
	ForbiddenAtEnd string `yaml:"forbiddenAtEnd"`
	// Allocate gives a new entry a number that no other has or had.
	Allocate *AllocateConfig `yaml:"allocate"`

	// The next three make an attribute of the standard stricter, too.

	// Mutability is readOnly, readWrite (the default), immutable or writeOnly.
	Mutability string `yaml:"mutability"`
	// Returned is always, default, request or never.
	Returned string `yaml:"returned"`
	// CanonicalValues are the only values that are taken; none is any.
	CanonicalValues []string `yaml:"canonicalValues"`

	// The rest declares an attribute of an extension or of a further type.

	// Type is the SCIM type; string by default.
	Type string `yaml:"type"`
	// MultiValued says that there can be several values.
	MultiValued bool `yaml:"multiValued"`
	// CaseExact says that values differ by the case of their letters.
	CaseExact bool `yaml:"caseExact"`
	// Description is what Schemas says about the attribute.
	Description string `yaml:"description"`
	// ReferenceTypes are what the URI of a reference leads to: uri (the default)
	// or external.
	ReferenceTypes []string `yaml:"referenceTypes,orscalar"`
}

// ExtensionConfig declares attributes under a schema URN of one's own. The
// SCIM paths of its rules are names below that URN.
type ExtensionConfig struct {
	URN        string       `yaml:"urn"`
	Attributes []RuleConfig `yaml:"attributes"`
}

// RulesConfig are checks over a whole resource, as it is sent or as a PATCH would
// make it. They speak of SCIM alone and hold for what no rule maps, too. What an
// entry breaks already, a request may leave as it is, and not make worse.
type RulesConfig struct {
	// Required are SCIM paths that need a value of their own: a default is none.
	Required []string `yaml:"required"`
	// Unique are SCIM paths whose values no two resources share, whichever of the
	// attributes that they are mapped to have them.
	Unique []string `yaml:"unique"`
	// OneValue refuses a second value of every attribute that could have several.
	OneValue bool `yaml:"oneValue"`
	// Primary are attributes of which one value has to be the primary one.
	Primary []string `yaml:"primary"`
	// NotSupported are SCIM paths that may have no value.
	NotSupported []string `yaml:"notSupported"`
	// MailAddresses are SCIM paths whose values have to be mail addresses, and
	// MailDomains the domains that these have to be of; none is any.
	MailAddresses []string `yaml:"mailAddresses"`
	MailDomains   []string `yaml:"mailDomains"`
	// ForbiddenCharacters may not stand in any mapped text. URIs and times have a
	// syntax of their own.
	ForbiddenCharacters string `yaml:"forbiddenCharacters"`
	// Together lists groups of SCIM paths that come all or none, in each value of
	// an attribute that has several.
	Together [][]string `yaml:"together"`
	// Without names keys of the tenant's profile that do not hold here.
	Without []string `yaml:"without,orscalar"`
}

// The values of Config.Delete, Config.OnForeignLock, RuleConfig.Single and
// OnExisting.Action.
const (
	DeleteDisable = "disable"
	DeleteRemove  = "remove"

	ForeignLockKeep     = "keep"
	ForeignLockOverride = "override"

	SingleReject  = "reject"
	SinglePrimary = "primary"
	SingleFirst   = "first"

	ExistingConflict = "conflict"
)

// Validate returns every fault that the declaration shows by itself. name is
// the resource type: User, Group, or that of a further one.
func (c Config) Validate(name string) []directory.Fault {
	var faults []directory.Fault
	fault := func(key, format string, args ...any) {
		faults = append(faults, directory.Fault{Key: key, Problem: fmt.Sprintf(format, args...)})
	}
	kind := name
	if c.further() {
		kind = ""
	}
	required := func(key, value, example string) {
		if strings.TrimSpace(value) == "" {
			fault(key, "is missing; give for example %s", example)
		}
	}
	required("base", c.Base, "ou=people,dc=example,dc=org")
	if c.Base != "" && !strings.Contains(c.Base, "=") {
		fault("base", "%q is no distinguished name; give for example ou=people,dc=example,dc=org", c.Base)
	}
	if c.RDN == (RDNConfig{}) {
		required("rdn", "", "uid")
	}
	required("marker.state", c.Marker.State, "scimState")
	required("marker.source", c.Marker.Source, "scimSource")
	if !c.further() {
		required("stableKey", c.StableKey, "externalId")
	}
	if len(c.ObjectClasses) == 0 {
		fault("objectClasses", "is missing; give the object classes of a new entry, for example [top, person]")
	}
	oneOf(fault, "onForeignLock", c.OnForeignLock, "", ForeignLockKeep, ForeignLockOverride)
	if a := c.OnExisting.Action; a != "" && a != ExistingConflict {
		fault("onExisting", "%q is not known; use conflict, or adopt: {by: [userName], filter: \"(employeeType=staff)\"}", a)
	}
	oneOf(fault, "delete", c.Delete, "", DeleteDisable, DeleteRemove)
	if kind == "Group" && c.Delete == DeleteDisable {
		fault("delete", "a group cannot be disabled; use remove")
	}
	if kind == "Group" && len(c.Deactivate) > 0 {
		fault("deactivate", "a group has no active state; remove the key")
	}
	if c.further() && c.Delete == DeleteDisable {
		required("stableKey", c.StableKey, "externalId, which finds what was disabled again")
		if len(c.Deactivate) == 0 {
			fault("deactivate", "is missing: delete: disable needs a step that disables; give one, or delete: remove")
		}
	}
	faults = append(faults, c.stepFaults()...)
	if kind == "User" && len(c.Deactivate) == 0 {
		fault("deactivate", "is missing: without a step a deactivated person could still sign in; give for example a set step")
	}
	_, more := Compile(c, name, "")
	return append(faults, more...)
}

// oneOf reports a value that is not among the allowed ones; "" is the default
// and is not named.
func oneOf(fault func(string, string, ...any), key, value string, allowed ...string) {
	for _, a := range allowed {
		if value == a {
			return
		}
	}
	var names []string
	for _, a := range allowed {
		if a != "" {
			names = append(names, a)
		}
	}
	fault(key, "%q is not known; use %s", value, strings.Join(names, " or "))
}

package mapping

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"scimgate/internal/directory"
	"scimgate/internal/scim"
)

const badgeURN = "urn:example:params:scim:schemas:extension:badge:2.0:User"

const lockedForever = "000001010000Z"

var (
	stamp   = Stamp{Request: "r2", Now: time.Date(2026, 5, 6, 7, 8, 9, 0, time.UTC)}
	earlier = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
)

// simple is a rule with a path and an attribute and nothing else.
func simple(path, ldap string) RuleConfig { return RuleConfig{SCIM: path, LDAP: ldap} }

// people is a mapping of users of the kind that the demo has.
func people() Config {
	return Config{
		Base:          "ou=people,dc=example,dc=org",
		ObjectClasses: []string{"top", "person", "organizationalPerson", "inetOrgPerson", "scimgateObject", "scimgatePerson"},
		RDN:           RDNConfig{LDAP: "uid"},
		Marker:        MarkerConfig{State: "scimState", Source: "scimSource"},
		StableKey:     "externalId",
		OnExisting:    OnExisting{Action: ExistingConflict},
		Attributes: []RuleConfig{
			{SCIM: "userName", LDAP: "uid", Required: true, Unique: true},
			{SCIM: "externalId", LDAP: "scimExternalId", Unique: true},
			simple("password", "userPassword"),
			simple("name.givenName", "givenName"),
			{SCIM: "name.familyName", LDAP: "sn", Default: "{{ .userName }}"},
			simple("name.middleName", "scimMiddleName"),
			simple("name.honorificPrefix", "scimHonorificPrefix"),
			simple("name.honorificSuffix", "scimHonorificSuffix"),
			simple("displayName", "displayName"),
			{LDAP: "cn", Template: "{{ coalesce .displayName .name.formatted .userName }}"},
			simple("nickName", "scimNickName"),
			simple("title", "title"),
			simple("userType", "employeeType"),
			simple("profileUrl", "labeledURI"),
			simple("preferredLanguage", "preferredLanguage"),
			simple("locale", "scimLocale"),
			simple("timezone", "scimTimezone"),
			{SCIM: `emails[type eq "work"].value`, LDAP: "mail", Single: SinglePrimary},
			simple(`emails[type eq "home"].value`, "scimHomeMail"),
			simple(`emails[type eq "other"].value`, "scimOtherMail"),
			simple(`phoneNumbers[type eq "work"].value`, "telephoneNumber"),
			simple(`phoneNumbers[type eq "mobile"].value`, "mobile"),
			simple(`phoneNumbers[type eq "home"].value`, "homePhone"),
			simple(`phoneNumbers[type eq "pager"].value`, "pager"),
			simple(`addresses[type eq "work"].streetAddress`, "street"),
			simple(`addresses[type eq "work"].locality`, "l"),
			simple(`addresses[type eq "work"].region`, "st"),
			simple(`addresses[type eq "work"].postalCode`, "postalCode"),
			simple(`addresses[type eq "work"].country`, "co"),
			simple("enterprise:employeeNumber", "employeeNumber"),
			simple("enterprise:department", "departmentNumber"),
			simple("enterprise:division", "scimDivision"),
			simple("enterprise:costCenter", "scimCostCenter"),
			simple("enterprise:organization", "o"),
			{SCIM: "enterprise:manager.value", LDAP: "manager", Reference: []string{"User"}},
		},
		Deactivate: []StepConfig{{Set: &SetConfig{LDAP: "pwdAccountLockedTime", Inactive: lockedForever}}},
		Delete:     DeleteDisable,
	}
}

// groups is the demo's mapping of groups.
func groups() Config {
	return Config{
		Base:          "ou=groups,dc=example,dc=org",
		ObjectClasses: []string{"top", "groupOfNames", "scimgateObject"},
		RDN:           RDNConfig{LDAP: "cn"},
		Marker:        MarkerConfig{State: "scimState", Source: "scimSource"},
		StableKey:     "externalId",
		Attributes: []RuleConfig{
			{SCIM: "displayName", LDAP: "cn", Required: true, Unique: true},
			{SCIM: "externalId", LDAP: "scimExternalId", Unique: true},
			{SCIM: "members", LDAP: "member", Reference: []string{"User", "Group"}, EmptyMember: "cn=nobody,dc=example,dc=org"},
		},
		Delete: DeleteRemove,
	}
}

// minimal is a mapping of users with a name, a stable key, a lock and the rules
// that a test adds.
func minimal(more ...RuleConfig) Config {
	c := people()
	c.Attributes = append([]RuleConfig{
		{SCIM: "userName", LDAP: "uid", Required: true, Unique: true},
		{SCIM: "externalId", LDAP: "scimExternalId", Unique: true},
	}, more...)
	return c
}

func compile(t testing.TB, c Config, name string) *Mapping {
	t.Helper()
	m, faults := Compile(c, name, "okta")
	for _, f := range faults {
		t.Error(f)
	}
	if m == nil {
		t.FailNow()
	}
	usualRules(m)
	return m
}

// usualRules tells a mapping that the directory compares as most do. That of
// URIs minds case.
func usualRules(m *Mapping) {
	for i := range m.rules {
		a := directory.AttributeType{Syntax: syntaxPrefix + "15", Equality: "caseIgnoreMatch", Substring: "caseIgnoreSubstringsMatch"}
		if m.rules[i].leaf.Type == scim.Reference {
			a.Equality, a.Substring = "caseExactMatch", "caseExactSubstringsMatch"
		}
		m.rules[i].learn(a)
	}
}

// decode reads a body as a client sends it.
func decode(t testing.TB, m *Mapping, body string) scim.Resource {
	t.Helper()
	res, err := scim.Decode([]byte(body), m.Definition())
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return res
}

func mustWant(t testing.TB, m *Mapping, body string) Want {
	t.Helper()
	return wantOf(t, m, decode(t, m, body), known.Names())
}

func wantOf(t testing.TB, m *Mapping, res scim.Resource, names Names) Want {
	t.Helper()
	want, err := m.Want(res, names)
	if err != nil {
		t.Fatalf("%v: %v", res, err)
	}
	return want
}

// isBadRequest checks that err is a 400 of the type whose detail has the words.
func isBadRequest(t testing.TB, err error, scimType string, words ...string) {
	t.Helper()
	var e *scim.Error
	if !errors.As(err, &e) || e.Status != 400 || e.Type != scimType {
		t.Fatalf("got %v, want a 400 %s", err, scimType)
	}
	for _, w := range words {
		if !strings.Contains(e.Detail, w) {
			t.Errorf("detail %q lacks %q", e.Detail, w)
		}
	}
}

func same(t testing.TB, got, want any) {
	t.Helper()
	if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

// asJSON is a resource as a client sees it, without what every answer has.
func asJSON(t testing.TB, res scim.Resource) string {
	t.Helper()
	shown := scim.Resource{}
	for name, v := range res {
		if name != "meta" && name != "schemas" && name != "id" && name != "active" {
			shown[name] = v
		}
	}
	text, err := json.Marshal(shown)
	if err != nil {
		t.Fatalf("%v cannot be shown: %v", res, err)
	}
	return string(text)
}

// known are the resources that the tests refer to.
var known = refsOf(
	Ref{ID: "id-ann", Type: "User", DN: "uid=ann,ou=people,dc=example,dc=org"},
	Ref{ID: "id-bob", Type: "User", DN: "uid=bob,ou=people,dc=example,dc=org"},
	Ref{ID: "id-all", Type: "Group", DN: "cn=all,ou=groups,dc=example,dc=org"},
)

const foreignDN = "uid=eve,ou=elsewhere,dc=example,dc=org"

func refsOf(all ...Ref) Refs {
	refs := Refs{}
	for _, r := range all {
		refs[directory.FoldDN(r.DN)] = r
	}
	return refs
}

func dn(id string) string { return known.Names()[id] }

// entry is ann as the demo keeps her; more are further attributes or other
// values.
func entry(state directory.State, more directory.Attributes) directory.Entry {
	e := directory.Entry{
		ID: "id-ann", DN: dn("id-ann"), Version: "v1",
		Marker: directory.Marker{Source: "okta", State: state, Request: "r1", Since: earlier},
		Attributes: directory.Attributes{
			"uid": {"ann"}, "scimExternalId": {"00u1"}, "sn": {"ann"}, "cn": {"ann"},
		},
	}
	for name, values := range more {
		e.Attributes[name] = values
	}
	return e
}

const annBody = `{"userName":"ann","externalId":"00u1"}`

// add, del and set are modifications.
func add(name string, values ...string) directory.Mod {
	return directory.Mod{Op: directory.ModAdd, Attribute: name, Values: values}
}

func del(name string, values ...string) directory.Mod {
	return directory.Mod{Op: directory.ModDelete, Attribute: name, Values: values}
}

func set(name string, values ...string) directory.Mod {
	return directory.Mod{Op: directory.ModReplace, Attribute: name, Values: values}
}

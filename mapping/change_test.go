package mapping

import (
	"testing"

	"scimgate/internal/directory"
	"scimgate/internal/scim"
)

func TestCreateMarksTheEntry(t *testing.T) {
	m := compile(t, people(), "User")
	marker := directory.Marker{Source: "okta", State: directory.Active, Request: "r2", Since: stamp.Now}
	attributes := directory.Attributes{"uid": {"ann"}, "scimExternalId": {"00u1"}, "sn": {"ann"}, "cn": {"ann"}}
	keys := []directory.Key{{Attribute: "uid", Value: "ann"}, {Attribute: "scimExternalId", Value: "00u1", Exact: true}}

	for _, text := range []string{annBody, body(`"active":true`)} {
		same(t, m.Create(mustWant(t, m, text), stamp), directory.NewEntry{Name: "ann", Attributes: attributes, Marker: marker, Keys: keys})
	}

	// An inactive person is locked from the first moment on, and the lock is
	// the gateway's.
	want := mustWant(t, m, body(`"active":false,"password":"s3cret"`))
	marker.State, marker.Undo = directory.Inactive, map[string][]string{"pwdAccountLockedTime": {}}
	attributes["pwdAccountLockedTime"], attributes["userPassword"] = []string{lockedForever}, []string{"s3cret"}
	same(t, m.Create(want, stamp), directory.NewEntry{Name: "ann", Attributes: attributes, Marker: marker, Keys: keys})
	if _, ok := want.Attributes["userPassword"]; ok {
		t.Error("Create wrote into what it was given")
	}

	c := people()
	c.Deactivate[0].Set = &SetConfig{LDAP: "employeeState", Inactive: "off", Active: "on"}
	m = compile(t, c, "User")
	same(t, m.Create(mustWant(t, m, annBody), stamp).Attributes["employeeState"], []string{"on"})
	same(t, m.Create(mustWant(t, m, body(`"active":false`)), stamp).Attributes["employeeState"], []string{"off"})
}

// What a change writes, attribute by attribute. The entry is ann with the
// attributes given; the body is ann with the members given.
func TestChangeWritesWhatDiffers(t *testing.T) {
	type values = directory.Attributes
	enterprise := func(members string) string {
		return `"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{` + members + `}`
	}
	for _, tc := range []struct {
		name string
		has  values
		in   string
		mods []directory.Mod
	}{
		{"nothing", nil, ``, nil},
		{"same values", values{"title": {"Boss"}, "mobile": {"2", "1"}}, `"title":"Boss","phoneNumbers":[{"type":"mobile","value":"1"},{"type":"mobile","value":"2"}]`, nil},
		{"new value", nil, `"title":"Boss"`, []directory.Mod{add("title", "Boss")}},
		{"other value", values{"title": {"Boss"}}, `"title":"Chief"`, []directory.Mod{del("title", "Boss"), add("title", "Chief")}},
		{"other case", values{"title": {"boss"}}, `"title":"Boss"`, []directory.Mod{del("title", "boss"), add("title", "Boss")}},
		{"no value", values{"title": {"Boss"}}, ``, []directory.Mod{del("title", "Boss")}},
		{"one of several", values{"mobile": {"1", "2"}}, `"phoneNumbers":[{"type":"mobile","value":"2"},{"type":"mobile","value":"3"}]`,
			[]directory.Mod{del("mobile", "1"), add("mobile", "3")}},
		{"computed value", nil, `"displayName":"Ann"`,
			[]directory.Mod{del("cn", "ann"), add("cn", "Ann"), add("displayName", "Ann")}},
		{"default value", values{"sn": {"Smith"}}, ``, []directory.Mod{del("sn", "Smith"), add("sn", "ann")}},
		{"manager", nil, enterprise(`"manager":{"value":"id-bob"}`), []directory.Mod{add("manager", dn("id-bob"))}},
		{"manager stays, spelled differently", values{"manager": {"UID=Bob, ou=People, dc=example, dc=org"}},
			enterprise(`"manager":{"value":"id-bob"}`), nil},
		{"foreign manager survives", values{"manager": {foreignDN}}, ``, nil},
		{"foreign manager survives another", values{"manager": {foreignDN}}, enterprise(`"manager":{"value":"id-bob"}`),
			[]directory.Mod{add("manager", dn("id-bob"))}},
		{"manager leaves, the foreign one stays", values{"manager": {foreignDN, dn("id-bob")}}, ``,
			[]directory.Mod{del("manager", dn("id-bob"))}},
		{"foreign attribute survives", values{"loginShell": {"/bin/sh"}}, ``, nil},
		{"hidden values survive", values{"title": {"Boss", "Clerk"}}, `"title":"Boss"`, nil},
		{"hidden values survive a change", values{"title": {"Boss", "Clerk"}}, `"title":"Chief"`,
			[]directory.Mod{del("title", "Boss"), add("title", "Chief")}},
		{"hidden values survive a removal", values{"mail": {"a@x", "b@x"}}, ``, []directory.Mod{del("mail", "a@x")}},
		{"a hidden value is not added again", values{"title": {"Boss", "Clerk"}}, `"title":"Clerk"`,
			[]directory.Mod{del("title", "Boss")}},
		{"a hidden value is not added in another case", values{"mail": {"a@x", "b@x"}}, `"emails":[{"type":"work","value":"B@x"}]`,
			[]directory.Mod{del("mail", "a@x")}},
		{"a second manager of ours is hidden", values{"manager": {dn("id-bob"), dn("id-ann")}}, enterprise(`"manager":{"value":"id-bob"}`), nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m := compile(t, people(), "User")
			old := entry(directory.Active, tc.has)
			c := m.Change(old, known, mustWant(t, m, body(tc.in)), stamp)
			wanted := old.Marker
			wanted.Request = "r2"
			same(t, c, directory.Change{Mods: tc.mods, Marker: wanted})
			if c.Empty() != (len(tc.mods) == 0) {
				t.Error("Empty is wrong")
			}
		})
	}
}

func TestChangeOfMembersLeavesForeignOnes(t *testing.T) {
	m := compile(t, groups(), "Group")
	old := directory.Entry{ID: "id-g", Marker: directory.Marker{Source: "okta", State: directory.Active}, Attributes: directory.Attributes{
		"cn": {"g"}, "member": {"cn=nobody,dc=example,dc=org", foreignDN, "UID=ann,ou=people,dc=example,dc=org"},
	}}
	spelled := refsOf(Ref{ID: "id-ann", Type: "User", DN: "UID=ann,ou=people,dc=example,dc=org"}, Ref{ID: "id-bob", Type: "User", DN: dn("id-bob")})
	want := wantOf(t, m, decode(t, m, `{"displayName":"g","members":[{"value":"id-bob"}]}`), spelled.Names())
	same(t, m.Change(old, spelled, want, stamp).Mods,
		[]directory.Mod{del("member", "UID=ann,ou=people,dc=example,dc=org"), add("member", dn("id-bob"))})

	// A PUT without members empties the group (design decision 12).
	want = wantOf(t, m, decode(t, m, `{"displayName":"g"}`), nil)
	same(t, m.Change(old, spelled, want, stamp).Mods, []directory.Mod{del("member", "UID=ann,ou=people,dc=example,dc=org")})
}

// The name changes by a rename and not by a modification, and what is newly
// claimed has to be looked for.
func TestRename(t *testing.T) {
	m := compile(t, people(), "User")
	for _, tc := range []struct {
		user, name string
		keys       []directory.Key
	}{
		{"ann", "", nil},
		{"Ann", "Ann", []directory.Key{{Attribute: "uid", Value: "Ann"}}},
		{"eve", "eve", []directory.Key{{Attribute: "uid", Value: "eve"}}},
	} {
		c := m.Change(entry(directory.Active, nil), nil,
			mustWant(t, m, `{"userName":"`+tc.user+`","externalId":"00u1","displayName":"x","name":{"familyName":"ann"}}`), stamp)
		same(t, c.Name, tc.name)
		same(t, c.Keys, tc.keys)
		for _, mod := range c.Mods {
			if mod.Attribute == "uid" {
				t.Errorf("the naming attribute is modified: %v", mod)
			}
		}
	}
}

// A PUT that leaves the externalId out, or sends it null or empty, keeps it
// (design decision 2); another value replaces it.
func TestStableKeyStays(t *testing.T) {
	m := compile(t, people(), "User")
	for _, text := range []string{`{"userName":"ann"}`, `{"userName":"ann","externalId":null}`, `{"userName":"ann","externalId":""}`} {
		if c := m.Change(entry(directory.Active, nil), nil, mustWant(t, m, text), stamp); !c.Empty() {
			t.Errorf("%s: %+v", text, c.Mods)
		}
	}
	c := m.Change(entry(directory.Active, nil), nil, mustWant(t, m, `{"userName":"ann","externalId":"00U1"}`), stamp)
	same(t, c.Mods, []directory.Mod{del("scimExternalId", "00u1"), add("scimExternalId", "00U1")})
	same(t, c.Keys, []directory.Key{{Attribute: "scimExternalId", Value: "00U1", Exact: true}})
}

// One SCIM attribute goes into two LDAP attributes: both follow it, and the one
// that differs is brought back in line.
func TestSecondAttributeFollows(t *testing.T) {
	m := compile(t, minimal(simple("displayName", "displayName"), simple("displayName", "gecos")), "User")
	old := entry(directory.Active, directory.Attributes{"displayName": {"Ann"}, "gecos": {"Ann"}})
	same(t, m.Change(old, nil, mustWant(t, m, body(`"displayName":"A"`)), stamp).Mods,
		[]directory.Mod{del("displayName", "Ann"), add("displayName", "A"), del("gecos", "Ann"), add("gecos", "A")})
	old.Attributes["gecos"] = []string{"other"}
	same(t, m.Change(old, nil, mustWant(t, m, body(`"displayName":"Ann"`)), stamp).Mods,
		[]directory.Mod{del("gecos", "other"), add("gecos", "Ann")})
}

// The name that a computed value was made of is stored nowhere. A patch of
// something else computes with what the directory has and must not make it
// worse (design decision 7).
func TestComputedValueSurvivesAPatchOfSomethingElse(t *testing.T) {
	m := compile(t, people(), "User")
	created := m.Create(mustWant(t, m, body(`"name":{"formatted":"Ann Smith"}`)), stamp)
	old := directory.Entry{ID: "id-ann", Attributes: created.Attributes, Marker: created.Marker}
	same(t, old.Attributes["cn"], []string{"Ann Smith"})
	now := m.Resource(old, nil)
	patched := func(change func(scim.Resource)) []directory.Mod {
		res := now.Clone()
		change(res)
		want, err := m.Patched(now, res, nil)
		if err != nil {
			t.Fatal(err)
		}
		return m.Change(old, nil, want, stamp).Mods
	}
	same(t, patched(func(res scim.Resource) { res["title"] = "Boss" }), []directory.Mod{add("title", "Boss")})
	same(t, patched(func(res scim.Resource) { res["active"] = false }), []directory.Mod{add(lock, lockedForever)})
	same(t, patched(func(res scim.Resource) { res["displayName"] = "Ann" }),
		[]directory.Mod{del("cn", "Ann Smith"), add("cn", "Ann"), add("displayName", "Ann")})
	same(t, patched(func(res scim.Resource) { res["name"] = map[string]any{"familyName": "ann", "formatted": "A. Smith"} }),
		[]directory.Mod{del("cn", "Ann Smith"), add("cn", "A. Smith")})
	if _, err := m.Patched(now, scim.Resource{}, nil); err == nil {
		t.Error("a patch that takes the user name away is accepted")
	}
}

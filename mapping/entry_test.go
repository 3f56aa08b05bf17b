package mapping

import (
	"encoding/json"
	"testing"

	"scimgate/internal/directory"
	"scimgate/internal/scim"
)

func TestWantKnowsNameStableKeyActiveAndKeys(t *testing.T) {
	m := compile(t, people(), "User")
	inactive := false
	want := mustWant(t, m, body(`"active":false,"emails":[{"type":"work","value":"a@x"}]`))
	same(t, want, Want{
		Name: "ann", StableKey: "00u1", Active: &inactive,
		Attributes: directory.Attributes{"uid": {"ann"}, "scimExternalId": {"00u1"}, "sn": {"ann"}, "cn": {"ann"}, "mail": {"a@x"}},
		Keys: []directory.Key{
			{Attribute: "uid", Value: "ann"},
			{Attribute: "scimExternalId", Value: "00u1", Exact: true},
		},
	})
	if got := mustWant(t, m, `{"userName":"ann"}`); got.Active != nil || got.StableKey != "" || len(got.Keys) != 1 {
		t.Errorf("without active and externalId: %+v", got)
	}
}

// The naming attribute and the stable key are keys, whether declared unique or
// not; other attributes only where they are declared so.
func TestKeysAreWhatMustBeUnique(t *testing.T) {
	c := minimal(
		RuleConfig{SCIM: `emails[type eq "work"].value`, LDAP: "mail", Unique: true},
		simple("title", "title"),
	)
	c.Attributes[0].Unique, c.Attributes[1].Unique = false, false
	want := mustWant(t, compile(t, c, "User"), body(`"title":"Boss","emails":[{"type":"work","value":"a@x"}]`))
	same(t, want.Keys, []directory.Key{
		{Attribute: "uid", Value: "ann"},
		{Attribute: "scimExternalId", Value: "00u1", Exact: true},
		{Attribute: "mail", Value: "a@x"},
	})
}

func TestWantRefuses(t *testing.T) {
	rule := func(r RuleConfig) Config { return minimal(r) }
	forbidden := minimal(simple("title", "title"), simple("password", "userPassword"))
	forbidden.Rules.ForbiddenCharacters = "<>;é"
	together := minimal(
		simple(`addresses[type eq "work"].streetAddress`, "street"), simple(`addresses[type eq "work"].locality`, "l"),
		simple("title", "title"))
	together.Rules.Together = [][]string{{`addresses[type eq "work"].streetAddress`, `addresses[type eq "work"].locality`}}
	nameless := people()
	nameless.Attributes[0].Required = false
	for _, tc := range []struct {
		name   string
		config Config
		body   string
		words  []string // of the detail; nil where the body is fine
	}{
		{"required", people(), `{"externalId":"1"}`, []string{"userName", "required"}},
		{"required is blank", people(), `{"userName":" "}`, []string{"userName", "required"}},
		{"no name for the entry", nameless, `{"externalId":"1"}`, []string{"userName", "missing"}},
		{"required value path", rule(RuleConfig{SCIM: `emails[type eq "work"].value`, LDAP: "mail", Required: true}),
			body(`"emails":[{"type":"home","value":"h@x"}]`), []string{`emails[type eq "work"].value`}},
		{"required value path, untyped", rule(RuleConfig{SCIM: `emails[type eq "work"].value`, LDAP: "mail", Required: true}),
			body(`"emails":[{"value":"h@x"}]`), nil},
		{"required with a default", rule(RuleConfig{SCIM: "title", LDAP: "title", Required: true, Default: "none"}), annBody, nil},
		{"required with a default that is empty", rule(RuleConfig{SCIM: "title", LDAP: "title", Required: true, Default: "{{ .nickName }}"}),
			annBody, []string{"title", "required"}},
		{"forbidden character", forbidden, body(`"title":"a<b"`), []string{"title", `"<"`}},
		{"forbidden character beyond ASCII", forbidden, body(`"title":"café"`), []string{"title", `"é"`}},
		{"forbidden character in a name", forbidden, `{"userName":"a;b"}`, []string{"userName"}},
		{"forbidden character in a secret", forbidden, body(`"password":"a<b"`), nil},
		{"forbidden character in what nothing maps", forbidden, body(`"nickName":"a<b"`), nil},
		{"together, all", together, body(`"addresses":[{"type":"work","streetAddress":"s","locality":"l"}]`), nil},
		{"together, none", together, body(`"title":"t"`), nil},
		{"together, one missing", together, body(`"addresses":[{"type":"work","streetAddress":"s"}]`),
			[]string{`addresses[type eq "work"].streetAddress`, "without", `addresses[type eq "work"].locality`}},
		{"a reference to nobody", people(), body(`"enterprise:manager.value":"id-who"`), []string{"manager.value", "User", "id-who"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m := compile(t, tc.config, "User")
			_, err := m.Want(decode(t, m, tc.body), known.Names())
			if tc.words == nil {
				if err != nil {
					t.Error(err)
				}
				return
			}
			isBadRequest(t, err, "invalidValue", tc.words...)
		})
	}
}

func TestMembersAreReferences(t *testing.T) {
	m := compile(t, groups(), "Group")
	res := decode(t, m, `{"displayName":"all","members":[{"value":"id-ann","display":"Ann"},{"value":"id-all"},{"value":"id-ann"}]}`)
	types := []string{"User", "Group"}
	same(t, m.References(res), []Reference{{ID: "id-ann", Types: types}, {ID: "id-all", Types: types}})
	want := wantOf(t, m, res, known.Names())
	same(t, want.Attributes["member"], []string{dn("id-ann"), dn("id-all")})

	// What is not this tenant's does not show, nor does the stand-in of an
	// empty group; spelling does not matter.
	e := directory.Entry{ID: "id-all", Attributes: directory.Attributes{"cn": {"all"}, "member": {
		"CN=nobody,dc=example,dc=org", "UID=Ann, OU=People,dc=example,dc=org", foreignDN, dn("id-all"),
	}}}
	same(t, m.Referred(e), e.Attributes["member"])
	const wanted = `{"displayName":"all","members":[{"type":"User","value":"id-ann"},{"type":"Group","value":"id-all"}]}`
	if got := asJSON(t, m.Resource(e, known)); got != wanted {
		t.Errorf("%s, want %s", got, wanted)
	}
	same(t, m.MemberReferences([]string{"x"}), []Reference{{ID: "x", Types: types}})
	same(t, m.ReferenceTypes(), types)
	same(t, m.Referrers(), []directory.Referrer{{Base: "ou=groups,dc=example,dc=org", Attribute: "member", Member: true, EmptyMember: "cn=nobody,dc=example,dc=org", SourceAttribute: "scimSource"}})
}

// Where a resource and those it refers to are found is the caller's to know.
func TestLocate(t *testing.T) {
	url := func(resourceType, id string) string { return "https://x/" + resourceType + "s/" + id }
	g := compile(t, groups(), "Group")
	res := g.Resource(directory.Entry{ID: "id-g", Attributes: directory.Attributes{"cn": {"g"}, "member": {dn("id-ann"), dn("id-all")}}}, known)
	g.Locate(res, url)
	same(t, res["members"], []any{
		map[string]any{"value": "id-ann", "type": "User", "$ref": "https://x/Users/id-ann"},
		map[string]any{"value": "id-all", "type": "Group", "$ref": "https://x/Groups/id-all"},
	})
	same(t, res["meta"], map[string]any{"resourceType": "Group", "location": "https://x/Groups/id-g"})

	u := compile(t, people(), "User")
	res = u.Resource(entry(directory.Active, directory.Attributes{"manager": {dn("id-bob")}}), known)
	u.Locate(res, url)
	manager, _ := res[scim.EnterpriseURN].(map[string]any)["manager"].(map[string]any)
	same(t, manager["$ref"], "https://x/Users/id-bob")
	u.Locate(scim.Resource{}, url) // nothing to say, nothing to break
}

// A manager whom the tenant does not manage does not show; of two that it does,
// the first shows, as with every attribute that SCIM has once.
func TestOneManagerShows(t *testing.T) {
	m := compile(t, people(), "User")
	for _, tc := range []struct {
		name    string
		manager []string
		want    string
	}{
		{"none", nil, ""},
		{"foreign", []string{foreignDN}, ""},
		{"one", []string{dn("id-bob")}, "id-bob"},
		{"foreign and one", []string{foreignDN, dn("id-bob")}, "id-bob"},
		{"two", []string{dn("id-bob"), dn("id-ann")}, "id-bob"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			res := m.Resource(entry(directory.Active, directory.Attributes{"manager": tc.manager}), known)
			p := scim.Path{URN: scim.EnterpriseURN, Attr: "manager", Sub: "value"}
			var got string
			if values := res.Values(m.Definition(), p); len(values) > 0 {
				got, _ = values[0].(string)
			}
			if got != tc.want {
				t.Errorf("manager %q, want %q", got, tc.want)
			}
		})
	}
}

// badges declares one attribute of each type under a URN of one's own.
func badges() Config {
	c := minimal()
	c.Extensions = []ExtensionConfig{{URN: badgeURN, Attributes: []RuleConfig{
		{SCIM: "badgeId", LDAP: "employeeNumber", Unique: true},
		{SCIM: "armed", LDAP: "badgeArmed", Type: "boolean"},
		{SCIM: "level", LDAP: "badgeLevel", Type: "integer"},
		{SCIM: "rate", LDAP: "badgeRate", Type: "decimal"},
		{SCIM: "doors", LDAP: "badgeDoor", MultiValued: true},
	}}}
	return c
}

func TestExtensionsTranslateByType(t *testing.T) {
	m := compile(t, badges(), "User")
	in := body(`"` + badgeURN + `":{"badgeId":"B7","armed":"True","level":"12","rate":1.50,"doors":["a","b"]}`)
	want := mustWant(t, m, in)
	wanted := directory.Attributes{
		"uid": {"ann"}, "scimExternalId": {"00u1"}, "employeeNumber": {"B7"}, "badgeArmed": {"TRUE"},
		"badgeLevel": {"12"}, "badgeRate": {"1.50"}, "badgeDoor": {"a", "b"},
	}
	same(t, want.Attributes, wanted)
	res := m.Resource(directory.Entry{Attributes: wanted}, nil)
	const shown = `{"externalId":"00u1","` + badgeURN + `":{"armed":true,"badgeId":"B7","doors":["a","b"],"level":12,"rate":1.50},"userName":"ann"}`
	if got := asJSON(t, res); got != shown {
		t.Errorf("%s, want %s", got, shown)
	}
	same(t, res["schemas"], []any{scim.UserURN, badgeURN})
	same(t, m.Label("employeeNumber"), badgeURN+":badgeId")
	same(t, m.Label("loginShell"), "loginShell")
}

// Text that is not of the declared type is shown as it is: an answer has to be
// JSON, whatever the directory holds.
func TestTextOfAnotherTypeIsShownAsItIs(t *testing.T) {
	m := compile(t, badges(), "User")
	for _, text := range []string{"", " 5", "true", "null", `"x"`, "{}", "[1]", "0x10", "1e", "007", "much"} {
		res := m.Resource(directory.Entry{Attributes: directory.Attributes{
			"uid": {"ann"}, "badgeLevel": {text}, "badgeRate": {text},
		}}, nil)
		if _, err := json.Marshal(res); err != nil {
			t.Errorf("%q: %v", text, err)
		}
		extension, _ := res[badgeURN].(map[string]any)
		same(t, extension, map[string]any{"level": text, "rate": text})
	}
	for _, text := range []string{"true", "1", ""} {
		res := m.Resource(directory.Entry{Attributes: directory.Attributes{"uid": {"ann"}, "badgeArmed": {text}}}, nil)
		extension, _ := res[badgeURN].(map[string]any)
		same(t, extension, map[string]any{"armed": text})
	}
}

func TestMetaAndActive(t *testing.T) {
	m := compile(t, people(), "User")
	for state, active := range map[directory.State]bool{
		directory.Active: true, directory.Inactive: false, directory.Deleting: false, directory.Deleted: false,
	} {
		e := entry(state, nil)
		e.Created, e.Modified = earlier, stamp.Now
		res := m.Resource(e, nil)
		same(t, res["active"], active)
		same(t, res["id"], "id-ann")
		same(t, res["meta"], map[string]any{"resourceType": "User", "version": `W/"v1"`,
			"created": "2026-01-02T03:04:05Z", "lastModified": "2026-05-06T07:08:09Z"})
	}
	if _, ok := compile(t, groups(), "Group").Resource(directory.Entry{}, nil)["active"]; ok {
		t.Error("a group shows active")
	}
}

// A type of which nothing is kept is not announced as one to send.
func TestSchemasAnnounceTheTypesThatAreKept(t *testing.T) {
	announced := map[string][]string{}
	for _, m := range []*Mapping{compile(t, people(), "User"), compile(t, groups(), "Group")} {
		for _, a := range m.Schemas()[0].Attributes {
			if kind, ok := a.Sub("type"); ok {
				announced[a.Name] = kind.CanonicalValues
			}
		}
	}
	same(t, announced, map[string][]string{
		"emails": {"work", "home", "other"}, "phoneNumbers": {"work", "mobile", "home", "pager"}, "addresses": {"work"},
		"members": {"User", "Group"},
	})
	for _, a := range scim.UserDefinition().Core.Attributes {
		if kind, ok := a.Sub("type"); ok && a.Name == "addresses" && len(kind.CanonicalValues) != 3 {
			t.Errorf("the vocabulary itself lost types: %v", kind.CanonicalValues)
		}
	}
}

// Schemas announces what is mapped and no more (RFC 7643 section 7).
func TestSchemasAnnounceWhatIsMapped(t *testing.T) {
	c := badges()
	c.Attributes = append(c.Attributes,
		RuleConfig{SCIM: `emails[type eq "work"].value`, LDAP: "mail", Single: SinglePrimary}, simple("name.givenName", "givenName"))
	announced := map[string]string{}
	for _, s := range compile(t, c, "User").Schemas() {
		if s.Apart { // the provenance, which needs no rule
			continue
		}
		for _, a := range s.Attributes {
			subs := ""
			for _, sub := range a.SubAttributes {
				subs += " " + sub.Name
			}
			announced[a.Name] = string(a.Uniqueness) + subs
		}
	}
	same(t, announced, map[string]string{
		"userName": "server", "name": "none givenName", "active": "none", "emails": "none value type primary",
		"badgeId": "server", "armed": "none", "level": "none", "rate": "none", "doors": "none",
	})
}

func TestCollectionIsWhatTheStoreNeeds(t *testing.T) {
	same(t, compile(t, groups(), "Group").Collection(), directory.Collection{
		Source: "okta", Base: "ou=groups,dc=example,dc=org", ObjectClasses: groups().ObjectClasses,
		StateAttribute: "scimState", SourceAttribute: "scimSource", Naming: "cn",
		Attributes: []string{"cn", "scimExternalId", "member"},
		Member:     "member", EmptyMember: "cn=nobody,dc=example,dc=org",
	})
	m := compile(t, groups(), "Group")
	same(t, m.WithoutMembers(), []string{"cn", "scimExternalId"})
	same(t, []any{m.Members(), m.StableKey(), m.DeletesForGood()}, []any{"member", "scimExternalId", true})
	u := compile(t, minimal(), "User")
	same(t, u.WithoutMembers(), []string{"uid", "scimExternalId", "pwdAccountLockedTime"})
	same(t, []any{u.Members(), u.DeletesForGood()}, []any{"", false})
}

// Of a new person a password can be demanded. Later it never shows, so a PUT or
// PATCH of something else neither misses it nor fills it in anew.
func TestARequiredPasswordIsAskedOfANewPerson(t *testing.T) {
	c := minimal(RuleConfig{SCIM: "password", LDAP: "userPassword", Required: true}, simple("title", "title"))
	m := compile(t, c, "User")
	_, err := m.Want(decode(t, m, annBody), nil)
	isBadRequest(t, err, "invalidValue", "password", "required")
	same(t, mustWant(t, m, body(`"password":"s3cret-1"`)).Secrets, map[string]string{"userPassword": "s3cret-1"})

	c.Attributes[2] = RuleConfig{SCIM: "password", LDAP: "userPassword", Default: "{{ .userName }}-first"}
	filling := compile(t, c, "User")
	same(t, mustWant(t, filling, annBody).Secrets, map[string]string{"userPassword": "ann-first"})
	for _, m := range []*Mapping{m, filling} {
		now := decode(t, m, annBody)
		replaced, err := m.Replaced(decode(t, m, body(`"title":"Dr"`)), nil)
		if err != nil {
			t.Fatal(err)
		}
		patched, err := m.Patched(now, decode(t, m, body(`"title":"Dr"`)), nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []Want{replaced, patched} {
			same(t, want.Attributes["title"], []string{"Dr"})
			same(t, want.Secrets, map[string]string{})
		}
		other, err := m.Replaced(decode(t, m, body(`"password":"s3cret-2"`)), nil)
		if err != nil {
			t.Fatal(err)
		}
		same(t, other.Secrets, map[string]string{"userPassword": "s3cret-2"})
	}
}

// A character that the administrator put into a template is theirs; one that
// comes in through it is the client's.
func TestForbiddenCharactersOfATemplate(t *testing.T) {
	cfg := people()
	cfg.Rules.ForbiddenCharacters = "<>:%"
	cfg.Attributes = append(cfg.Attributes, RuleConfig{LDAP: "description", Template: `sip:{{ .name.formatted }}`})
	m := compile(t, cfg, "User")
	want := mustWant(t, m, `{"userName":"ann","name":{"formatted":"Ann"}}`)
	same(t, want.Attributes["description"], []string{"sip:Ann"})
	res, err := scim.Decode([]byte(`{"userName":"ann","name":{"formatted":"<Ann>"}}`), m.Definition())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Want(res, nil); err == nil {
		t.Error("a forbidden character came in through a template")
	}
}

package mapping

import (
	"strings"
	"testing"

	"scimgate/internal/directory"
	"scimgate/internal/scim"
)

// demanding is the demo's mapping with rules for whole resources.
func demanding(rules RulesConfig) Config {
	c := people()
	c.Rules = rules
	return c
}

func TestDemandsOnWholeResources(t *testing.T) {
	whole := RulesConfig{Together: [][]string{{"addresses.streetAddress", "addresses.locality"}}}
	for _, tc := range []struct {
		name  string
		rules RulesConfig
		body  string
		words []string // of the detail; nil where the body is fine
	}{
		{"a default is not a value that was sent", RulesConfig{Required: []string{"name.familyName"}}, annBody, []string{"name.familyName", "required"}},
		{"some value of several", RulesConfig{Required: []string{"emails"}}, body(`"emails":[{"type":"home","value":"a@x"}]`), nil},
		{"an element without a value", RulesConfig{Required: []string{"emails"}}, body(`"emails":[{"type":"home"}]`), []string{"emails", "required"}},
		{"required though nothing maps it", RulesConfig{Required: []string{"roles"}}, annBody, []string{"roles", "required"}},
		{"one value", RulesConfig{OneValue: true}, body(`"emails":[{"value":"a@x"}],"phoneNumbers":[{"value":"1"}]`), nil},
		{"two values", RulesConfig{OneValue: true}, body(`"phoneNumbers":[{"value":"1"},{"value":"2","type":"fax"}]`), []string{"phoneNumbers", "2 values"}},
		{"two values of what nothing maps", RulesConfig{OneValue: true}, body(`"roles":["a","b"]`), []string{"roles", "2 values"}},
		{"primary", RulesConfig{Primary: []string{"emails"}}, body(`"emails":[{"value":"a@x"},{"value":"b@x","type":"home","primary":"True"}]`), nil},
		{"none to be primary", RulesConfig{Primary: []string{"emails"}}, annBody, nil},
		{"none is primary", RulesConfig{Primary: []string{"emails"}}, body(`"emails":[{"value":"a@x","primary":false}]`), []string{"emails", "a@x", "primary"}},
		{"not supported", RulesConfig{NotSupported: []string{"photos"}}, body(`"photos":[{"value":"https://x/a.png"}]`), []string{"photos", "not supported"}},
		{"not supported and empty", RulesConfig{NotSupported: []string{"photos", "title"}}, body(`"photos":[],"title":" "`), nil},
		{"a part that is not supported", RulesConfig{NotSupported: []string{"emails.display"}}, body(`"emails":[{"value":"a@x","display":"A"}]`), []string{"emails.display"}},
		{"each address is whole", whole, body(`"addresses":[{"type":"work","streetAddress":"s","locality":"l"},{"type":"home","streetAddress":"s"}]`),
			[]string{"addresses.streetAddress came without addresses.locality"}},
		{"both are whole", whole, body(`"addresses":[{"type":"work","streetAddress":"s","locality":"l"},{"type":"home","country":"FR"}]`), nil},
		{"a URI is no text", RulesConfig{ForbiddenCharacters: ":"}, body(`"profileUrl":"https://x/"`), nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m := compile(t, demanding(tc.rules), "User")
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

// What no client can set is refused of a new resource alone, however it is spelt.
func TestBarred(t *testing.T) {
	m := compile(t, demanding(RulesConfig{NotSupported: []string{"groups", "enterprise:manager.displayName"}}), "User")
	for text, barred := range map[string]bool{
		body(`"groups":[{"value":"x"}]`):                                     true,
		body(`"Groups":{"value":"x"}`):                                       true,
		body(`"groups":[]`):                                                  false,
		body(`"groups":[{"value":""}]`):                                      false,
		body(`"title":"x"`):                                                  false,
		body(`"enterprise:manager.displayName":"B"`):                         true,
		body(`"manager":[{"displayname":"B"}]`):                              true,
		body(`"manager":{"value":"v"}`):                                      false,
		body(`"` + scim.EnterpriseURN + `":{"manager":{"DISPLAYNAME":"B"}}`): true,
		body(`"` + scim.EnterpriseURN + `":{"manager":{"displayName":" "}}`): false,
		body(`"` + scim.UserURN + `":{"groups":["x"]}`):                      true,
		"\ufeff" + body(`"groups":[{"value":"x"}]`):                          true,
	} {
		if err := m.Barred([]byte(text)); (err != nil) != barred {
			t.Errorf("%s: %v", text, err)
		}
	}
	want, err := m.Replaced(decode(t, m, body(`"groups":[{"value":"x"}],"title":"t"`)), known.Names())
	if err != nil || want.Attributes.First("title") != "t" {
		t.Errorf("a PUT with groups: %v %v", want, err)
	}
	if err := compile(t, people(), "User").Barred([]byte("no JSON")); err != nil {
		t.Errorf("nothing is barred and it is looked at: %v", err)
	}
}

// What was broken before may stay as it is, and not get worse.
func TestWhatWasBrokenMayStay(t *testing.T) {
	strict := demanding(RulesConfig{
		Required: []string{"displayName", "nickName"}, OneValue: true, Primary: []string{"phoneNumbers"}, NotSupported: []string{"title"},
		ForbiddenCharacters: "<", Together: [][]string{{"addresses.streetAddress", "addresses.locality", "addresses.region"}},
	})
	strict.Attributes[8].Required = true // displayName
	m := compile(t, strict, "User")
	const before = `{"userName":"ann","externalId":"1","title":"Boss","userType":"a<b",
		"emails":[{"type":"work","value":"a@x"},{"type":"home","value":"b@x"}],
		"phoneNumbers":[{"type":"work","value":"1"}],"addresses":[{"type":"work","streetAddress":"s"}]}`
	change := func(from, to string) string {
		t.Helper()
		if !strings.Contains(before, from) {
			t.Fatalf("there is no %s", from)
		}
		return strings.Replace(before, from, to, 1)
	}
	for _, tc := range []struct {
		name, after string
		words       []string
	}{
		{"nothing", before, nil},
		{"another attribute", change(`"externalId"`, `"locale":"de","externalId"`), nil},
		{"another bad value", change(`a<b`, `b<c`), []string{"userType", "b<c"}},
		{"another value that is not supported", change("Boss", "Chief"), []string{"title"}},
		{"a third address", change(`{"type":"home"`, `{"type":"other","value":"c@x"},{"type":"home"`), []string{"emails", "3 values"}},
		{"two other addresses", change("b@x", "c@x"), nil},
		{"one address fewer", change(`,{"type":"home","value":"b@x"}`, ""), nil},
		{"a part of the address more", change(`"streetAddress":"s"`, `"streetAddress":"s","region":"r"`), nil},
		{"parts of another address", change(`[{"type":"work","streetAddress":"s"}`, `[{"type":"work","streetAddress":"s","locality":"l"},{"type":"home","region":"r"}`),
			[]string{"addresses"}},
		{"what was missing", change(`"userName"`, `"displayName":"Ann","nickName":"A","userName"`), nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			now, after := decode(t, m, before), decode(t, m, tc.after)
			for name, translate := range map[string]func(now, res scim.Resource, names Names) (Want, error){"PATCH": m.Patched, "PUT": m.ReplacedBy} {
				_, err := translate(now, after, known.Names())
				if tc.words != nil {
					isBadRequest(t, err, "invalidValue", tc.words...)
				} else if err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
			if _, err := m.Want(after, known.Names()); err == nil {
				t.Error("a new resource may break the rules")
			}
		})
	}
	fine := decode(t, m, `{"userName":"ann","externalId":"1","displayName":"Ann","nickName":"A"}`)
	for _, lost := range []string{"displayName", "nickName"} {
		res := fine.Clone()
		delete(res, lost)
		_, err := m.Patched(fine, res, known.Names())
		isBadRequest(t, err, "invalidValue", lost, "required")
	}
}

// A value that is unique is so in all the attributes that its rule maps it to, and
// of one that an entry has somewhere nobody has to be asked.
func TestUniqueAcrossAttributes(t *testing.T) {
	c := demanding(RulesConfig{Unique: []string{"emails.value", "title"}})
	c.Attributes[19].Shared = true // the other address
	m := compile(t, c, "User")
	want := mustWant(t, m, body(`"title":"t","emails":[{"type":"work","value":"a@x"},{"type":"other","value":"o@x"}]`))
	same(t, want.Keys, []directory.Key{
		{Attribute: "uid", Value: "ann"}, {Attribute: "scimExternalId", Value: "00u1", Exact: true}, {Attribute: "title", Value: "t"},
		{Attribute: "mail", Value: "a@x"}, {Attribute: "scimHomeMail", Value: "a@x"},
	})
	old := directory.Entry{ID: "id-ann", DN: dn("id-ann"), Attributes: directory.Attributes{"uid": {"ann"}, "scimExternalId": {"00u1"}, "mail": {"a@x"}},
		Marker: directory.Marker{Source: "okta", State: directory.Active}}
	home := mustWant(t, m, body(`"emails":[{"type":"home","value":"a@x"}]`))
	same(t, m.Change(old, nil, home, stamp).Keys, []directory.Key(nil))
	other := mustWant(t, m, body(`"emails":[{"type":"home","value":"b@x"}]`))
	same(t, m.Change(old, nil, other, stamp).Keys, []directory.Key{{Attribute: "scimHomeMail", Value: "b@x"}, {Attribute: "mail", Value: "b@x"}})

	one, _ := m.Claims(decode(t, m, body(`"emails":[{"type":"work","value":"A@x"}]`)))
	two, _ := m.Claims(decode(t, m, `{"userName":"bob","emails":[{"type":"home","value":"a@x"}]}`))
	if !meet(one, two) {
		t.Errorf("%v and %v do not meet", one, two)
	}
	// A tombstone gives up what is unique by a rule, too.
	old.Marker.State = directory.Deleted
	if c := m.Aside(old, stamp); len(c.Mods) == 0 || c.Mods[0].Attribute != "mail" {
		t.Errorf("the tombstone gives up %v", c.Mods)
	}
}

func meet(a, b []string) bool {
	for _, v := range a {
		for _, w := range b {
			if v == w {
				return true
			}
		}
	}
	return false
}

func TestRulesThatCannotBe(t *testing.T) {
	for key, rules := range map[string]RulesConfig{
		"rules.required[1]":     {Required: []string{"title", "titel"}},
		"rules.unique[0]":       {Unique: []string{"nix"}},
		"rules.primary[0]":      {Primary: []string{"title"}},
		"rules.notSupported[0]": {NotSupported: []string{"emails[type"}},
	} {
		if _, faults := Compile(demanding(rules), "User", ""); len(faults) != 1 || faults[0].Key != key {
			t.Errorf("%s: %v", key, faults)
		}
	}
	optional := demanding(RulesConfig{Required: []string{"displayName"}})
	optional.Attributes[8].Optional = true
	mustWant(t, compile(t, optional, "User"), annBody)

	got := demanding(RulesConfig{Required: []string{"emails", "roles", "title"}, Unique: []string{"emails.value", "photos.value"}}).Unmapped("User")
	keys := map[string]bool{}
	for _, f := range got {
		keys[f.Key] = true
	}
	same(t, keys, map[string]bool{"rules.required[1]": true, "rules.unique[1]": true})
}

// What is never shown again is not quoted in a refusal either, whichever rule it breaks.
func TestARefusalDoesNotQuoteASecret(t *testing.T) {
	c := minimal(RuleConfig{SCIM: "nickName", LDAP: "scimNickName", Returned: "never", Forbidden: "#", ForbiddenAtEnd: "."})
	c.Rules.ForbiddenCharacters = "<"
	m := compile(t, c, "User")
	for _, secret := range []string{"1<2", "1#2", "12."} {
		_, err := m.Want(decode(t, m, body(`"nickName":"`+secret+`"`)), nil)
		if err == nil || !strings.Contains(err.Error(), "nickName") || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %v", secret, err)
		}
	}
}

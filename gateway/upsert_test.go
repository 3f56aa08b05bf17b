package gateway

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"scimgate/internal/directory"
	"scimgate/mapping"
)

// The table of a create that finds people by their address as well as by the
// stable key: the wanted entry is ann with the key K1 and the address a@x.
func TestDecideUpsert(t *testing.T) {
	const (
		live, off = directory.Active, directory.Inactive
		half      = directory.Deleting
		dead      = directory.Deleted
	)
	type hits = []directory.Entry
	for _, tc := range []struct {
		name    string
		keyless bool // the wanted entry has no stable key
		mute    bool // and no address
		hits    hits
		verdict verdict
		reason  reason
		hit     string
		aside   []string
	}{
		{name: "nobody", verdict: create},

		{name: "there, same key", hits: hits{hit("1", "okta", live, stableKey, "K1", "mail", "a@x", "uid", "ann")}, verdict: update, hit: "1"},
		{name: "there, other key", hits: hits{hit("1", "okta", live, stableKey, "K2", "mail", "a@x")}, verdict: update, hit: "1"},
		{name: "there, without a key", hits: hits{hit("1", "okta", live, "mail", "a@x")}, verdict: update, hit: "1"},
		{name: "there, and the wanted has no key", keyless: true, hits: hits{hit("1", "okta", live, stableKey, "K2", "mail", "a@x")}, verdict: update, hit: "1"},
		{name: "there, inactive", hits: hits{hit("1", "okta", off, stableKey, "K2", "mail", "a@x")}, verdict: update, hit: "1"},
		{name: "deleted, same key", hits: hits{hit("1", "okta", dead, stableKey, "K1", "mail", "a@x")}, verdict: revive, hit: "1"},
		{name: "deleted, other key", hits: hits{hit("1", "okta", dead, stableKey, "K2", "mail", "a@x")}, verdict: revive, hit: "1"},
		{name: "deleted, without a key", hits: hits{hit("1", "okta", dead, "mail", "a@x")}, verdict: revive, hit: "1"},
		{name: "being deleted", hits: hits{hit("1", "okta", half, stableKey, "K2", "mail", "a@x")}, verdict: revive, hit: "1"},

		{name: "the address in another case", hits: hits{hit("1", "okta", live, stableKey, "K2", "mail", "A@x")}, verdict: conflict, hit: "1"},
		{name: "deleted, the address in another case", hits: hits{hit("1", "okta", dead, stableKey, "K2", "mail", "A@x")}, verdict: create, aside: []string{"1"}},
		{name: "deleted, the address with a blank", hits: hits{hit("1", "okta", dead, "mail", " a@x")}, verdict: create, aside: []string{"1"}},
		{name: "no address to go by", mute: true, hits: hits{hit("1", "okta", dead, stableKey, "K2", "uid", "ann")}, verdict: create, aside: []string{"1"}},
		{name: "no address to go by, and the name is taken", mute: true, hits: hits{hit("1", "okta", live, "uid", "ann")}, verdict: conflict, hit: "1"},

		{name: "the key of another address, there", hits: hits{hit("1", "okta", live, stableKey, "K1", "mail", "z@x")}, verdict: conflict, hit: "1"},
		{name: "the key of another address, deleted", hits: hits{hit("1", "okta", dead, stableKey, "K1", "mail", "z@x")}, verdict: revive, hit: "1"},
		{name: "the name alone", hits: hits{hit("1", "okta", live, "uid", "ann", "mail", "z@x")}, verdict: conflict, hit: "1"},
		{name: "the name alone, deleted", hits: hits{hit("1", "okta", dead, "uid", "ann", "mail", "z@x")}, verdict: create, aside: []string{"1"}},

		{name: "two have it", verdict: conflict, reason: torn, hit: "1",
			hits: hits{hit("1", "okta", dead, stableKey, "K2", "mail", "a@x"), hit("2", "okta", dead, stableKey, "K3", "mail", "a@x")}},
		{name: "two have it, one there", verdict: conflict, reason: torn, hit: "1",
			hits: hits{hit("1", "okta", live, "mail", "a@x"), hit("2", "okta", dead, stableKey, "K1", "mail", "a@x")}},
		{name: "one has the key and another the address", verdict: conflict, reason: torn, hit: "2",
			hits: hits{hit("1", "okta", live, stableKey, "K2", "mail", "a@x"), hit("2", "okta", live, stableKey, "K1", "mail", "z@x")}},
		{name: "both deleted", verdict: conflict, reason: torn, hit: "2",
			hits: hits{hit("1", "okta", dead, stableKey, "K2", "mail", "a@x"), hit("2", "okta", dead, stableKey, "K1", "mail", "z@x")}},
		{name: "two have the key", verdict: conflict, hit: "1",
			hits: hits{hit("1", "okta", dead, stableKey, "K1", "mail", "a@x"), hit("2", "okta", dead, stableKey, "K1")}},

		{name: "and somebody there has the name", verdict: conflict, hit: "2",
			hits: hits{hit("1", "okta", live, "mail", "a@x"), hit("2", "okta", live, "uid", "ann")}},
		{name: "and somebody deleted has the name", verdict: update, hit: "1", aside: []string{"2"},
			hits: hits{hit("1", "okta", live, "mail", "a@x"), hit("2", "okta", dead, "uid", "ann")}},
		{name: "deleted, and an entry of nobody has the name", verdict: conflict, hit: "2",
			hits: hits{hit("1", "okta", dead, "mail", "a@x"), hit("2", "", "", "uid", "ann")}},

		{name: "another tenant's", hits: hits{hit("1", "entra", live, "mail", "a@x")}, verdict: conflict, reason: managed, hit: "1"},
		{name: "another tenant's, deleted", hits: hits{hit("1", "entra", dead, stableKey, "K1", "mail", "a@x")}, verdict: conflict, reason: managed, hit: "1"},
		{name: "another tenant's besides", verdict: conflict, reason: managed, hit: "2",
			hits: hits{hit("1", "okta", dead, "mail", "a@x"), hit("2", "entra", live, "mail", "a@x")}},
		{name: "another tenant has the key", verdict: conflict, reason: managed, hit: "2",
			hits: hits{hit("1", "okta", live, "mail", "a@x"), hit("2", "entra", live, stableKey, "K1")}},
		{name: "nobody's", hits: hits{hit("1", "", "", "mail", "a@x", "uid", "ann")}, verdict: conflict, hit: "1"},
		{name: "a marker that names nobody's state", hits: hits{hit("1", "okta", "", "mail", "a@x")}, verdict: conflict, hit: "1"},
		{name: "nobody's, and protected", hits: hits{guarded(hit("1", "", "", "mail", "a@x"))}, verdict: conflict, reason: protected, hit: "1"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			want := mapping.Want{Name: "ann", StableKey: "K1", Keys: []directory.Key{
				{Attribute: "uid", Value: "ann"}, {Attribute: "mail", Value: "a@x"}, {Attribute: stableKey, Value: "K1", Exact: true},
			}, Finds: []directory.Key{{Attribute: "mail", Value: "a@x", Exact: true}}}
			if tc.keyless {
				want.StableKey, want.Keys = "", want.Keys[:2]
			}
			if tc.mute {
				want.Finds, want.Keys = nil, []directory.Key{want.Keys[0], want.Keys[2]}
			}
			got := decide(want, stableKey, "okta", tc.hits, adoption{})
			var aside []string
			for _, e := range got.aside {
				aside = append(aside, e.ID)
			}
			if tc.verdict == conflict {
				aside = nil // nobody looks at it
			}
			type outcome struct {
				Verdict verdict
				Reason  reason
				Hit     string
				Aside   []string
			}
			if d := cmp.Diff(outcome{tc.verdict, tc.reason, tc.hit, tc.aside}, outcome{got.verdict, got.reason, got.hit.ID, aside}, cmpopts.EquateEmpty()); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
		})
	}
}

// Whatever there is, a create that finds by nothing but the stable key decides as
// it did before there was anything else.
func TestWithoutUpsertNothingIsFoundByAnythingElse(t *testing.T) {
	for _, h := range []directory.Entry{
		hit("1", "okta", directory.Active, "uid", "ann", "mail", "a@x"), hit("1", "okta", directory.Deleted, "uid", "ann", "mail", "a@x"),
	} {
		if d, found := known(mapping.Want{StableKey: "K1"}, stableKey, "okta", nil, []directory.Entry{h}); found {
			t.Errorf("found: %+v", d)
		}
	}
}

func byName(c *mapping.Config) { c.Upsert.By = []string{"userName"} }

// A create of somebody who is there is what a PUT of them would be, under the id
// of before, but that they are active and keep their password; the answer is 201.
func TestUpsertOfSomebodyWhoIsThere(t *testing.T) {
	s := newOffering(t, Policy{}, byName)
	is(t, s.ask("POST", "/scim/v2/Users", `{"userName":"ann","externalId":"K1","title":"Boss","password":"first"}`), 201)
	w := s.ask("POST", "/scim/v2/Users", `{"userName":"ann","externalId":"K2","password":"second","emails":[{"type":"work","value":"a@x"}]}`)
	got := is(t, w, 201)
	if got["id"] != "id-1" || got["externalId"] != "K2" || got["title"] != nil || got["active"] != true || !strings.HasSuffix(w.Header().Get("Location"), "/Users/id-1") {
		t.Errorf("the answer is %v at %s", got, w.Header().Get("Location"))
	}
	e := s.users.entries[0]
	if len(s.users.entries) != 1 || e.Attributes.First("userPassword") != "first" {
		t.Errorf("the directory has %+v", s.users.entries)
	}
	if got := is(t, s.ask("POST", "/scim/v2/Users", `{"userName":"ann"}`), 201); got["externalId"] != "K2" {
		t.Errorf("without an externalId: %v", got)
	}
	is(t, s.ask("PATCH", "/scim/v2/Users/id-1", `{"Operations":[{"op":"replace","path":"active","value":false}]}`), 200)
	if got := is(t, s.ask("POST", "/scim/v2/Users", `{"userName":"ann","active":false}`), 201); got["active"] != false {
		t.Errorf("sent as inactive: %v", got)
	}
	if got := is(t, s.ask("POST", "/scim/v2/Users", `{"userName":"ann"}`), 201); got["active"] != true || s.users.entries[0].Attributes.First("lock") != "" {
		t.Errorf("sent without active: %v", got)
	}
	isError(t, s.ask("POST", "/scim/v2/Users", `{"userName":"ANN"}`), 409, "uniqueness")
	isError(t, s.ask("POST", "/scim/v2/Users", `{"userName":"ann"}`, "If-None-Match", "*"), 412, "")
}

// A create of somebody who was deleted brings them back under their id, whatever
// the stable key is now, and in no group.
func TestUpsertRevives(t *testing.T) {
	s := newOffering(t, Policy{}, byName)
	is(t, s.ask("POST", "/scim/v2/Users", `{"userName":"ann","externalId":"K1","title":"Boss"}`), 201)
	is(t, s.ask("POST", "/scim/v2/Groups", `{"displayName":"staff","members":[{"value":"id-1"}]}`), 201)
	is(t, s.ask("DELETE", "/scim/v2/Users/id-1", ""), 204)
	isError(t, s.ask("GET", "/scim/v2/Users/id-1", ""), 404, "")
	got := is(t, s.ask("POST", "/scim/v2/Users", `{"userName":"ann","externalId":"K2"}`), 201)
	if got["id"] != "id-1" || got["externalId"] != "K2" || got["title"] != nil || got["active"] != true {
		t.Errorf("the answer is %v", got)
	}
	if len(s.groups.entries[0].Attributes["member"]) > 0 {
		t.Error("a group came back")
	}
	is(t, s.ask("DELETE", "/scim/v2/Users/id-1", ""), 204)
	if got := is(t, s.ask("POST", "/scim/v2/Users", `{"userName":"Ann","externalId":"K3"}`), 201); got["id"] != "id-2" {
		t.Errorf("the name in another case found %v", got["id"])
	}
}

// Two creates of one person at a time come to one person, and neither fails.
func TestUpsertThatIsOvertaken(t *testing.T) {
	s := newOffering(t, Policy{}, byName)
	s.users.afterSearch = func() {
		is(t, s.ask("POST", "/scim/v2/Users", `{"userName":"ann","title":"first"}`), 201)
		s.users.rival = true
	}
	got := is(t, s.ask("POST", "/scim/v2/Users", `{"userName":"ann","title":"second"}`), 201)
	if got["id"] != "id-1" || got["title"] != "second" || len(s.users.entries) != 1 {
		t.Errorf("the answer is %v; the directory has %+v", got, s.users.entries)
	}
}

// An operation of a Bulk that names somebody by id keeps its place before and after
// a create that may mean them.
func TestBulkOfUpsertsKeepsTheirOrder(t *testing.T) {
	for range 20 {
		s := newOffering(t, Policy{}, byName)
		is(t, s.ask("POST", "/scim/v2/Users", `{"userName":"ann","title":"first"}`), 201)
		title := func(value string) string {
			return `{"method":"PATCH","path":"/Users/id-1","data":{"Operations":[{"op":"replace","path":"title","value":"` + value + `"}]}}`
		}
		s.bulk(t, title("second"), `{"method":"POST","bulkId":"a","path":"/Users","data":{"userName":"ann","title":"third"}}`, title("fourth"))
		if got := s.users.entries[0].Attributes.First("title"); got != "fourth" {
			t.Fatalf("the title is %s", got)
		}
	}
}

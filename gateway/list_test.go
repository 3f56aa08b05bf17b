package gateway

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"scimgate/internal/directory"
	"scimgate/mapping"
)

// A value that few have is looked up in one search. One that many have is
// enumerated like any list: no more entries are read whole than a page shows, and
// with others that are long it waits its turn.
func TestValuesThatManyHaveAreEnumerated(t *testing.T) {
	s := peopled(t, 60, 0)
	s.config.FilterEntries = 50_000
	common, rare := "/scim/v2/Users?filter="+url.QueryEscape(`title eq "c"`), "/scim/v2/Users?filter="+url.QueryEscape(`title eq "c" and userName eq "u03"`)
	s.users.asked = nil
	if page := is(t, s.ask("GET", common, ""), 200); page["totalResults"] != 20.0 || len(names(page)) != 10 {
		t.Errorf("%v of 20, %d shown", page["totalResults"], len(names(page)))
	}
	for i, q := range s.users.asked {
		whole := q.Attributes == nil
		switch {
		case len(s.users.asked) != 3:
			t.Errorf("%d searches, want an attempt, an enumeration and a page", len(s.users.asked))
		case i == 0 && (!whole || q.Limit != 10):
			t.Errorf("the attempt reads at most %d, whole: %v", q.Limit, whole)
		case i == 1 && (whole || q.Limit != 50_000):
			t.Errorf("the enumeration reads at most %d, whole: %v", q.Limit, whole)
		}
	}
	s.users.asked = nil
	if got := names(is(t, s.ask("GET", rare, ""), 200)); len(got) != 1 || len(s.users.asked) != 1 {
		t.Errorf("%v took %d searches", got, len(s.users.asked))
	}
	if !s.enumerating.TryAcquire(enumerations) {
		t.Fatal("somebody enumerates")
	}
	is(t, s.ask("GET", rare, ""), 200)
	s.config.RequestTimeout = time.Millisecond
	isError(t, s.ask("GET", common, ""), 503, "")
}

// A type of one's own may call an attribute groups or members, and sorts by it
// as by any other.
func TestOwnAttributesOfAnyNameAreSortedBy(t *testing.T) {
	room := compiled(t, "Room", mapping.Config{
		Base: "ou=rooms", RDN: mapping.RDNConfig{LDAP: "cn"}, StableKey: "externalId", Marker: mapping.MarkerConfig{State: "scimState", Source: "scimSource"}, Delete: mapping.DeleteRemove,
		Kind: mapping.Kind{Endpoint: "Rooms", Schema: "urn:example:Room"},
		Attributes: []mapping.RuleConfig{
			{SCIM: "displayName", LDAP: "cn", Required: true, Unique: true}, {SCIM: "externalId", LDAP: stableKey},
			{SCIM: "members", LDAP: "seats"}, {SCIM: "groups", LDAP: "tables"},
		},
	})
	s := newSite(t)
	types := s.tenants[0].types
	rooms := &memory{source: "okta", base: "ou=rooms", naming: "cn"}
	s.Gateway = must(New(s.config, []Tenant{{Name: "okta", BasePaths: []string{"/scim/v2"}, Tokens: password{token: "open"}, Types: []Type{
		{Mapping: types[0].mapping, Store: s.users}, {Mapping: types[1].mapping, Store: s.groups}, {Mapping: room, Store: rooms},
	}}}, zap.NewNop()))
	for i, name := range []string{"a", "b", "c"} {
		is(t, s.ask("POST", "/scim/v2/Rooms", fmt.Sprintf(`{"displayName":"%s","members":"%d","groups":"%d"}`, name, 3-i, (i+1)%3)), 201)
	}
	for sortBy, want := range map[string]string{"members": "c b a", "groups": "c a b", "urn:example:Room:members": "c b a"} {
		if got := strings.Join(names(is(t, s.ask("GET", "/scim/v2/Rooms?sortBy="+sortBy, ""), 200)), " "); got != want {
			t.Errorf("by %s: %s, want %s", sortBy, got, want)
		}
	}
	isError(t, s.ask("GET", "/scim/v2/Groups?sortBy=members", ""), 400, "invalidPath")
	isError(t, s.ask("GET", "/scim/v2/Users?sortBy=groups", ""), 400, "invalidPath")
}

// A search over all types reads the header as one over a type does, and never
// shows what the directory calls an attribute.
func TestSearchesOfAllTypesAreLikeOthers(t *testing.T) {
	s := peopled(t, 1, 1)
	for _, path := range []string{"/scim/v2", "/scim/v2/Users"} {
		isError(t, s.ask("GET", path, "", "If-Match", "x"), 400, "invalidSyntax")
		isError(t, s.ask("POST", path+"/.search", `{}`, "If-None-Match", "x"), 400, "invalidSyntax")
		is(t, s.ask("GET", path, "", "If-Match", `W/"1"`), 200)
	}
	s.users.fail = &directory.Error{Op: "search", Kind: directory.Invalid, Attribute: "employeeType"}
	w := s.ask("GET", "/scim/v2", "")
	if isError(t, w, 400, "invalidValue"); strings.Contains(w.Body.String(), "employeeType") {
		t.Errorf("%s shows LDAP's name", w.Body)
	}
}

package gateway

import (
	"strings"
	"testing"

	"scimgate/internal/directory"
)

// What a view does not show is not looked up, nor the groups of a newcomer; and
// what it shows takes one search more a level, whatever the number of groups.
func TestLookUpsAreThoseThatTheViewTakes(t *testing.T) {
	s := newSite(t)
	searches := func(what string, do func(), users, groups int) {
		t.Helper()
		before, beforeGroups := s.users.searches, s.groups.searches
		do()
		if u, g := s.users.searches-before, s.groups.searches-beforeGroups; u != users || g != groups {
			t.Errorf("%s: %d searches of users and %d of groups, want %d and %d", what, u, g, users, groups)
		}
	}
	get := func(path string) func() {
		return func() { t.Helper(); is(t, s.ask("GET", "/scim/v2"+path, ""), 200) }
	}
	searches("POST", func() { is(t, s.ask("POST", "/scim/v2/Users", `{"userName":"ann"}`), 201) }, 1, 0)
	searches("in no group", get("/Users/id-1"), 1, 1)
	is(t, s.ask("POST", "/scim/v2/Groups", `{"displayName":"one","members":[{"value":"id-1"}]}`), 201)
	is(t, s.ask("POST", "/scim/v2/Groups", `{"displayName":"two","members":[{"value":"id-1"}]}`), 201)
	searches("in groups that are in none", get("/Users/id-1"), 1, 2)
	is(t, s.ask("POST", "/scim/v2/Groups", `{"displayName":"outer","members":[{"value":"group-id-1"}]}`), 201)
	searches("in groups in a group", get("/Users/id-1"), 1, 3)
	searches("attributes=userName", get("/Users/id-1?attributes=userName"), 1, 0)
	searches("excludedAttributes=groups", get("/Users/id-1?excludedAttributes=groups"), 1, 0)
	searches("attributes=groups.value", get("/Users/id-1?attributes=groups.value"), 1, 3)
	searches("a list without groups", get("/Users?excludedAttributes=groups&filter=userName+eq+%22ann%22"), 1, 0)
	searches("a group", get("/Groups/group-id-1"), 1, 1)
	searches("a group without members", get("/Groups/group-id-1?excludedAttributes=members"), 0, 1)
	searches("who is in a group", get("/Users?attributes=userName&filter=groups+eq+%22group-id-3%22"), 1, 3)

	got := is(t, s.ask("GET", "/scim/v2/Users/id-1", ""), 200)["groups"].([]any)
	var names []string
	for _, g := range got {
		g := g.(map[string]any)
		names = append(names, g["display"].(string)+" "+g["type"].(string))
	}
	if want := "one direct, two direct, outer indirect"; strings.Join(names, ", ") != want {
		t.Errorf("%v, want %s", names, want)
	}

	s.groups.entries[0].Marker.State = directory.Deleting
	if got := is(t, s.ask("GET", "/scim/v2/Users/id-1", ""), 200)["groups"].([]any); len(got) != 1 {
		t.Errorf("a group that is being deleted still shows, or what it is in: %v", got)
	}
}

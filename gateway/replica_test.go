package gateway

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"scimgate/internal/token"
)

// twoTokens lets two clients in.
type twoTokens struct{}

func (twoTokens) Verify(text string, _ time.Time) (token.Identity, bool, error) {
	return token.Identity{ID: text}, text == "open" || text == "second", nil
}

// replicas are two gateways over the same people that share a key.
func replicas(t *testing.T, people int) (*site, *site) {
	t.Helper()
	one := peopled(t, people, 0)
	types := one.tenants[0].types
	start := func() *site {
		cfg := one.config
		cfg.CursorKey = [32]byte{1}
		return &site{users: one.users, groups: one.groups, Gateway: must(New(cfg, []Tenant{{
			Name: "okta", BasePaths: []string{"/scim/v2"}, Tokens: twoTokens{}, Types: []Type{
				{Mapping: types[0].mapping, Store: one.users}, {Mapping: types[1].mapping, Store: one.groups}},
		}}, zap.NewNop()))}
	}
	return start(), start()
}

// eve is created at one gateway, and comes last.
func (s *site) createEve(t *testing.T) {
	t.Helper()
	is(t, s.ask("POST", "/scim/v2/Users", `{"userName":"veve"}`), 201)
	s.users.entries[len(s.users.entries)-1].Created = time.Unix(5000, 0)
}

// A walk by cursor that goes on at another gateway sees everybody who was there
// when it began, whatever that gateway remembers of earlier walks.
func TestWalkGoesOnWhereAnOlderOneIsRemembered(t *testing.T) {
	for _, older := range []string{"?startIndex=1&count=2", "?cursor=&count=2"} {
		for _, query := range []string{"", "&sortBy=userName"} {
			first, second := replicas(t, 4)
			is(t, second.ask("GET", "/scim/v2/Users"+older+query, ""), 200)
			first.createEve(t)
			page := is(t, first.ask("GET", "/scim/v2/Users?cursor=&count=2"+query, ""), 200)
			seen := names(page)
			for turn := 0; page["nextCursor"] != nil; turn++ {
				gateway := []*site{second, first}[turn%2]
				page = is(t, gateway.ask("GET", fmt.Sprintf("/scim/v2/Users?cursor=%s&count=2%s", page["nextCursor"], query), ""), 200)
				seen = append(seen, names(page)...)
				if page["totalResults"] != 5.0 {
					t.Errorf("after %s: %v in all", older, page["totalResults"])
				}
			}
			slices.Sort(seen)
			if got := strings.Join(seen, " "); got != "u00 u01 u02 u03 veve" {
				t.Errorf("after %s, %s: %s", older, query, got)
			}
		}
	}
}

// The change of gateway costs one enumeration, not one a page.
func TestWalkThatGoesOnElsewhereIsRememberedThere(t *testing.T) {
	first, second := replicas(t, 9)
	page := is(t, first.ask("GET", "/scim/v2/Users?cursor=&count=2", ""), 200)
	for turn := 0; page["nextCursor"] != nil; turn++ {
		second.users.searches = 0
		page = is(t, second.ask("GET", fmt.Sprintf("/scim/v2/Users?cursor=%s&count=2", page["nextCursor"]), ""), 200)
		if want := max(2-turn, 1); second.users.searches != want {
			t.Errorf("page %d took %d searches, want %d", turn+2, second.users.searches, want)
		}
	}
}

// A walk by index goes by the list that it began with: neither a walk by cursor
// nor that of another client takes its place.
func TestWalkByIndexIsItsOwn(t *testing.T) {
	for _, others := range []string{"?cursor=&count=2&sortBy=userName", "?startIndex=1&count=2&sortBy=userName"} {
		s, _ := replicas(t, 6)
		seen := names(is(t, s.ask("GET", "/scim/v2/Users?startIndex=1&count=3&sortBy=userName", ""), 200))
		is(t, s.ask("POST", "/scim/v2/Users", `{"userName":"aaron"}`), 201)
		is(t, s.ask("GET", "/scim/v2/Users"+others, "", "Authorization", "Bearer second"), 200)
		seen = append(seen, names(is(t, s.ask("GET", "/scim/v2/Users?startIndex=4&count=3&sortBy=userName", ""), 200))...)
		if got := strings.Join(seen, " "); got != "u00 u01 u02 u03 u04 u05" {
			t.Errorf("beside %s: %s", others, got)
		}
	}
}

// A gateway shows a walk by index that began elsewhere as the directory has the
// list now, not as a walk by cursor found it.
func TestWalkByIndexGoesOnElsewhere(t *testing.T) {
	first, second := replicas(t, 4)
	is(t, second.ask("GET", "/scim/v2/Users?cursor=&count=2", ""), 200)
	first.createEve(t)
	seen := names(is(t, first.ask("GET", "/scim/v2/Users?startIndex=1&count=3", ""), 200))
	seen = append(seen, names(is(t, second.ask("GET", "/scim/v2/Users?startIndex=4&count=3", ""), 200))...)
	if slices.Sort(seen); strings.Join(seen, " ") != "u00 u01 u02 u03 veve" {
		t.Errorf("%v", seen)
	}
}

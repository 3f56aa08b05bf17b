package gateway

import (
	"context"
	"fmt"
	"testing"
	"time"

	"go.uber.org/zap"
)

// following are gateways that follow each other in one process, over the same
// people: the last of them has mappings that are equal and were made anew.
func following(t *testing.T, people int) (first, second, anew *site) {
	t.Helper()
	one, _ := replicas(t, people)
	cfg := one.config
	cfg.CursorKey, cfg.Memory = [32]byte{1}, NewMemory()
	follow := func(mappings []*resourceType) *site {
		return &site{users: one.users, groups: one.groups, Gateway: must(New(cfg, []Tenant{{
			Name: "okta", BasePaths: []string{"/scim/v2"}, Tokens: twoTokens{}, Types: []Type{
				{Mapping: mappings[0].mapping, Store: one.users}, {Mapping: mappings[1].mapping, Store: one.groups}},
		}}, zap.NewNop()))}
	}
	same := one.tenants[0].types
	first, second = follow(same), follow(same)
	must(New(cfg, nil, zap.NewNop())) // the tenant is away in between
	return first, second, follow(newSite(t).tenants[0].types)
}

// A walk goes on in the gateway that follows, for one search a page. Under other
// mappings it starts from the directory again: what was remembered may be wrong.
func TestWalkGoesOnAfterAChange(t *testing.T) {
	first, second, anew := following(t, 6)
	page := is(t, first.ask("GET", "/scim/v2/Users?cursor=&count=2", ""), 200)
	for next, want := range map[*site]int{second: 1, anew: 2} {
		next.users.searches = 0
		page := is(t, next.ask("GET", fmt.Sprintf("/scim/v2/Users?cursor=%s&count=2", page["nextCursor"]), ""), 200)
		if next.users.searches != want || len(names(page)) != 2 {
			t.Errorf("the page took %d searches, want %d, and shows %v", next.users.searches, want, names(page))
		}
	}
}

// Writers of gateways that follow each other wait for each other, also if the
// tenant was away in between.
func TestWritersOfBothWait(t *testing.T) {
	first, _, next := following(t, 1)
	release, _, err := first.tenants[0].writers.Acquire(t.Context(), "id")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, _, err := next.tenants[0].writers.Acquire(ctx, "id"); err == nil {
		t.Error("two writers are at one entry")
	}
	release()
	if _, waited, err := next.tenants[0].writers.Acquire(t.Context(), "id"); err != nil || waited {
		t.Errorf("the lock is not free: %v, %v", waited, err)
	}
	if first.enumerating != next.enumerating {
		t.Error("what bounds the work is not one")
	}
}

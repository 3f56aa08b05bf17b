package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"

	"scimgate/internal/directory"
)

// The life of a user, as far as HTTP sees it: status, headers, body (design
// decision 12).
func TestAnswersAboutAUser(t *testing.T) {
	s := newSite(t)
	const user = `{"userName":"ann","externalId":"K1","title":"Boss","active":true}`
	w := s.ask("POST", "/scim/v2/Users/", user, "Content-Type", "application/json; charset=utf-8")
	made := is(t, w, 201)
	const location = "http://idp.example/scim/v2/Users/id-1"
	if w.Header().Get("Location") != location || w.Header().Get("ETag") != `W/"1"` {
		t.Errorf("%v", w.Header())
	}
	if d := cmp.Diff(map[string]any{
		"schemas": []any{"urn:ietf:params:scim:schemas:core:2.0:User"}, "id": "id-1", "userName": "ann", "externalId": "K1", "title": "Boss", "active": true,
		"meta": map[string]any{"resourceType": "User", "location": location, "version": `W/"1"`},
	}, made); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	isError(t, s.ask("POST", "/scim/v2/Users", user), 409, "uniqueness")
	isError(t, s.ask("POST", "/scim/v2/Users", `{"userName":"ANN"}`), 409, "uniqueness")

	if got := is(t, s.ask("GET", "/okta/scim/v2/Users/id-1", ""), 200)["meta"].(map[string]any)["location"]; got != "http://idp.example/okta/scim/v2/Users/id-1" {
		t.Errorf("by the other base path the location is %v", got)
	}
	if got := is(t, s.ask("PUT", "/scim/v2/Users/id-1", `{"userName":"ann"}`), 200); got["title"] != nil || got["externalId"] != "K1" || got["active"] != true {
		t.Errorf("after PUT: %v", got)
	}
	patch := `{"Operations":[{"op":"replace","path":"active","value":false}]}`
	if got := is(t, s.ask("PATCH", "/scim/v2/Users/id-1", patch), 200); got["active"] != false {
		t.Errorf("after PATCH: %v", got)
	}
	version := s.users.entries[0].Version
	is(t, s.ask("PATCH", "/scim/v2/Users/id-1", patch), 200)
	if s.users.entries[0].Version != version {
		t.Error("a change of nothing was written")
	}
	if w := s.ask("DELETE", "/scim/v2/Users/id-1", ""); w.Code != 204 || w.Body.Len() > 0 {
		t.Errorf("DELETE: %d %s", w.Code, w.Body)
	}
	for _, method := range []string{"GET", "DELETE"} {
		isError(t, s.ask(method, "/scim/v2/Users/id-1", ""), 404, "")
	}
	isError(t, s.ask("PUT", "/scim/v2/Users/id-1", user), 404, "")
	if got := is(t, s.ask("POST", "/scim/v2/Users", user), 201)["id"]; got != "id-1" {
		t.Errorf("revived as %v", got)
	}
}

// Somebody else under the name of a tombstone is somebody new.
func TestATombstoneMakesRoom(t *testing.T) {
	s := newSite(t)
	is(t, s.ask("POST", "/scim/v2/Users", `{"userName":"ann","externalId":"K1"}`), 201)
	is(t, s.ask("DELETE", "/scim/v2/Users/id-1", ""), 204)
	if got := is(t, s.ask("POST", "/scim/v2/Users", `{"userName":"ann","externalId":"k1"}`), 201)["id"]; got != "id-2" {
		t.Errorf("the new ann is %v", got)
	}
	if got := s.users.entries[0].Attributes.First("uid"); got != "deleted-id-1" {
		t.Errorf("the tombstone is called %s", got)
	}
}

func TestAnswersAboutAGroup(t *testing.T) {
	s := newSite(t)
	for _, name := range []string{"ann", "bob"} {
		is(t, s.ask("POST", "/scim/v2/Users", `{"userName":"`+name+`"}`), 201)
	}
	is(t, s.ask("POST", "/scim/v2/Groups", `{"displayName":"all","members":[{"value":"id-1"}]}`), 201)
	members := func() string {
		list, _ := is(t, s.ask("GET", "/scim/v2/Groups/group-id-1", ""), 200)["members"].([]any)
		var ids []string
		for _, m := range list {
			ids = append(ids, m.(map[string]any)["value"].(string))
		}
		return strings.Join(ids, " ")
	}
	patch := func(operations string) string { return `{"Operations":[` + operations + `]}` }
	w := s.ask("PATCH", "/scim/v2/Groups/group-id-1", patch(`{"op":"add","path":"members","value":[{"value":"id-2"}]}`))
	if w.Code != 204 || w.Body.Len() > 0 || members() != "id-1 id-2" {
		t.Errorf("%d %s, members %s", w.Code, w.Body, members())
	}
	got := is(t, s.ask("PATCH", "/scim/v2/Groups/group-id-1?attributes=displayName", patch(`{"op":"replace","path":"displayName","value":"many"}`)), 200)
	if got["displayName"] != "many" || got["members"] != nil || members() != "id-1 id-2" {
		t.Errorf("%v, members %s", got, members())
	}
	isError(t, s.ask("PATCH", "/scim/v2/Groups/group-id-1", patch(`{"op":"remove","path":"members[value eq \"id-1\"]"},{"op":"add","path":"members","value":"id-9"}`)), 400, "invalidValue")
	if members() != "id-1 id-2" {
		t.Errorf("half of a refused patch was done: %s", members())
	}
	isError(t, s.ask("PATCH", "/scim/v2/Groups/id-9", patch(`{"op":"add","path":"members","value":"id-1"}`)), 404, "")
	is(t, s.ask("DELETE", "/scim/v2/Users/id-1", ""), 204)
	if members() != "id-2" {
		t.Errorf("after the delete of a member: %s", members())
	}
	is(t, s.ask("PUT", "/scim/v2/Groups/group-id-1", `{"displayName":"many"}`), 200)
	if members() != "" {
		t.Errorf("after PUT without members: %s", members())
	}
	is(t, s.ask("DELETE", "/scim/v2/Groups/group-id-1", ""), 204)
	if len(s.groups.entries) != 0 {
		t.Error("a deleted group is still there")
	}
}

func TestConditionsAreKept(t *testing.T) {
	s := newSite(t)
	is(t, s.ask("POST", "/scim/v2/Users", `{"userName":"ann"}`), 201)
	is(t, s.ask("POST", "/scim/v2/Groups", `{"displayName":"all"}`), 201)
	for _, tag := range []string{`W/"1"`, `"1"`, `*`, `W/"0", W/"1"`} {
		w := s.ask("GET", "/scim/v2/Users/id-1", "", "If-None-Match", tag)
		if w.Code != 304 || w.Body.Len() > 0 || w.Header().Get("ETag") != `W/"1"` {
			t.Errorf("If-None-Match %s: %d %s", tag, w.Code, w.Body)
		}
	}
	is(t, s.ask("GET", "/scim/v2/Users/id-1", "", "If-None-Match", `W/"0"`), 200)

	const stale = `W/"0"`
	add := `{"Operations":[{"op":"add","path":"members","value":"id-1"}]}`
	for _, w := range []*httptest.ResponseRecorder{
		s.ask("PUT", "/scim/v2/Users/id-1", `{"userName":"bob"}`, "If-Match", stale),
		s.ask("PATCH", "/scim/v2/Users/id-1", `{"Operations":[{"op":"add","path":"title","value":"x"}]}`, "If-Match", stale),
		s.ask("DELETE", "/scim/v2/Users/id-1", "", "If-Match", stale),
		s.ask("PATCH", "/scim/v2/Groups/group-id-1", add, "If-Match", stale),
		s.ask("DELETE", "/scim/v2/Groups/group-id-1", "", "If-Match", stale),
	} {
		isError(t, w, 412, "")
	}
	is(t, s.ask("PATCH", "/scim/v2/Groups/group-id-1", add, "If-Match", `W/"1"`), 204)
	is(t, s.ask("PUT", "/scim/v2/Users/id-1", `{"userName":"bob"}`, "If-Match", `W/"1"`), 200)
	is(t, s.ask("DELETE", "/scim/v2/Users/id-1", "", "If-Match", `W/"2"`), 204)
}

// A list has one shape, whatever is in it, and a walk through it asks the
// directory for all ids once.
func TestLists(t *testing.T) {
	s := newSite(t)
	empty := is(t, s.ask("GET", "/scim/v2/Users", ""), 200)
	if d := cmp.Diff(map[string]any{
		"schemas":      []any{"urn:ietf:params:scim:api:messages:2.0:ListResponse"},
		"totalResults": 0.0, "startIndex": 1.0, "itemsPerPage": 0.0, "Resources": []any{},
	}, empty); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	for i := range 25 {
		is(t, s.ask("POST", "/scim/v2/Users", fmt.Sprintf(`{"userName":"u%02d","title":"%d"}`, i, i%2)), 201)
	}
	for _, tc := range []struct {
		query              string
		total, start, many float64
	}{
		{"", 25, 1, 10}, {"?count=1000", 25, 1, 10}, {"?count=3", 25, 1, 3}, {"?count=0", 25, 1, 0}, {"?count=-1", 25, 1, 0},
		{"?startIndex=0", 25, 1, 10}, {"?startIndex=-5", 25, 1, 10}, {"?startIndex=21", 25, 21, 5}, {"?startIndex=25", 25, 25, 1},
		{"?startIndex=26", 25, 26, 0}, {"?startIndex=9223372036854775807", 25, 9223372036854775807, 0},
		{"?startIndex=99999999999999999999", 25, 9223372036854775807, 0}, {"?count=99999999999999999999", 25, 1, 10},
		{"?startIndex=-99999999999999999999&count=-99999999999999999999", 25, 1, 0},
		{"?filter=userName+eq+%22U03%22", 1, 1, 1}, {"?filter=userName+eq+%22nobody%22", 0, 1, 0}, {"?filter=title+eq+%221%22&startIndex=11", 12, 11, 2},
		{"?filter=active+eq+false", 0, 1, 0}, {"?filter=not+(externalId+eq+%22x%22)&count=2", 25, 1, 2}, {"?attributes=userName", 25, 1, 10},
	} {
		got := is(t, s.ask("GET", "/scim/v2/Users"+tc.query, ""), 200)
		list, _ := got["Resources"].([]any)
		if got["totalResults"] != tc.total || got["startIndex"] != tc.start || got["itemsPerPage"] != tc.many || float64(len(list)) != tc.many {
			t.Errorf("%s: total %v, start %v, %v on the page, %d there", tc.query, got["totalResults"], got["startIndex"], got["itemsPerPage"], len(list))
		}
	}

	seen := map[string]bool{}
	s.users.searches = 0
	for start := 1; start <= 25; start += 5 {
		for _, r := range is(t, s.ask("GET", fmt.Sprintf("/scim/v2/Users?startIndex=%d&count=5&attributes=userName", start), ""), 200)["Resources"].([]any) {
			seen[r.(map[string]any)["id"].(string)] = true
		}
	}
	if len(seen) != 25 || s.users.searches != 6 {
		t.Errorf("a walk over 5 pages saw %d users with %d searches, want 25 with 6", len(seen), s.users.searches)
	}
}

func TestAttributesAreChosen(t *testing.T) {
	s := newSite(t)
	is(t, s.ask("POST", "/scim/v2/Users", `{"userName":"ann","title":"Boss","password":"s3cret"}`), 201)
	for query, want := range map[string]string{
		"attributes=title": "id schemas title", "attributes=": "active id meta schemas title userName", "excludedAttributes=title,meta,active": "id schemas userName",
		"excludedAttributes=id": "active id meta schemas title userName", "attributes=password": "id schemas",
	} {
		got := directory.Attributes{}
		for name := range is(t, s.ask("GET", "/scim/v2/Users/id-1?"+query, ""), 200) {
			got[name] = nil
		}
		if names := strings.Join(got.Names(), " "); names != want {
			t.Errorf("%s: %s, want %s", query, names, want)
		}
	}
}

func TestDiscovery(t *testing.T) {
	s := newSite(t)
	config := is(t, s.ask("GET", "/scim/v2/ServiceProviderConfig", ""), 200)
	for _, feature := range []string{"patch", "bulk", "filter", "changePassword", "sort", "etag"} {
		if _, ok := config[feature].(map[string]any)["supported"].(bool); !ok {
			t.Errorf("%s is %v", feature, config[feature])
		}
	}
	types := is(t, s.ask("GET", "/scim/v2/ResourceTypes", ""), 200)
	schemas := is(t, s.ask("GET", "/scim/v2/Schemas/", ""), 200)
	if types["totalResults"] != 2.0 || schemas["totalResults"] != 6.0 {
		t.Errorf("%v types, %v schemas", types["totalResults"], schemas["totalResults"])
	}
	if got := is(t, s.ask("GET", "/okta/scim/v2/ResourceTypes/user", ""), 200); got["endpoint"] != "/Users" ||
		got["meta"].(map[string]any)["location"] != "http://idp.example/okta/scim/v2/ResourceTypes/User" {
		t.Errorf("%v", got)
	}
	if got := is(t, s.ask("GET", "/scim/v2/Schemas/urn:ietf:params:scim:schemas:core:2.0:Group", ""), 200); got["name"] != "Group" {
		t.Errorf("%v", got)
	}
}

// broken panics where a store should answer.
type broken struct{ directory.Store }

func (broken) Search(context.Context, directory.Query) ([]directory.Entry, error) {
	panic("uid=ann has no name")
}

// raced answers every write with Changed until it has lost often enough.
type raced struct {
	*memory
	losses int
}

func (r *raced) Update(ctx context.Context, old directory.Entry, c directory.Change) (directory.Entry, error) {
	if r.losses--; r.losses >= 0 {
		return directory.Entry{}, &directory.Error{Op: "modify", Kind: directory.Changed, Err: errors.New("raced")}
	}
	return r.memory.Update(ctx, old, c)
}

// A panic costs the request and nothing else; its text stays in the house.
func TestPanicsAreA500(t *testing.T) {
	s := newSite(t)
	s.Gateway = must(New(s.config, []Tenant{{Name: "okta", BasePaths: []string{"/scim/v2"}, Tokens: password{token: "open"},
		Types: []Type{{Mapping: s.tenants[0].types[0].mapping, Store: broken{}}}}}, zap.NewNop()))
	w := s.ask("GET", "/scim/v2/Users", "")
	isError(t, w, 500, "")
	if strings.Contains(w.Body.String(), "ann") {
		t.Error(w.Body)
	}
	is(t, s.ask("GET", "/scim/v2/Schemas", ""), 200)
}

// A lost race is tried again until it is won.
func TestLostRacesAreTriedAgain(t *testing.T) {
	s := newSite(t)
	is(t, s.ask("POST", "/scim/v2/Users", `{"userName":"ann"}`), 201)
	store := &raced{s.users, 3}
	s.Gateway = must(New(s.config, []Tenant{{Name: "okta", BasePaths: []string{"/scim/v2"}, Tokens: password{token: "open"},
		Types: []Type{{Mapping: s.tenants[0].types[0].mapping, Store: store}}}}, zap.NewNop()))
	if got := is(t, s.ask("PUT", "/scim/v2/Users/id-1", `{"userName":"ann","title":"Boss"}`), 200); got["title"] != "Boss" {
		t.Errorf("%v", got)
	}
	store.losses = 3
	is(t, s.ask("DELETE", "/scim/v2/Users/id-1", ""), 204)
}

var _ directory.Store = (*memory)(nil)

// A person locked by hand is inactive once the provider says so, though there
// is nothing to write but the marker.
func TestAStateAloneIsWritten(t *testing.T) {
	s := newSite(t)
	is(t, s.ask("POST", "/scim/v2/Users", `{"userName":"ann"}`), 201)
	s.users.entries[0].Attributes["lock"] = []string{"yes"}
	if got := is(t, s.ask("PUT", "/scim/v2/Users/id-1", `{"userName":"ann","active":false}`), 200); got["active"] != false {
		t.Errorf("%v", got)
	}
	if got := s.users.entries[0].Marker.State; got != directory.Inactive {
		t.Errorf("the marker says %s", got)
	}
}

// A create that does not speak of active makes an active person, also where a
// tombstone is revived by it.
func TestRevivedPeopleAreActive(t *testing.T) {
	for _, state := range []directory.State{directory.Deleted, directory.Deleting} {
		s := newSite(t)
		is(t, s.ask("POST", "/scim/v2/Users", `{"userName":"ann","externalId":"K1"}`), 201)
		is(t, s.ask("DELETE", "/scim/v2/Users/id-1", ""), 204)
		s.users.entries[0].Marker.State = state
		got := is(t, s.ask("POST", "/scim/v2/Users", `{"userName":"ann","externalId":"K1"}`), 201)
		if got["id"] != "id-1" || got["active"] != true || len(s.users.entries[0].Attributes["lock"]) > 0 {
			t.Errorf("from %s: %v, %v", state, got, s.users.entries[0].Attributes)
		}
	}
}

// unlocking is a directory that lifts the lock when it sees a new password.
type unlocking struct {
	*memory
	writes int
}

func (u *unlocking) Update(ctx context.Context, old directory.Entry, c directory.Change) (directory.Entry, error) {
	u.writes++
	e, err := u.memory.Update(ctx, old, c)
	if err == nil && u.writes == 1 {
		delete(u.entries[0].Attributes, "lock")
		e = u.entries[0]
	}
	return e, err
}

// A lock that the directory lifts on its own is set again before the answer.
func TestALockThatWasLiftedIsSetAgain(t *testing.T) {
	s := newSite(t)
	is(t, s.ask("POST", "/scim/v2/Users", `{"userName":"ann","active":false}`), 201)
	store := &unlocking{memory: s.users}
	s.Gateway = must(New(s.config, []Tenant{{Name: "okta", BasePaths: []string{"/scim/v2"}, Tokens: password{token: "open"},
		Types: []Type{{Mapping: s.tenants[0].types[0].mapping, Store: store}}}}, zap.NewNop()))
	if got := is(t, s.ask("PUT", "/scim/v2/Users/id-1", `{"userName":"ann","password":"s3cret"}`), 200); got["active"] != false {
		t.Errorf("%v", got)
	}
	if got := s.users.entries[0].Attributes["lock"]; len(got) != 1 || store.writes != 2 {
		t.Errorf("the lock is %v after %d writes", got, store.writes)
	}
}

// Nobody refers to an entry that is on its way to become a tombstone.
func TestLeaversAreNotReferredTo(t *testing.T) {
	s := newSite(t)
	for _, name := range []string{"ann", "bob"} {
		is(t, s.ask("POST", "/scim/v2/Users", `{"userName":"`+name+`"}`), 201)
	}
	is(t, s.ask("POST", "/scim/v2/Groups", `{"displayName":"all","members":[{"value":"id-2"}]}`), 201)
	s.users.entries[1].Marker.State = directory.Deleting
	if got := is(t, s.ask("GET", "/scim/v2/Groups/group-id-1", ""), 200)["members"]; got != nil {
		t.Errorf("members are %v", got)
	}
	isError(t, s.ask("PATCH", "/scim/v2/Groups/group-id-1", `{"Operations":[{"op":"add","path":"members","value":"id-2"}]}`), 400, "invalidValue")
}

// A condition is about the group before the request, not between the two
// writes that one patch can take.
func TestAConditionHoldsForTheWholePatch(t *testing.T) {
	s := newSite(t)
	is(t, s.ask("POST", "/scim/v2/Users", `{"userName":"ann"}`), 201)
	is(t, s.ask("POST", "/scim/v2/Groups", `{"displayName":"all"}`), 201)
	patch := `{"Operations":[{"op":"replace","path":"displayName","value":"many"},{"op":"add","path":"members","value":"id-1"}]}`
	is(t, s.ask("PATCH", "/scim/v2/Groups/group-id-1", patch, "If-Match", `W/"1"`), 204)
	if got := s.groups.entries[0].Attributes; got.First("cn") != "many" || len(got["member"]) != 1 {
		t.Errorf("%v", got)
	}
}

// A request without a body may name any media type.
func TestMediaTypeOfNothing(t *testing.T) {
	s := newSite(t)
	is(t, s.ask("GET", "/scim/v2/Users", "", "Content-Type", "text/plain"), 200)
	isError(t, s.ask("DELETE", "/scim/v2/Users/id-9", "", "Content-Type", "application/x-www-form-urlencoded"), 404, "")
}

package gateway

import (
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"scimgate/internal/token"
)

// subjects lets in "open", and for everything else whoever it names.
type subjects struct{}

func (subjects) Verify(text string, _ time.Time) (token.Identity, bool, error) {
	if text == "open" {
		return token.Identity{ID: "t1"}, true, nil
	}
	return token.Identity{ID: "t2", Subject: text}, true, nil
}

// meSite is a site whose tenant has a Me with some methods.
func meSite(t testing.TB, methods ...string) *site {
	t.Helper()
	s := newSite(t)
	users, groups := s.tenants[0].types[0].mapping, s.tenants[0].types[1].mapping
	s.Gateway = must(New(s.config, []Tenant{{Name: "okta", BasePaths: []string{"/okta/scim/v2", "/scim/v2"}, Tokens: subjects{},
		Types: []Type{{Mapping: users, Store: s.users}, {Mapping: groups, Store: s.groups}}, Me: &Me{Methods: methods}}}, zap.NewNop()))
	return s
}

func as(name string) []string { return []string{"Authorization", "Bearer " + name} }

func TestMe(t *testing.T) {
	s := meSite(t, "GET", "PUT", "PATCH", "DELETE")
	is(t, s.ask("POST", "/scim/v2/Users", `{"userName":"bob"}`), 201)
	is(t, s.ask("POST", "/scim/v2/Users", `{"userName":"ann"}`), 201)
	const location = "http://idp.example/scim/v2/Users/id-2"
	w := s.ask("GET", "/scim/v2/Me?attributes=userName", "", as("ID-2")...)
	if got := is(t, w, 200); got["id"] != "id-2" || got["active"] != nil || w.Header().Get("Location") != location ||
		w.Header().Get("Content-Location") != location || w.Header().Get("ETag") != `W/"1"` {
		t.Errorf("%v %v", got, w.Header())
	}
	if w := s.ask("HEAD", "/scim/v2/Me", "", as("id-2")...); w.Code != 200 || w.Body.Len() > 0 || w.Header().Get("Location") != location {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	if w := s.ask("GET", "/scim/v2/Me", "", append(as("id-2"), "If-None-Match", `W/"1"`)...); w.Code != 304 {
		t.Errorf("%d", w.Code)
	}
	title := `{"Operations":[{"op":"replace","path":"title","value":"boss"}]}`
	isError(t, s.ask("PATCH", "/scim/v2/Me", title, append(as("id-2"), "If-Match", `W/"9"`)...), 412, "")
	if got := is(t, s.ask("PATCH", "/scim/v2/Me", title, append(as("id-2"), "If-Match", `W/"1"`)...), 200); got["title"] != "boss" {
		t.Errorf("%v", got)
	}
	if got := is(t, s.ask("PUT", "/scim/v2/Me", `{"userName":"ann","title":"x"}`, as("id-2")...), 200); got["id"] != "id-2" || got["title"] != "x" {
		t.Errorf("%v", got)
	}
	isError(t, s.ask("POST", "/scim/v2/Me", `{"userName":"eve"}`, as("eve")...), 501, "")
	isError(t, s.ask("GET", "/scim/v2/Me", "", as("eve")...), 404, "")
	isError(t, s.ask("GET", "/scim/v2/Me", ""), 403, "")
	is(t, s.ask("DELETE", "/scim/v2/Me", "", as("id-2")...), 204)
	isError(t, s.ask("GET", "/scim/v2/Me", "", as("id-2")...), 404, "")
	is(t, s.ask("GET", "/scim/v2/Me", "", as("id-1")...), 200)
	if len(s.users.entries) != 2 {
		t.Errorf("%d entries", len(s.users.entries))
	}
}

// A person's token opens nothing but Me and the discovery endpoints, whatever
// the path is written like.
func TestAPersonsTokenProvisionsNobody(t *testing.T) {
	s := meSite(t, "GET", "PUT", "PATCH", "DELETE")
	is(t, s.ask("POST", "/scim/v2/Users", `{"userName":"ann"}`), 201)
	searches := s.users.searches
	for _, path := range []string{
		"/Users", "/Users/id-1", "/users", "/Groups", "/Groups/x", "/Bulk", "/.search", "/Users/.search", "/nothing", "", "/Me/x", "/me",
		"/Users/../Me", "/Users/..%2FMe", "/Users/Me", "/Users/id-1?x=/Me", "//Users//", "/%55sers", "/Me/../Users", "/Me%2F..%2FUsers", "/Users%2F..%2FMe",
		"/Schemas/../Users", "/Schemas/..%2FUsers/id-1",
	} {
		for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
			w := s.ask(method, "/scim/v2"+path, map[string]string{"POST": `{"userName":"eve"}`}[method], as("id-1")...)
			if w.Code != 403 && w.Code != 404 && w.Code != 405 {
				t.Errorf("%s %s: %d %s", method, path, w.Code, w.Body)
			}
		}
	}
	if len(s.users.entries) != 1 || s.users.entries[0].Version != "1" || s.users.searches != searches {
		t.Error("a person's token has reached the directory")
	}
	isError(t, s.ask("GET", "/scim/v2/Users", "", as("id-1")...), 403, "")
	isError(t, s.ask("POST", "/okta/scim/v2/Bulk", `{"Operations":[]}`, as("id-1")...), 403, "")
	for _, path := range []string{"/ServiceProviderConfig", "/ResourceTypes", "/ResourceTypes/User", "/Schemas", "/Me", "/Me/"} {
		is(t, s.ask("GET", "/okta/scim/v2"+path, "", as("id-1")...), 200)
	}
}

func TestMethodsOfMe(t *testing.T) {
	s := meSite(t, "GET", "PATCH")
	is(t, s.ask("POST", "/scim/v2/Users", `{"userName":"ann"}`), 201)
	for method, status := range map[string]int{"GET": 200, "HEAD": 200, "PATCH": 200, "PUT": 403, "DELETE": 403, "POST": 501, "OPTIONS": 501} {
		body := map[string]string{"PATCH": `{"Operations":[{"op":"remove","path":"title"}]}`, "PUT": `{"userName":"ann"}`}[method]
		if w := s.ask(method, "/scim/v2/Me", body, as("id-1")...); w.Code != status {
			t.Errorf("%s: %d %s, want %d", method, w.Code, w.Body, status)
		}
	}
	if w := s.ask("DELETE", "/scim/v2/Me", "", as("id-1")...); !strings.Contains(w.Body.String(), "GET, PATCH") {
		t.Errorf("what is allowed is not in %s", w.Body)
	}
	without := newSite(t)
	isError(t, without.ask("GET", "/scim/v2/Me", ""), 501, "")
}

// Whoever is deactivated cannot read themselves, and not come back by
// themselves either, not even between two looks at the directory.
func TestADeactivatedPersonHasNoMe(t *testing.T) {
	s := meSite(t, "GET", "PUT", "PATCH", "DELETE")
	is(t, s.ask("POST", "/scim/v2/Users", `{"userName":"ann"}`), 201)
	is(t, s.ask("GET", "/scim/v2/Me", "", as("id-1")...), 200)
	comeBack := `{"Operations":[{"op":"replace","path":"active","value":true}]}`
	s.users.afterSearch = func() {
		is(t, s.ask("PATCH", "/scim/v2/Users/id-1", `{"Operations":[{"op":"replace","path":"active","value":false}]}`), 200)
	}
	isError(t, s.ask("PATCH", "/scim/v2/Me", comeBack, as("id-1")...), 403, "")
	for method, body := range map[string]string{"GET": "", "PUT": `{"userName":"ann","active":true}`, "PATCH": comeBack, "DELETE": ""} {
		isError(t, s.ask(method, "/scim/v2/Me", body, as("id-1")...), 403, "")
	}
	if got := is(t, s.ask("GET", "/scim/v2/Users/id-1", ""), 200); got["active"] != false {
		t.Errorf("%v", got)
	}
}

// A token can be made for one person whom a value names, and for nobody else.
func TestNamed(t *testing.T) {
	s := meSite(t, "GET")
	users := Type{Mapping: s.tenants[0].types[0].mapping, Store: s.users}
	is(t, s.ask("POST", "/scim/v2/Users", `{"userName":"ann","title":"x"}`), 201)
	for by, value := range map[string]string{"userName": "Ann", "id": "id-1", "title": "x"} {
		if e, err := Named(t.Context(), users, by, value); err != nil || e.ID != "id-1" {
			t.Errorf("%s %s: %+v %v", by, value, e, err)
		}
	}
	is(t, s.ask("POST", "/scim/v2/Users", `{"userName":"bob","title":"x"}`), 201)
	for by, value := range map[string]string{"userName": "eve", "id": "id-9", "title": "x"} {
		if e, err := Named(t.Context(), users, by, value); err == nil {
			t.Errorf("%s %s is %+v", by, value, e)
		}
	}
}

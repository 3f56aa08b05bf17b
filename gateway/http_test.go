package gateway

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"scimgate/internal/directory"
	"scimgate/internal/scim"
	"scimgate/internal/token"
	"scimgate/mapping"
)

// site is a gateway with two tenants over stores in memory.
type site struct {
	*Gateway
	users, groups *memory
}

// password lets one token in; what it is asked about it cannot always tell.
type password struct {
	token string
	err   error
}

func (p password) Verify(text string, _ time.Time) (token.Identity, bool, error) {
	return token.Identity{ID: "t1"}, p.token != "" && text == p.token, p.err
}

func newSite(t testing.TB, steps ...mapping.StepConfig) *site {
	t.Helper()
	return newNarrow(t, Limits{}, steps...)
}

// newNarrow is a site whose first tenant has limits of its own.
func newNarrow(t testing.TB, limits Limits, steps ...mapping.StepConfig) *site {
	t.Helper()
	marker := mapping.MarkerConfig{State: "scimState", Source: "scimSource"}
	users := compiled(t, "User", mapping.Config{
		Base: "ou=people", RDN: mapping.RDNConfig{LDAP: "uid"}, StableKey: "externalId", Marker: marker,
		Attributes: []mapping.RuleConfig{
			{SCIM: "userName", LDAP: "uid", Required: true, Unique: true}, {SCIM: "externalId", LDAP: stableKey, Unique: true},
			{SCIM: "title", LDAP: "title"}, {SCIM: "password", LDAP: "userPassword"},
		},
		Deactivate: append([]mapping.StepConfig{{Set: &mapping.SetConfig{LDAP: "lock", Inactive: "yes"}}}, steps...),
	})
	groups, s := groupsOf(t, marker), emptySite()
	cfg := Config{BodyBytes: 4096, PageSize: 10, BulkOperations: 20, RequestTimeout: 5 * time.Second}
	s.Gateway = must(New(cfg, []Tenant{
		{Name: "okta", BasePaths: []string{"/okta/scim/v2", "/scim/v2"}, Tokens: password{token: "open"}, Limits: limits,
			Types: []Type{{Mapping: users, Store: s.users}, {Mapping: groups, Store: s.groups}}},
		{Name: "entra", BasePaths: []string{"/entra/scim/v2"}, Tokens: password{token: "sesame", err: errors.New("file is gone")},
			Types: []Type{{Mapping: users, Store: &memory{source: "entra"}}}},
	}, zap.NewNop()))
	return s
}

// must returns what cannot fail in a test.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func compiled(t testing.TB, name string, cfg mapping.Config) *mapping.Mapping {
	t.Helper()
	m, faults := mapping.Compile(cfg, name, "okta")
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	if faults := m.Hold(usualSchema{}); len(faults) > 0 {
		t.Fatal(faults)
	}
	return m
}

// usualSchema is a directory that has every attribute and compares texts as most do.
type usualSchema struct{}

func (usualSchema) Attribute(name string) (directory.AttributeType, bool) {
	return directory.AttributeType{
		Names: []string{name}, Syntax: "1.3.6.1.4.1.1466.115.121.1.34",
		Equality: "caseIgnoreMatch", Substring: "caseIgnoreSubstringsMatch",
	}, true
}

func (usualSchema) Class(name string) (directory.ObjectClass, bool) {
	return directory.ObjectClass{Names: []string{name}}, true
}

func (usualSchema) Allowed([]string) (must, may []string, extensible bool) { return nil, nil, true }

// ask sends a request with a valid token; headers are pairs of name and value.
func (s *site) ask(method, path, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://idp.example"+path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/scim+json")
	}
	r.Header.Set("Authorization", "Bearer open")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Del(headers[i])
		if headers[i+1] != "" {
			r.Header.Set(headers[i], headers[i+1])
		}
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

// isError checks that an answer is a SCIM error of RFC 7644 section 3.12.
func isError(t testing.TB, w *httptest.ResponseRecorder, status int, scimType string) {
	t.Helper()
	var e struct {
		Schemas                  []string
		Status, ScimType, Detail string
	}
	if err := json.Unmarshal(w.Body.Bytes(), &e); err != nil {
		t.Fatalf("%d %s: %v", w.Code, w.Body, err)
	}
	if w.Code != status || e.Status != fmt.Sprint(status) || e.ScimType != scimType || e.Detail == "" || len(e.Schemas) != 1 || e.Schemas[0] != scim.ErrorURN {
		t.Errorf("%d %s, want %d %s", w.Code, w.Body, status, scimType)
	}
	if got := w.Header().Get("Content-Type"); got != "application/scim+json" {
		t.Errorf("media type %q", got)
	}
	if w.Header().Get("X-Request-Id") == "" {
		t.Error("no X-Request-Id")
	}
}

func is(t testing.TB, w *httptest.ResponseRecorder, status int) map[string]any {
	t.Helper()
	if w.Code != status {
		t.Fatalf("%d %s, want %d", w.Code, w.Body, status)
	}
	if w.Header().Get("X-Request-Id") == "" {
		t.Error("no X-Request-Id")
	}
	if w.Body.Len() == 0 {
		return nil
	}
	if got := w.Header().Get("Content-Type"); got != "application/scim+json" {
		t.Errorf("media type %q", got)
	}
	var answer map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
		t.Fatalf("%s: %v", w.Body, err)
	}
	return answer
}

func TestAuthorizationHeader(t *testing.T) {
	s := newSite(t)
	for header, ok := range map[string]bool{
		"Bearer open": true, "bearer open": true, "BEARER open": true, "Bearer  open": true, "Bearer open ": true,
		"": false, "open": false, "Bearer": false, "Bearer ": false, "Basic open": false, "Bearer OPEN": false, "Bearer open x": false,
		"Bearer sesame": false, "Bearer: open": false, "Token open": false, "Beareropen": false,
	} {
		w := s.ask("GET", "/scim/v2/Users", "", "Authorization", header)
		if ok {
			is(t, w, 200)
			continue
		}
		isError(t, w, 401, "")
		want := `Bearer realm="scim"`
		switch header { // RFC 6750 section 3.1: only who sent a token is told that it is bad
		case "Bearer OPEN", "Bearer open x", "Bearer sesame":
			want += `, error="invalid_token"`
		}
		if got := w.Header()["Www-Authenticate"]; len(got) != 1 || got[0] != want {
			t.Errorf("%q: WWW-Authenticate is %q, want %s", header, got, want)
		}
	}
}

// Without a token nobody learns what is there: all below a tenant's base is
// 401, known or not, and a token opens its own tenant only. A tenant whose
// tokens cannot be read anew goes by the last good ones.
func TestTokensOpenTheirTenantOnly(t *testing.T) {
	s := newSite(t)
	for _, path := range []string{"/scim/v2", "/scim/v2/", "/scim/v2/Users/x", "/scim/v2/nothing", "/okta/scim/v2/Schemas", "/scim/v2/ServiceProviderConfig", "//scim//v2//Users//"} {
		for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"} {
			isError(t, s.ask(method, path, "", "Authorization", ""), 401, "")
		}
	}
	isError(t, s.ask("GET", "/entra/scim/v2/Users", ""), 401, "")
	is(t, s.ask("GET", "/entra/scim/v2/Users", "", "Authorization", "Bearer sesame"), 200)
	for _, path := range []string{"/", "/scim", "/scim/v22/Users", "/metrics", "/healthz"} {
		isError(t, s.ask("GET", path, ""), 404, "")
	}
}

// What the framework refuses by itself is a SCIM error like any other.
func TestRefusalsAreSCIMErrors(t *testing.T) {
	s := newSite(t)
	const user = `{"userName":"ann"}`
	long := `{"userName":"` + strings.Repeat("a", 5000) + `"}`
	for _, tc := range []struct {
		name, method, path, body string
		headers                  []string
		status                   int
		typ                      string
	}{
		{"unknown path", "GET", "/scim/v2/Devices", "", nil, 404, ""},
		{"POST to the base itself", "POST", "/scim/v2", user, nil, 405, ""},
		{"unknown resource", "GET", "/scim/v2/Users/id-9", "", nil, 404, ""},
		{"unknown method", "PATCH", "/scim/v2/Users", `{}`, nil, 405, ""},
		{"DELETE of all", "DELETE", "/scim/v2/Users", "", nil, 405, ""},
		{"POST of one", "POST", "/scim/v2/Users/id-9", user, nil, 405, ""},
		{"GET of a search", "GET", "/scim/v2/Users/.search", "", nil, 405, ""},
		{"PUT of a search", "PUT", "/scim/v2/Groups/.search", `{}`, nil, 405, ""},
		{"PATCH of a search", "PATCH", "/scim/v2/Users/.search", `{}`, nil, 405, ""},
		{"DELETE of a search", "DELETE", "/scim/v2/Users/.search", "", nil, 405, ""},
		{"GET of a search at the root", "GET", "/scim/v2/.search", "", nil, 405, ""},
		{"GET of a Bulk", "GET", "/scim/v2/Bulk", "", nil, 405, ""},
		{"too large", "POST", "/scim/v2/Users", long, nil, 413, ""},
		{"form", "POST", "/scim/v2/Users", "userName=ann", []string{"Content-Type", "application/x-www-form-urlencoded"}, 415, ""},
		{"text", "POST", "/scim/v2/Users", user, []string{"Content-Type", "text/plain; charset=utf-8"}, 415, ""},
		{"broken media type", "POST", "/scim/v2/Users", user, []string{"Content-Type", "application"}, 415, ""},
		{"no JSON", "POST", "/scim/v2/Users", `{"userName":`, nil, 400, "invalidSyntax"},
		{"no object", "POST", "/scim/v2/Users", `[]`, nil, 400, "invalidSyntax"},
		{"no body", "POST", "/scim/v2/Users", "", nil, 400, "invalidSyntax"},
		{"no user name", "POST", "/scim/v2/Users", `{}`, nil, 400, "invalidValue"},
		{"no operations", "PATCH", "/scim/v2/Users/id-9", `{}`, nil, 400, "invalidSyntax"},
		{"broken filter", "GET", "/scim/v2/Users?filter=userName", "", nil, 400, "invalidFilter"},
		{"unknown attribute in a filter", "GET", "/scim/v2/Users?filter=shoeSize+eq+1", "", nil, 400, "invalidFilter"},
		{"startIndex is no number", "GET", "/scim/v2/Users?startIndex=a", "", nil, 400, "invalidValue"},
		{"count is no number", "GET", "/scim/v2/Users?count=1.5", "", nil, 400, "invalidValue"},
		{"broken attributes", "GET", "/scim/v2/Users?attributes=1x", "", nil, 400, "invalidPath"},
		{"unknown schema", "GET", "/scim/v2/Schemas/urn:x", "", nil, 404, ""},
		{"unknown resource type", "GET", "/scim/v2/ResourceTypes/Device", "", nil, 404, ""},
		{"filter of the schemas", "GET", "/scim/v2/Schemas?filter=id+pr", "", nil, 403, ""},
		{"filter of the configuration", "GET", "/scim/v2/ServiceProviderConfig?filter=id+pr", "", nil, 403, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := s.ask(tc.method, tc.path, tc.body, tc.headers...)
			isError(t, w, tc.status, tc.typ)
			if tc.status == 405 {
				allowed := w.Header().Get("Allow")
				if allowed == "" || strings.Contains(allowed, tc.method) || !strings.Contains(w.Body.String(), allowed) {
					t.Errorf("405 with Allow %q (RFC 9110 section 15.5.6): %s", allowed, w.Body)
				}
				if search := strings.HasSuffix(tc.path, "/.search"); search && !strings.Contains(allowed, "POST") {
					t.Errorf("Allow is %q", allowed)
				}
			}
		})
	}
	if len(s.users.entries) != 0 {
		t.Errorf("a refused request wrote %v", s.users.entries)
	}
}

// A body that does not say how long it is, is cut off all the same.
func TestBodyOfUnknownLengthIsBounded(t *testing.T) {
	s := newSite(t)
	r := httptest.NewRequest("POST", "/scim/v2/Users", struct{ *strings.Reader }{strings.NewReader(`{"userName":"` + strings.Repeat("a", 5000) + `"}`)})
	r.ContentLength = -1
	r.Header.Set("Authorization", "Bearer open")
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	isError(t, w, 413, "")
}

// The directory's errors, seen from outside: status, Retry-After where it is
// worth trying again, and not a word of the directory's own.
func TestDirectoryErrorsSeenFromOutside(t *testing.T) {
	for kind, tc := range map[directory.Kind]struct {
		status int
		typ    string
		retry  bool
	}{
		directory.Internal: {500, "", false}, directory.TooMany: {400, "tooMany", false}, directory.Unavailable: {503, "", true},
	} {
		s := newSite(t)
		s.users.fail = &directory.Error{Op: "search", Kind: kind, Err: errors.New("ldap://corp: LDAP Result Code 51")}
		for _, w := range []*httptest.ResponseRecorder{
			s.ask("GET", "/scim/v2/Users", ""), s.ask("GET", "/scim/v2/Users/id-1", ""), s.ask("POST", "/scim/v2/Users", `{"userName":"ann"}`),
			s.ask("PUT", "/scim/v2/Users/id-1", `{"userName":"ann"}`), s.ask("DELETE", "/scim/v2/Users/id-1", ""),
		} {
			isError(t, w, tc.status, tc.typ)
			if strings.Contains(w.Body.String(), "LDAP") || strings.Contains(w.Body.String(), "corp") {
				t.Errorf("%s", w.Body)
			}
			if got := w.Header().Get("Retry-After"); (got != "") != tc.retry || strings.Trim(got, "0123456789") != "" {
				t.Errorf("%s: Retry-After is %q", kind, got)
			}
		}
	}
}

// HEAD is answered like GET, without a body (RFC 9110 section 9.3.2).
func TestHead(t *testing.T) {
	s := newSite(t)
	is(t, s.ask("POST", "/scim/v2/Users", `{"userName":"ann"}`), 201)
	for path, status := range map[string]int{
		"/scim/v2/Users/id-1": 200, "/scim/v2/Users": 200, "/scim/v2/ServiceProviderConfig": 200, "/scim/v2/Users/id-9": 404, "/scim/v2/nothing": 404,
	} {
		w := s.ask("HEAD", path, "")
		if w.Code != status || w.Body.Len() > 0 || w.Header().Get("X-Request-Id") == "" {
			t.Errorf("%s: %d %q %v, want %d", path, w.Code, w.Body, w.Header(), status)
		}
	}
	if w := s.ask("HEAD", "/scim/v2/Users", "", "Authorization", ""); w.Code != 401 || w.Body.Len() > 0 {
		t.Errorf("without a token: %d %s", w.Code, w.Body)
	}
}

// The request id is the gateway's own, new for each request, whatever a client
// sends: it is what tells writes apart.
func TestRequestIDsAreOurOwn(t *testing.T) {
	s := newSite(t)
	seen := map[string]bool{"mine": true}
	for range 3 {
		id := s.ask("GET", "/scim/v2/Users", "", "X-Request-Id", "mine").Header().Get("X-Request-Id")
		if seen[id] {
			t.Errorf("%q again", id)
		}
		seen[id] = true
	}
	w := s.ask("POST", "/scim/v2/Users", `{"userName":"ann"}`)
	if got := s.users.entries[0].Marker.Request; got != w.Header().Get("X-Request-Id") {
		t.Errorf("the marker has %q", got)
	}
}

// groupsOf compiles the usual mapping of groups.
func groupsOf(t testing.TB, marker mapping.MarkerConfig) *mapping.Mapping {
	t.Helper()
	return compiled(t, "Group", mapping.Config{
		Base: "ou=groups", RDN: mapping.RDNConfig{LDAP: "cn"}, StableKey: "externalId", Marker: marker, Delete: mapping.DeleteRemove,
		Attributes: []mapping.RuleConfig{
			{SCIM: "displayName", LDAP: "cn", Required: true, Unique: true}, {SCIM: "externalId", LDAP: stableKey},
			{SCIM: "members", LDAP: "member", Reference: []string{"User", "Group"}},
		},
	})
}

// emptySite has nobody in it, and no gateway yet.
func emptySite() *site {
	return &site{
		users:  &memory{source: "okta", base: "ou=people", naming: "uid"},
		groups: &memory{source: "okta", base: "ou=groups", naming: "cn", prefix: "group-", member: "member"},
	}
}

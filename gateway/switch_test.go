package gateway

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// toggle is a switch of a test.
type toggle struct{ off atomic.Bool }

func (t *toggle) Off() bool { return t.off.Load() }

// Whoever has a token of a tenant that is switched off is told so on every path
// that reads or writes, and whoever has none still is not.
func TestATenantThatIsSwitchedOff(t *testing.T) {
	s := newSite(t)
	is(t, s.ask("POST", "/scim/v2/Users", `{"userName":"ann"}`), 201)
	handle := &toggle{}
	s.tenants[0].toggle = handle
	handle.off.Store(true)
	before := s.users.searches
	for _, r := range [][3]string{
		{"GET", "/Users", ""}, {"GET", "/Users/id-1", ""}, {"POST", "/Users", `{"userName":"bob"}`}, {"POST", "/Users/.search", `{}`},
		{"PUT", "/Users/id-1", `{"userName":"ann"}`}, {"PATCH", "/Users/id-1", `{"Operations":[]}`}, {"DELETE", "/Users/id-1", ""},
		{"GET", "/Groups", ""}, {"POST", "/Groups", "{"}, {"GET", "", ""}, {"POST", "/.search", `{}`}, {"POST", "/Bulk", `{"Operations":[]}`},
		{"GET", "/Me", ""}, {"PATCH", "/Me", "x"}, {"GET", "/Nowhere", ""},
	} {
		for _, base := range []string{"/scim/v2", "/okta/scim/v2"} {
			w := s.ask(r[0], base+r[1], r[2])
			if isError(t, w, 403, ""); !strings.Contains(w.Body.String(), "switched off by an administrator") {
				t.Errorf("%v: %s", r, w.Body)
			}
			isError(t, s.ask(r[0], base+r[1], r[2], "Authorization", "Bearer wrong"), 401, "")
		}
	}
	if w := s.ask("HEAD", "/scim/v2/Users/id-1", ""); w.Code != 403 || w.Body.Len() != 0 {
		t.Errorf("HEAD: %d %s", w.Code, w.Body)
	}
	if s.users.searches != before {
		t.Error("the directory was asked")
	}
	for _, path := range []string{"/ServiceProviderConfig", "/ResourceTypes", "/ResourceTypes/User", "/Schemas"} {
		is(t, s.ask("GET", "/scim/v2"+path, ""), 200)
	}
	is(t, s.ask("GET", "/entra/scim/v2/Users", "", "Authorization", "Bearer sesame"), 200)
	handle.off.Store(false)
	is(t, s.ask("GET", "/scim/v2/Users/id-1", ""), 200)
}

// A Bulk that is switched off in its middle ends what it has begun, the links of
// a circle included, and begins nothing more.
func TestABulkIsSwitchedOffInItsMiddle(t *testing.T) {
	s := newSite(t)
	handle := &toggle{}
	s.tenants[0].toggle = handle
	s.groups.between = func() { handle.off.Store(true) } // while the link is made
	same(t, s.bulk(t, postGroup("g", "team", "bulkId:h"), postGroup("h", "crew", "bulkId:g"),
		`{"method":"PATCH","path":"/Groups/bulkId:g","data":[{"op":"replace","path":"displayName","value":"late"}]}`),
		"POST g 201 -", "POST h 201 -", "PATCH - 403 -")
	for _, e := range s.groups.entries {
		if len(e.Attributes["member"]) != 1 {
			t.Errorf("%v has no member", e.Attributes)
		}
	}
}

// Each tenant has the narrower ones of the limits, and announces them.
func TestLimitsOfATenant(t *testing.T) {
	s := newSite(t)
	s.tenants[1].limits = Limits{BodyBytes: 100, PageSize: 2, BulkOperations: 3, FilterEntries: 5, RequestTimeout: time.Second}
	for path, want := range map[string][]string{
		"/scim/v2":       {`"maxOperations":20,"maxPayloadSize":4096`, `"maxResults":10`, `"maxPageSize":10`},
		"/entra/scim/v2": {`"maxOperations":3,"maxPayloadSize":100`, `"maxResults":2`, `"maxPageSize":2`},
	} {
		token := "Bearer open"
		if strings.Contains(path, "entra") {
			token = "Bearer sesame"
		}
		w := s.ask("GET", path+"/ServiceProviderConfig", "", "Authorization", token)
		for _, part := range want {
			if !strings.Contains(w.Body.String(), part) {
				t.Errorf("%s: no %s in %s", path, part, w.Body)
			}
		}
	}
	for i, c := range []struct{ own, all, want Limits }{
		{Limits{}, Limits{PageSize: 10, BodyBytes: 5, RequestTimeout: 7}, Limits{PageSize: 10, BodyBytes: 5, RequestTimeout: 7}},
		{Limits{PageSize: 3, BodyBytes: 9, RequestTimeout: 1}, Limits{PageSize: 10, BodyBytes: 5, RequestTimeout: 7}, Limits{PageSize: 3, BodyBytes: 5, RequestTimeout: 1}},
		{Limits{FilterEntries: 3}, Limits{}, Limits{FilterEntries: 3}},
	} {
		all := Config{PageSize: c.all.PageSize, BodyBytes: c.all.BodyBytes, RequestTimeout: c.all.RequestTimeout}
		if got := c.own.within(all); got != c.want {
			t.Errorf("%d: %+v, want %+v", i, got, c.want)
		}
	}
}

// What a tenant may send is bounded by its own limits.
func TestLimitsOfATenantAreKept(t *testing.T) {
	narrow := newNarrow(t, Limits{BodyBytes: 60, BulkOperations: 1, PageSize: 2})
	long := `{"userName":"` + strings.Repeat("x", 60) + `"}`
	isError(t, narrow.ask("POST", "/scim/v2/Users", long), 413, "")
	isError(t, narrow.ask("POST", "/scim/v2/Bulk", `{"Operations":[{},{}]}`), 413, "")
	for _, name := range []string{"ann", "bob", "eve"} {
		is(t, narrow.ask("POST", "/scim/v2/Users", `{"userName":"`+name+`"}`), 201)
	}
	if got := is(t, narrow.ask("GET", "/scim/v2/Users?count=50", ""), 200); got["itemsPerPage"] != 2.0 || got["totalResults"] != 3.0 {
		t.Errorf("%v", got)
	}
	if w := narrow.ask("POST", "/scim/v2/Users", long); !strings.Contains(w.Body.String(), "60 bytes") || w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

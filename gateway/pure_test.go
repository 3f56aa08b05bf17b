package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/labstack/echo/v4"

	"scimgate/internal/directory"
	"scimgate/internal/scim"
)

// Every kind of error, bare and wrapped, becomes one SCIM error; none shows
// what the directory said.
func TestErrorsBecomeSCIMErrors(t *testing.T) {
	const secret = "uid=ann,ou=people: LDAP Result Code 53"
	dir := func(kind directory.Kind, attribute string) error {
		return &directory.Error{Op: "modify", Kind: kind, Attribute: attribute, Err: errors.New(secret)}
	}
	for _, tc := range []struct {
		name   string
		err    error
		status int
		typ    string
		word   string
	}{
		{"SCIM", scim.BadRequest(scim.TypeInvalidValue, "title: too long"), 400, "invalidValue", "title: too long"},
		{"SCIM with a cause", &scim.Error{Status: 400, Type: scim.TypeInvalidSyntax, Detail: "cut short", Err: errors.New(secret)}, 400, "invalidSyntax", "cut short"},
		{"not found", dir(directory.NotFound, ""), 404, "", "no resource"},
		{"exists", dir(directory.Exists, "uid"), 409, "uniqueness", "unique"},
		{"changed", dir(directory.Changed, ""), 503, "", "again"},
		{"invalid", dir(directory.Invalid, ""), 400, "invalidValue", "a value"},
		{"invalid attribute", dir(directory.Invalid, "mail"), 400, "invalidValue", "mail"},
		{"password policy", &directory.Error{Kind: directory.Invalid, Attribute: "userPassword", Reason: "Password is too short", Err: errors.New(secret)},
			400, "invalidValue", "the label of userPassword: Password is too short"},
		{"malformed", &directory.Error{Kind: directory.Invalid, Attribute: "mail", Malformed: true, Err: errors.New(secret)},
			400, "invalidValue", "the label of mail: it takes what mail takes; correct"},
		{"too long", &directory.Error{Kind: directory.Invalid, Attribute: "uid", Limit: 200, Err: errors.New(secret)}, 400, "invalidValue", "about 200 bytes"},
		{"too many", dir(directory.TooMany, ""), 400, "tooMany", "filter"},
		{"unavailable", dir(directory.Unavailable, ""), 503, "", "later"},
		{"internal", dir(directory.Internal, "mail"), 500, "", "log"},
		{"deadline", context.DeadlineExceeded, 503, "", "later"},
		{"canceled", context.Canceled, 503, "", "later"},
		{"404", echo.ErrNotFound, 404, "", "Users and Groups"},
		{"405", echo.ErrMethodNotAllowed, 405, "", "method"},
		{"413", echo.ErrStatusRequestEntityTooLarge, 413, "", "larger"},
		{"415", echo.ErrUnsupportedMediaType, 415, "", "application/scim+json"},
		{"other 4xx", echo.NewHTTPError(418, secret), 418, "", "cannot be answered"},
		{"500 of the framework", echo.NewHTTPError(500, secret), 500, "", "log"},
		{"502 of the framework", echo.NewHTTPError(502, secret), 500, "", "log"},
		{"unknown", errors.New(secret), 500, "", "log"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for _, err := range []error{tc.err, fmt.Errorf("%s: %w", secret, tc.err), errors.Join(errors.New(secret), tc.err)} {
				got := (&Gateway{}).asSCIM(err, labels{})
				if got.Status != tc.status || got.Type != tc.typ || !strings.Contains(got.Detail, tc.word) {
					t.Errorf("%v: got %d %q %q", err, got.Status, got.Type, got.Detail)
				}
				text, err := got.MarshalJSON()
				if err != nil || strings.Contains(string(text), "LDAP") || strings.Contains(string(text), "uid=") {
					t.Errorf("%s %v", text, err)
				}
			}
		})
	}
}

// labels are words of no mapping.
type labels struct{}

func (labels) Label(name string) string { return "the label of " + name }
func (labels) Takes(name string) string { return "what " + name + " takes" }

func TestTidyPath(t *testing.T) {
	for in, want := range map[string]string{
		"/": "/", "//": "/", "/scim/v2": "/scim/v2", "/scim/v2/": "/scim/v2", "/scim/v2//": "/scim/v2", "//scim///v2//Users/": "/scim/v2/Users",
		"/scim/v2/Users/a%20b/": "/scim/v2/Users/a b", "/scim/v2/Users/a%2Fb": "/scim/v2/Users/a/b", "/scim/v2/../x": "/scim/v2/../x",
	} {
		r := httptest.NewRequest(http.MethodGet, "http://localhost"+in, nil)
		c := echo.New().NewContext(r, httptest.NewRecorder())
		var got string
		if err := tidyPath(func(c echo.Context) error { got = c.Request().URL.Path; return nil })(c); err != nil || got != want {
			t.Errorf("%s: %q %v, want %q", in, got, err, want)
		}
	}
}

func TestSelectiveFiltersAskForParticularValues(t *testing.T) {
	uid, state := directory.Eq("uid", "ann"), directory.Eq(directory.AttrState, "active")
	all, present := directory.Filter{}, directory.Filter{Op: directory.Present, Attribute: "uid"}
	for _, tc := range []struct {
		name string
		f    directory.Filter
		want bool
	}{
		{"all", all, false}, {"equal", uid, true}, {"state", state, false}, {"present", present, false},
		{"substring", directory.Filter{Op: directory.Contains, Attribute: "uid", Value: "a"}, false},
		{"and", directory.AndOf(state, uid), true}, {"and of none", directory.AndOf(state, present), false},
		{"or", directory.OrOf(uid, uid), true}, {"or of one that is not", directory.OrOf(uid, present), false},
		{"not", directory.NotOf(uid), false}, {"nested", directory.AndOf(state, directory.OrOf(uid, directory.AndOf(present, uid))), true},
	} {
		if selective(tc.f) != tc.want {
			t.Errorf("%s: %v", tc.name, !tc.want)
		}
	}
}

func TestPathsOfAList(t *testing.T) {
	got, err := scim.ParsePaths(" userName, emails.value ,,urn:ietf:params:scim:schemas:core:2.0:User:title,")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]scim.Path{{Attr: "userName"}, {Attr: "emails", Sub: "value"}, {URN: scim.UserURN, Attr: "title"}}, got); d != "" {
		t.Error(d)
	}
	if got, err := scim.ParsePaths(""); err != nil || len(got) != 0 {
		t.Errorf("%v %v", got, err)
	}
	_, err = scim.ParsePaths("userName,1x")
	var e *scim.Error
	if !errors.As(err, &e) || e.Status != 400 {
		t.Errorf("%v, want a 400", err)
	}
}

func TestTheLongestBasePathDecides(t *testing.T) {
	g := &Gateway{tenants: []*tenant{
		{name: "primary", basePaths: []string{"/okta/scim/v2", "/scim/v2"}},
		{name: "nested", basePaths: []string{"/scim/v2/branch"}},
		{name: "deeper", basePaths: []string{"/scim/v2/branch/east"}},
	}}
	for path, want := range map[string]string{
		"/scim/v2": "primary", "/scim/v2/Users": "primary", "/okta/scim/v2/Users/1": "primary", "/scim/v2/branch": "nested",
		"/scim/v2/branch/Users": "nested", "/scim/v2/branch/east/Users": "deeper", "/scim/v2/branches": "primary", "/scim/v2/branch/eastern": "nested",
		"/scim/v22": "", "/scim": "", "/": "", "/okta": "", "/SCIM/v2": "",
	} {
		got := ""
		if t := g.tenantOf(path); t != nil {
			got = t.name
		}
		if got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}

// meta.location names the base path that the request came by, whichever of the
// tenant's it is and in whatever order they are declared.
func TestBaseURLIsTheOneThatTheRequestCameBy(t *testing.T) {
	for _, bases := range [][]string{{"/a", "/a/b", "/c"}, {"/a/b", "/c", "/a"}} {
		for path, want := range map[string]string{"/a/Users": "/a", "/a/b/Users": "/a/b", "/a/bb": "/a", "/c": "/c", "/elsewhere": bases[0]} {
			r := httptest.NewRequest(http.MethodGet, "http://idp.example"+path, nil)
			r.Header.Set("X-Forwarded-Proto", "https")
			r.Header.Set("X-Forwarded-Host", "evil.example")
			c := echo.New().NewContext(r, httptest.NewRecorder())
			for external, root := range map[string]string{"": "http://idp.example", "https://scim.example.com/": "https://scim.example.com"} {
				g := &Gateway{config: Config{ExternalURL: external}}
				if got := g.baseURL(c, &tenant{basePaths: bases}); got != root+want {
					t.Errorf("%v %s: %s, want %s", bases, path, got, root+want)
				}
			}
		}
	}
}

func TestQuotedNamesTheFirstFew(t *testing.T) {
	for want, ids := range map[string][]string{
		`"a"`: {"a"}, `"a", "b"`: {"a", "b"}, `"1", "2", "3", "4", "5"`: {"1", "2", "3", "4", "5"},
		`"1", "2", "3", "4", "5" and 2 more`: {"1", "2", "3", "4", "5", "6", "7"},
	} {
		if got := quoted(ids); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

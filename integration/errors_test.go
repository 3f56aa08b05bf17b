//go:build integration

package integration

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

var nobody = here.id

// Without a token nobody learns anything: every path is the same 401, known or
// not.
func TestUnauthorized(t *testing.T) {
	t.Parallel()
	g := shared(t)
	for what, c := range map[string]*client{
		"no token":            g.client(t).with("Authorization", ""),
		"wrong token":         g.client(t).with("Authorization", "Bearer wrong"),
		"token without word":  g.client(t).with("Authorization", g.token),
		"no token after word": g.client(t).with("Authorization", "Bearer"),
		"another scheme":      g.client(t).with("Authorization", "Basic "+g.token),
		"token and more":      g.client(t).with("Authorization", "Bearer "+g.token+"x"),
	} {
		for _, path := range []string{
			"", "/", "/Users", "/Users/", "/Users/" + nobody, "/Groups", "/Me", "/Bulk", "/.search", "/ServiceProviderConfig",
			"/ResourceTypes", "/Schemas", "/Schemas/" + userURN, "/nothing/here", "/Users/a/b/c",
		} {
			c := c.elsewhere(t) // too many wrong tokens from one address are another answer
			for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} {
				a := c.do(method, path, nil)
				if a.status != http.StatusUnauthorized || !strings.HasPrefix(a.header.Get("WWW-Authenticate"), "Bearer") {
					t.Errorf("%s: %s %s: %d, %q", what, method, path, a.status, a.header.Get("WWW-Authenticate"))
				}
			}
		}
	}
	lower := g.client(t).with("Authorization", "bearer "+g.token)
	lower.get("/Users?count=0").want(http.StatusOK)
}

// Whatever goes wrong is a SCIM error that says what was wrong.
func TestErrors(t *testing.T) {
	t.Parallel()
	g := shared(t)
	c := g.client(t)
	name := unlike("err")
	id := c.create(person(name))
	user := "/Users/" + id
	plain := c.with("Content-Type", "text/plain")
	patch := func(raw string) []byte {
		return []byte(`{"schemas":["` + patchURN + `"],"Operations":[` + raw + `]}`)
	}
	for _, e := range []struct {
		client       *client
		method, path string
		body         any
		status       int
		scimType     string
	}{
		{c, "GET", "/Users/" + nobody, nil, 404, ""},
		{c, "GET", "/Users/no-uuid", nil, 404, ""},
		{c, "GET", "/Users/" + strings.Repeat("x", 2000), nil, 404, ""},
		{c, "GET", "/Users/*", nil, 404, ""},
		{c, "GET", "/Users/%00", nil, 404, ""},
		{c, "GET", "/Users/..%2f..%2fGroups", nil, 404, ""},
		{c, "GET", "/Groups/" + id, nil, 404, ""},
		{c, "PUT", "/Users/" + nobody, person("x"), 404, ""},
		{c, "PATCH", "/Users/" + nobody, patch(`{"op":"replace","path":"title","value":"x"}`), 404, ""},
		{c, "DELETE", "/Users/" + nobody, nil, 404, ""},
		{c, "DELETE", "/Groups/" + nobody, nil, 404, ""},
		{c, "GET", "/Nothing", nil, 404, ""},
		{c, "POST", "/Nothing", person("x"), 404, ""},
		{c, "GET", "/Schemas/urn:nothing", nil, 404, ""},
		{c, "GET", "/ResourceTypes/Nothing", nil, 404, ""},
		{c, "DELETE", "/Users", nil, 405, ""},
		{c, "PUT", "/Users", person("x"), 405, ""},
		{c, "POST", user, person("x"), 405, ""},
		{c, "POST", "/Schemas", object{}, 405, ""},
		{c, "DELETE", "/ServiceProviderConfig", nil, 405, ""},
		{c, "POST", "/Bulk", object{}, 400, "invalidSyntax"},
		{c, "GET", "/Me", nil, 501, ""},
		{plain, "POST", "/Users", []byte("userName=x"), 415, ""},
		{plain, "PUT", user, []byte("userName=x"), 415, ""},
		{plain, "PATCH", user, []byte("userName=x"), 415, ""},
		{c, "POST", "/Users", []byte(""), 400, "invalidSyntax"},
		{c, "POST", "/Users", []byte("{"), 400, "invalidSyntax"},
		{c, "POST", "/Users", []byte("[]"), 400, "invalidSyntax"},
		{c, "POST", "/Users", []byte("null"), 400, "invalidSyntax"},
		{c, "POST", "/Users", []byte(`"text"`), 400, "invalidSyntax"},
		{c, "POST", "/Users", []byte(`{"userName":"x"} {}`), 400, "invalidSyntax"},
		{c, "POST", "/Users", []byte(`{"userName":"x",}`), 400, "invalidSyntax"},
		{c, "POST", "/Users", object{}, 400, "invalidValue"},
		{c, "POST", "/Users", person("x", object{"userName": nil}), 400, "invalidValue"},
		{c, "POST", "/Users", person(unlike("x"), object{"active": "perhaps"}), 400, "invalidValue"},
		{c, "POST", "/Users", person(unlike("x"), object{"name": "Ann"}), 400, "invalidValue"},
		{c, "POST", "/Users", person(unlike("x"), object{"title": object{"a": "b"}}), 400, "invalidValue"},
		{c, "POST", "/Users", person(unlike("x"), object{enterpriseURN: object{"manager": object{"value": nobody}}}), 400, "invalidValue"},
		{c, "POST", "/Groups", object{"members": []object{}}, 400, "invalidValue"},
		{c, "PATCH", user, []byte(`{}`), 400, "invalidSyntax"},
		{c, "PATCH", user, []byte(`{"Operations":{}}`), 400, "invalidSyntax"},
		{c, "PATCH", user, patch(`{"op":"frobnicate","path":"title","value":"x"}`), 400, "invalidSyntax"},
		{c, "PATCH", user, patch(`{"op":"remove"}`), 400, "noTarget"},
		{c, "PATCH", user, patch(`{"op":"replace","path":"emails[type eq","value":"x"}`), 400, "invalidPath"},
		{c, "PATCH", user, patch(`{"op":"add","path":"favouriteColour","value":"blue"}`), 400, "invalidPath"},
		{c, "PATCH", user, patch(`{"op":"remove","path":"userName"}`), 400, "mutability"},
		{c, "GET", "/Users?filter=userName", nil, 400, "invalidFilter"},
		{c, "GET", "/Users?filter=userName+eq", nil, 400, "invalidFilter"},
		{c, "GET", "/Users?filter=userName+like+%22x%22", nil, 400, "invalidFilter"},
		{c, "GET", "/Users?filter=(userName+eq+%22x%22", nil, 400, "invalidFilter"},
		{c, "GET", "/Users?filter=userName+eq+%22x", nil, 400, "invalidFilter"},
		{c, "GET", "/Users?count=many", nil, 400, "invalidValue"},
		{c, "GET", "/Users?startIndex=first", nil, 400, "invalidValue"},
	} {
		a := e.client.do(e.method, e.path, e.body)
		scimType, _ := a.body["scimType"].(string)
		if a.status != e.status || scimType != e.scimType {
			t.Errorf("%s %.60s %.120s: %d %q, want %d %q: %s", e.method, e.path, text(e.body), a.status, scimType, e.status, e.scimType, a.raw)
		}
	}
	for _, value := range here.malformed {
		c.post("/Users", person(unlike("x"), value)).wantError(http.StatusBadRequest, "invalidValue")
	}
	if got := c.get(user).text("$.userName"); got != name {
		t.Errorf("the person is called %q now", got)
	}
}

func text(body any) string {
	if raw, ok := body.([]byte); ok {
		return string(raw)
	}
	raw, err := json.Marshal(body)
	if err != nil {
		return fmt.Sprint(body)
	}
	return string(raw)
}

// A body that is larger than the limit is 413, with and without a length
// announced, and does no harm.
func TestTooLarge(t *testing.T) {
	t.Parallel()
	g := shared(t)
	c := g.client(t)
	large := append([]byte(`{"userName":"x","title":"`), bytes.Repeat([]byte("x"), 2<<20)...)
	large = append(large, `"}`...)
	for _, method := range []string{"POST", "PUT", "PATCH"} {
		path := "/Users"
		if method != "POST" {
			path += "/" + nobody
		}
		c.do(method, path, large).want(http.StatusRequestEntityTooLarge)
		c.chunked().do(method, path, large).want(http.StatusRequestEntityTooLarge)
	}
	c.get("/Users?count=0").want(http.StatusOK)
}

// Headers and paths that clients get wrong are understood all the same.
func TestClientsAreForgiven(t *testing.T) {
	t.Parallel()
	g := shared(t)
	c := g.client(t)
	root := *c
	root.base = strings.TrimSuffix(c.base, "/scim/v2")
	id := c.create(person(unlike("forgiven")))
	for _, path := range []string{
		"/scim/v2/Users/" + id, "/scim/v2/Users/" + id + "/", "/scim/v2//Users/" + id, "//scim/v2/Users//" + id,
		"/scim/v2/Users/" + strings.ToUpper(id), "/scim/v2/Users/" + id + "?unknown=1&aadOptscim062020",
	} {
		root.get(path).want(http.StatusOK)
	}
	root.get("/scim/v2/Users/?count=0").want(http.StatusOK)
	root.get("/scim/v2/Users/" + strings.ReplaceAll(id, "-", "%2D")).want(http.StatusOK)
	root.get("/scim/v2/Schemas/" + url.QueryEscape(userURN)).want(http.StatusOK)
	// A semicolon is data; were the filter lost with it, everybody would be listed.
	name := unlike("semi;colon")
	semicolon := c.create(person(name))
	if a := c.get(`/Users?filter=userName+eq+%22` + name + `%22`).want(http.StatusOK); a.total() != 1 || a.ids()[0] != semicolon {
		t.Errorf("a filter with a semicolon finds %s", a.raw)
	}
	c.get(`/Users?filter=userName+eq+%22100%%22`).want(http.StatusBadRequest)
	for name, value := range map[string]string{
		"Content-Type": "application/json", "Accept": "text/html", "User-Agent": "", "Accept-Charset": "utf-8",
		"Accept-Encoding": "gzip,deflate", "X-Request-Id": "chosen by the client", "Connection": "close",
	} {
		a := c.with(name, value).do("PATCH", "/Users/"+id, []byte(`{"Operations":[{"op":"Add","path":"nickName","value":"x"}]}`))
		a.want(http.StatusOK)
		if a.header.Get("X-Request-Id") == "chosen by the client" {
			t.Error("a client can choose the request id")
		}
	}
	for _, kind := range []string{"application/json; charset=utf-8", "application/scim+json", "APPLICATION/SCIM+JSON"} {
		c.with("Content-Type", kind).post("/Users", person(unlike("kind"))).want(http.StatusCreated)
	}
}

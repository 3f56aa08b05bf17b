//go:build integration

package integration

import (
	"net/http"
	"strings"
	"testing"
)

// A person signs in with a token of their own and acts on themselves: as far as
// the administrator lets them, and as long as they are there.
func TestMe(t *testing.T) {
	t.Parallel()
	s := usual()
	s.Me = "{by: userName, methods: [GET, PUT, PATCH]}"
	g := serve(t, s)
	idp := g.client(t)
	ann := idp.create(person("ann@example.org", object{"externalId": "42"}))
	bob := idp.create(person("bob@example.org"))
	token := func(subject string) *client {
		c := idp.with("Authorization", "Bearer "+makeToken(t, g.config, "okta", "--subject", subject))
		eventually(t, "the token is known", func() bool {
			a, err := c.try("GET", "/Me", nil)
			return err == nil && a.status != http.StatusUnauthorized
		})
		return c
	}
	me := token("Ann@example.org")
	a := me.get("/Me").want(http.StatusOK)
	location := g.base + "/Users/" + ann
	if a.id() != ann || a.header.Get("Location") != location || a.header.Get("Content-Location") != location || a.text("$.meta.location") != location {
		t.Errorf("%v %s", a.header, a.raw)
	}
	tag := a.header.Get("ETag")
	me.with("If-None-Match", tag).get("/Me").want(http.StatusNotModified)
	me.with("If-Match", `W/"other"`).patch("/Me", object{"op": "replace", "path": "title", "value": "x"}).want(http.StatusPreconditionFailed)
	me.with("If-Match", tag).patch("/Me", object{"op": "replace", "path": "title", "value": "boss"}).want(http.StatusOK)
	if got := idp.get("/Users/" + ann).text("$.title"); got != "boss" {
		t.Errorf("the title is %q", got)
	}
	me.put("/Me", person("ann@example.org", object{"title": "chief"})).want(http.StatusOK)
	me.post("/Me", person("eve")).wantError(http.StatusNotImplemented, "")
	me.delete("/Me").wantError(http.StatusForbidden, "")
	idp.get("/Me").wantError(http.StatusForbidden, "")
	code, out, complaint := run(t, "token", "create", "--config", g.config, "--tenant", "okta", "--subject", "nobody")
	if code != 1 || out != "" || !strings.Contains(complaint, `the userName "nobody"`) {
		t.Errorf("exit code %d, %q, %q", code, out, complaint)
	}

	// Nothing else is theirs.
	for _, path := range []string{"/Users", "/Users/" + ann, "/Users/" + bob, "/Groups", "/Bulk"} {
		for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
			me.do(method, path, object{"userName": "eve"}).wantError(http.StatusForbidden, "")
		}
	}
	me.get("/ServiceProviderConfig").want(http.StatusOK)
	me.get("/Schemas").want(http.StatusOK)

	deactivate := object{"op": "replace", "path": "active", "value": false}
	idp.patch("/Users/"+ann, deactivate).want(http.StatusOK)
	me.get("/Me").wantError(http.StatusForbidden, "")
	me.patch("/Me", object{"op": "replace", "path": "active", "value": true}).wantError(http.StatusForbidden, "")
	idp.patch("/Users/"+ann, object{"op": "replace", "path": "active", "value": true}).want(http.StatusOK)
	me.get("/Me").want(http.StatusOK)
	// A name is not what the token is for: it goes with the person, and whoever
	// gets the old name gets nothing with it.
	idp.patch("/Users/"+ann, object{"op": "replace", "path": "userName", "value": "ann.lee@example.org"}).want(http.StatusOK)
	other := idp.create(person("ann@example.org", object{"externalId": "43"}))
	if got := me.get("/Me").want(http.StatusOK).id(); got != ann || got == other {
		t.Errorf("the token of %s is for %s", ann, got)
	}
	idp.delete("/Users/" + ann).want(http.StatusNoContent)
	me.get("/Me").wantError(http.StatusNotFound, "")
	heir := idp.create(person("ann.lee@example.org", object{"externalId": "44"}))
	me.get("/Me").wantError(http.StatusNotFound, "")
	if heir == ann {
		t.Error("the name has revived somebody")
	}

	_, out, _ = run(t, "token", "list", "--config", g.config, "--tenant", "okta")
	if !strings.Contains(out, "SUBJECT") || !strings.Contains(out, "Ann@example.org") {
		t.Errorf("the subject is not in the list:\n%s", out)
	}
}

// A token that names a person needs a tenant that has a Me.
func TestATokenWithASubjectNeedsMe(t *testing.T) {
	t.Parallel()
	g := serve(t, usual())
	code, out, complaint := run(t, "token", "create", "--config", g.config, "--tenant", "okta", "--subject", "ann")
	if code != 2 || out != "" || !strings.Contains(complaint, "the key me") {
		t.Errorf("exit code %d, %q, %q", code, out, complaint)
	}
}

//go:build integration

package integration

import (
	"net/http"
	"testing"
)

// A write that names a version is made to that version or not at all, and a
// read that knows the version gets no body.
func TestVersions(t *testing.T) {
	t.Parallel()
	g := shared(t)
	c := g.client(t)
	name := unlike("version")
	a := c.post("/Users", person(name)).want(http.StatusCreated)
	id := a.id()
	team := c.createGroup(unlike("team"), id)
	for path, change := range map[string]func(c *client, value string) *answer{
		"/Users/" + id: func(c *client, value string) *answer {
			return c.patch("/Users/"+id, object{"op": "replace", "path": "title", "value": value})
		},
		"/Groups/" + team: func(c *client, value string) *answer {
			return c.patch("/Groups/"+team, object{"op": "replace", "path": "externalId", "value": unlike(value)})
		},
	} {
		first := c.get(path).want(http.StatusOK)
		tag := first.header.Get("ETag")
		if tag == "" || tag != first.text("$.meta.version") {
			t.Fatalf("%s: ETag is %q, meta.version %q", path, tag, first.text("$.meta.version"))
		}
		unchanged := c.with("If-None-Match", tag).get(path).want(http.StatusNotModified)
		if len(unchanged.raw) != 0 {
			t.Errorf("304 with a body: %s", unchanged.raw)
		}
		c.with("If-None-Match", `W/"other"`).get(path).want(http.StatusOK)
		c.with("If-None-Match", `W/"other", `+tag).get(path).want(http.StatusNotModified)
		change(c.with("If-Match", `W/"other"`), "x").want(http.StatusPreconditionFailed)
		change(c.with("If-Match", tag), "y").want(http.StatusOK, http.StatusNoContent)
		change(c.with("If-Match", tag), "z").want(http.StatusPreconditionFailed)
		change(c.with("If-Match", "*"), "w").want(http.StatusOK, http.StatusNoContent)
		now := c.get(path).header.Get("ETag")
		if now == tag {
			t.Errorf("%s: the version did not change", path)
		}
		c.with("If-None-Match", tag).get(path).want(http.StatusOK)
		c.with("If-Match", tag).delete(path).want(http.StatusPreconditionFailed)
	}
	stale := c.get("/Users/" + id).header.Get("ETag")
	updated := c.with("If-Match", stale).put("/Users/"+id, person(name+"x", object{"title": "v"})).want(http.StatusOK)
	if got := c.get("/Users/" + id).header.Get("ETag"); got != updated.header.Get("ETag") {
		t.Errorf("PUT answered %s, GET %s", updated.header.Get("ETag"), got)
	}
	c.with("If-Match", stale).put("/Users/"+id, person(name)).want(http.StatusPreconditionFailed)

	tag := c.get("/Groups/" + team).header.Get("ETag")
	add := object{"op": "add", "path": "members", "value": values(c.create(person(unlike("m"))))}
	c.with("If-Match", `W/"other"`).patch("/Groups/"+team, add).want(http.StatusPreconditionFailed)
	c.with("If-Match", tag).patch("/Groups/"+team, add).want(http.StatusNoContent)
	c.with("If-Match", tag).patch("/Groups/"+team, object{"op": "remove", "path": "members"}).want(http.StatusPreconditionFailed)
	if n := len(c.get("/Groups/" + team).members()); n != 2 {
		t.Errorf("the group has %d members, want 2", n)
	}
	c.with("If-Match", c.get("/Groups/"+team).header.Get("ETag")).delete("/Groups/" + team).want(http.StatusNoContent)
	c.with("If-Match", updated.header.Get("ETag")).delete("/Users/" + id).want(http.StatusNoContent)
}

// Of many writes to one version at once, one is made.
func TestOneWriteToAVersion(t *testing.T) {
	t.Parallel()
	g := shared(t)
	c := g.client(t)
	id := c.create(person(unlike("version")))
	held := c.with("If-Match", c.get("/Users/"+id).header.Get("ETag"))
	got := statuses(t, held, 12, func(i int) (string, string, any) {
		return "PATCH", "/Users/" + id, object{"Operations": []object{{"op": "replace", "path": "title", "value": string(rune('a' + i))}}}
	})
	if got[http.StatusOK] != 1 || got[http.StatusPreconditionFailed] != 11 {
		t.Errorf("answers %v, want one 200 and eleven 412", got)
	}
}

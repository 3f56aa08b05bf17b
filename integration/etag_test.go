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

// Both headers at every method, before a real directory: what is refused leaves
// the entry as it was.
func TestPreconditions(t *testing.T) {
	t.Parallel()
	c := shared(t).client(t)
	member := c.create(person(unlike("m")))
	title := object{"Operations": []object{{"op": "replace", "path": "title", "value": "x"}}}
	for _, tc := range []struct {
		method, endpoint string
		body             any
		ok               int
	}{
		{"GET", "/Users/", nil, 200}, {"HEAD", "/Users/", nil, 200}, {"PUT", "/Users/", person(unlike("put")), 200},
		{"PATCH", "/Users/", title, 200}, {"DELETE", "/Users/", nil, 204},
		{"GET", "/Groups/", nil, 200}, {"PUT", "/Groups/", group(unlike("put")), 200},
		{"PATCH", "/Groups/", memberPatch("add", member), 204}, {"DELETE", "/Groups/", nil, 204},
	} {
		excluded := http.StatusPreconditionFailed
		if tc.method == "GET" || tc.method == "HEAD" {
			excluded = http.StatusNotModified
		}
		fresh := func() string {
			if tc.endpoint == "/Users/" {
				return tc.endpoint + c.create(person(unlike("cond")))
			}
			return tc.endpoint + c.createGroup(unlike("cond"))
		}
		path := fresh()
		tag := c.get(path).header.Get("ETag")
		for _, refused := range []struct {
			header, value string
			status        int
		}{
			{"If-Match", `W/"other"`, http.StatusPreconditionFailed}, {"If-Match", "other", http.StatusBadRequest},
			{"If-None-Match", tag, excluded}, {"If-None-Match", "*", excluded}, {"If-None-Match", `W/"other", ` + tag, excluded},
		} {
			a, err := c.with(refused.header, refused.value).try(tc.method, path, tc.body)
			if err != nil {
				t.Fatal(err)
			}
			a.want(refused.status)
			if tc.method != "HEAD" { // which has no body to check
				a.check()
			}
			if now := c.get(path).header.Get("ETag"); now != tag {
				t.Fatalf("%s %s: a refused request has changed the entry", tc.method, path)
			}
		}
		c.with("If-None-Match", `W/"other"`).do(tc.method, path, tc.body).want(tc.ok)
		if tc.method == "PUT" { // whose name is taken by the first
			continue
		}
		path = fresh()
		tag = c.get(path).header.Get("ETag")
		c.with("If-Match", `W/"other", `+tag).do(tc.method, path, tc.body).want(tc.ok)
		if tc.method == "DELETE" {
			c.with("If-Match", tag).delete(path).want(http.StatusNotFound)
		}
	}
	c.with("If-Match", "*").post("/Users", person(unlike("none"))).wantError(http.StatusPreconditionFailed, "")
	c.with("If-None-Match", "*").post("/Users", person(unlike("none"))).want(http.StatusCreated)
}

// Of many writes of every kind to one version of a group at once, one is made.
func TestOneWriteToAVersionOfAGroup(t *testing.T) {
	t.Parallel()
	c := shared(t).client(t)
	team := c.createGroup(unlike("version"))
	var people []string
	for range 12 {
		people = append(people, c.create(person(unlike("m"))))
	}
	held := c.with("If-Match", c.get("/Groups/"+team).header.Get("ETag"))
	got := statuses(t, held, 12, func(i int) (string, string, any) {
		switch i % 3 {
		case 0:
			return "PUT", "/Groups/" + team, group(unlike("renamed"), people[i])
		case 1:
			return "PATCH", "/Groups/" + team, object{"Operations": []object{{"op": "replace", "path": "externalId", "value": unlike("x")}}}
		}
		return "PATCH", "/Groups/" + team, memberPatch("add", people[i])
	})
	if got[http.StatusPreconditionFailed] != 11 || got[http.StatusOK]+got[http.StatusNoContent] != 1 {
		t.Errorf("answers %v, want one success and eleven 412", got)
	}
}

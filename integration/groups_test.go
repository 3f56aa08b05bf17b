//go:build integration

package integration

import (
	"net/http"
	"slices"
	"testing"
)

// A group may be empty over SCIM, however the directory holds it: the first
// member comes, the last one leaves, and again.
func TestEmptyGroups(t *testing.T) {
	t.Parallel()
	for _, kind := range here.groups {
		s := usual()
		s.Groups, s.GroupClass, s.Member, s.EmptyMember = true, kind.class, kind.member, kind.empty
		t.Run(kind.class, func(t *testing.T) {
			t.Parallel()
			g := serve(t, s)
			emptyAndFill(t, g.client(t), g.tree(t), s)
		})
	}
	t.Run("references follow", func(t *testing.T) {
		t.Parallel()
		g := sharedOverlays(t)
		emptyAndFill(t, g.client(t), g.tree(t), usual())
	})
}

func emptyAndFill(t *testing.T, c *client, d *tree, s site) {
	a, b := c.create(person(unlike("a"))), c.create(person(unlike("b")))
	id := c.createGroup(unlike("team"))
	holds := func(when string, members ...string) {
		t.Helper()
		got := c.get("/Groups/" + id).want(http.StatusOK).members()
		if slices.Sort(got); !slices.Equal(got, slices.Sorted(slices.Values(members))) {
			t.Errorf("%s: the members are %v, want %v", when, got, members)
		}
		var want []string
		for _, m := range members {
			want = append(want, d.entry(m).DN)
		}
		if len(want) == 0 && s.EmptyMember != "" {
			want = []string{s.EmptyMember}
		}
		inside := d.entry(id).GetAttributeValues(s.Member)
		if slices.Sort(inside); !slices.Equal(inside, slices.Sorted(slices.Values(want))) {
			t.Errorf("%s: in the directory the members are %v, want %v", when, inside, want)
		}
	}
	change := func(operations ...object) {
		t.Helper()
		c.patch("/Groups/"+id, operations...).want(http.StatusNoContent)
	}
	add := func(ids ...string) object { return object{"op": "add", "path": "members", "value": values(ids...)} }
	drop := func(id string) object { return object{"op": "remove", "path": `members[value eq "` + id + `"]`} }

	holds("created empty")
	change(add(a))
	holds("the first came", a)
	change(add(a), add(a, b))
	holds("one twice", a, b)
	change(drop(a), drop(b))
	holds("both left one by one")
	change(drop(a))
	holds("one who was not there left")
	change(add(a, b), drop(b))
	holds("in and out in one request", a)
	change(object{"op": "remove", "path": "members"})
	holds("all removed")
	change(add(b))
	change(object{"op": "replace", "path": "members", "value": []object{}})
	holds("replaced by nobody")
	change(object{"op": "replace", "path": "members", "value": values(a, b)})
	holds("replaced by two", a, b)
	change(object{"op": "remove", "path": "members", "value": values(a)})
	holds("removed by value", b)
	c.put("/Groups/"+id, group(unlike("renamed"))).want(http.StatusOK)
	holds("a PUT without members empties")
	c.put("/Groups/"+id, group(unlike("renamed"), b)).want(http.StatusOK)
	change(object{"op": "replace", "path": "displayName", "value": unlike("again")})
	holds("a PATCH that does not name members", b)
	c.delete("/Users/" + b).want(http.StatusNoContent)
	holds("the last member was deleted")
}

// What a client cannot mean leaves the group as it is.
func TestMalformedMemberChanges(t *testing.T) {
	t.Parallel()
	g := shared(t)
	c := g.client(t)
	a := c.create(person(unlike("a")))
	id := c.createGroup(unlike("team"), a)
	for _, operation := range []object{
		{"op": "remove", "path": "members", "value": []object{}},
		{"op": "remove", "path": "members", "value": []object{{"value": ""}}},
		{"op": "remove", "path": "members", "value": 17},
		{"op": "remove", "path": "members", "value": []object{{"value": 17}}},
		{"op": "remove", "path": "members", "value": []any{nil}},
		{"op": "remove", "path": "members", "value": []object{{"display": "no value"}}},
		{"op": "add", "path": "members", "value": values(nobody)},
		{"op": "add", "path": "members", "value": values(a, nobody)},
		{"op": "add", "path": "members", "value": values("no uuid")},
		{"op": "replace", "path": "members", "value": values(nobody)},
		{"op": "replace", "path": "members", "value": []object{{"value": ""}}},
		{"op": "delete", "path": "members", "value": values(a)},
		{"path": "members", "value": values(a)},
		{"op": "add", "path": "members[", "value": values(a)},
		{"op": "remove"},
	} {
		got := c.patch("/Groups/"+id, operation)
		if got.status != http.StatusBadRequest {
			t.Errorf("%v: %d %s, want 400", operation, got.status, got.raw)
		}
		if m := c.get("/Groups/" + id).members(); !slices.Equal(m, []string{a}) {
			t.Fatalf("%v: the group has %v now", operation, m)
		}
	}
	for _, body := range []object{group(unlike("new"), nobody), group(unlike("new"), "no uuid")} {
		c.post("/Groups", body).want(http.StatusBadRequest)
		c.put("/Groups/"+id, body).want(http.StatusBadRequest)
	}
	c.patch("/Groups/"+nobody, object{"op": "add", "path": "members", "value": values(a)}).want(http.StatusNotFound)
}

// All operations of a PATCH are done, or none.
func TestPatchIsAllOrNothing(t *testing.T) {
	t.Parallel()
	g := shared(t)
	c, d := g.client(t), g.tree(t)
	a := c.create(person(unlike("a")))
	name := unlike("team")
	id := c.createGroup(name)
	c.patch("/Groups/"+id,
		object{"op": "replace", "path": "displayName", "value": name + "x"},
		object{"op": "add", "path": "members", "value": values(a)},
		object{"op": "add", "path": "members", "value": values(nobody)},
	).want(http.StatusBadRequest)
	got := c.get("/Groups/" + id)
	if got.text("$.displayName") != name || len(got.members()) != 0 {
		t.Errorf("something was done: %s", got.raw)
	}
	before := d.entry(a)
	c.patch("/Users/"+a,
		object{"op": "replace", "path": "title", "value": "boss"},
		object{"op": "replace", "path": "active", "value": "maybe"},
	).want(http.StatusBadRequest)
	if after := d.entry(a); after.GetAttributeValue("title") != "" || after.GetAttributeValue("entryCSN") != before.GetAttributeValue("entryCSN") {
		t.Error("something was done")
	}
}

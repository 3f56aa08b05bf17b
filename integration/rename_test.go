//go:build integration

package integration

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// Who gets another name keeps the id, the password, every group and those who
// have them as their manager, whether the directory follows references or not.
func TestRenameKeepsEverything(t *testing.T) {
	everywhere(t, func(t *testing.T, c *client, d *tree) {
		name := unlike("maiden")
		id := c.create(person(name))
		d.setPassword(id, oldPass)
		old := d.entry(id).DN
		report := c.create(person(unlike("report"), object{enterpriseURN: object{"manager": object{"value": id}}}))
		foreign := d.foreignGroup(unlike("foreign"), old)
		teams := make([]string, 50)
		for i := range teams {
			teams[i] = c.createGroup(unlike(fmt.Sprintf("team%d", i)), id)
		}
		c.put("/Users/"+id, person("married."+name)).want(http.StatusOK)
		e := d.entry(id)
		if e.DN == old || !d.canBind(e.DN, oldPass) {
			t.Errorf("the entry is %s; the password works: %v", e.DN, d.canBind(e.DN, oldPass))
		}
		for i, team := range teams {
			if got := c.get("/Groups/" + team).want(http.StatusOK).members(); !slices.Equal(got, []string{id}) {
				t.Errorf("group %d has %v", i, got)
			}
			if got := d.entry(team).GetAttributeValues("member"); len(got) != 1 || !strings.EqualFold(got[0], e.DN) {
				t.Errorf("in the directory group %d has %v", i, got)
			}
		}
		if d.hasMember(foreign, old) || !d.hasMember(foreign, e.DN) {
			t.Errorf("a group of others still has the old name: %v", d.read(foreign, "member"))
		}
		if got := c.get("/Users/" + report).text("$." + enterpriseURN + ".manager.value"); got != id {
			t.Errorf("the manager is %q, want %s", got, id)
		}
	})
}

// Groups hold people and groups, and a group keeps its place in others when it
// gets another name.
func TestNestedGroups(t *testing.T) {
	everywhere(t, func(t *testing.T, c *client, d *tree) {
		ann := c.create(person(unlike("ann")))
		inner := c.createGroup(unlike("inner"), ann)
		outer := c.createGroup(unlike("outer"), inner, ann)
		top := c.createGroup(unlike("top"), outer)
		name := unlike("renamed, +inner")
		c.patch("/Groups/"+inner, object{"op": "replace", "value": object{"id": inner, "displayName": name}}).want(http.StatusNoContent)
		c.put("/Groups/"+outer, group(unlike("outer again"), inner, ann)).want(http.StatusOK)

		a := c.get("/Groups/" + outer).want(http.StatusOK)
		got := a.members()
		if slices.Sort(got); !slices.Equal(got, slices.Sorted(slices.Values([]string{inner, ann}))) {
			t.Errorf("outer has %v", got)
		}
		for i := range 2 {
			at := fmt.Sprintf("$.members[%d]", i)
			want := map[string]string{inner: "Group", ann: "User"}[a.text(at+".value")]
			if got := a.text(at + ".type"); got != want {
				t.Errorf("%s is a %q, want %q", a.text(at+".value"), got, want)
			}
			if ref := a.text(at + ".$ref"); ref != "" && !strings.HasSuffix(ref, "/"+want+"s/"+a.text(at+".value")) {
				t.Errorf("$ref is %q", ref)
			}
		}
		if got := c.get("/Groups/" + top).members(); !slices.Equal(got, []string{outer}) {
			t.Errorf("top has %v", got)
		}
		if !d.hasMember(d.entry(outer).DN, d.entry(inner).DN) || !d.hasMember(d.entry(top).DN, d.entry(outer).DN) {
			t.Error("in the directory the groups have lost their places")
		}
		c.delete("/Groups/" + inner).want(http.StatusNoContent)
		if got := c.get("/Groups/" + outer).members(); !slices.Equal(got, []string{ann}) {
			t.Errorf("outer still has the deleted group: %v", got)
		}
		if found := d.named("entryUUID", inner); len(found) != 0 {
			t.Error("the deleted group is still in the directory")
		}
	})
}

// A name that another person has cannot be taken by a rename.
func TestRenameIntoAConflict(t *testing.T) {
	t.Parallel()
	g := shared(t)
	c, d := g.client(t), g.tree(t)
	taken, name := unlike("taken"), unlike("free")
	c.create(person(taken))
	id := c.create(person(name))
	before := d.entry(id)
	c.put("/Users/"+id, person(taken)).wantError(http.StatusConflict, "uniqueness")
	c.patch("/Users/"+id, object{"op": "replace", "path": "userName", "value": strings.ToUpper(taken)}).wantError(http.StatusConflict, "uniqueness")
	if after := d.entry(id); after.DN != before.DN {
		t.Errorf("renamed to %s", after.DN)
	}
	a, b := c.createGroup(unlike("a")), unlike("b")
	c.createGroup(b)
	c.patch("/Groups/"+a, object{"op": "replace", "path": "displayName", "value": b}).wantError(http.StatusConflict, "uniqueness")
	c.put("/Groups/"+a, group(b)).wantError(http.StatusConflict, "uniqueness")
	if c.get("/Groups/"+a).status != http.StatusOK {
		t.Error("the group is gone")
	}
}

// A deleted person does not stand in the way of a rename to the old name.
func TestRenameOntoATombstone(t *testing.T) {
	everywhere(t, func(t *testing.T, c *client, d *tree) {
		name := unlike("gone")
		gone := c.create(person(name, object{"externalId": name}))
		d.setPassword(gone, oldPass)
		c.delete("/Users/" + gone).want(http.StatusNoContent)
		id := c.create(person(unlike("other")))
		c.put("/Users/"+id, person(name)).want(http.StatusOK)
		if d.opens(gone, oldPass) || d.opens(id, oldPass) {
			t.Error("the tombstone's password opens something")
		}
		if got := d.entry(id).GetAttributeValue("uid"); got != name {
			t.Errorf("uid is %q", got)
		}
	})
}

//go:build integration

package integration

import (
	"net/http"
	"slices"
	"testing"
)

// everywhere runs a test in front of a directory that follows references by
// itself and of one that does not.
func everywhere(t *testing.T, story func(t *testing.T, c *client, d *tree)) {
	t.Parallel()
	if here.linked {
		t.Run("references follow", func(t *testing.T) {
			g := shared(t)
			story(t, g.client(t), g.tree(t))
		})
		return
	}
	t.Run("without refint", func(t *testing.T) {
		t.Parallel()
		g := shared(t)
		story(t, g.client(t), g.tree(t))
	})
	t.Run("with refint and memberof", func(t *testing.T) {
		t.Parallel()
		g := sharedOverlays(t)
		story(t, g.client(t), g.tree(t))
	})
}

// Who gets a leaver's name gets nothing else of the leaver: not the id, the
// password or the groups, be they the tenant's or somebody else's.
func TestNobodyInheritsAnAccount(t *testing.T) {
	everywhere(t, func(t *testing.T, c *client, d *tree) {
		name := unlike("leaver")
		leaver := c.create(person(name, object{"externalId": name + "-1"}))
		d.setPassword(leaver, oldPass)
		old := d.entry(leaver).DN
		ours := c.createGroup(unlike("ours"), leaver)
		theirs := d.foreignGroup(unlike("theirs"), old, d.admin)

		c.delete("/Users/" + leaver).want(http.StatusNoContent)
		if got := c.get("/Groups/" + ours).want(http.StatusOK).members(); len(got) != 0 {
			t.Errorf("the deleted person is in the tenant's group: %v", got)
		}
		newcomer := c.create(person(name, object{"externalId": name + "-2"}))
		if newcomer == leaver {
			t.Fatal("the newcomer has the leaver's id")
		}
		e := d.entry(newcomer)
		if e.GetAttributeValue(here.secret) != "" || d.canBind(e.DN, oldPass) {
			t.Error("the newcomer has the leaver's password")
		}
		for _, group := range []string{d.entry(ours).DN, theirs} {
			if d.hasMember(group, e.DN) {
				t.Errorf("the newcomer is in the leaver's group %s", group)
			}
		}
		if got := e.GetAttributeValues("memberOf"); len(got) > 0 {
			t.Errorf("the newcomer is a memberOf %v", got)
		}
		if !d.hasMember(theirs, d.admin) {
			t.Error("the other member of the foreign group is gone")
		}
		aside := d.entry(leaver)
		if aside.DN == e.DN || d.canBind(aside.DN, oldPass) {
			t.Errorf("the leaver's entry %s is not set aside and locked", aside.DN)
		}
		if here.secret != "" && aside.GetAttributeValue(here.secret) == "" {
			t.Error("the leaver's entry has lost its password")
		}
		c.get("/Users/" + leaver).want(http.StatusNotFound)

		c.post("/Users", person(name, object{"externalId": name + "-1"})).wantError(http.StatusConflict, "uniqueness")
		back := c.create(person(unlike("back"), object{"externalId": name + "-1"}))
		if back != leaver {
			t.Errorf("the leaver came back as %s, not %s", back, leaver)
		}
	})
}

// Without a stable key nobody is found again: a deleted person's name and
// everything that is unique go to a new entry.
func TestNobodyIsFoundAgainWithoutStableKey(t *testing.T) {
	everywhere(t, func(t *testing.T, c *client, d *tree) {
		name := unlike("nokey")
		seen := map[string]bool{}
		for _, p := range []object{
			person(name), person(name), person(name, object{"externalId": name + "-k"}), person(name, object{"externalId": ""}),
		} {
			id := c.create(p)
			if seen[id] {
				t.Errorf("%s came back", id)
			}
			seen[id] = true
			c.delete("/Users/" + id).want(http.StatusNoContent)
		}
		for id := range seen {
			d.entry(id) // all are still there
		}
	})
}

// Two stable keys that differ in nothing but case belong to two people.
func TestStableKeysDifferByCase(t *testing.T) {
	t.Parallel()
	g := shared(t)
	c := g.client(t)
	name := unlike("case")
	small := c.create(person(name+".a", object{"externalId": name + "-abc"}))
	large := c.create(person(name+".b", object{"externalId": name + "-ABC"}))
	c.post("/Users", person(name+".c", object{"externalId": name + "-abc"})).wantError(http.StatusConflict, "uniqueness")
	c.delete("/Users/" + small).want(http.StatusNoContent)
	c.delete("/Users/" + large).want(http.StatusNoContent)
	other := c.create(person(name+".a", object{"externalId": name + "-Abc"}))
	if other == small || other == large {
		t.Error("another key in another case revived an entry")
	}
	if back := c.create(person(name+".d", object{"externalId": name + "-ABC"})); back != large {
		t.Error("the same key in the same case did not")
	}
	if found := c.find("Users", `externalId eq "`+name+`-Abc"`); found.total() != 1 || found.ids()[0] != other {
		t.Errorf("externalId is not found byte for byte: %s", found.raw)
	}
}

// A revival brings no group back, though it brings the person back.
func TestRevivalBringsNoGroupBack(t *testing.T) {
	everywhere(t, func(t *testing.T, c *client, d *tree) {
		name := unlike("reviver")
		p := person(name, object{"externalId": name})
		id := c.create(p)
		other := c.create(person(unlike("other")))
		team := c.createGroup(unlike("team"), id, other)
		c.delete("/Users/" + id).want(http.StatusNoContent)
		if back := c.create(p); back != id {
			t.Fatalf("revived as %s, not %s", back, id)
		}
		if got := c.get("/Groups/" + team).members(); !slices.Equal(got, []string{other}) {
			t.Errorf("the group has %v, want only %s", got, other)
		}
		if d.hasMember(d.entry(team).DN, d.entry(id).DN) {
			t.Error("the revived person is in the group")
		}
	})
}

// No update takes the stable key away: Okta's PUT does not carry it.
func TestStableKeyStays(t *testing.T) {
	t.Parallel()
	g := shared(t)
	c, d := g.client(t), g.tree(t)
	name := unlike("key")
	id := c.create(person(name, object{"externalId": name}))
	remove := object{"op": "remove", "path": "externalId"}
	for what, update := range map[string]func() *answer{
		"PUT without externalId": func() *answer { return c.put("/Users/"+id, person(name)) },
		"PUT with null":          func() *answer { return c.put("/Users/"+id, person(name, object{"externalId": nil})) },
		"PUT with empty text":    func() *answer { return c.put("/Users/"+id, person(name, object{"externalId": ""})) },
		"PATCH remove":           func() *answer { return c.patch("/Users/"+id, remove) },
		"PATCH replace by null": func() *answer {
			return c.patch("/Users/"+id, object{"op": "replace", "value": object{"externalId": nil}})
		},
		"PATCH replace by empty": func() *answer {
			return c.patch("/Users/"+id, object{"op": "Replace", "path": "externalId", "value": ""})
		},
	} {
		a := update().want(http.StatusOK)
		if a.text("$.externalId") != name || d.entry(id).GetAttributeValue("scimExternalId") != name {
			t.Errorf("%s: the stable key is %q over SCIM, %q in the directory", what, a.text("$.externalId"),
				d.entry(id).GetAttributeValue("scimExternalId"))
		}
	}
	c.patch("/Users/"+id, object{"op": "replace", "path": "externalId", "value": name + "-new"}).want(http.StatusOK)
	if got := d.entry(id).GetAttributeValue("scimExternalId"); got != name+"-new" {
		t.Errorf("a new stable key is not written: %q", got)
	}
}

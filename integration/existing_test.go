//go:build integration

package integration

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// unextended are directories whose schema may not be touched: marker and stable
// key stand in attributes that they have.
var unextended = map[string]func() site{
	"attributes shared with others": func() site {
		s := usual("refint")
		s.Schema = false
		s.State1, s.Source1, s.StableKey = "description", "employeeType", "employeeNumber"
		s.State2, s.Source2, s.GroupKey = "description", "businessCategory", "o"
		return s
	},
	"other attributes": func() site {
		s := usual()
		s.Schema = false
		s.State1, s.Source1, s.StableKey = "carLicense", "departmentNumber", "roomNumber"
		s.State2, s.Source2, s.GroupKey = "description", "ou", "businessCategory"
		return s
	},
}

// The same life on existing attributes, where no schema may be added.
func TestExistingAttributes(t *testing.T) {
	t.Parallel()
	for name, make := range unextended {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := make()
			g := serve(t, s)
			c, d := g.client(t), g.tree(t)
			t.Run("life", func(t *testing.T) { lifeOnExisting(t, c.in(t), d.in(t), s) })
			t.Run("stable keys byte for byte", func(t *testing.T) { keysOnExisting(t, c.in(t), d.in(t), s) })
			t.Run("at once", func(t *testing.T) { raceOnExisting(t, c.in(t), d.in(t), s) })
		})
	}
}

func lifeOnExisting(t *testing.T, c *client, d *tree, s site) {
	name := unlike("ann")
	p := person(name, object{"externalId": name, "password": oldPass})
	id := c.create(p)
	team := c.createGroup(unlike("team"), id)
	dn := d.entry(id).DN
	d.put(dn, s.State1, "written by somebody", "and by another")
	d.put(d.entry(team).DN, s.State2, "a group's description")
	foreign := func(when string) {
		t.Helper()
		e := d.entry(id)
		for _, v := range []string{"written by somebody", "and by another"} {
			if !slices.Contains(e.GetAttributeValues(s.State1), v) {
				t.Errorf("%s: %s has lost %q: %v", when, s.State1, v, e.GetAttributeValues(s.State1))
			}
		}
		if n := len(e.GetAttributeValues(s.State1)); n != 3 {
			t.Errorf("%s: %s has %d values, want 3", when, s.State1, n)
		}
		if e := d.entry(team); !slices.Contains(e.GetAttributeValues(s.State2), "a group's description") {
			t.Errorf("%s: the group's %s has lost a value", when, s.State2)
		}
	}
	foreign("at first")
	c.put("/Users/"+id, person(name+"x", object{"title": "x"})).want(http.StatusOK)
	foreign("PUT and rename")
	c.do("PATCH", "/Users/"+id, []byte(oktaOff)).want(http.StatusOK)
	if foreign("deactivated"); d.opens(id, oldPass) {
		t.Error("deactivated, and gets in")
	}
	c.do("PATCH", "/Users/"+id, []byte(entraOn)).want(http.StatusOK)
	if foreign("activated"); !d.opens(id, oldPass) {
		t.Error("activated, and does not get in")
	}
	c.do("PATCH", "/Groups/"+team, memberPatch("remove", id)).want(http.StatusNoContent)
	c.do("PATCH", "/Groups/"+team, memberPatch("add", id)).want(http.StatusNoContent)
	c.patch("/Groups/"+team, object{"op": "replace", "value": object{"displayName": unlike("team"), "externalId": "g1"}}).want(http.StatusNoContent)
	foreign("the group changed")
	if c.find("Users", `externalId eq "`+name+`"`).total() != 1 || c.get("/Groups/"+team).text("$.externalId") != "g1" {
		t.Error("the stable keys are not where they belong")
	}
	c.delete("/Users/" + id).want(http.StatusNoContent)
	if foreign("deleted"); d.opens(id, oldPass) {
		t.Error("deleted, and gets in")
	}
	c.get("/Users/" + id).want(http.StatusNotFound)
	if a := c.get("/Users"); slices.Contains(a.ids(), id) {
		t.Error("deleted, and listed")
	}
	if newcomer := c.create(person(name+"x", object{"externalId": name + "-2"})); newcomer == id || d.opens(newcomer, oldPass) {
		t.Error("the newcomer has the leaver's account")
	}
	foreign("put aside")
	if back := c.create(p); back != id {
		t.Errorf("came back as %s, not %s", back, id)
	}
	foreign("revived")
}

// keysOnExisting has stable keys that differ only in case, in an attribute that
// ignores case.
func keysOnExisting(t *testing.T, c *client, d *tree, s site) {
	key := unlike("KeyOf")
	first := c.create(person(unlike("first"), object{"externalId": key}))
	second := c.create(person(unlike("second"), object{"externalId": strings.ToLower(key)}))
	if found := c.find("Users", `externalId eq "`+key+`"`); found.total() != 1 || found.ids()[0] != first {
		t.Errorf("found %s", found.raw)
	}
	c.post("/Users", person(unlike("third"), object{"externalId": key})).wantError(http.StatusConflict, "uniqueness")
	c.delete("/Users/" + first).want(http.StatusNoContent)
	c.delete("/Users/" + second).want(http.StatusNoContent)
	other := c.create(person(unlike("fourth"), object{"externalId": strings.ToUpper(key)}))
	if other == first || other == second {
		t.Error("a key in another case revived somebody")
	}
	if back := c.create(person(unlike("fifth"), object{"externalId": strings.ToLower(key)})); back != second {
		t.Errorf("came back as %s, not %s", back, second)
	}
	if got := len(d.named(s.StableKey, key)); got != 3 {
		t.Errorf("%d entries have the key in some case, want 3", got)
	}
}

// raceOnExisting loses no update though the marker's attribute is shared.
func raceOnExisting(t *testing.T, c *client, d *tree, s site) {
	name := unlike("once")
	got := statuses(t, c, 16, func(i int) (string, string, any) {
		return "POST", "/Users", person(fmt.Sprint(name, i%2), object{"externalId": name})
	})
	if got[http.StatusCreated] != 1 || got[http.StatusConflict] != 15 {
		t.Errorf("answers %v", got)
	}
	found := d.named(s.StableKey, name)
	if len(found) != 1 {
		t.Fatalf("%d entries", len(found))
	}
	id := found[0].GetAttributeValue("entryUUID")
	paths := []string{"title", "displayName", "name.givenName", "name.familyName"}
	statuses(t, c, len(paths), func(i int) (string, string, any) {
		return "PATCH", "/Users/" + id, object{"Operations": []object{{"op": "add", "path": paths[i], "value": "new"}}}
	})
	e := d.entry(id)
	for _, attribute := range []string{"title", "displayName", "givenName", "sn"} {
		if e.GetAttributeValue(attribute) != "new" {
			t.Errorf("%s is lost", attribute)
		}
	}
}

//go:build integration

package integration

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What others wrote into an entry or a group of the gateway's survives every
// update: attributes, object classes, members.
func TestForeignValuesSurvive(t *testing.T) {
	everywhere(t, func(t *testing.T, c *client, d *tree) {
		name := unlike("mixed")
		id := c.create(person(name))
		dn := d.entry(id).DN
		foreign := map[string][]string{
			"uidNumber": {"1000"}, "gidNumber": {"1000"}, here.home: {"/home/x"}, "loginShell": {"/bin/sh"},
			"description": {"by hand"}, "seeAlso": {d.admin}, here.note: {"by hand", "twice"},
		}
		classes := append(d.read(dn, "objectClass"), "posixAccount")
		d.setAll(dn, foreign, "objectClass", classes...)

		team := c.createGroup(unlike("team"), id)
		teamDN := d.entry(team).DN
		strangers := append([]string{d.admin}, here.strangers...)
		d.put(teamDN, "member", strangers...)
		d.put(teamDN, "description", "by hand")
		d.put(teamDN, here.teamNote, "staff")

		checks := func(when string) {
			t.Helper()
			e := d.entry(id)
			for attribute, want := range foreign {
				if got := e.GetAttributeValues(attribute); !slices.Equal(slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want))) {
					t.Errorf("%s: %s is %q, want %q", when, attribute, got, want)
				}
			}
			if !slices.Contains(e.GetAttributeValues("objectClass"), "posixAccount") {
				t.Errorf("%s: the object class is gone", when)
			}
			g := d.entry(team)
			for _, dn := range strangers {
				if !slices.Contains(g.GetAttributeValues("member"), dn) {
					t.Errorf("%s: the foreign member %s is gone from %v", when, dn, g.GetAttributeValues("member"))
				}
			}
			if g.GetAttributeValue("description") != "by hand" || g.GetAttributeValue(here.teamNote) != "staff" {
				t.Errorf("%s: an attribute of the group is gone", when)
			}
		}
		checks("written by hand")
		if got := c.get("/Groups/" + team).members(); !slices.Equal(got, []string{id}) {
			t.Errorf("foreign members show: %v", got)
		}
		c.put("/Users/"+id, person(name)).want(http.StatusOK)
		checks("PUT")
		c.put("/Users/"+id, object{"userName": name + "x"}).want(http.StatusOK)
		checks("PUT with little and another name")
		c.patch("/Users/"+id, object{"op": "replace", "value": object{"title": "x", "active": false}}).want(http.StatusOK)
		checks("PATCH")
		c.put("/Groups/"+team, group(unlike("renamed"), id)).want(http.StatusOK)
		checks("PUT of the group")
		c.patch("/Groups/"+team, object{"op": "replace", "path": "members", "value": []object{}}).want(http.StatusNoContent)
		checks("all members replaced by nobody")
		c.patch("/Groups/"+team, object{"op": "add", "path": "members", "value": values(id)}).want(http.StatusNoContent)
		c.patch("/Groups/"+team, object{"op": "remove", "path": "members"}).want(http.StatusNoContent)
		checks("all members removed")
		c.put("/Groups/"+team, group(unlike("empty"))).want(http.StatusOK)
		checks("PUT without members")
		c.delete("/Users/" + id).want(http.StatusNoContent)
		checks("DELETE of the person")
	})
}

// Entries that nobody gave to the gateway are neither shown nor changed, nor
// let into groups, though they stand where the gateway writes.
func TestUnmanagedEntriesAreLeftAlone(t *testing.T) {
	t.Parallel()
	g := fresh(t)
	c, d := g.client(t), g.tree(t)
	dn := d.foreignPerson("service", map[string][]string{"mail": {"ann@example.org"}})
	other := d.foreignPerson("other", map[string][]string{"objectClass": here.marked,
		"scimSource": {"another tenant"}, "scimExternalId": {"77"},
		"scimState": {`scimgate:active {"request":"X"}`}})
	groupDN := d.foreignGroup("staff", dn)
	before := map[string]map[string][]string{}
	for _, name := range []string{dn, other, groupDN} {
		before[name] = snapshot(d, name)
	}
	for name, attribute := range map[string]string{dn: "service", other: "other"} {
		id := d.read(name, "entryUUID")[0]
		c.post("/Users", person(attribute)).wantError(http.StatusConflict, "uniqueness")
		c.get("/Users/" + id).want(http.StatusNotFound)
		c.put("/Users/"+id, person(attribute)).want(http.StatusNotFound)
		c.patch("/Users/"+id, object{"op": "replace", "value": object{"active": false}}).want(http.StatusNotFound)
		c.delete("/Users/" + id).want(http.StatusNotFound)
		team := c.createGroup(unlike("team"))
		c.patch("/Groups/"+team, object{"op": "add", "path": "members", "value": values(id)}).want(http.StatusBadRequest)
		c.post("/Groups", group(unlike("team"), id)).want(http.StatusBadRequest)
		c.post("/Users", person(unlike("p"), object{enterpriseURN: object{"manager": object{"value": id}}})).want(http.StatusBadRequest)
		if c.find("Users", `userName eq "`+attribute+`"`).total() != 0 || c.find("Users", `id eq "`+id+`"`).total() != 0 {
			t.Errorf("%s is found", name)
		}
	}
	c.post("/Users", person(unlike("p"), object{"externalId": "77"})).wantError(http.StatusConflict, "uniqueness")
	groupID := d.read(groupDN, "entryUUID")[0]
	c.post("/Groups", group("staff")).wantError(http.StatusConflict, "uniqueness")
	c.get("/Groups/" + groupID).want(http.StatusNotFound)
	c.put("/Groups/"+groupID, group("staff")).want(http.StatusNotFound)
	c.patch("/Groups/"+groupID, object{"op": "remove", "path": "members"}).want(http.StatusNotFound)
	c.patch("/Groups/"+groupID, object{"op": "replace", "path": "displayName", "value": "x"}).want(http.StatusNotFound)
	c.delete("/Groups/" + groupID).want(http.StatusNotFound)
	if a := c.get("/Users").want(http.StatusOK); a.total() != 0 {
		t.Errorf("the list has %s", a.raw)
	}
	id := c.create(person("ann"))
	c.put("/Users/"+id, person("service")).wantError(http.StatusConflict, "uniqueness")
	for name, was := range before {
		if diff := cmp.Diff(was, snapshot(d, name)); diff != "" {
			t.Errorf("%s was changed: %s", name, diff)
		}
	}
}

// snapshot is everything that an entry holds, its change number too.
func snapshot(d *tree, dn string) map[string][]string {
	d.t.Helper()
	for _, e := range d.search("(objectClass=*)") {
		if strings.EqualFold(e.DN, dn) {
			return maps.Clone(without(e))
		}
	}
	d.t.Fatalf("%s is gone", dn)
	return nil
}

// An empty PUT and one that changes nothing write nothing: the version stays.
func TestNothingToDoWritesNothing(t *testing.T) {
	t.Parallel()
	g := shared(t)
	c, d := g.client(t), g.tree(t)
	name := unlike("same")
	p := person(name, object{"externalId": name, "title": "x"})
	id := c.create(p)
	team := c.createGroup(unlike("team"), id)
	user, grp := d.entry(id), d.entry(team)
	c.put("/Users/"+id, p).want(http.StatusOK)
	c.patch("/Users/"+id, object{"op": "replace", "path": "title", "value": "x"}).want(http.StatusOK)
	c.patch("/Users/"+id, object{"op": "replace", "value": object{"active": true}}).want(http.StatusOK)
	c.patch("/Users/"+id, object{"op": "remove", "path": "nickName"}).want(http.StatusOK)
	c.put("/Groups/"+team, group(grp.GetAttributeValue("cn"), id)).want(http.StatusOK)
	if diff := cmp.Diff(without(user), without(d.entry(id))); diff != "" {
		t.Errorf("the person was written: %s", diff)
	}
	if diff := cmp.Diff(without(grp), without(d.entry(team))); diff != "" {
		t.Errorf("the group was written: %s", diff)
	}
}

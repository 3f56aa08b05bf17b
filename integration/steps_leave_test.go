//go:build integration

package integration

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// leaving is a site whose inactive people leave their groups, with somebody in
// some of them.
func leaving(t *testing.T, groups ...string) (c *client, d *tree, id string, teams []string) {
	t.Helper()
	g := serve(t, stepped(lockStep, leaveStep))
	c, d = g.client(t), g.tree(t)
	id = c.create(person("ann", object{"password": oldPass}))
	for _, name := range groups {
		teams = append(teams, c.createGroup(name, id))
	}
	return c, d, id, teams
}

func off(c *client, id string) {
	c.t.Helper()
	c.do("PATCH", "/Users/"+id, []byte(oktaOff)).want(http.StatusOK)
}
func on(c *client, id string) {
	c.t.Helper()
	c.do("PATCH", "/Users/"+id, []byte(entraOn)).want(http.StatusOK)
}

// in says which of the groups somebody is in.
func in(c *client, id string, teams ...string) []bool {
	c.t.Helper()
	all := make([]bool, len(teams))
	for i, team := range teams {
		all[i] = slices.Contains(c.get("/Groups/"+team).members(), id)
	}
	return all
}

// Whoever is inactive is in no group of the tenant; whoever is active again is
// in those that the gateway took them out of. Groups of others stay what they are.
func TestLeavingAndRejoining(t *testing.T) {
	t.Parallel()
	c, d, id, teams := leaving(t, "red", "green")
	other := c.create(person("other"))
	c.patch("/Groups/"+teams[1], object{"op": "add", "path": "members", "value": []object{{"value": other}}}).want(http.StatusNoContent)
	dn := d.entry(id).DN
	foreign := d.foreignGroup("foreign", dn)
	for range 2 {
		off(c, id)
		off(c, id)
		if got := in(c, id, teams...); slices.Contains(got, true) || !d.hasMember(foreign, dn) || c.get("/Users/"+id).at("$.groups") != nil {
			t.Fatalf("inactive, and a member: %v", got)
		}
		c.put("/Users/"+id, person("ann", object{"active": false, "title": "x"})).want(http.StatusOK)
		on(c, id)
		if got := in(c, id, teams...); slices.Contains(got, false) || !slices.Contains(in(c, other, teams[1]), true) {
			t.Fatalf("active again: %v", got)
		}
		if state := d.entry(id).GetAttributeValue("scimState"); strings.Contains(state, "left") {
			t.Errorf("a note is left: %s", state)
		}
	}
	// An administrator adds somebody inactive by hand: the next write mends it,
	// and they come back into that group too.
	off(c, id)
	d.put("cn=green,ou=groups,dc=example,dc=org", "member", dn)
	off(c, id)
	if d.hasMember("cn=green,ou=groups,dc=example,dc=org", dn) {
		t.Error("added by hand while inactive, and still a member after a write")
	}
	// A group that is deleted meanwhile is none to come back to.
	c.delete("/Groups/" + teams[0]).want(http.StatusNoContent)
	on(c, id)
	if got := in(c, id, teams[1]); !got[0] {
		t.Error("a group that is no more kept somebody out of another")
	}
	// Who is deleted comes back to no group.
	off(c, id)
	c.delete("/Users/" + id).want(http.StatusNoContent)
	if state := d.entry(id).GetAttributeValue("scimState"); strings.Contains(state, "left") {
		t.Errorf("a tombstone has notes: %s", state)
	}
}

// removals are the ways in which somebody is taken out of a group.
func removals(c *client, team, name, id string) map[string]func() *answer {
	one := []object{{"value": id}}
	return map[string]func() *answer{
		"PATCH remove with a value": func() *answer {
			return c.patch("/Groups/"+team, object{"op": "remove", "path": "members", "value": one})
		},
		"PATCH remove with a filter": func() *answer {
			return c.patch("/Groups/"+team, object{"op": "remove", "path": `members[value eq "` + id + `"]`})
		},
		"PATCH remove all": func() *answer { return c.patch("/Groups/"+team, object{"op": "remove", "path": "members"}) },
		"PATCH replace": func() *answer {
			return c.patch("/Groups/"+team, object{"op": "replace", "path": "members", "value": []object{}})
		},
		"PATCH remove and a name": func() *answer {
			return c.patch("/Groups/"+team, object{"op": "remove", "path": "members", "value": one}, object{"op": "replace", "path": "displayName", "value": name + "x"})
		},
		"PUT without": func() *answer { return c.put("/Groups/"+team, group(name)) },
		"capitals": func() *answer {
			return c.patch("/Groups/"+team, object{"op": "remove", "path": "members", "value": []object{{"value": strings.ToUpper(id)}}})
		},
	}
}

// Whom the identity provider removes from a group while they are inactive does
// not come back into it, and into the others they do.
func TestRemovedMeanwhileStaysOut(t *testing.T) {
	t.Parallel()
	c, _, id, _ := leaving(t)
	kept := c.createGroup("kept", id)
	for way := range removals(nil, "", "", "") {
		name := unlike("team")
		team := c.createGroup(name, id)
		off(c, id)
		removals(c, team, name, id)[way]().want(http.StatusOK, http.StatusNoContent)
		on(c, id)
		if got := in(c, id, team, kept); got[0] || !got[1] {
			t.Errorf("%s: in the group and another: %v", way, got)
		}
	}
}

// Nobody inactive is put into a group: it waits for them.
func TestAddedMeanwhileWaits(t *testing.T) {
	t.Parallel()
	c, d, id, _ := leaving(t)
	other := c.create(person("other"))
	one := []object{{"value": id}}
	for way, add := range map[string]func(team, name string) *answer{
		"PATCH add": func(team, _ string) *answer {
			return c.patch("/Groups/"+team, object{"op": "add", "path": "members", "value": one})
		},
		"PATCH add twice": func(team, _ string) *answer {
			c.patch("/Groups/"+team, object{"op": "add", "path": "members", "value": one}).want(http.StatusNoContent)
			return c.patch("/Groups/"+team, object{"op": "add", "path": "members", "value": one})
		},
		"PATCH replace": func(team, _ string) *answer {
			return c.patch("/Groups/"+team, object{"op": "replace", "path": "members", "value": []object{{"value": id}, {"value": other}}})
		},
		"PATCH add and a name": func(team, name string) *answer {
			return c.patch("/Groups/"+team, object{"op": "add", "path": "members", "value": one}, object{"op": "replace", "path": "displayName", "value": name + "x"})
		},
		"PUT": func(team, name string) *answer { return c.put("/Groups/"+team, group(name, id, other)) },
	} {
		name := unlike("team")
		off(c, id)
		team := c.createGroup(name, other)
		add(team, name).want(http.StatusOK, http.StatusNoContent)
		if got := in(c, id, team); got[0] {
			t.Errorf("%s: inactive, and in the group", way)
		}
		// A member beside does not matter.
		c.patch("/Groups/"+team, object{"op": "add", "path": "members", "value": []object{{"value": other}}}).want(http.StatusNoContent)
		on(c, id)
		if got := in(c, id, team); !got[0] {
			t.Errorf("%s: active, and not in the group", way)
		}
	}
	off(c, id)
	made := c.createGroup(unlike("made"), id, other)
	if got := in(c, id, made); got[0] {
		t.Error("in a group that was made while they were inactive")
	}
	on(c, id)
	if got := in(c, id, made); !got[0] {
		t.Error("not in a group that was made while they were inactive")
	}
	// Added and removed again while inactive.
	off(c, id)
	brief := c.createGroup(unlike("brief"))
	c.patch("/Groups/"+brief, object{"op": "add", "path": "members", "value": one}).want(http.StatusNoContent)
	c.patch("/Groups/"+brief, object{"op": "remove", "path": "members", "value": one}).want(http.StatusNoContent)
	on(c, id)
	if got := in(c, id, brief); got[0] {
		t.Error("added and removed while inactive, and a member")
	}
	if d.opens(id, oldPass) != true {
		t.Error("does not get in")
	}
}

// All kinds of step go together: somebody in many groups is locked, moved, taken
// out and scrambled by one request, and one brings back what can come back.
func TestAllStepsTogether(t *testing.T) {
	t.Parallel()
	g := serve(t, stepped(lockStep, `set: {ldap: loginShell, inactive: /bin/false}`, `bit: {ldap: shadowFlag, bit: 2}`, moveStep, leaveStep, scrambleStep))
	c, d := g.client(t), g.tree(t)
	id := c.create(person("ann", object{"password": oldPass}))
	var teams []string
	for i := range 60 {
		teams = append(teams, c.createGroup(fmt.Sprintf("team%d", i), id))
	}
	off(c, id)
	e := d.entry(id)
	if e.DN != "uid=ann,"+disabledOU || e.GetAttributeValue("loginShell") != "/bin/false" || e.GetAttributeValue("shadowFlag") != "2" ||
		slices.Contains(in(c, id, teams...), true) || d.opens(id, oldPass) {
		t.Errorf("inactive: %s %v", e.DN, without(e))
	}
	c.patch("/Users/"+id, object{"op": "replace", "value": object{"active": true, "password": newPas, "userName": "anna"}}).want(http.StatusOK)
	e = d.entry(id)
	if e.DN != "uid=anna,ou=people,dc=example,dc=org" || e.GetAttributeValue("loginShell") != "" || e.GetAttributeValue("shadowFlag") != "0" ||
		slices.Contains(in(c, id, teams...), false) || !d.opens(id, newPas) {
		t.Errorf("active: %s %v", e.DN, without(e))
	}
	// A Bulk of both.
	a := c.post("/Bulk", object{"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:BulkRequest"}, "Operations": []object{
		{"method": "PATCH", "path": "/Users/" + id, "data": object{"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:PatchOp"},
			"Operations": []object{{"op": "replace", "path": "active", "value": false}}}},
		{"method": "PATCH", "path": "/Groups/" + teams[0], "data": object{"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:PatchOp"},
			"Operations": []object{{"op": "remove", "path": "members", "value": []object{{"value": id}}}}}},
	}}).want(http.StatusOK)
	on(c, id)
	if got := in(c, id, teams[:2]...); got[0] || !got[1] {
		t.Errorf("after a Bulk in the groups: %v\n%s", got, a.raw)
	}
}

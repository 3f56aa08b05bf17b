//go:build integration

package integration

import (
	"fmt"
	"slices"
	"testing"
)

const posixCounters = `dn: cn=uidNext,dc=example,dc=org
objectClass: top
objectClass: organizationalRole
objectClass: extensibleObject
cn: uidNext
uidNumber: 10000

dn: cn=gidNext,dc=example,dc=org
objectClass: top
objectClass: organizationalRole
objectClass: extensibleObject
cn: gidNext
gidNumber: 20000
`

// Groups of RFC 2307 list people by the name of their account. To SCIM they are
// groups as any others.
func TestGroupsOfRFC2307(t *testing.T) {
	s := usual()
	s.Template, s.Entries = "posix.yaml", posixCounters
	c := serve(t, s)
	api, tree := c.client(t), c.tree(t)
	ann, bob := unlike("ann"), unlike("bob, jr.")
	a, b := api.create(person(ann)), api.create(person(bob))
	g := api.createGroup(unlike("staff"), a, b)
	dn := tree.entry(g).DN
	lists := func(when string, names ...string) {
		t.Helper()
		got := slices.Sorted(slices.Values(tree.read(dn, "memberUid")))
		slices.Sort(names)
		if !slices.Equal(got, names) {
			t.Errorf("%s: the group lists %q, wanted %q", when, got, names)
		}
	}
	shows := func(when string, ids ...string) {
		t.Helper()
		got := slices.Sorted(slices.Values(api.get("/Groups/" + g).want(200).members()))
		slices.Sort(ids)
		if !slices.Equal(got, ids) {
			t.Errorf("%s: the group shows %q, wanted %q", when, got, ids)
		}
	}
	lists("created", ann, bob)
	shows("created", a, b)
	if in := api.get("/Users/" + a).want(200).text("$.groups[0].value"); in != g {
		t.Errorf("a member's groups: %q", in)
	}
	if found := api.find("Groups", fmt.Sprintf("members eq %q", b)).want(200); !slices.Equal(found.ids(), []string{g}) {
		t.Errorf("groups of a member: %v", found.ids())
	}

	// Whom somebody else has put there stays, and nobody of that name inherits the place.
	tree.put(dn, "memberUid", "stranger")
	shows("with a stranger", a, b)
	api.put("/Groups/"+g, group(api.get("/Groups/"+g).text("$.displayName"), a)).want(200)
	lists("replaced", ann, "stranger")
	api.patch("/Groups/"+g, object{"op": "add", "path": "members", "value": values(a, b)}).want(204)
	lists("patched", ann, bob, "stranger")
	api.patch("/Groups/"+g, object{"op": "remove", "path": "members", "value": values(b)}).want(204)
	lists("one less", ann, "stranger")
	stranger := api.create(person("stranger"))
	lists("the stranger came", ann)
	if groups := api.get("/Users/" + stranger).want(200).at("$.groups"); groups != nil {
		t.Errorf("a newcomer has inherited groups: %v", groups)
	}

	// A rename takes the value along, a delete takes it away.
	renamed := unlike("anna")
	api.patch("/Users/"+a, object{"op": "replace", "path": "userName", "value": renamed}).want(200)
	lists("renamed", renamed)
	shows("renamed", a)
	api.delete("/Users/" + a).want(204)
	lists("deleted")
	shows("deleted")
	if number := tree.read(dn, "gidNumber"); !slices.Equal(number, []string{"20000"}) {
		t.Errorf("gidNumber %v", number)
	}
}

// Such a group also knows whom deactivation has moved out of the base, and whom
// the gateway has taken over under a name that is made of another attribute.
func TestGroupsOfRFC2307KnowTheMovedAndTheAdopted(t *testing.T) {
	t.Parallel()
	s := usual()
	s.Template, s.Entries = "posix.yaml", posixCounters+"\ndn: "+disabledOU+"\nobjectClass: organizationalUnit\nou: disabled\n"
	s.Deactivate = []string{`move: {to: "` + disabledOU + `"}`}
	s.OnExisting = `{adopt: {by: [userName], filter: "(employeeType=staff)"}}`
	s.Delete = "remove"
	c := serve(t, s)
	api, d := c.client(t), c.tree(t)
	ann := api.create(person("ann"))
	g := api.createGroup("staff", ann)
	dn := d.entry(g).DN
	lists := func(when string, names ...string) {
		t.Helper()
		if got := sorted(d.read(dn, "memberUid")...); !slices.Equal(got, sorted(names...)) {
			t.Errorf("%s: the group lists %q, wanted %q", when, got, names)
		}
	}
	api.patch("/Users/"+ann, object{"op": "replace", "path": "active", "value": false}).want(200)
	if got := d.entry(ann).DN; got != "uid=ann,"+disabledOU {
		t.Fatalf("not moved: %s", got)
	}
	if m := api.get("/Groups/" + g).members(); !slices.Equal(m, []string{ann}) {
		t.Errorf("moved, and the members are %v", m)
	}
	api.patch("/Users/"+ann, object{"op": "replace", "path": "active", "value": true}).want(200)
	if m := api.get("/Groups/" + g).members(); !slices.Equal(m, []string{ann}) {
		t.Errorf("back, and the members are %v", m)
	}
	api.patch("/Users/"+ann, object{"op": "replace", "path": "active", "value": false}).want(200)
	lists("gone again", "ann")
	api.put("/Groups/"+g, group("staff")).want(200)
	lists("emptied")

	old := "cn=Bob Old,ou=people,dc=example,dc=org"
	d.add(old, map[string][]string{
		"objectClass": {"inetOrgPerson", "posixAccount"}, "cn": {"Bob Old"}, "uid": {"bob"}, "sn": {"Old"}, "employeeType": {"staff"},
		"uidNumber": {"4000"}, "gidNumber": {"100"}, "homeDirectory": {"/home/bob"},
	})
	bob := api.post("/Users", person("bob")).want(201).id()
	if got := d.entry(bob).DN; got != old {
		t.Fatalf("not adopted: %s", got)
	}
	api.patch("/Groups/"+g, object{"op": "add", "path": "members", "value": values(bob)}).want(204)
	lists("bob came", "bob")
	if m := api.get("/Groups/" + g).members(); !slices.Equal(m, []string{bob}) {
		t.Errorf("the members are %v", m)
	}
	if in := api.get("/Users/" + bob).want(200).text("$.groups[0].value"); in != g {
		t.Errorf("bob's groups: %q", in)
	}
	api.patch("/Groups/"+g, object{"op": "remove", "path": "members", "value": values(bob)}).want(204)
	lists("bob went")
	api.put("/Groups/"+g, group("staff", bob)).want(200)
	lists("bob is back", "bob")
	api.patch("/Users/"+bob, object{"op": "replace", "path": "userName", "value": "robert"}).want(200)
	lists("bob is called robert", "robert")
	api.delete("/Users/" + bob).want(204)
	lists("bob is released")
}

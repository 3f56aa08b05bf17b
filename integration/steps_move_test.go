//go:build integration

package integration

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

// Somebody who was moved is found by everything that finds people, once: lists,
// filters, look-ups, the check of unique values, groups, managers.
func TestMovedPeopleAreFound(t *testing.T) {
	t.Parallel()
	for name, place := range map[string]string{"beside the base": disabledOU, "below the base": "ou=disabled,ou=people,dc=example,dc=org"} {
		for _, overlays := range [][]string{nil, {"refint", "memberof"}} {
			t.Run(name+" "+strings.Join(overlays, " "), func(t *testing.T) {
				t.Parallel()
				s := stepped(lockStep, `move: {to: "`+place+`"}`)
				s.Overlays = overlays
				s.Entries = strings.ReplaceAll(s.Entries, disabledOU, place)
				g := serve(t, s)
				c, d := g.client(t), g.tree(t)
				boss := c.create(person("boss"))
				id := c.create(person("ann", object{"externalId": "x1", enterpriseURN: object{"manager": object{"value": boss}}}))
				report := c.create(person("report", object{enterpriseURN: object{"manager": object{"value": id}}}))
				team := c.createGroup("team", id, report)
				c.patch("/Users/"+id, object{"op": "replace", "path": "active", "value": false}).want(http.StatusOK)
				c.patch("/Users/"+boss, object{"op": "replace", "path": "active", "value": false}).want(http.StatusOK)
				if dn := d.entry(id).DN; dn != "uid=ann,"+place {
					t.Fatalf("not moved: %s", dn)
				}
				for _, filter := range []string{`userName eq "ann"`, `externalId eq "x1"`, `active eq false and userName sw "a"`,
					`groups.value eq "` + team + `" and userName eq "ann"`, `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value eq "` + boss + `"`} {
					if a := c.find("Users", filter); !slices.Equal(a.ids(), []string{id}) {
						t.Errorf("%s finds %v", filter, a.ids())
					}
				}
				if a := c.get("/Users"); a.total() != 3 || len(a.ids()) != 3 {
					t.Errorf("the list has %d: %v", a.total(), a.ids())
				}
				if a := c.get("/Users?sortBy=userName&count=1&startIndex=2"); a.total() != 3 {
					t.Errorf("a page has %d", a.total())
				}
				c.post("/Users", person("ann")).wantError(http.StatusConflict, "uniqueness")
				c.post("/Users", person("other", object{"externalId": "x1"})).wantError(http.StatusConflict, "uniqueness")
				if m := c.get("/Groups/" + team).members(); !slices.Equal(sorted(m...), sorted(id, report)) {
					t.Errorf("members are %v", m)
				}
				if got := manages(c, id); got != boss {
					t.Errorf("the manager is %q", got)
				}
				if got := manages(c, report); got != id {
					t.Errorf("the manager of the report is %q", got)
				}
				// References follow a rename in the place, and one from there.
				c.patch("/Users/"+boss, object{"op": "replace", "path": "userName", "value": "chief"}).want(http.StatusOK)
				if got := manages(c, id); got != boss || d.entry(boss).DN != "uid=chief,"+place {
					t.Errorf("after a rename the manager is %q, %s", got, d.entry(boss).DN)
				}
				c.patch("/Users/"+id, object{"op": "replace", "value": object{"active": true, "userName": "anna"}}).want(http.StatusOK)
				if dn := d.entry(id).DN; dn != "uid=anna,ou=people,dc=example,dc=org" {
					t.Errorf("came back as %s", dn)
				}
				if m := c.get("/Groups/" + team).members(); !slices.Equal(sorted(m...), sorted(id, report)) || manages(c, report) != id || manages(c, id) != boss {
					t.Errorf("back, and the members are %v", m)
				}
				// A tombstone lies there, gives up its name there, and comes back home.
				c.delete("/Users/" + id).want(http.StatusNoContent)
				if c.get("/Users").total() != 2 || !strings.HasSuffix(d.entry(id).DN, place) {
					t.Errorf("deleted: %s", d.entry(id).DN)
				}
				c.create(person("anna", object{"externalId": "x2"}))
				if back := c.create(person("ann3", object{"externalId": "x1"})); back != id || d.entry(id).DN != "uid=ann3,ou=people,dc=example,dc=org" {
					t.Errorf("revived as %s, %s", back, d.entry(id).DN)
				}
			})
		}
	}
}

func sorted(ids ...string) []string { return slices.Sorted(slices.Values(ids)) }

// manages is the id of somebody's manager.
func manages(c *client, id string) string {
	c.t.Helper()
	e, _ := c.get("/Users/" + id).body[enterpriseURN].(map[string]any)
	m, _ := e["manager"].(map[string]any)
	v, _ := m["value"].(string)
	return v
}

// Somebody comes back to where they were, if it is still there and the gateway
// took them away.
func TestComingBackFromTheirPlace(t *testing.T) {
	t.Parallel()
	s := stepped(lockStep, moveStep)
	sales := "ou=sales,ou=people,dc=example,dc=org"
	s.Entries += "\ndn: " + sales + "\nobjectClass: organizationalUnit\nou: sales\n"
	g := serve(t, s)
	c, d := g.client(t), g.tree(t)
	id := c.create(person("ann", object{"password": oldPass}))
	set := switchers(c, id, "ann")["PATCH"]
	at := func(when, dn string) {
		t.Helper()
		if got := d.entry(id).DN; got != dn {
			t.Errorf("%s: %s, want %s", when, got, dn)
		}
	}
	d.move(d.entry(id).DN, sales)
	set(false).want(http.StatusOK)
	at("moved", "uid=ann,"+disabledOU)
	set(true).want(http.StatusOK)
	at("came back", "uid=ann,"+sales)

	set(false).want(http.StatusOK)
	d.add("ou=left,"+disabledOU, map[string][]string{"objectClass": {"organizationalUnit"}, "ou": {"left"}})
	d.move(d.entry(id).DN, "ou=left,"+disabledOU)
	set(false).want(http.StatusOK)
	at("an administrator keeps order", "uid=ann,ou=left,"+disabledOU)
	set(true).want(http.StatusOK)
	at("came back from an order", "uid=ann,"+sales)

	set(false).want(http.StatusOK)
	d.move(d.entry(id).DN, "ou=people,dc=example,dc=org") // by hand
	set(true).want(http.StatusOK)
	at("moved out by hand", "uid=ann,ou=people,dc=example,dc=org")

	d.move(d.entry(id).DN, disabledOU) // by hand
	set(false).want(http.StatusOK)
	set(true).want(http.StatusOK)
	at("moved away by hand", "uid=ann,"+disabledOU)
	if !d.opens(id, oldPass) {
		t.Error("the lock stayed with the place")
	}

	d.move(d.entry(id).DN, sales)
	set(false).want(http.StatusOK)
	if err := d.remove(sales); err != nil {
		t.Fatal(err)
	}
	set(true).want(http.StatusOK)
	at("the place is no more", "uid=ann,ou=people,dc=example,dc=org")
}

// Where names have to be unique, a stranger with the name in the place keeps
// somebody at home, locked; the next write takes them away once it is free.
func TestTakenNameKeepsNobodyUnlocked(t *testing.T) {
	t.Parallel()
	g := serve(t, stepped(lockStep, moveStep))
	c, d := g.client(t), g.tree(t)
	id := c.create(person("ann", object{"password": oldPass}))
	stranger := "uid=ann," + disabledOU
	d.add(stranger, map[string][]string{"objectClass": {"inetOrgPerson"}, "uid": {"ann"}, "cn": {"x"}, "sn": {"x"}})
	a := c.do("PATCH", "/Users/"+id, []byte(oktaOff)).want(http.StatusOK)
	if a.at("$.active") != false || d.opens(id, oldPass) || !strings.HasSuffix(d.entry(id).DN, ",ou=people,dc=example,dc=org") {
		t.Errorf("%s: %s", d.entry(id).DN, a.raw)
	}
	if !strings.Contains(g.log.String(), "name is taken there") {
		t.Error("the log does not say why the move is missing")
	}
	if err := d.remove(stranger); err != nil {
		t.Fatal(err)
	}
	c.do("PATCH", "/Users/"+id, []byte(oktaOff)).want(http.StatusOK)
	if d.entry(id).DN != stranger {
		t.Errorf("not moved later: %s", d.entry(id).DN)
	}
	c.do("PATCH", "/Users/"+id, []byte(entraOn)).want(http.StatusOK)
	if !d.opens(id, oldPass) || d.entry(id).DN != "uid=ann,ou=people,dc=example,dc=org" {
		t.Errorf("activated: %s", d.entry(id).DN)
	}
}

// Where names may be shared, whoever comes second takes a spare name in the
// place, is shown under their own, and gets it back at home if it is free.
func TestNamesakesMeetInThePlace(t *testing.T) {
	t.Parallel()
	s := stepped(lockStep, moveStep)
	s.RDN = "cn"
	g := serve(t, s)
	c, d := g.client(t), g.tree(t)
	const home = ",ou=people,dc=example,dc=org"
	d.add("cn=John Smith,"+disabledOU, map[string][]string{"objectClass": {"inetOrgPerson"}, "cn": {"John Smith"}, "sn": {"x"}, "uid": {"js0"}})
	d.move("cn=John Smith,"+disabledOU, "dc=example,dc=org") // out of sight of the check for unique names
	john := object{"displayName": "John Smith", "password": oldPass}
	id := c.create(person("js1", john))
	d.move("cn=John Smith,dc=example,dc=org", disabledOU)
	off := func() { c.do("PATCH", "/Users/"+id, []byte(oktaOff)).want(http.StatusOK) }
	on := func() { c.do("PATCH", "/Users/"+id, []byte(entraOn)).want(http.StatusOK) }
	off()
	spare := "cn=John Smith-" + id
	if dn := d.entry(id).DN; dn != spare+","+disabledOU || d.opens(id, oldPass) {
		t.Errorf("moved as %s", dn)
	}
	c.patch("/Users/"+id, object{"op": "replace", "path": "title", "value": "x"}).want(http.StatusOK)
	off()
	if dn := d.entry(id).DN; dn != spare+","+disabledOU || c.get("/Users/"+id).at("$.displayName") != "John Smith" {
		t.Errorf("another write made it %s", dn)
	}
	on()
	if dn := d.entry(id).DN; dn != "cn=John Smith"+home || !d.opens(id, oldPass) {
		t.Errorf("came back as %s", dn)
	}
	// Another has the name at home meanwhile.
	off()
	d.add("cn=John Smith"+home, map[string][]string{"objectClass": {"inetOrgPerson"}, "cn": {"John Smith"}, "sn": {"x"}, "uid": {"js2"}})
	on()
	if dn := d.entry(id).DN; dn != spare+home || !d.opens(id, oldPass) {
		t.Errorf("came back to a namesake as %s", dn)
	}
	c.put("/Users/"+id, person("js1", object{"displayName": "John Smith"})).want(http.StatusOK)
	if dn := d.entry(id).DN; dn != spare+home {
		t.Errorf("a write of the same made it %s", dn)
	}
	c.put("/Users/"+id, person("js1", object{"displayName": "Jack Smith"})).want(http.StatusOK)
	if dn := d.entry(id).DN; dn != "cn=Jack Smith"+home {
		t.Errorf("another name made it %s", dn)
	}
}

// The place has to be there, and the configuration has to name it as it is.
func TestPlaceThatIsMissing(t *testing.T) {
	t.Parallel()
	s := stepped(lockStep, `move: {to: "ou=nowhere,dc=example,dc=org"}`)
	server := startSlapd(t, s)
	code, _, stderr := run(t, "serve", "--config", s.write(t, t.TempDir(), server))
	if code != 2 || !strings.Contains(stderr, "ou=nowhere") || !strings.Contains(stderr, "deactivate") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}

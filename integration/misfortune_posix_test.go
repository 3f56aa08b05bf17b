//go:build integration

package integration

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// misfortunate is a directory of RFC 2307 in front of which people are moved when
// they are inactive.
func misfortunate(t *testing.T, steps ...string) *company {
	t.Helper()
	s := stepped(steps...)
	s.Template = "misfortune.yaml"
	s.GroupClass, s.Member, s.EmptyMember = "posixGroup", "memberUid", ""
	s.Entries += "\n" + posixCounters
	return serve(t, s)
}

// A group lists by a value whoever is moved, with the same value before and after.
func TestMovedPeopleKeepGroupsOfRFC2307(t *testing.T) {
	t.Parallel()
	for name, leaves := range map[string]bool{"leaving": true, "staying": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			steps := []string{lockStep, moveStep}
			if leaves {
				steps = append(steps, leaveStep)
			}
			g := misfortunate(t, steps...)
			c, d := g.client(t), g.tree(t)
			id := c.create(person("ann", object{"password": oldPass}))
			team := c.createGroup("team", id)
			dn := d.entry(team).DN
			for range 2 {
				off(c, id)
				if got := d.read(dn, "memberUid"); slices.Equal(got, []string{"ann"}) == leaves {
					t.Errorf("inactive, and the group lists %v", got)
				}
				on(c, id)
				if got := d.read(dn, "memberUid"); !slices.Equal(got, []string{"ann"}) || !d.opens(id, oldPass) {
					t.Errorf("active again, and the group lists %v", got)
				}
			}
		})
	}
}

// A name that changes in nothing but case is another value of memberUid.
func TestRenamedByCaseInGroupsOfRFC2307(t *testing.T) {
	t.Parallel()
	g := misfortunate(t, lockStep)
	c, d := g.client(t), g.tree(t)
	id := c.create(person("ann"))
	team := c.createGroup("team", id)
	c.patch("/Users/"+id, object{"op": "replace", "path": "userName", "value": "Ann"}).want(http.StatusOK)
	if got := d.read(d.entry(team).DN, "memberUid"); !slices.Equal(got, []string{"Ann"}) {
		t.Errorf("the group lists %v", got)
	}
	if in := c.get("/Users/" + id).text("$.groups[0].value"); in != team {
		t.Errorf("is in %q", in)
	}
}

// Others have listed somebody in other spellings: a list without them ends them all.
func TestOtherSpellingsInGroupsOfRFC2307(t *testing.T) {
	t.Parallel()
	g := misfortunate(t, lockStep)
	c, d := g.client(t), g.tree(t)
	ann, bob := c.create(person("Ann")), c.create(person("bob"))
	team := c.createGroup("team", bob)
	dn := d.entry(team).DN
	d.put(d.entry(bob).DN, "uid", "robert") // which names nobody
	d.set(dn, "memberUid", "ann", "ANN", "bob", "robert", "stranger")
	c.put("/Groups/"+team, group("team", bob)).want(http.StatusOK)
	if got := slices.Sorted(slices.Values(d.read(dn, "memberUid"))); !slices.Equal(got, []string{"bob", "robert", "stranger"}) {
		t.Errorf("without %s the group lists %v", ann, got)
	}
	c.put("/Groups/"+team, group("team")).want(http.StatusOK)
	if got := slices.Sorted(slices.Values(d.read(dn, "memberUid"))); !slices.Equal(got, []string{"robert", "stranger"}) {
		t.Errorf("without anybody the group lists %v", got)
	}
}

// Somebody inactive who is noted to come from where the tenant's people no longer
// are comes back into the base, where they are found.
func TestComingBackFromAnotherBase(t *testing.T) {
	t.Parallel()
	g := misfortunate(t, lockStep, moveStep)
	c, d := g.client(t), g.tree(t)
	for _, home := range []string{"ou=groups,dc=example,dc=org", "nonsense"} {
		id := c.create(person(unlike("ann"), object{"password": oldPass}))
		off(c, id)
		e := d.entry(id)
		d.set(e.DN, "scimState", strings.Replace(e.GetAttributeValue("scimState"), `"home":"ou=people,dc=example,dc=org"`, `"home":"`+home+`"`, 1))
		on(c, id)
		if dn := d.entry(id).DN; !strings.HasSuffix(dn, ",ou=people,dc=example,dc=org") || !d.opens(id, oldPass) {
			t.Errorf("from %s it came back as %s", home, dn)
		}
		c.get("/Users/" + id).want(http.StatusOK)
	}
}

// A tombstone that comes back inactive under another name is completed by the same
// request, wherever it stopped.
func TestInterruptedRevivalOfTheInactive(t *testing.T) {
	t.Parallel()
	var wire *cutter
	s := stepped(lockStep, moveStep, leaveStep)
	s.Through = func(address string) string {
		wire = newCutter(t, address)
		return wire.listener.Addr().String()
	}
	g := serve(t, s)
	c, d := g.client(t), g.tree(t)
	for _, answered := range []bool{false, true} {
		for n := 1; ; n++ {
			name := unlike("ann")
			id := c.create(person(name, object{"externalId": name}))
			c.delete("/Users/" + id).want(http.StatusNoContent)
			again := person(name+"x", object{"externalId": name, "active": false, "password": newPas})
			wire.after(n, answered)
			a := c.post("/Users", again)
			if !wire.mend() {
				a.want(http.StatusCreated)
				break
			}
			a.want(http.StatusServiceUnavailable)
			awaitDirectory(t, c)
			if a = c.post("/Users", again).want(http.StatusCreated, http.StatusConflict); a.status == http.StatusConflict {
				if found := c.find("Users", `userName eq "`+name+`x"`); !slices.Equal(found.ids(), []string{id}) {
					t.Fatalf("cut at write %d, answered %v: 409, and the name finds %v: %s", n, answered, found.ids(), d.entry(id).DN)
				}
			}
			if d.opens(id, newPas) {
				t.Errorf("cut at write %d, answered %v: gets in", n, answered)
			}
		}
	}
}

// awaitDirectory waits until the gateway has found its directory again.
func awaitDirectory(t *testing.T, c *client) {
	t.Helper()
	for end := time.Now().Add(patience); c.get("/Users?count=0").status != http.StatusOK; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the gateway does not find the directory again")
		}
	}
}

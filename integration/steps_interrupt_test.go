//go:build integration

package integration

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// Wherever a change of state stops, the person has less access than before, and
// never more than after; and the same request completes it. The directory is
// lost at every write of it in turn, before the write and after it.
func TestInterruptedSteps(t *testing.T) {
	t.Parallel()
	var wire *cutter
	s := stepped(lockStep, `set: {ldap: loginShell, inactive: /bin/false}`, moveStep, leaveStep, scrambleStep)
	s.Through = func(address string) string {
		wire = newCutter(t, address)
		return wire.listener.Addr().String()
	}
	g := serve(t, s)
	c, d := g.client(t), g.tree(t)
	const home = ",ou=people,dc=example,dc=org"
	for _, scenario := range []string{"off", "on", "off with a name", "on with a name", "delete", "revive"} {
		for _, answered := range []bool{false, true} {
			for n := 1; ; n++ {
				name := unlike("ann")
				p := person(name, object{"externalId": name, "password": oldPass})
				id := c.create(p)
				teams := []string{c.createGroup(name+"-1", id), c.createGroup(name+"-2", id)}
				request, final := scenarios(c, scenario, id, name, p)
				before := len(d.search("(member=" + d.entry(id).DN + ")"))
				wire.after(n, answered)
				a := request()
				cut := wire.mend()
				if !cut {
					if n < 4 {
						t.Errorf("%s: only %d writes", scenario, n-1)
					}
					a.want(http.StatusOK, http.StatusCreated, http.StatusNoContent)
					break
				}
				where := fmt.Sprintf("%s, cut at write %d, answered %v", scenario, n, answered)
				a.want(http.StatusServiceUnavailable)
				e := d.entry(id)
				groups := len(d.search("(member=" + e.DN + ")"))
				opens := d.canBind(e.DN, oldPass) || d.canBind(e.DN, newPas)
				locks := strings.HasPrefix(scenario, "off") || scenario == "delete"
				switch made := n > 1 || answered; {
				case locks && made && opens:
					t.Errorf("%s: gets in", where)
				case locks && groups > before:
					t.Errorf("%s: is in more groups", where)
				case !locks && opens && (!strings.HasSuffix(e.DN, home) || e.GetAttributeValue("loginShell") == "/bin/false"):
					t.Errorf("%s: gets in as %s with %q", where, e.DN, e.GetAttributeValue("loginShell"))
				case !locks && !opens && groups > 0:
					t.Errorf("%s: is in groups and does not get in", where)
				}
				for end := time.Now().Add(patience); c.get("/Users?count=0").status != http.StatusOK; time.Sleep(5 * time.Millisecond) {
					if time.Now().After(end) {
						t.Fatal("the gateway does not find the directory again")
					}
				}
				if scenario == "delete" && answered && d.entry(id).GetAttributeValue("scimState") != "" && strings.HasPrefix(d.entry(id).GetAttributeValue("scimState"), "scimgate:deleted") {
					request().want(http.StatusNotFound)
				} else if scenario == "revive" && !strings.HasPrefix(d.entry(id).GetAttributeValue("scimState"), "scimgate:del") {
					request().want(http.StatusConflict) // it is there
				} else {
					request().want(http.StatusOK, http.StatusNoContent, http.StatusCreated)
				}
				final(t, where, d, teams)
				if strings.HasPrefix(scenario, "off") { // nothing of what has to come back was lost
					on(c, id)
					if e := d.entry(id); len(d.search("(member="+e.DN+")")) != before || !strings.HasSuffix(e.DN, home) || e.GetAttributeValue("loginShell") != "" {
						t.Errorf("%s: came back as %v", where, without(e))
					}
				}
				if t.Failed() {
					return
				}
			}
		}
	}
}

// scenarios are the requests that change somebody's state, and what has to be
// the case in the end.
func scenarios(c *client, scenario, id, name string, p object) (request func() *answer, final func(*testing.T, string, *tree, []string)) {
	const home, away = ",ou=people,dc=example,dc=org", "," + disabledOU
	ends := func(uid, place string, opens bool, groups int) func(*testing.T, string, *tree, []string) {
		return func(t *testing.T, where string, d *tree, teams []string) {
			t.Helper()
			e := d.entry(id)
			if e.DN != "uid="+uid+place {
				t.Errorf("%s: in the end it is %s", where, e.DN)
			}
			if opens != d.canBind(e.DN, newPas) || d.canBind(e.DN, oldPass) {
				t.Errorf("%s: in the end gets in: %v", where, !opens)
			}
			if got := len(d.search("(member=" + e.DN + ")")); got != groups {
				t.Errorf("%s: in the end it is in %d groups, want %d", where, got, groups)
			}
			if state := e.GetAttributeValue("scimState"); opens && (strings.Contains(state, "left") || strings.Contains(state, "home") || strings.Contains(state, "from")) {
				t.Errorf("%s: in the end the marker is %s", where, state)
			}
		}
	}
	renamed := name + "x"
	switch scenario {
	case "off":
		return func() *answer { return c.do("PATCH", "/Users/"+id, []byte(oktaOff)) }, ends(name, away, false, 0)
	case "off with a name":
		p["userName"], p["active"] = renamed, false
		delete(p, "password")
		return func() *answer { return c.put("/Users/"+id, p) }, ends(renamed, away, false, 0)
	case "delete":
		return func() *answer { return c.delete("/Users/" + id) }, ends(name, away, false, 0)
	case "revive":
		c.delete("/Users/" + id).want(http.StatusNoContent)
		p["password"] = newPas
		return func() *answer { return c.post("/Users", p) }, ends(name, home, true, 0)
	}
	off(c, id)
	p["active"], p["password"] = true, newPas
	if scenario == "on with a name" {
		p["userName"] = renamed
		return func() *answer { return c.put("/Users/"+id, p) }, ends(renamed, home, true, 2)
	}
	return func() *answer { return c.put("/Users/"+id, p) }, ends(name, home, true, 2)
}

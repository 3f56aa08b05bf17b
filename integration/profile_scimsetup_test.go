//go:build integration

package integration

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// What the console SCIM Setup promises, item by item, of a tenant with the rule set
// scimsetup.

const anotherPass = "Another-pass-2026"

// setupPerson is somebody as Okta sends them there: the user name is the address.
func setupPerson(name string, changes ...object) object {
	address := name + "@example.com"
	return person(address, append([]object{{
		"externalId": "00u" + name, "emails": []object{{"type": "work", "primary": true, "value": address}},
	}}, changes...)...)
}

func TestSCIMSetup(t *testing.T) {
	t.Parallel()
	g := ruled(t, "scimsetup")
	for _, item := range []struct {
		name string
		test func(*testing.T, *gate)
	}{
		{"the user name is a mail address", setupAddresses},
		{"who was deleted comes back by the address", setupRevives},
		{"who is there is brought up to date", setupUpdates},
		{"who is deactivated is let in by a create that says so", setupInactive},
		{"a PUT without active lets nobody in", setupReplaceKeepsState},
		{"an address in another case is another's", setupExact},
		{"entries of others are never touched", setupOthers},
		{"two who could be meant are refused", setupTorn},
		{"creates of one person at once", setupAtOnce},
	} {
		t.Run(item.name, func(t *testing.T) { item.test(t, g) })
	}
}

// The transcript of Okta before SCIM Setup is answered as it is without the rule set.
func TestTranscriptUnderTheRuleSetSCIMSetup(t *testing.T) {
	t.Parallel()
	readTranscript(t, filepath.Join("testdata", "transcripts", "scimsetup-okta.json")).replay(t, demo(t, "--profile", "scimsetup"))
}

func setupAddresses(t *testing.T, g *gate) {
	c := g.client(t)
	for _, name := range []string{"ann", "ann@", "ann lee@example.com"} {
		a := c.post("/Users", setupPerson(unlike("ann"), object{"userName": name})).wantError(http.StatusBadRequest, "invalidValue")
		if detail := a.text("$.detail"); !strings.Contains(detail, "userName") || !strings.Contains(detail, "mail address") {
			t.Errorf("the detail is %s", detail)
		}
	}
	id := c.create(setupPerson(unlike("ann")))
	c.patch("/Users/"+id, object{"op": "replace", "path": "userName", "value": "ann"}).wantError(http.StatusBadRequest, "invalidValue")
	c.put("/Users/"+id, object{"active": true}).wantError(http.StatusBadRequest, "invalidValue")
}

func setupRevives(t *testing.T, g *gate) {
	c, d := g.client(t), g.tree(t)
	p := setupPerson(unlike("ann"), object{"title": "Boss"})
	id := c.create(p)
	team := c.createGroup(unlike("team"), id)
	c.delete("/Users/" + id).want(http.StatusNoContent)
	c.get("/Users/" + id).want(http.StatusNotFound)
	delete(p, "title")
	p["externalId"] = "another-" + unlike("id")
	a := c.post("/Users", p).want(http.StatusCreated)
	if a.id() != id || a.text("$.externalId") != p["externalId"] || a.at("$.title") != nil || a.at("$.active") != true {
		t.Errorf("came back as %s, was %s", a.raw, id)
	}
	if got := c.get("/Users/" + id).want(http.StatusOK); got.text("$.externalId") != p["externalId"] {
		t.Errorf("reads as %s", got.raw)
	}
	if members := c.get("/Groups/" + team).want(http.StatusOK).members(); len(members) > 0 {
		t.Errorf("the group has %v again", members)
	}
	if n := len(d.named("uid", p["userName"].(string))); n != 1 {
		t.Errorf("%d entries have the address", n)
	}
	delete(p, "externalId") // whoever is sent without one is found all the same
	c.delete("/Users/" + id).want(http.StatusNoContent)
	if got := c.post("/Users", p).want(http.StatusCreated).id(); got != id {
		t.Errorf("without an externalId %s came, was %s", got, id)
	}
}

func setupUpdates(t *testing.T, g *gate) {
	c, d := g.client(t), g.tree(t)
	p := setupPerson(unlike("ann"), object{"title": "Boss", "password": oldPass})
	id := c.create(p)
	team := c.createGroup(unlike("team"), id)
	c.post("/Users", p).want(http.StatusCreated)
	delete(p, "title")
	p["externalId"], p["displayName"], p["password"] = unlike("other"), "Ann Lee", anotherPass
	a := c.post("/Users", p).want(http.StatusCreated)
	if a.id() != id || a.text("$.displayName") != "Ann Lee" || a.at("$.title") != nil || a.text("$.externalId") != p["externalId"] {
		t.Errorf("brought up to date as %s, was %s", a.raw, id)
	}
	if location := a.header.Get("Location"); !strings.HasSuffix(location, "/Users/"+id) {
		t.Errorf("Location is %s", location)
	}
	if !d.opens(id, oldPass) || d.opens(id, anotherPass) {
		t.Error("a create has changed the password of somebody who was there")
	}
	if members := c.get("/Groups/" + team).want(http.StatusOK).members(); len(members) != 1 {
		t.Errorf("the group has %v", members)
	}
	if n := c.find("/Users", `userName eq "`+p["userName"].(string)+`"`).total(); n != 1 {
		t.Errorf("there are %d", n)
	}
}

func setupInactive(t *testing.T, g *gate) {
	c, d := g.client(t), g.tree(t)
	p := setupPerson(unlike("ann"), object{"password": oldPass})
	id := c.create(p)
	c.do("PATCH", "/Users/"+id, []byte(oktaOff)).want(http.StatusOK)
	p["active"] = false
	if a := c.post("/Users", p).want(http.StatusCreated); a.at("$.active") != false || a.id() != id || d.opens(id, oldPass) {
		t.Errorf("sent as inactive: %s", a.raw)
	}
	delete(p, "active")
	if a := c.post("/Users", p).want(http.StatusCreated); a.at("$.active") != true || a.id() != id || !d.opens(id, oldPass) {
		t.Errorf("sent as new: %s", a.raw)
	}
}

func setupReplaceKeepsState(t *testing.T, g *gate) {
	c, d := g.client(t), g.tree(t)
	p := setupPerson(unlike("ann"), object{"password": oldPass})
	id := c.create(p)
	delete(p, "active")
	delete(p, "password")
	if a := c.put("/Users/"+id, p).want(http.StatusOK); a.at("$.active") != true {
		t.Errorf("active, and now %s", a.raw)
	}
	c.do("PATCH", "/Users/"+id, []byte(oktaOff)).want(http.StatusOK)
	if a := c.put("/Users/"+id, p).want(http.StatusOK); a.at("$.active") != false || d.opens(id, oldPass) {
		t.Errorf("inactive, and now %s", a.raw)
	}
}

func setupExact(t *testing.T, g *gate) {
	c := g.client(t)
	name := unlike("ann")
	id := c.create(setupPerson(name))
	shout := setupPerson(name, object{"userName": strings.ToUpper(name) + "@EXAMPLE.COM", "externalId": unlike("other")})
	c.post("/Users", shout).wantError(http.StatusConflict, "uniqueness")
	c.delete("/Users/" + id).want(http.StatusNoContent)
	if got := c.create(shout); got == id {
		t.Error("the address in another case found the deleted person")
	}
	c.post("/Users", setupPerson(name, object{"userName": unlike("new") + "@example.com", "externalId": "00u" + name})).want(http.StatusCreated)
}

func setupOthers(t *testing.T, g *gate) {
	c, d := g.client(t), g.tree(t)
	for what, attributes := range map[string]map[string][]string{
		"nobody's": {},
		"another tenant's": {"objectClass": here.marked, "scimSource": {"entra"},
			"scimState": {`scimgate:active {"request":"r"}`}},
		"another tenant's tombstone": {"objectClass": here.marked, "scimSource": {"entra"},
			"scimState": {`scimgate:deleted {"request":"r"}`}},
	} {
		name := unlike("ann")
		address := name + "@example.com"
		dn := d.foreignPerson(address, attributes)
		before := d.named("uid", address)[0].GetAttributeValue("entryCSN")
		c.post("/Users", setupPerson(name)).wantError(http.StatusConflict, "uniqueness")
		after := d.named("uid", address)
		if len(after) != 1 || !strings.EqualFold(after[0].DN, dn) || before == "" || after[0].GetAttributeValue("entryCSN") != before {
			t.Errorf("%s: the entry has changed: %v", what, after)
		}
	}
}

func setupTorn(t *testing.T, g *gate) {
	c := g.client(t)
	one, other := setupPerson(unlike("ann")), setupPerson(unlike("bob"))
	first, second := c.create(one), c.create(other)
	mixed := object{"externalId": other["externalId"]}
	p := setupPerson("", one, mixed)
	for range 2 {
		a := c.post("/Users", p).wantError(http.StatusConflict, "uniqueness")
		if detail := a.text("$.detail"); !strings.Contains(detail, "cannot be told") {
			t.Errorf("the detail is %s", detail)
		}
		c.delete("/Users/"+first).want(http.StatusNoContent, http.StatusNotFound)
		c.delete("/Users/"+second).want(http.StatusNoContent, http.StatusNotFound)
	}
	if got := c.create(one); got != first {
		t.Errorf("%s came back, was %s", got, first)
	}
}

func setupAtOnce(t *testing.T, g *gate) {
	c := g.client(t)
	p := setupPerson(unlike("ann"))
	ids := make([]string, 8)
	var all sync.WaitGroup
	for i := range ids {
		all.Go(func() {
			if a, err := c.try("POST", "/Users", p); err != nil || a.status != http.StatusCreated {
				t.Errorf("%v: %+v", err, a)
			} else {
				ids[i] = a.id()
			}
		})
	}
	all.Wait()
	for _, id := range ids {
		if id != ids[0] {
			t.Errorf("they are %v", ids)
		}
	}
}

// A tenant lists the domains of its people, and one token at a time opens it: a new
// one ends the old at once, and no token is kept.
func TestSCIMSetupDomainsAndTokens(t *testing.T) {
	t.Parallel()
	config := filepath.Join(t.TempDir(), "scimgate.yaml")
	g := demo(t, "--profile", "scimsetup", "--config-out", config)
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	const users = "    users:\n"
	if strings.Count(string(text), users) != 1 {
		t.Fatalf("where are the users?\n%s", text)
	}
	narrow := strings.Replace(string(text), users, users+"      rules: {mailDomains: [example.org, Example.net]}\n", 1)
	if err := os.WriteFile(config, []byte(narrow), 0o600); err != nil {
		t.Fatal(err)
	}
	second, err := startServe(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	second.endWith(t)
	second.token = g.token
	c := second.client(t)
	a := c.post("/Users", setupPerson(unlike("ann"))).wantError(http.StatusBadRequest, "invalidValue")
	if detail := a.text("$.detail"); !strings.Contains(detail, "example.org or Example.net") {
		t.Errorf("the detail is %s", detail)
	}
	id := c.create(setupPerson(unlike("ann"), object{"userName": unlike("ann") + "@example.NET"}))
	before := g.client(t).create(setupPerson(unlike("ann"))) // where every domain is
	c.do("PATCH", "/Users/"+before, []byte(oktaOff)).want(http.StatusOK)
	c.patch("/Users/"+id, object{"op": "replace", "path": "userName", "value": unlike("ann") + "@example.com"}).wantError(http.StatusBadRequest, "invalidValue")

	made := makeToken(t, config, "demo")
	eventually(t, "the old token is refused", func() bool {
		a, err := c.try("GET", "/Users/"+id, nil)
		return err == nil && a.status == http.StatusUnauthorized
	})
	second.token = made
	second.client(t).get("/Users/" + id).want(http.StatusOK)
	files, err := filepath.Glob(filepath.Join(stateOf(narrow), "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no state: %v", err)
	}
	err = filepath.WalkDir(stateOf(narrow), func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		kept, err := os.ReadFile(path)
		if strings.Contains(string(kept), made) || strings.Contains(string(kept), g.token) {
			t.Errorf("%s has a token", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// stateOf reads the folder of the state from a configuration.
func stateOf(config string) string {
	_, rest, _ := strings.Cut(config, "\nstateDir: ")
	line, _, _ := strings.Cut(rest, "\n")
	return strings.Trim(line, `"`)
}

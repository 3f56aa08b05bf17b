//go:build integration

package integration

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What Alibaba Cloud CloudSSO is to whoever provisions it, item by item, of a
// tenant with the rule set cloudsso.
func TestCloudSSO(t *testing.T) {
	t.Parallel()
	config := filepath.Join(t.TempDir(), "scimgate.yaml")
	g := demo(t, "--profile", "cloudsso", "--config-out", config)
	for _, item := range []struct {
		name string
		test func(t *testing.T, g *gate, config string)
	}{
		{"an existing user name is left alone", cloudExisting},
		{"people and groups show their source", cloudSource},
		{"no Bulk, Me or .search", cloudOff},
		{"lists of groups have no members", cloudMembers},
		{"who is deleted is disabled, and the name is free", cloudDeleted},
		{"a page has 100", cloudPages},
		{"two credentials", cloudTokens},
		{"the switch", cloudSwitch}, // the last: it makes the others' answers 403
	} {
		t.Run(item.name, func(t *testing.T) { item.test(t, g, config) })
	}
}

func cloudExisting(t *testing.T, g *gate, _ string) {
	c, d := g.client(t), g.tree(t)
	managed := person(unlike("ann"), object{"externalId": unlike("k"), "displayName": "Ann"})
	id := c.create(managed)
	byHand := unlike("hand")
	d.foreignPerson(byHand, nil)
	for _, name := range []string{managed["userName"].(string), byHand, strings.ToUpper(byHand)} {
		before := d.search("(uid="+name+")", "*", "entryCSN")
		c.post("/Users", person(name, object{"externalId": unlike("other"), "displayName": "Somebody else"})).wantError(http.StatusConflict, "uniqueness")
		after := d.search("(uid="+name+")", "*", "entryCSN")
		if len(before) != 1 || len(after) != 1 || after[0].GetAttributeValue("entryCSN") != before[0].GetAttributeValue("entryCSN") {
			t.Errorf("%s has changed: %v", name, after)
		}
	}
	if got := c.get("/Users/" + id).want(http.StatusOK); got.text("$.displayName") != "Ann" {
		t.Errorf("reads as %s", got.raw)
	}
}

func cloudSource(t *testing.T, g *gate, _ string) {
	const urn = "urn:ietf:params:scim:schemas:extension:scimgate:2.0:Provenance"
	c := g.client(t)
	id := c.create(person(unlike("ann")))
	team := c.createGroup(unlike("team"), id)
	for _, path := range []string{"/Users/" + id, "/Groups/" + team} {
		shown, _ := c.get(path).want(http.StatusOK).body[urn].(object)
		if shown["managedBy"] != "scimgate" || shown["source"] != "demo" {
			t.Errorf("%s shows %v", path, shown)
		}
	}
}

func cloudOff(t *testing.T, g *gate, _ string) {
	c := g.client(t)
	for _, path := range []string{"/Bulk", "/.search", "/Users/.search", "/Groups/.search", "/Me"} {
		c.post(path, object{}).wantError(http.StatusNotImplemented, "")
	}
	c.get("/Me").wantError(http.StatusNotImplemented, "")
	config := c.get("/ServiceProviderConfig").want(http.StatusOK)
	if config.at("$.bulk.supported") != false || config.at("$.patch.supported") != true || config.at("$.filter.supported") != true {
		t.Errorf("announced: %s", config.raw)
	}
}

func cloudMembers(t *testing.T, g *gate, _ string) {
	c := g.client(t)
	id := c.create(person(unlike("ann")))
	name := unlike("team")
	team := c.createGroup(name, id)
	for _, query := range []string{"", "?attributes=members", "?filter=displayName%20eq%20%22" + name + "%22"} {
		for _, group := range c.get("/Groups" + query).want(http.StatusOK).resources() {
			if members, ok := group["members"]; ok {
				t.Errorf("%s: a list shows %v", query, members)
			}
		}
	}
	if got := c.get("/Groups/" + team).want(http.StatusOK).members(); len(got) != 1 || got[0] != id {
		t.Errorf("one by one it has %v", got)
	}
	if n := c.find("/Groups", `members eq "`+id+`"`).total(); n != 1 {
		t.Errorf("%d groups are found by the member", n)
	}
}

func cloudDeleted(t *testing.T, g *gate, _ string) {
	c, d := g.client(t), g.tree(t)
	p := person(unlike("ann"), object{"externalId": unlike("k"), "password": oldPass})
	id := c.create(p)
	dn := d.entry(id).DN
	c.delete("/Users/" + id).want(http.StatusNoContent)
	if d.entry(id) == nil || d.canBind(dn, oldPass) {
		t.Error("the entry is gone, or lets somebody in")
	}
	p["externalId"] = unlike("other")
	if got := c.create(p); got == id {
		t.Error("somebody with another externalId got the deleted person's account")
	}
}

func cloudPages(t *testing.T, g *gate, _ string) {
	c := g.client(t)
	for i := range 101 {
		c.create(person(fmt.Sprintf("page-%03d", i)))
	}
	page := c.get("/Users?count=500").want(http.StatusOK)
	if len(page.resources()) != 100 || page.total() < 101 {
		t.Errorf("a page has %d of %d", len(page.resources()), page.total())
	}
	if config := c.get("/ServiceProviderConfig").want(http.StatusOK); fmt.Sprint(config.at("$.filter.maxResults")) != "100" {
		t.Errorf("announced: %s", config.raw)
	}
}

// cloudTokens makes a second credential, which works beside the first, and fails to
// make a third.
func cloudTokens(t *testing.T, g *gate, config string) {
	second := *g
	second.token = makeToken(t, config, "demo")
	eventually(t, "the second token is known", func() bool {
		a, err := second.client(t).try("GET", "/ServiceProviderConfig", nil)
		return err == nil && a.status == http.StatusOK
	})
	g.client(t).get("/ServiceProviderConfig").want(http.StatusOK)
	if code, _, stderr := run(t, "token", "create", "--config", config, "--tenant", "demo"); code == 0 || stderr == "" {
		t.Errorf("a third token: exit code %d, %q", code, stderr)
	}
}

func cloudSwitch(t *testing.T, g *gate, config string) {
	c, d := g.client(t), g.tree(t)
	id := c.create(person(unlike("ann")))
	dn := d.entry(id).DN
	turn := func(to string) {
		t.Helper()
		if code, _, stderr := run(t, "tenant", to, "demo", "--config", config); code != 0 {
			t.Fatalf("tenant %s: exit code %d, %s", to, code, stderr)
		}
	}
	turn("disable")
	eventually(t, "requests are refused", func() bool {
		a, err := c.try("GET", "/Users/"+id, nil)
		return err == nil && a.status == http.StatusForbidden
	})
	c.patch("/Users/"+id, object{"op": "replace", "path": "title", "value": "pushed"}).wantError(http.StatusForbidden, "")
	d.set(dn, "title", "by hand")
	turn("enable")
	eventually(t, "requests are answered", func() bool {
		a, err := c.try("GET", "/Users/"+id, nil)
		return err == nil && a.status == http.StatusOK
	})
	if got := c.get("/Users/" + id).want(http.StatusOK).text("$.title"); got != "by hand" {
		t.Errorf("the title is %q: what was refused came later, or what was done by hand is lost", got)
	}
}

// The limit of the rule set does not raise that of the server.
func TestCloudSSOUnderANarrowerServer(t *testing.T) {
	t.Parallel()
	config := filepath.Join(t.TempDir(), "scimgate.yaml")
	g := demo(t, "--profile", "cloudsso", "--config-out", config)
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	narrow := strings.Replace(string(text), "server:\n", "server:\n  limits: {pageSize: 3}\n", 1)
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
	for range 4 {
		c.create(person(unlike("ann")))
	}
	if page := c.get("/Users").want(http.StatusOK); len(page.resources()) != 3 {
		t.Errorf("a page has %d", len(page.resources()))
	}
}

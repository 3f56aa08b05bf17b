//go:build integration

package integration

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// serveTenants runs a gateway with okta, the primary tenant, and others that are
// declared as okta is, with changes to the text of their own, before one directory.
// It returns a client of each. okta's has the path of the primary tenant. finish
// may change the whole text.
func serveTenants(t *testing.T, s site, others map[string]*strings.Replacer, finish ...func(string) string) (*company, map[string]*client) {
	t.Helper()
	server := startHere(t, s)
	config := s.write(t, t.TempDir(), server)
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	head, okta, _ := strings.Cut(string(text), "tenants:\n")
	okta = strings.Replace(okta, "    primary: true\n", "", 1)
	all := head + "tenants:\n" + strings.Replace(okta, "name: okta\n", "name: okta\n    primary: true\n", 1)
	for name, changes := range others {
		one := strings.Replace(okta, "name: okta\n", "name: "+name+"\n", 1)
		if changes != nil {
			one = changes.Replace(one)
		}
		all += one
	}
	for _, change := range finish {
		all = change(all)
	}
	config = filepath.Join(filepath.Dir(config), "tenants.yaml")
	if err := os.WriteFile(config, []byte(all), 0o600); err != nil {
		t.Fatal(err)
	}
	g, err := startServe(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	g.endWith(t)
	g.of(server, makeToken(t, config, "okta"))
	clients := map[string]*client{"okta": g.client(t)}
	for name := range others {
		c := g.client(t).with("Authorization", "Bearer "+makeToken(t, config, name))
		c.base = g.baseOf(name)
		clients[name] = c
	}
	return &company{gate: g, server: server, config: config}, clients
}

// baseOf is the base URL of a tenant by its own path.
func (g *gate) baseOf(tenant string) string {
	return strings.TrimSuffix(g.base, "/scim/v2") + "/" + tenant + "/scim/v2"
}

// at returns the same client at another base URL.
func (c *client) at(base string) *client {
	other := *c
	other.base = base
	return &other
}

// The primary tenant answers at /scim/v2 and at a path of its own, and shows
// each client the one that it came by.
func TestThePrimaryTenantHasTwoPaths(t *testing.T) {
	t.Parallel()
	g, clients := serveTenants(t, usual(), map[string]*strings.Replacer{"entra": nil})
	primary := clients["okta"]
	own := primary.at(g.baseOf("okta"))
	id := primary.create(person("ann"))
	for _, c := range []*client{primary, own} {
		for _, location := range []string{c.get("/Users/" + id).text("$.meta.location"), c.get("/Users").text("$.Resources[0].meta.location")} {
			if location != c.base+"/Users/"+id {
				t.Errorf("at %s: %s", c.base, location)
			}
		}
		if got := c.get("/ServiceProviderConfig").text("$.meta.location"); got != c.base+"/ServiceProviderConfig" {
			t.Errorf("at %s: %s", c.base, got)
		}
	}
	clients["entra"].get("/Users/" + id).want(404)
	clients["entra"].at(g.base).get("/Users/" + id).want(401)
	primary.at(g.baseOf("nobody")).get("/Users").want(404)
}

// Three tenants in three places: one's people are below another's, one has a
// directory of its own. Each has its own, whatever it is called elsewhere; a name
// is unique below a base.
func TestTenantsInPlacesOfTheirOwn(t *testing.T) {
	t.Parallel()
	far := startHere(t, usual())
	s := usual()
	for _, above := range []string{"ou=people", "ou=groups"} {
		s.Entries += "dn: ou=inner," + above + ",dc=example,dc=org\nobjectClass: organizationalUnit\nou: inner\n\n"
	}
	_, clients := serveTenants(t, s, map[string]*strings.Replacer{
		"inner": strings.NewReplacer("base: ou=people,", "base: ou=inner,ou=people,", "base: ou=groups,", "base: ou=inner,ou=groups,"),
		"far":   strings.NewReplacer("directory: corp", "directory: far"),
	}, func(text string) string {
		head, rest, _ := strings.Cut(text, "  corp:\n")
		flavor, _, _ := strings.Cut(rest, "    urls:")
		return head + "  far:\n" + flavor + "    urls: [" + far.URL() + "]\n    bind: {dn: \"" + far.AdminDN() + "\", password: \"" + far.AdminPassword() + "\"}\n  corp:\n" + rest
	})
	outer, inner, away := clients["okta"], clients["inner"], clients["far"]
	ids := map[*client]string{}
	for _, c := range []*client{outer, inner, away} { // the outer one first: it does not see who comes later
		ids[c] = c.create(person("ann", object{"externalId": "1", "title": "of " + c.base}))
		c.createGroup("team", ids[c])
	}
	for c, own := range ids {
		a := c.get("/Users").want(200)
		if got := a.ids(); len(got) != 1 || got[0] != own {
			t.Errorf("%s has %v", c.base, got)
		}
		if got := c.get("/Groups").want(200); got.total() != 1 {
			t.Errorf("%s has %s", c.base, got.raw)
		}
		for other, id := range ids {
			if other == c {
				continue
			}
			c.get("/Users/" + id).want(404)
			c.put("/Users/"+id, person("ann")).want(404)
			c.delete("/Users/" + id).want(404)
			c.post("/Groups", group("strange", id)).want(400)
			if c.find("Users", `id eq "`+id+`"`).total() != 0 {
				t.Errorf("%s finds %s", c.base, id)
			}
		}
		if got := c.get("/Users/" + own).text("$.title"); got != "of "+c.base {
			t.Errorf("%s: %s", c.base, got)
		}
		c.patch("/Users/"+own, object{"op": "replace", "path": "displayName", "value": "Ann"}).want(200)
	}
	// A base sees the names below it, whoever manages them.
	inner.create(person("eve", object{"externalId": "2"}))
	outer.post("/Users", person("eve")).wantError(409, "uniqueness")
	outer.post("/Users", person("other", object{"externalId": "2"})).wantError(409, "uniqueness")
	inner.delete("/Users/" + ids[inner]).want(204)
	outer.get("/Users/" + ids[outer]).want(200)
	if back := outer.post("/Users", person("ann2", object{"externalId": "3"})).want(201).id(); back == ids[inner] {
		t.Error("the outer tenant has the inner one's tombstone")
	}
	outer.delete("/Users/" + ids[outer]).want(204)
	if got := inner.create(person("ann", object{"externalId": "1"})); got != ids[inner] {
		t.Errorf("the inner tenant got %s back, not %s", got, ids[inner])
	}
	// The outer tombstone has a name that is taken below it by now: it comes back as
	// long as nobody else has its key.
	outer.post("/Users", person("ann", object{"externalId": "1"})).wantError(409, "uniqueness")
}

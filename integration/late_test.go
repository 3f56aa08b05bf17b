//go:build integration

package integration

import (
	"net/http"
	"regexp"
	"slices"
	"testing"

	"scimgate/internal/slapd"
)

// serveFirst runs the gateway while its directory is away, and then the directory.
func serveFirst(t *testing.T, s site) *company {
	t.Helper()
	server, err := slapd.Start(t.Context(), s.slapd(t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	config := s.write(t, t.TempDir(), server)
	g, err := startServe(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	g.endWith(t)
	g.of(server, makeToken(t, config, "okta"))
	c := &company{gate: g, slapd: server, config: config}
	c.client(t).get("/Users").want(http.StatusServiceUnavailable)
	if err := server.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	g.awaitHealthy(t)
	return c
}

var learned = regexp.MustCompile(`"msg":"the directory's schema is known now".*"faults":(\d+)`)

// A gateway that starts before its directory serves it right, before and after it
// has learned how the directory compares: fax has no rule of equality there.
func TestGatewayStartsFirst(t *testing.T) {
	t.Parallel()
	s := usual()
	s.UserRules = []string{`{scim: 'phoneNumbers[type eq "fax"].value', ldap: facsimileTelephoneNumber, single: first}`}
	g := serveFirst(t, s)
	c, d := g.client(t), g.tree(t)
	for _, when := range []string{"at once", "afterwards"} {
		name := unlike("fax")
		id := c.create(person(name, object{"title": "Chief", "phoneNumbers": []object{{"type": "fax", "value": "+1 555"}}}))
		d.set(d.entry(id).DN, "facsimileTelephoneNumber", "+1 555", "+1 666")
		for _, filter := range []string{`phoneNumbers[type eq "fax" and value eq "+1 555"]`, `title sw "chi"`, `userName sw "` + name[:5] + `"`} {
			if got := c.find("Users", filter+` and userName eq "`+name+`"`).ids(); !slices.Equal(got, []string{id}) {
				t.Errorf("%s: %s finds %v", when, filter, got)
			}
		}
		c.patch("/Users/"+id, object{"op": "replace", "path": `phoneNumbers[type eq "fax"].value`, "value": "+1 777"},
			object{"op": "replace", "path": "title", "value": "chief"}).want(http.StatusOK)
		got := d.entry(id).GetAttributeValues("facsimileTelephoneNumber")
		slices.Sort(got)
		if !slices.Equal(got, []string{"+1 666", "+1 777"}) {
			t.Errorf("%s: fax is %q", when, got)
		}
		if _, err := g.awaitLine(t.Context(), g.log, learned); err != nil {
			t.Fatal(err)
		}
	}
}

// What does not fit a directory that answers late is told as an error; the rest
// is served.
func TestLateFaultsAreTold(t *testing.T) {
	t.Parallel()
	s := usual()
	s.UserRules = []string{`{scim: nickName, ldap: jpegPhoto}`}
	g := serveFirst(t, s)
	found, err := g.awaitLine(t.Context(), g.log, learned)
	if err != nil || found[1] != "1" {
		t.Fatalf("%q: %v", found, err)
	}
	if !regexp.MustCompile(`"level":"error".*attributes\[10\]\.ldap: jpegPhoto holds bytes`).MatchString(g.log.String()) {
		t.Errorf("the fault is not told:\n%s", g.log)
	}
	g.client(t).create(person("somebody"))
}

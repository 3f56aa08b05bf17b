//go:build integration

package integration

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"

	"scimgate/internal/slapd"
)

// A name can be left behind in a group by an administrator who deletes an entry
// by hand. Whoever gets the name next does not get the membership: it ends
// where the group is the tenant's.
func TestADanglingMembershipIsNotInherited(t *testing.T) {
	t.Parallel()
	g := shared(t)
	c, d := g.client(t), g.tree(t)
	name := unlike("gone")
	first := c.create(person(name, object{"externalId": name + "-1"}))
	other := c.create(person(unlike("stays")))
	alone, pair := c.createGroup(unlike("alone"), first), c.createGroup(unlike("pair"), first, other)
	if err := d.conn.Del(ldap.NewDelRequest(d.entry(first).DN, nil)); err != nil {
		t.Fatal(err)
	}
	c.create(person(name, object{"externalId": name + "-2"}))
	if got := c.get("/Groups/" + alone).want(http.StatusOK).members(); len(got) > 0 {
		t.Errorf("the newcomer is alone in the group: %v", got)
	}
	if got := c.get("/Groups/" + pair).want(http.StatusOK).members(); len(got) != 1 || got[0] != other {
		t.Errorf("the other group has %v", got)
	}
}

// Where a group that is not the tenant's still lists a name, nobody gets it,
// neither by a create nor by a rename, until the group is mended.
func TestANameInAForeignGroupIsTaken(t *testing.T) {
	t.Parallel()
	g := shared(t)
	c, d := g.client(t), g.tree(t)
	name := unlike("foreign")
	id := c.create(person(name, object{"externalId": name + "-1"}))
	dn := d.entry(id).DN
	apps := "ou=" + unlike("apps") + "," + d.suffix
	d.add(apps, map[string][]string{"objectClass": {"organizationalUnit"}})
	vpn := "cn=vpn," + apps
	d.add(vpn, map[string][]string{"objectClass": {here.groups[0].class}, "cn": {"vpn"}, "member": {d.admin, dn}})

	c.patch("/Users/"+id, object{"op": "replace", "path": "userName", "value": name + "2"}).want(http.StatusOK)
	newcomer := person(name, object{"externalId": name + "-2"})
	c.post("/Users", newcomer).wantError(http.StatusConflict, "uniqueness")
	someone := c.create(person(unlike("someone")))
	c.patch("/Users/"+someone, object{"op": "replace", "path": "userName", "value": name}).wantError(http.StatusConflict, "uniqueness")

	d.set(vpn, "member", d.admin)
	c.create(newcomer)
}

// A refused change changes nothing: the password that came with it least of all.
func TestARefusedRenameKeepsThePassword(t *testing.T) {
	t.Parallel()
	g := shared(t)
	c, d := g.client(t), g.tree(t)
	name := unlike("kept")
	id := c.create(person(name, object{"password": oldPass}))
	long := strings.Repeat("x", 600)
	c.put("/Users/"+id, person(long, object{"password": newPas})).wantError(http.StatusBadRequest, "invalidValue")
	if !d.opens(id, oldPass) || d.opens(id, newPas) {
		t.Error("the password is another one after a change that was refused")
	}
}

// If-Match: * asks that the group be there, and for no version: nobody loses.
func TestAnyVersionLosesNoMember(t *testing.T) {
	t.Parallel()
	g := shared(t)
	c := g.client(t)
	const clients = 16
	ids := make([]string, clients)
	for i := range ids {
		ids[i] = c.create(person(unlike(fmt.Sprint("any", i))))
	}
	team := c.createGroup(unlike("team"))
	got := statuses(t, c.with("If-Match", "*"), clients, func(i int) (string, string, any) {
		return "PATCH", "/Groups/" + team, memberPatch("add", ids[i])
	})
	if members := c.get("/Groups/" + team).want(http.StatusOK).members(); len(members) != got[http.StatusNoContent] || len(members) != clients {
		t.Errorf("%v, and the group has %d members", got, len(members))
	}
}

// What only the directory can tell is told before anything starts, with the
// line: a base that is not there or is called otherwise, an attribute that it does not have or that
// the object classes do not allow, one that they demand.
func TestConfigurationIsHeldAgainstTheDirectory(t *testing.T) {
	t.Parallel()
	server, err := slapd.Start(t.Context(), usual().slapd(t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	file := usual().write(t, t.TempDir(), server)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	wrong := strings.NewReplacer(
		"base: ou=people,", "base: ou=nobody,",
		"base: ou=groups,", "base: organizationalUnitName=groups,",
		"ldap: title}", "ldap: shoeSize}",
		"ldap: givenName}", "ldap: gidNumber}",
		"- {scim: name.familyName, ldap: sn, default: '{{ .userName }}'}", "- {scim: name.familyName, ldap: sn}",
	).Replace(string(text))
	if err := os.WriteFile(file, []byte(wrong), 0o600); err != nil {
		t.Fatal(err)
	}
	code, _, complaint := run(t, "serve", "--config", file)
	if code != 2 {
		t.Errorf("exit code %d", code)
	}
	for _, want := range []string{
		`.users.base: cannot be searched`, `no attribute shoeSize`, `gidNumber is not allowed`, `demand sn`,
		`.groups.base: the directory returns "organizationalUnitName=groups,`, "\n5 faults",
	} {
		if !strings.Contains(complaint, want) {
			t.Errorf("nothing says %q in\n%s", want, complaint)
		}
	}
}

// A lock that stops nobody is told of at start: without a policy with lockout,
// pwdAccountLockedTime is a value like any other.
func TestALockThatStopsNobodyIsToldOf(t *testing.T) {
	t.Parallel()
	for _, enforced := range []string{"TRUE", "FALSE"} {
		g := serve(t, usual())
		g.tree(t).set("cn=default,ou=policies,"+g.suffix, "pwdLockout", enforced)
		again, err := startServe(t.Context(), g.config)
		if err != nil {
			t.Fatal(err)
		}
		again.endWith(t)
		if told := strings.Contains(again.log.String(), "deactivated people may still sign in"); told != (enforced == "FALSE") {
			t.Errorf("pwdLockout %s: told is %v", enforced, told)
		}
	}
}

// A name in another spelling is the same name to the directory: whoever has it
// keeps it, groups and all.
func TestAnotherSpellingOfOnesOwnName(t *testing.T) {
	everywhere(t, func(t *testing.T, c *client, d *tree) {
		name := unlike("spelt")
		two := "  "
		if here.blanks {
			two = " "
		}
		id := c.create(person(name + two + "lee"))
		team := c.createGroup(unlike("team"), id)
		for _, spelling := range []string{name + " lee", name + " Lee", name + two + "lee"} {
			c.patch("/Users/"+id, object{"op": "replace", "path": "userName", "value": spelling}).want(http.StatusOK)
			if got := d.entry(id).GetAttributeValues("uid"); len(got) != 1 || got[0] != spelling {
				t.Errorf("uid is %q, want %q", got, spelling)
			}
			if got := c.get("/Groups/" + team).want(http.StatusOK).members(); len(got) != 1 || got[0] != id {
				t.Errorf("as %q the person is one of %v", spelling, got)
			}
		}
	})
}

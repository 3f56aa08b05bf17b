//go:build integration && (ds389 || !ad)

package integration

import (
	"net/http"
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"
)

// What the pages for directories share whose people are named uid=ann,ou=people.

const root, admins = "uid=root,ou=people,dc=example,dc=org", "cn=admins,ou=groups,dc=example,dc=org"

// theirs are entries that are there before the gateway, and that it has no business with.
const theirs = `dn: uid=root,ou=people,dc=example,dc=org
objectClass: inetOrgPerson
uid: root
cn: Root
sn: Root
userPassword: secret of root

dn: cn=admins,ou=groups,dc=example,dc=org
objectClass: groupOfNames
cn: admins
member: uid=root,ou=people,dc=example,dc=org

`

// deleting is a Delete.
func deleting(dn string) func(*ldap.Conn) error {
	return func(conn *ldap.Conn) error { return conn.Del(ldap.NewDelRequest(dn, nil)) }
}

// listedElsewhere holds that the account sees, in all of the directory, who is still listed in a
// group: nobody may get a name and inherit a membership with it.
func listedElsewhere(t *testing.T, c *client, h *host) {
	t.Helper()
	err := adding("cn=elsewhere,"+h.suffix, "objectClass", "groupOfNames", "cn", "elsewhere", "member", "uid=ghost,ou=people,"+h.suffix)(h.as(h.admin, h.password))
	if err != nil {
		t.Fatal(err)
	}
	c.post("/Users", person("ghost")).wantError(http.StatusConflict, "uniqueness")
}

// adoptStaff has the gateway take over one person of the staff, who keeps name and password,
// and nobody else.
func adoptStaff(t *testing.T, p *page, h *host) {
	t.Helper()
	admin := h.as(h.admin, h.password)
	for _, name := range []string{"eve", "mallory"} {
		if err := adding("uid="+name+",ou=people,dc=example,dc=org", "objectClass", "inetOrgPerson", "uid", name, "cn", name, "sn", name,
			"userPassword", firstPassword, "employeeType", map[string]string{"eve": "staff", "mallory": "guest"}[name])(admin); err != nil {
			t.Fatal(err)
		}
	}
	general := p.turn("README.md")
	general.stand["      delete: disable\n"] = general.block("onExisting").text + "      delete: disable\n"
	c := p.serve("scimgate.yaml").client(t)
	if said := general.follow("adopt"); !strings.Contains(said, "eve") {
		t.Errorf("the dry run says nothing of eve:\n%s", said)
	}
	eve := c.create(person("eve", object{"externalId": "e"}))
	c.post("/Users", person("mallory", object{"externalId": "m"})).wantError(http.StatusConflict, "uniqueness")
	if !h.enters("eve", firstPassword) {
		t.Error("adopted, and does not get in")
	}
	c.patch("/Users/"+eve, object{"op": "replace", "path": "active", "value": false}).want(http.StatusOK)
	if h.enters("eve", firstPassword) {
		t.Error("inactive, and gets in")
	}
	general.allUsed()
}

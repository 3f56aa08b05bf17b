//go:build integration && ad

package integration

import (
	"testing"

	"github.com/go-ldap/ldap/v3"
)

// Whoever is given a name that the gateway signs in by does not take the
// protection from the gateway's own account.
func TestANamesakeOfTheGateway(t *testing.T) {
	domain := staffed(t)
	admin := asAdministrator(t, domain)
	namesake := ldap.NewAddRequest("CN=namesake,OU=people,DC=example,DC=org", nil)
	namesake.Attribute("objectClass", []string{"user"})
	namesake.Attribute("sAMAccountName", []string{"namesake"})
	namesake.Attribute("userPrincipalName", []string{`EXAMPLE\svc`})
	namesake.Attribute("employeeType", []string{"staff"})
	if err := admin.Add(namesake); err != nil {
		t.Fatal(err)
	}
	c := beforeDomain(t, domain, `EXAMPLE\svc`, `{scim: userName, ldap: sAMAccountName, required: true, unique: true}`)
	for _, name := range []string{"svc", "namesake"} { // which of them it is, nobody can tell
		refusedFor(t, c.post("/Users", object{"schemas": []string{userURN}, "userName": name, "externalId": "x-" + name}), "this gateway itself")
	}
}

//go:build integration && ad

package integration

import (
	"testing"

	"github.com/go-ldap/ldap/v3"
)

// A user name that somebody outside of the base has is what is taken, and not a
// name that was chosen for the newcomer; a change says the same.
func TestAUserNameOutsideOfTheBase(t *testing.T) {
	domain := staffed(t)
	admin := asAdministrator(t, domain)
	stranger := ldap.NewAddRequest("CN=stranger,CN=Users,DC=example,DC=org", nil)
	stranger.Attribute("objectClass", []string{"user"})
	stranger.Attribute("sAMAccountName", []string{"stranger"})
	stranger.Attribute("userPrincipalName", []string{"known@example.org"})
	if err := admin.Add(stranger); err != nil {
		t.Fatal(err)
	}
	c := beforeDomain(t, domain, `EXAMPLE\svc`, `{scim: userName, ldap: userPrincipalName, required: true, unique: true}`,
		`{ldap: sAMAccountName, template: '{{ .userName | before "@" }}', unique: true, onCollision: suffix, maxLength: 20}`)
	person := object{"schemas": []string{userURN}, "userName": "known@example.org", "displayName": "Known", "name": object{"familyName": "K"}}
	refusedFor(t, c.post("/Users", person), "userName is taken")
	person["userName"] = "stranger@example.com" // whose account name gets a number
	id := c.create(person)
	refusedFor(t, c.patch("/Users/"+id, object{"op": "replace", "path": "userName", "value": "known@example.org"}), "userName is taken")
}

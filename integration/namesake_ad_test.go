//go:build integration && ad

package integration

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"testing"

	"github.com/go-ldap/ldap/v3"

	"scimgate/internal/samba"
)

// Whoever is given a name that the gateway signs in by does not take the
// protection from the gateway's own account, and no way of writing that name does.
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
	for _, signIn := range []string{`EXAMPLE\svc`, "example.org/people/svc"} {
		c := beforeDomain(t, domain, signIn, `{scim: userName, ldap: sAMAccountName, required: true, unique: true}`)
		refusedFor(t, c.post("/Users", object{"schemas": []string{userURN}, "userName": "svc", "externalId": "x-svc"}), "this gateway itself")
	}
}

// asAdministrator is a connection of the domain's administrator.
func asAdministrator(t *testing.T, domain *samba.Server) *ldap.Conn {
	t.Helper()
	text, err := os.ReadFile(domain.CAFile())
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(text)
	conn, err := ldap.DialURL(domain.URL(), ldap.DialWithTLSConfig(&tls.Config{RootCAs: roots}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.Bind(domain.AdminDN(), domain.AdminPassword()); err != nil {
		t.Fatal(err)
	}
	return conn
}

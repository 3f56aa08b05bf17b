//go:build integration && !ad && !ds389

package integration

import (
	"testing"

	"scimgate/internal/slapd"
)

// A server that nothing is known of, and whose schema nobody extends, is provisioned
// with the rights that the page has in words.
func TestPageGeneric(t *testing.T) {
	t.Parallel()
	const service = ` by dn.exact="cn=scimgate,dc=example,dc=org" `
	files := newCertificates(t, t.TempDir())
	server := pageSlapd(t, slapd.Config{
		NoScimSchema: true, TLS: files.server(), ListenTLS: "127.0.0.1:0", Entries: theirs, Overlays: []string{"ppolicy"},
		DatabaseConf: []string{`limits dn.exact="cn=scimgate,dc=example,dc=org" size=unlimited time=unlimited`},
		Access: []string{
			`to dn.one="ou=people,dc=example,dc=org" filter="(departmentNumber=okta)" attrs=userPassword` + service + `=w by anonymous auth by * none`,
			`to attrs=userPassword by anonymous auth by * none`,
			`to dn.one="ou=people,dc=example,dc=org" filter="(departmentNumber=okta)"` + service + `write`,
			`to dn.one="ou=groups,dc=example,dc=org" filter="(businessCategory=okta)"` + service + `write`,
			`to dn.base="ou=people,dc=example,dc=org" attrs=children` + service + `write`,
			`to dn.base="ou=groups,dc=example,dc=org" attrs=children` + service + `write`,
			`to dn.subtree="ou=people,dc=example,dc=org"` + service + `read`,
			`to dn.subtree="ou=groups,dc=example,dc=org"` + service + `read`,
			`to dn.subtree="ou=policies,dc=example,dc=org"` + service + `read`,
			`to attrs=entry,objectClass,member,uniqueMember,owner,roleOccupant` + service + `read`,
			`to * by * none`,
		},
	})
	h := slapdHost(t, server, files.file("ca.pem"))
	h.service = "cn=scimgate,dc=example,dc=org"
	p := openPage(t, "generic.md", map[string]string{
		"ldaps://ldap1.example.com": server.TLSURL(), "-W": "-w '" + server.AdminPassword() + "'",
	})
	p.trust(h.caFile)
	p.files("service.ldif")
	p.follow("setup")
	h.servicePassword = p.secret("ldap-password")
	g := p.serve("scimgate.yaml")
	p.check()
	provision(t, g.client(t), h)
	listedElsewhere(t, g.client(t), h)
	h.denied(t, "an entry outside the bases", adding("cn=x,dc=example,dc=org", "objectClass", "organizationalRole", "cn", "x"))
	h.denied(t, "an entry without the marker", adding("uid=x,ou=people,dc=example,dc=org", "objectClass", "inetOrgPerson", "uid", "x", "cn", "x", "sn", "x"))
	h.denied(t, "an administrator's password", replacing(root, "userPassword", "mine"))
	h.denied(t, "a foreign group", putting(admins, "member", h.service))
	p.allUsed()
}

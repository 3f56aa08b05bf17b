//go:build ds389

package main

import (
	"strings"
	"testing"

	"scimgate/internal/ds389"
)

// A 389 Directory Server says itself what its bind account may do.
func TestCheckOf389DS(t *testing.T) {
	const who = `userdn="ldap:///cn=scimgate,ou=services,dc=example,dc=org"`
	server, err := ds389.Start(t.Context(), ds389.Config{
		Dir: t.TempDir(), ScimSchema: true, Plugins: ds389.Plugins{USN: true, Unique: []string{"uid"}},
		Entries: others389,
		Access: []string{
			`(targetattr = "*")(version 3.0; acl "strong"; allow (all) userdn="ldap:///cn=strong,ou=services,dc=example,dc=org";)`,
			`(targetattr != "userPassword")(version 3.0; acl "read"; allow (read, search, compare) userdn="ldap:///all";)`,
			`(target = "ldap:///ou=people,dc=example,dc=org")(targetattr = "*")(version 3.0; acl "people"; allow (all) ` + who + `;)`,
			`(target = "ldap:///ou=groups,dc=example,dc=org")(targetattr = "*")(version 3.0; acl "groups"; allow (all) ` + who + `;)`,
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	write := func(dn, password string) string {
		return configured(t, "389ds.yaml", map[string]string{"URL": server.URL(), "DN": dn, "Password": password})
	}
	const enough, weak = "cn=scimgate,ou=services,dc=example,dc=org", "cn=weak,ou=services,dc=example,dc=org"
	checked(t, 0, []string{"--config", write(server.AdminDN(), server.AdminPassword())}, "is the directory's manager, cn=Directory Manager", "\n0 errors, ",
		"values of carLicense, and there is no index for that; run dsconf INSTANCE backend index add --attr carLicense", "keeps values of carLicense unique")
	report := checked(t, 0, []string{"--config", write(enough, "example secret")}, "\n0 errors, ")
	if strings.Contains(report, "bind.dn") {
		t.Error("something is said against the account's power")
	}
	checked(t, 0, []string{"--config", write(enough, "example secret"), "--write-test"}, "\n0 errors, ")
	checked(t, 0, []string{"--config", write("cn=strong,ou=services,dc=example,dc=org", "example secret")},
		"bind.dn: the account may change dc=example,dc=org, outside of the bases; give the gateway an account of its own")
	checked(t, 1, []string{"--config", write(weak, "example secret")}, "users.base: the account may not add entries below ou=people",
		"users.attributes[0].ldap: the account may not write uid of uid=some,ou=people")
	checked(t, 1, []string{"--config", write(enough, "wrong")}, "bind.dn: ", "refuses the bind: wrong name or password")
}

const others389 = `dn: cn=strong,ou=services,dc=example,dc=org
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: strong
userPassword: example secret

dn: cn=scimgate,ou=services,dc=example,dc=org
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: scimgate
userPassword: example secret

dn: cn=weak,ou=services,dc=example,dc=org
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: weak
userPassword: example secret

dn: uid=some,ou=people,dc=example,dc=org
objectClass: inetOrgPerson
objectClass: scimgateObject
uid: some
cn: Some
sn: Some

`

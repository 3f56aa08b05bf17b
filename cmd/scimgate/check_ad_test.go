//go:build ad

package main

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"scimgate/internal/samba"
)

// adEntries are the bases, and the service account with a password.
const adEntries = `dn: OU=gone,DC=example,DC=org
objectClass: organizationalUnit

dn: OU=people,DC=example,DC=org
objectClass: organizationalUnit
ou: people

dn: OU=groups,DC=example,DC=org
objectClass: organizationalUnit
ou: groups

dn: CN=Some One,OU=people,DC=example,DC=org
objectClass: user
cn: Some One
sAMAccountName: one

dn: CN=scimgate,CN=Users,DC=example,DC=org
objectClass: user
cn: scimgate
sAMAccountName: scimgate
userPrincipalName: scimgate@example.org
userAccountControl: 66048
clearTextPassword:: RQB4AGEAbQBwAGwAZQAtAHMAZQBjAHIAZQB0AC0AMQA=
`

// An Active Directory says itself what its bind account may do: too much for an
// administrator, too little before the rights are delegated, and enough after.
func TestCheckOfActiveDirectory(t *testing.T) {
	server, err := samba.Start(t.Context(), samba.Config{Dir: t.TempDir(), Entries: adEntries})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	write := func(values map[string]string) string { return configuredAD(t, server, values) }
	admin := map[string]string{"DN": server.AdminDN(), "Password": server.AdminPassword()}
	service := map[string]string{"DN": "scimgate@example.org", "Password": "Example-secret-1"}

	checked(t, 0, []string{"--config", write(admin)}, "is a member of Administrators, Domain Admins", "\n0 errors, ",
		"the gateway searches for values of extensionName, and there is no index for that; set bit 0 of searchFlags", "no control assertion")
	report := checked(t, 1, []string{"--config", write(service)}, "users.base: the account may not add entries below OU=people",
		"users.attributes[0].ldap: the account may not write sAMAccountName of CN=Some One,OU=people,DC=example,DC=org")
	if strings.Contains(report, "bind.dn") {
		t.Error("something is said against the account's power")
	}
	delegate(t, server, sid(t, server, "scimgate"))
	checked(t, 0, []string{"--config", write(service)}, "\n0 errors, ")
	checked(t, 0, []string{"--config", write(service), "--write-test"}, "\n0 errors, ")
	away := maps.Clone(service) // to where the account has no rights
	away["Gone"] = "OU=gone,DC=example,DC=org"
	checked(t, 1, []string{"--config", write(away)}, "users.deactivate: the account may not move entries to below OU=gone,DC=example,DC=org", "\n1 error, ")

	checked(t, 1, []string{"--config", write(map[string]string{"DN": "scimgate@example.org", "Password": "wrong"})}, "bind.dn: ", "refuses the bind: wrong name or password; ")
	admin["Flavor"] = "openldap"
	checked(t, 1, []string{"--config", write(admin)}, "flavor: the server shows to be activeDirectory and not openldap; write flavor: activeDirectory\n",
		"users: is not held against the directory ad, whose flavor is another", "\n1 error, ")
}

// configuredAD is a configuration for the server.
func configuredAD(t *testing.T, server *samba.Server, values map[string]string) string {
	all := map[string]string{"URL": server.URL(), "CAFile": server.CAFile(), "Flavor": "activeDirectory"}
	maps.Copy(all, values)
	return configured(t, "ad.yaml", all)
}

// delegate gives an account the least rights below the bases.
func delegate(t *testing.T, server *samba.Server, account string) {
	t.Helper()
	const user, group = "bf967aba-0de6-11d0-a285-00aa003049e2", "bf967a9c-0de6-11d0-a285-00aa003049e2"
	for _, right := range [][2]string{
		{"OU=people", "(OA;CI;CCDC;" + user + ";;%s)"}, {"OU=people", "(OA;CIIO;RPWPSD;;" + user + ";%s)"},
		{"OU=groups", "(OA;CI;CCDC;" + group + ";;%s)"}, {"OU=groups", "(OA;CIIO;RPWPSD;;" + group + ";%s)"},
	} {
		if _, err := server.Tool(t.Context(), "dsacl", "set", "--action=allow", "--objectdn="+right[0]+",DC=example,DC=org",
			"--trusteedn=CN=scimgate,CN=Users,DC=example,DC=org", "--sddl="+fmt.Sprintf(right[1], account)); err != nil {
			t.Fatal(err)
		}
	}
}

// sid reads the identifier of an account.
func sid(t *testing.T, server *samba.Server, name string) string {
	t.Helper()
	out, err := server.Tool(t.Context(), "user", "show", name, "--attributes=objectSid")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(out) {
		if id, ok := strings.CutPrefix(line, "objectSid: "); ok {
			return strings.TrimSpace(id)
		}
	}
	t.Fatalf("%s has no objectSid: %s", name, out)
	return ""
}

//go:build integration && ad

package integration

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"text/template"

	"github.com/go-ldap/ldap/v3"

	"scimgate/internal/samba"
)

// adEntries are the bases, and the service account with a password.
const adEntries = `dn: OU=people,DC=example,DC=org
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
	write := func(values map[string]string) string { return writeAD(t, server, values) }
	admin := map[string]string{"DN": server.AdminDN(), "Password": server.AdminPassword()}
	service := map[string]string{"DN": "scimgate@example.org", "Password": "Example-secret-1"}

	checked(t, 0, []string{"--config", write(admin)}, "is a member of Administrators, Domain Admins", "\n0 errors, ",
		"the gateway searches for values of extensionName, and there is no index for that; set bit 0 of searchFlags", "no control assertion")
	report := checked(t, 1, []string{"--config", write(service)}, "users.base: the account may not add entries below OU=people",
		"users.attributes[0].ldap: the account may not write sAMAccountName of CN=Some One,OU=people,DC=example,DC=org")
	if strings.Contains(report, "bind.dn") {
		t.Error("something is said against the account's power")
	}
	delegate(t, server, sid(t, server, "CN=scimgate,CN=Users,DC=example,DC=org"))
	checked(t, 0, []string{"--config", write(service)}, "\n0 errors, ")
	checked(t, 0, []string{"--config", write(service), "--write-test"}, "\n0 errors, ")

	checked(t, 1, []string{"--config", write(map[string]string{"DN": "scimgate@example.org", "Password": "wrong"})}, "bind.dn: ", "refuses the bind: wrong name or password; ")
	admin["Flavor"] = "openldap"
	checked(t, 1, []string{"--config", write(admin)}, "flavor: the server shows to be activeDirectory and not openldap; write flavor: activeDirectory\n",
		"users: is not held against the directory ad, whose flavor is another", "\n1 error, ")
}

// writeAD writes a configuration for the directory.
func writeAD(t *testing.T, server *samba.Server, values map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	all := map[string]string{"URL": server.URL(), "CAFile": server.CAFile(), "State": filepath.Join(dir, "state"), "Flavor": "activeDirectory"}
	for k, v := range values {
		all[k] = v
	}
	made, err := template.New("ad.yaml").Funcs(template.FuncMap{"quote": strconv.Quote}).ParseFiles(filepath.Join("testdata", "ad.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if err := made.Execute(&text, all); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "scimgate.yaml")
	for name, content := range map[string]string{file: text.String(), filepath.Join(dir, "password"): all["Password"]} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return file
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

// sid reads the identifier of an entry in its text form ([MS-DTYP] section 2.4.2).
func sid(t *testing.T, server *samba.Server, dn string) string {
	t.Helper()
	conn := dialAD(t, server)
	defer conn.Close()
	found, err := conn.Search(ldap.NewSearchRequest(dn, ldap.ScopeBaseObject, ldap.NeverDerefAliases, 0, 0, false, "(objectClass=*)", []string{"objectSid"}, nil))
	if err != nil {
		t.Fatal(err)
	}
	raw := found.Entries[0].GetRawAttributeValue("objectSid")
	text := fmt.Sprintf("S-%d-%d", raw[0], raw[7])
	for i := 8; i+4 <= len(raw); i += 4 {
		text += fmt.Sprintf("-%d", uint32(raw[i])|uint32(raw[i+1])<<8|uint32(raw[i+2])<<16|uint32(raw[i+3])<<24)
	}
	return text
}

func dialAD(t *testing.T, server *samba.Server) *ldap.Conn {
	t.Helper()
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(read(t, server.CAFile())))
	conn, err := ldap.DialURL(server.URL(), ldap.DialWithTLSConfig(&tls.Config{RootCAs: roots}))
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.Bind(server.AdminDN(), server.AdminPassword()); err != nil {
		t.Fatal(err)
	}
	return conn
}

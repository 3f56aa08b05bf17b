//go:build integration && ad && !ds389

package integration

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/go-ldap/ldap/v3"

	"scimgate/internal/adproxy"
	"scimgate/internal/samba"
	"scimgate/internal/testcert"
)

var here = flavour{
	name:   "Samba as an Active Directory",
	find:   func() error { _, err := samba.Find(); return err },
	begin:  beginCapped,
	serve:  "serve-ad.yaml",
	linked: true,
	words: map[string]string{
		"entryUUID": "objectGUID", "entryCSN": "uSNChanged", "createTimestamp": "whenCreated", "modifyTimestamp": "whenChanged",
		"uid": "userPrincipalName", "scimExternalId": "msDS-cloudExtensionAttribute20", "scimState": "adminDescription", "scimSource": "extensionName",
		"userPassword": "unicodePwd", "departmentNumber": "department",
		"scimHomeMail": "msDS-cloudExtensionAttribute4", "scimEntitlement": "houseIdentifier", "street": "streetAddress",
	},
	id:       "00000000-0000-4000-8000-000000000000",
	idOf:     guid,
	rdn:      "cn",
	groups:   []groupKind{{"group", "member", ""}},
	note:     "otherTelephone",
	teamNote: "wbemPath",
	home:     "unixHomeDirectory",
	marked:   []string{"user"},
	lock:     lock{attribute: "userAccountControl", open: []string{"512"}, ways: []string{"514", "66050"}},
	refusals: []refusal{
		{ldap.LDAPResultInvalidCredentials, "data 52e"}, // wrong
		{ldap.LDAPResultInvalidCredentials, "data 533"}, // disabled
	},
	setPassword: func(conn *ldap.Conn, dn, password string) error {
		var sent []byte
		for _, unit := range utf16.Encode([]rune(`"` + password + `"`)) {
			sent = append(sent, byte(unit), byte(unit>>8))
		}
		request := ldap.NewModifyRequest(dn, nil)
		request.Replace("unicodePwd", []string{string(sent)})
		return conn.Modify(request)
	},
	longest:   64,
	timeout:   "200s",    // an account costs Samba 30 to 300 ms, hashes and all, and a Bulk makes a thousand
	badNames:  `\\$|\\0`, // no Kerberos principal
	bulk:      60,
	filters:   600,
	unnamed:   true,
	malformed: []object{{"name": object{"givenName": strings.Repeat("x", 65)}}},
	person: func(b *strings.Builder, name, marker string) {
		fmt.Fprintf(b, "dn: CN=%[1]s,OU=people,DC=example,DC=org\nobjectClass: user\nsAMAccountName: %[1]s\nuserPrincipalName: %[1]s\nsn: %[1]s\n"+
			"adminDescription: %[2]s\nextensionName: okta\n\n", name, marker)
	},
	crowd: func(b *strings.Builder, name, marker string, members []string) {
		fmt.Fprintf(b, "dn: CN=%[1]s,OU=groups,DC=example,DC=org\nobjectClass: group\nsAMAccountName: %[1]s\n"+
			"adminDescription: %[2]s\nextensionName: okta\n", name, marker)
		for _, m := range members {
			fmt.Fprintf(b, "member: CN=%s,OU=people,DC=example,DC=org\n", m)
		}
		b.WriteString("\n")
	},
	absent: map[string]string{
		"TestBulkEqualsItsRequests":          "people and groups have one space of names there (sAMAccountName), and a name without @ stands for an account, so the order of changes to the one matters to the other",
		"TestARefusedRenameKeepsThePassword": "Samba takes names of any length",
		"TestANameInAForeignGroupIsTaken":    "a link follows who is renamed, and nobody's name stays behind",
		"TestTenantsInPlacesOfTheirOwn":      "a name is unique in the whole domain, not below a base",
		"TestTheFullUserComesBack":           "the schema of a forest that nobody has extended has no room for all of it",
		"TestEverythingAnnouncedIsKept":      "the schema of a forest that nobody has extended has no room for all of it",
	},
}

// capped is a Samba with the limits of a domain controller before it, for the
// gateway; its administrator goes past them.
type capped struct {
	*samba.Server
	proxy  *adproxy.Proxy
	caFile string
}

// Behind is what the gateway is told.
func (c *capped) Behind() (url, caFile string) { return c.proxy.URL(), c.caFile }

func (c *capped) Stop() error { return errors.Join(c.proxy.Stop(), c.Server.Stop()) }

func beginCapped(ctx context.Context, s site, dir string) (server, error) {
	places := "dn: OU=people,DC=example,DC=org\nobjectClass: organizationalUnit\n\ndn: OU=groups,DC=example,DC=org\nobjectClass: organizationalUnit\n\n" +
		"dn: DC=example,DC=org\nchangetype: modify\nreplace: pwdProperties\npwdProperties: 0\n\n" // identity providers send passwords of one kind of character
	directory, err := samba.Start(ctx, samba.Config{Dir: dir, Entries: places + s.Entries,
		Conf: []string{"old password allowed period = 0"}, // Samba lets a password of before in for an hour, with a simple bind too
	})
	if err != nil {
		return nil, err
	}
	c := &capped{Server: directory, caFile: filepath.Join(dir, "proxy.pem")}
	if err := c.front(); err != nil {
		return nil, errors.Join(err, directory.Stop())
	}
	return c, nil
}

// front starts the proxy.
func (c *capped) front() error {
	trusted, err := os.ReadFile(c.CAFile())
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(trusted)
	certificate := testcert.SelfSigned("127.0.0.1")
	if err := os.WriteFile(c.caFile, certificate.CertPEM(), 0o600); err != nil {
		return err
	}
	host := strings.TrimPrefix(c.URL(), "ldaps://")
	c.proxy, err = adproxy.Start("127.0.0.1", certificate.TLS(), func() (net.Conn, error) {
		return tls.Dial("tcp", net.JoinHostPort(host, "636"), &tls.Config{RootCAs: roots, ServerName: host})
	})
	return err
}

// guid shows an id as Windows does ([MS-DTYP] section 2.3.4).
func guid(raw []byte) string {
	if len(raw) != 16 {
		return hex.EncodeToString(raw)
	}
	b := slices.Clone(raw)
	slices.Reverse(b[:4])
	slices.Reverse(b[4:6])
	slices.Reverse(b[6:8])
	text := hex.EncodeToString(b)
	return strings.Join([]string{text[:8], text[8:12], text[12:16], text[16:20], text[20:]}, "-")
}

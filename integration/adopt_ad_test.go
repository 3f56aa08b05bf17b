//go:build integration && ad

package integration

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/go-ldap/ldap/v3"

	"scimgate/internal/samba"
)

const domainPassword = "Long-enough-1"

// inUTF16 is a password as LDIF for a domain has it.
func inUTF16(text string) string {
	var b []byte
	for _, unit := range utf16.Encode([]rune(text)) {
		b = append(b, byte(unit), byte(unit>>8))
	}
	return base64.StdEncoding.EncodeToString(b)
}

// staffOfDomain are people of a domain as LDIF.
func staffOfDomain() string {
	var b strings.Builder
	for _, ou := range []string{"people", "groups"} {
		fmt.Fprintf(&b, "dn: OU=%s,DC=example,DC=org\nobjectClass: organizationalUnit\n\n", ou)
	}
	for _, name := range []string{"ann", "visitor", "boss", "chief", "prime", "svc", "counted"} {
		class := "staff"
		if name == "visitor" {
			class = "visitor"
		}
		fmt.Fprintf(&b, "dn: CN=%s,OU=people,DC=example,DC=org\nobjectClass: user\nsAMAccountName: %s\nuserPrincipalName: %s@example.org\n"+
			"employeeType: %s\nsn: Old\ndescription: theirs\nuserAccountControl: 512\nclearTextPassword:: %s\n", name, name, name, class, inUTF16(domainPassword))
		if name == "counted" {
			b.WriteString("adminCount: 1\n")
		}
		b.WriteByte('\n')
	}
	b.WriteString("dn: CN=deputies,OU=groups,DC=example,DC=org\nobjectClass: group\nsAMAccountName: deputies\nmember: CN=chief,OU=people,DC=example,DC=org\n\n")
	b.WriteString("dn: CN=club,OU=groups,DC=example,DC=org\nobjectClass: group\nsAMAccountName: club\nmember: CN=ann,OU=people,DC=example,DC=org\n\n")
	b.WriteString("dn: CN=Domain Admins,CN=Users,DC=example,DC=org\nchangetype: modify\nadd: member\nmember: CN=boss,OU=people,DC=example,DC=org\n" +
		"member: CN=deputies,OU=groups,DC=example,DC=org\nmember: CN=prime,OU=people,DC=example,DC=org\n-\n\n")
	b.WriteString("dn: CN=Administrators,CN=Builtin,DC=example,DC=org\nchangetype: modify\nadd: member\nmember: CN=svc,OU=people,DC=example,DC=org\n-\n\n")
	b.WriteString("dn: CN=prime,OU=people,DC=example,DC=org\nchangetype: modify\nreplace: primaryGroupID\nprimaryGroupID: 512\n-\n")
	return b.String()
}

// staffed is a domain with people.
func staffed(t *testing.T) *samba.Server {
	t.Helper()
	domain, err := samba.Start(t.Context(), samba.Config{Dir: t.TempDir(), Entries: staffOfDomain()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := domain.Stop(); err != nil {
			t.Error(err)
		}
	})
	return domain
}

// Where a taken name gets a number, that of an administrator does not: nobody
// becomes administrator1 by being pushed.
func TestNoNumberBehindAnAdministratorsName(t *testing.T) {
	c := beforeDomain(t, staffed(t), `EXAMPLE\svc`, `{scim: userName, ldap: userPrincipalName, required: true, unique: true}`,
		`{ldap: sAMAccountName, template: '{{ .userName }}', unique: true, onCollision: suffix, maxLength: 20}`)
	for name, piece := range map[string]string{"administrator": "adminCount", "krbtgt": "adminCount", "boss": "group of administrators", "svc": "this gateway itself"} {
		refusedFor(t, c.post("/Users", object{"schemas": []string{userURN}, "userName": name, "displayName": "New " + name, "name": object{"familyName": "N"}}), piece)
	}
	c.create(object{"schemas": []string{userURN}, "userName": "newcomer", "displayName": "New Comer", "name": object{"familyName": "N"}})
}

// A domain's administrators and the gateway's own account are refused and say why,
// and nothing of them is changed; others of the staff are taken over.
func TestAdministratorsOfADomain(t *testing.T) {
	domain := staffed(t)
	pem, err := os.ReadFile(domain.CAFile())
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	bind := func(name, password string) (*ldap.Conn, error) {
		conn, err := ldap.DialURL(domain.URL(), ldap.DialWithTLSConfig(&tls.Config{RootCAs: roots}))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		return conn, conn.Bind(name, password)
	}
	admin, err := bind(domain.AdminDN(), domain.AdminPassword())
	if err != nil {
		t.Fatal(err)
	}
	versions := func() map[string]string {
		found, err := admin.Search(ldap.NewSearchRequest(domain.Suffix(), ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, 0, false,
			"(|(objectClass=user)(objectClass=group))", []string{"uSNChanged"}, nil))
		if err != nil {
			t.Fatal(err)
		}
		all := map[string]string{}
		for _, e := range found.Entries {
			all[e.DN] = e.GetAttributeValue("uSNChanged")
		}
		return all
	}
	for _, name := range []string{"svc@example.org", `EXAMPLE\svc`, "CN=svc,OU=people,DC=example,DC=org"} {
		t.Run(name, func(t *testing.T) {
			c := beforeDomain(t, domain, name, `{scim: userName, ldap: sAMAccountName, required: true, unique: true}`)
			before := versions()
			for person, piece := range map[string]string{
				"administrator": "adminCount", "Administrator": "adminCount", "krbtgt": "adminCount", "boss": "group of administrators",
				"chief": "group of administrators", "prime": "group of administrators", "svc": "this gateway itself", "counted": "adminCount",
				"visitor": "onExisting.adopt.filter",
			} {
				a := c.post("/Users", object{"schemas": []string{userURN}, "userName": person, "externalId": "x-" + person})
				refusedFor(t, a, piece)
			}
			for _, name := range []string{"Domain Admins", "deputies"} {
				a := c.post("/Groups", object{"schemas": []string{groupURN}, "displayName": name})
				a.wantError(http.StatusConflict, "uniqueness")
			}
			after := versions()
			for dn, version := range before {
				if after[dn] != version && !strings.HasPrefix(dn, "CN=svc,") { // its sign-in is noted
					t.Errorf("%s was written", dn)
				}
			}
			if len(after) != len(before) {
				t.Errorf("%d entries, were %d", len(after), len(before))
			}
			id := c.create(object{"schemas": []string{userURN}, "userName": "ANN", "externalId": "e1", "name": object{"familyName": "New"}, "password": "Another-one-2"})
			e := read(t, admin, "CN=ann,OU=people,DC=example,DC=org")
			if e.GetAttributeValue("description") != "theirs" || e.GetAttributeValue("sn") != "New" || e.GetAttributeValue("sAMAccountName") != "ann" ||
				len(e.GetAttributeValues("memberOf")) != 1 || e.GetAttributeValue("extensionName") != "okta" {
				t.Errorf("the entry is %v", without(e))
			}
			if _, err := bind("ann@example.org", domainPassword); err != nil {
				t.Errorf("adopted, and does not get in: %v", err)
			}
			c.delete("/Users/" + id).want(http.StatusNoContent)
			e = read(t, admin, "CN=ann,OU=people,DC=example,DC=org")
			if e.GetAttributeValue("extensionName") != "" || e.GetAttributeValue("adminDescription") != "" || len(e.GetAttributeValues("memberOf")) != 1 {
				t.Errorf("released as %v", without(e))
			}
			if _, err := bind("ann@example.org", domainPassword); err == nil {
				t.Error("released, and gets in")
			}
			enable := ldap.NewModifyRequest(e.DN, nil)
			enable.Replace("userAccountControl", []string{"512"})
			if err := admin.Modify(enable); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// beforeDomain is a client of a gateway before a domain, with rules for the names of
// people.
func beforeDomain(t *testing.T, domain *samba.Server, bindDN string, rules ...string) *client {
	t.Helper()
	s := site{Template: "adopt-ad.yaml", CAFile: domain.CAFile(), BindDN: bindDN, Password: domainPassword, UserRules: rules}
	config := s.writeFor(t, t.TempDir(), domain.URL())
	g, err := startServe(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	g.endWith(t)
	g.token = makeToken(t, config, "okta")
	return g.client(t)
}

func read(t *testing.T, conn *ldap.Conn, dn string) *ldap.Entry {
	t.Helper()
	found, err := conn.Search(ldap.NewSearchRequest(dn, ldap.ScopeBaseObject, ldap.NeverDerefAliases, 0, 0, false, "(objectClass=*)", nil, nil))
	if err != nil {
		t.Fatal(err)
	}
	return found.Entries[0]
}

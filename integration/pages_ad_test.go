//go:build integration && ad

package integration

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"
	"github.com/google/uuid"

	"scimgate/internal/samba"
)

// theirsAD are the places of the page, and people that the gateway has no business with.
const theirsAD = `dn: OU=people,DC=example,DC=org
objectClass: organizationalUnit

dn: OU=groups,DC=example,DC=org
objectClass: organizationalUnit

dn: CN=Boss,CN=Users,DC=example,DC=org
objectClass: user
sAMAccountName: boss
userAccountControl: 512
clearTextPassword:: QwBvAHIAcgBlAGMAdAAtAEgAbwByAHMAZQAtADEA

dn: OU=left,DC=example,DC=org
objectClass: organizationalUnit

dn: CN=Eve,OU=people,DC=example,DC=org
objectClass: user
sAMAccountName: eve
userPrincipalName: eve@example.org
employeeType: staff
userAccountControl: 512
clearTextPassword:: QwBvAHIAcgBlAGMAdAAtAEgAbwByAHMAZQAtADEA

dn: CN=Mallory,OU=people,DC=example,DC=org
objectClass: user
sAMAccountName: mallory
userPrincipalName: mallory@example.org
employeeType: guest
userAccountControl: 512

`

// ownDomain is a domain, and the page for it.
func ownDomain(t *testing.T) (*page, *host) {
	t.Helper()
	dir := t.TempDir()
	server, err := samba.Start(t.Context(), samba.Config{
		Dir: dir, Entries: theirsAD, Conf: []string{"old password allowed period = 0"}, // as the page has it
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	h := &host{
		t: t, url: server.URL(), caFile: server.CAFile(), suffix: server.Suffix(), admin: server.AdminDN(), password: server.AdminPassword(),
		service: "CN=scimgate,OU=services,DC=example,DC=org", login: "sAMAccountName", member: "member", beforeAt: true,
		locked: ldap.LDAPResultInvalidCredentials,
	}
	p := openPage(t, "active-directory.md", map[string]string{
		"ldaps://dc1.example.org": server.URL(), "-W": "-w '" + server.AdminPassword() + "'",
	})
	// The page's domain has its settings where Samba looks for them, this one has not.
	p.preamble = "samba-tool() { command samba-tool \"$@\" --configfile='" + dir + "/smb.conf' -H '" + dir + "/private/sam.ldb'; }\n"
	p.trust(h.caFile)
	return p, h
}

// Who follows the page for Active Directory has a gateway that works, with an
// account that can do that and nothing else.
func TestPageActiveDirectory(t *testing.T) {
	p, h := ownDomain(t)
	p.follow("setup")
	h.servicePassword = p.secret("ldap-password")
	g := p.serve("scimgate.yaml")
	p.check()
	provision(t, g.client(t), h)
	g.client(t).create(person("carol@example.org", object{"displayName": "Carol"})) // without a password, as Entra ID does it
	if got := h.person("carol").GetAttributeValue("userAccountControl"); got != "512" {
		t.Errorf("the userAccountControl of somebody without a password is %s", got)
	}
	deniedAD(t, h)
	attributesOfRights(t, p, h)
	p.allUsed()
}

// The rights by GUID are those that the page names, and the commands for Windows, which
// nothing can run, give the same.
func attributesOfRights(t *testing.T, p *page, h *host) {
	t.Helper()
	lists := regexp.MustCompile(`(?s)<<END\n(.*?)END\n`).FindAllStringSubmatch(p.block("setup").text, -1)
	whole, err := os.ReadFile(filepath.Join("..", "docs", "directories", p.name))
	if err != nil {
		t.Fatal(err)
	}
	windows := regexp.MustCompile(`(?s)foreach \(\$a in (.*?)\) \{`).FindAllStringSubmatch(string(whole), -1)
	if len(lists) != 2 || len(windows) != 2 {
		t.Fatalf("the page has %d lists for Samba and %d for Windows", len(lists), len(windows))
	}
	admin := h.as(h.admin, h.password)
	for i, list := range lists {
		var names []string
		for line := range strings.Lines(list[1]) {
			id, name, _ := strings.Cut(strings.TrimSpace(line), " ")
			names = append(names, `"`+name+`"`)
			found, err := admin.Search(ldap.NewSearchRequest("CN=Schema,CN=Configuration,"+h.suffix, ldap.ScopeSingleLevel, ldap.NeverDerefAliases, 0, 0, false,
				"(lDAPDisplayName="+name+")", []string{"schemaIDGUID"}, nil))
			if err != nil || len(found.Entries) != 1 {
				t.Fatalf("%s in the schema: %v", name, err)
			}
			raw := found.Entries[0].GetRawAttributeValue("schemaIDGUID")
			is, err := uuid.FromBytes([]byte{raw[3], raw[2], raw[1], raw[0], raw[5], raw[4], raw[7], raw[6],
				raw[8], raw[9], raw[10], raw[11], raw[12], raw[13], raw[14], raw[15]})
			if err != nil || is.String() != id {
				t.Errorf("%s is %s, the page says %s", name, is, id)
			}
		}
		if got := strings.Join(strings.Fields(windows[i][1]), ""); got != strings.Join(names, ",") {
			t.Errorf("on Windows %s, on Samba %s", got, names)
		}
	}
}

// Who leaves is moved to another OU and comes back, with the page's rights on that too, and
// who is there already is taken over.
func TestPageActiveDirectoryMoveAndAdoption(t *testing.T) {
	p, h := ownDomain(t)
	p.follow("setup")
	again := regexp.MustCompile(`(?m)^(\(umask|samba-tool (ou|user (create|setexpiry))).*$`).ReplaceAllString(p.block("setup").text, "")
	p.shell(strings.ReplaceAll(again, "OU=people", "OU=left"))
	h.servicePassword = p.secret("ldap-password")
	general := p.turn("README.md")
	p.stand["      delete: disable\n"] = "        - move: {to: \"OU=left,DC=example,DC=org\"}\n" + general.block("onExisting").text + "      delete: disable\n"
	c := p.serve("scimgate.yaml").client(t)
	id := provision(t, c, h)
	c.patch("/Users/"+id, object{"op": "replace", "path": "active", "value": false}).want(http.StatusOK)
	if got := h.person("ann").DN; got != "CN=Ann Lee,OU=left,DC=example,DC=org" {
		t.Errorf("inactive as %s", got)
	}
	if said := general.follow("adopt"); !strings.Contains(said, "eve") {
		t.Errorf("the dry run says nothing of eve:\n%s", said)
	}
	eve := c.create(person("eve@example.org", object{"externalId": "e", "displayName": "Eve"}))
	if !h.enters("eve", firstPassword) {
		t.Error("adopted, and does not get in")
	}
	c.patch("/Users/"+eve, object{"op": "replace", "path": "active", "value": false}).want(http.StatusOK)
	if h.enters("eve", firstPassword) {
		t.Error("inactive, and gets in")
	}
	c.post("/Users", person("mallory@example.org", object{"externalId": "m"})).wantError(http.StatusConflict, "uniqueness")
	deniedAD(t, h)
}

// deniedAD tries what a domain controller has to refuse the service account.
func deniedAD(t *testing.T, h *host) {
	t.Helper()
	ann := h.person("ann").DN
	h.denied(t, "a user outside the base", adding("CN=x,CN=Users,DC=example,DC=org", "objectClass", "user", "sAMAccountName", "x"))
	h.denied(t, "a computer", adding("CN=x,OU=people,DC=example,DC=org", "objectClass", "computer", "sAMAccountName", "x$"))
	h.denied(t, "a group among the people", adding("CN=x,OU=people,DC=example,DC=org", "objectClass", "group", "sAMAccountName", "x"))
	h.denied(t, "an OU", adding("OU=x,OU=people,DC=example,DC=org", "objectClass", "organizationalUnit", "ou", "x"))
	h.denied(t, "an administrator's attribute", replacing(h.admin, "adminDescription", "mine"))
	h.denied(t, "an administrator's password", replacing(h.admin, "unicodePwd", "\"\x00M\x00i\x00n\x00e\x00-\x001\x002\x003\x004\x00\"\x00"))
	h.denied(t, "a foreign user's password", replacing("CN=Boss,CN=Users,DC=example,DC=org", "unicodePwd", "\"\x00M\x00i\x00n\x00e\x00-\x001\x002\x003\x004\x00\"\x00"))
	h.denied(t, "a member of Domain Admins", putting("CN=Domain Admins,CN=Users,DC=example,DC=org", "member", ann))
	h.denied(t, "an attribute that is not in the mapping", replacing(ann, "servicePrincipalName", "HTTP/mine"))
	h.denied(t, "its own account", replacing(h.service, "userAccountControl", "66048"))
	h.denied(t, "the OU", replacing("OU=people,DC=example,DC=org", "description", "mine"))
}

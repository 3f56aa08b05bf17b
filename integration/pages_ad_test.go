//go:build integration && ad

package integration

import (
	"testing"

	"github.com/go-ldap/ldap/v3"

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
	deniedAD(t, h)
	p.allUsed()
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

//go:build integration && !ad && !ds389

package integration

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"

	"scimgate/internal/slapd"
)

const configPassword = "secret of cn=config"

// likeDebian makes the directory's settings those of a fresh installation of Debian's,
// where everybody reads everything, or of one that has been closed ("none"). The limit
// of a search is such that two people are too many.
const likeDebian = `dn: olcDatabase={1}mdb,cn=config
changetype: modify
replace: olcAccess
olcAccess: {0}to attrs=userPassword by self write by anonymous auth by * none
olcAccess: {1}to attrs=shadowLastChange by self write by * read
olcAccess: {2}to * by * %s
-
replace: olcDbIndex
olcDbIndex: objectClass eq
olcDbIndex: cn,uid eq
olcDbIndex: uidNumber,gidNumber eq
olcDbIndex: member,memberUid eq
-
replace: olcSizeLimit
olcSizeLimit: 1
`

// ownSlapd is an OpenLDAP as Debian ships it, and its page.
func ownSlapd(t *testing.T, others string) (*page, *host) {
	t.Helper()
	files := newCertificates(t, t.TempDir())
	server := pageSlapd(t, slapd.Config{
		NoScimSchema: true, TLS: files.server(), ListenTLS: "127.0.0.1:0", Entries: theirs,
		DatabaseConf: []string{"database config", "rootdn cn=config", `rootpw "` + configPassword + `"`},
	})
	h := slapdHost(t, server, files.file("ca.pem"))
	p := openPage(t, "openldap.md", map[string]string{
		"ldaps://ldap1.example.com": server.TLSURL(),
		"-W":                        "-w '" + server.AdminPassword() + "'",
		"-Y EXTERNAL -H ldapi:///":  "-x -H " + server.URL() + " -D cn=config -w '" + configPassword + "'",
	})
	p.trust(h.caFile)
	p.write("debian.ldif", fmt.Sprintf(likeDebian, others))
	p.shell("ldapmodify -Y EXTERNAL -H ldapi:/// -f debian.ldif")
	return p, h
}

func slapdHost(t *testing.T, server *slapd.Server, caFile string) *host {
	return &host{
		t: t, url: server.TLSURL(), caFile: caFile, suffix: server.Suffix(), admin: server.AdminDN(), password: server.AdminPassword(),
		service: "cn=scimgate,ou=services,dc=example,dc=org", login: "uid", member: "member", locked: ldap.LDAPResultInvalidCredentials,
	}
}

// pageSlapd runs a directory until the test ends.
func pageSlapd(t *testing.T, cfg slapd.Config) *slapd.Server {
	t.Helper()
	cfg.Dir = t.TempDir()
	server, err := slapd.Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	return server
}

// Who follows the page for OpenLDAP has a gateway that works, with an account that
// can do that and nothing else, and also where others may read nothing.
func TestPageOpenLDAP(t *testing.T) {
	t.Parallel()
	p, h := ownSlapd(t, "none")
	p.files("config.ldif", "entries.ldif")
	p.follow("setup")
	h.servicePassword = p.secret("ldap-password")
	g := p.serve("scimgate.yaml")
	if said := p.check(); strings.Contains(said, "pwdLockout") {
		t.Errorf("the account does not see the policy:\n%s", said)
	}
	provision(t, g.client(t), h)
	if n := g.client(t).get("/Users").want(http.StatusOK).total(); n != 2 {
		t.Errorf("%d people are listed", n)
	}
	listedElsewhere(t, g.client(t), h)
	deniedOpenLDAP(t, h)

	p.named("references.ldif") // is not for everybody, and has a test of its own
	p.allUsed()
}

// The same for accounts and groups of RFC 2307, with numbers of an entry that counts.
func TestPageRFC2307(t *testing.T) {
	t.Parallel()
	p, h := ownSlapd(t, "none")
	p.files("config.ldif", "entries.ldif")
	p.follow("setup")
	h.servicePassword = p.secret("ldap-password")
	accounts := p.turn("rfc2307.md")
	accounts.files("posix.ldif", "posix-rights.ldif")
	accounts.follow("setup")
	h.member = "memberUid"
	id := provision(t, accounts.serve("rfc2307.yaml").client(t), h)
	e := h.person("ann@example.org")
	for attribute, want := range map[string]string{
		"entryUUID": id, "uidNumber": "10000", "gidNumber": "100", "homeDirectory": "/home/ann@example.org", "loginShell": "/bin/bash", "shadowExpire": "",
	} {
		if got := e.GetAttributeValue(attribute); got != want {
			t.Errorf("%s is %q, want %q", attribute, got, want)
		}
	}
	h.denied(t, "a number of somebody else", replacing("cn=uidNext,ou=services,dc=example,dc=org", "cn", "x"))
	accounts.allUsed()
}

// A reference in an entry that others look after follows a rename, with the right to it.
func TestPageOpenLDAPReferences(t *testing.T) {
	t.Parallel()
	p, h := ownSlapd(t, "read")
	p.files("config.ldif", "entries.ldif", "references.ldif")
	p.follow("setup")
	p.shell("ldapmodify -Y EXTERNAL -H ldapi:/// -f references.ldif")
	h.servicePassword = p.secret("ldap-password")
	c := p.serve("scimgate.yaml").client(t)
	id := c.create(person("ann"))
	admin := h.as(h.admin, h.password)
	for dn, attribute := range map[string]string{admins: "member", root: "manager"} {
		if err := putting(dn, attribute, h.person("ann").DN)(admin); err != nil {
			t.Fatal(err)
		}
	}
	c.patch("/Users/"+id, object{"op": "replace", "path": "userName", "value": "anna"}).want(http.StatusOK)
	h.lists(t, "admins", "root", "anna")
	if got, want := h.person("root").GetAttributeValue("manager"), h.person("anna").DN; got != want {
		t.Errorf("the manager is %s, want %s", got, want)
	}
	h.denied(t, "an administrator's password", replacing(root, "userPassword", "mine"))
	h.denied(t, "another attribute of a foreign group", replacing(admins, "description", "mine"))
}

// Who leaves is moved and comes back, with the page's rules once more for that place.
func TestPageOpenLDAPMove(t *testing.T) {
	t.Parallel()
	p, h := ownSlapd(t, "none")
	p.files("config.ldif", "entries.ldif")
	p.follow("setup")
	rules := "dn: olcDatabase={1}mdb,cn=config\nchangetype: modify\nadd: olcAccess\n"
	for i, n := range []int{0, 2, 4, 6} {
		rule := regexp.MustCompile(fmt.Sprintf(`(?m)^olcAccess: \{%d\}(.*ou=people.*)$`, n)).FindStringSubmatch(p.block("config.ldif").text)
		if rule == nil {
			t.Fatalf("the page has no rule {%d} for people", n)
		}
		rules += fmt.Sprintf("olcAccess: {%d}%s\n", i, strings.ReplaceAll(rule[1], "ou=people", "ou=left"))
	}
	p.write("left.ldif", "dn: ou=left,dc=example,dc=org\nobjectClass: organizationalUnit\nou: left\n")
	p.write("move.ldif", rules)
	p.shell("ldapadd -x -H ldaps://ldap1.example.com -D cn=admin,dc=example,dc=org -W -f left.ldif\nldapmodify -Y EXTERNAL -H ldapi:/// -f move.ldif")
	h.servicePassword = p.secret("ldap-password")
	p.stand["      delete: disable\n"] = "        - move: {to: \"ou=left,dc=example,dc=org\"}\n      delete: disable\n"
	c := p.serve("scimgate.yaml").client(t)
	id := provision(t, c, h)
	c.patch("/Users/"+id, object{"op": "replace", "path": "active", "value": false}).want(http.StatusOK)
	if got := h.person("ann@example.org").DN; got != "uid=ann@example.org,ou=left,dc=example,dc=org" {
		t.Errorf("inactive as %s", got)
	}
	deniedOpenLDAP(t, h)
}

// Who is there already is taken over, if the rules and the configuration have the same filter.
func TestPageOpenLDAPAdoption(t *testing.T) {
	t.Parallel()
	p, h := ownSlapd(t, "none")
	p.stand["(scimSource=okta)"] = "(|(scimSource=okta)(employeeType=staff))" // the page says so
	p.files("config.ldif", "entries.ldif")
	p.follow("setup")
	h.servicePassword = p.secret("ldap-password")
	adoptStaff(t, p, h)
	deniedOpenLDAP(t, h)
}

// The same rules as lines of slapd.conf, made as the page says, and groups of RFC 2307bis.
func TestPageOpenLDAPBySlapdConf(t *testing.T) {
	t.Parallel()
	p := openPage(t, "openldap.md", map[string]string{})
	var cfg slapd.Config
	for _, line := range strings.Split(p.block("config.ldif").text, "\n") {
		attribute, value, _ := strings.Cut(line, ": ")
		switch attribute {
		case "olcAccess":
			_, rule, _ := strings.Cut(value, "}")
			cfg.Access = append(cfg.Access, rule)
		case "olcLimits":
			cfg.DatabaseConf = append(cfg.DatabaseConf, "limits "+value)
		}
	}
	if len(cfg.Access) < 5 || len(cfg.DatabaseConf) != 1 {
		t.Fatalf("the page has %q and %q", cfg.Access, cfg.DatabaseConf)
	}
	cfg.Access = append(cfg.Access, "to attrs=userPassword by self write by anonymous auth by * none", "to * by * none")
	files := newCertificates(t, p.dir)
	cfg.TLS, cfg.ListenTLS, cfg.Overlays, cfg.GroupSchema = files.server(), "127.0.0.1:0", []string{"ppolicy", "refint", "memberof", "unique"}, true
	const password = "of scimgate"
	cfg.Entries = theirs + strings.Split(strings.Replace(p.block("entries.ldif").text, "{CRYPT}*", password, 1), "dn: ou=policies")[0]
	server := pageSlapd(t, cfg)
	h := slapdHost(t, server, files.file("ca.pem"))
	h.servicePassword = password
	p.stand["ldaps://ldap1.example.com"] = server.TLSURL()
	p.stand["[top, groupOfNames, scimgateObject]"] = "[top, groupOfMembers, scimgateObject]"
	p.stand[`, emptyMember: "cn=nobody,dc=example,dc=org"`] = ""
	p.write("ldap-password", password)
	provision(t, p.serve("scimgate.yaml").client(t), h)
	deniedOpenLDAP(t, h)
}

// deniedOpenLDAP tries what slapd has to refuse the service account.
func deniedOpenLDAP(t *testing.T, h *host) {
	t.Helper()
	h.denied(t, "an entry outside the bases", adding("cn=x,ou=services,dc=example,dc=org", "objectClass", "organizationalRole", "cn", "x"))
	h.denied(t, "an entry without the marker", adding("uid=x,ou=people,dc=example,dc=org", "objectClass", "inetOrgPerson", "uid", "x", "cn", "x", "sn", "x"))
	h.denied(t, "an administrator's password", replacing(root, "userPassword", "mine"))
	h.denied(t, "the marker on somebody else's entry", replacing(root, "description", "okta"))
	h.denied(t, "a foreign group", putting(admins, "member", h.service))
	h.denied(t, "deleting a foreign group", deleting(admins))
	h.denied(t, "the base", replacing("ou=people,dc=example,dc=org", "description", "mine"))
	h.denied(t, "its own account", replacing(h.service, "description", "mine"))
	h.denied(t, "its own password", replacing(h.service, "userPassword", "mine"))
	h.denied(t, "the settings", replacing("cn=config", "olcSizeLimit", "1"))
	found, err := h.as(h.service, h.servicePassword).Search(ldap.NewSearchRequest(h.suffix, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, 0, false,
		"(objectClass=*)", []string{"userPassword", "cn"}, nil))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range found.Entries {
		if len(e.GetAttributeValues("userPassword")) > 0 {
			t.Errorf("the account reads the password of %s", e.DN)
		}
	}
}

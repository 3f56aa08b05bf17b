//go:build integration && ds389

package integration

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"

	"scimgate/internal/ds389"
)

// own389 is a 389 Directory Server as a new instance has it, and its page.
func own389(t *testing.T, cfg ds389.Config) (*page, *host, *ds389.Server) {
	t.Helper()
	cfg.Dir = t.TempDir()
	if cfg.Access == nil {
		cfg.Access = []string{} // what others may do is no help to the service account
	}
	server, err := ds389.Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	h := &host{
		t: t, url: server.TLSURL(), caFile: server.CAFile(), suffix: server.Suffix(), admin: server.AdminDN(), password: server.AdminPassword(),
		service: "uid=scimgate,ou=services,dc=example,dc=org", login: "uid", member: "member", locked: ldap.LDAPResultUnwillingToPerform,
		attributes: []string{"nsUniqueId", "nsAccountLock"},
	}
	p := openPage(t, "389ds.md", map[string]string{
		"ldaps://ldap1.example.com":  server.TLSURL(),
		"-W":                         "-w '" + server.AdminPassword() + "'",
		"dsconf INSTANCE":            `dsconf -D "cn=Directory Manager" -w '` + server.AdminPassword() + "' " + server.URL(),
		"/etc/dirsrv/slapd-INSTANCE": cfg.Dir + "/etc",
	})
	p.trust(h.caFile)
	// The tests' server has what a new instance has not.
	for _, dn := range []string{"cn=manager,cn=index,cn=userRoot,cn=ldbm database,cn=plugins,cn=config", "ou=services,dc=example,dc=org"} {
		if err := deleting(dn)(h.as(h.admin, h.password)); err != nil {
			t.Fatalf("%s: %v", dn, err)
		}
	}
	return p, h, server
}

// Who follows the page for 389 Directory Server has a gateway that works, with an
// account that can do that and nothing else.
func TestPage389DS(t *testing.T) {
	t.Parallel()
	p, h, _ := own389(t, ds389.Config{Entries: theirs})
	p.files("service.ldif", "rights.ldif")
	p.follow("setup")
	h.servicePassword = p.secret("ldap-password")
	g := p.serve("scimgate.yaml")
	p.check()
	provision(t, g.client(t), h)
	listedElsewhere(t, g.client(t), h)
	denied389(t, h)
	p.named("plugins") // are not for everybody, and have a test of their own
	p.allUsed()
}

// With the plug-ins a reference in a group that others look after follows a rename, which
// takes no right of the gateway's; everything else is as without them.
func TestPage389DSPlugins(t *testing.T) {
	t.Parallel()
	p, h, server := own389(t, ds389.Config{Entries: theirs})
	p.files("service.ldif", "rights.ldif")
	p.follow("setup")
	p.follow("plugins")
	if err := server.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.servicePassword = p.secret("ldap-password")
	c := p.serve("scimgate.yaml").client(t)
	id := c.create(person("ann"))
	if err := putting(admins, "member", h.person("ann").DN)(h.as(h.admin, h.password)); err != nil {
		t.Fatal(err)
	}
	c.patch("/Users/"+id, object{"op": "replace", "path": "userName", "value": "anna"}).want(http.StatusOK)
	h.lists(t, "admins", "root", "anna")
	if got := h.person("anna").GetAttributeValues("memberOf"); len(got) != 1 {
		t.Errorf("memberOf is %q", got)
	}
	if err := adding("uid=other,ou=people,dc=example,dc=org", "objectClass", "inetOrgPerson", "uid", "other anna", "cn", "x", "sn", "x")(h.as(h.admin, h.password)); !ldap.IsErrorWithCode(err, ldap.LDAPResultConstraintViolation) {
		t.Errorf("a double past the gateway: %v", err)
	}
	provision(t, c, h)
	denied389(t, h)
}

// denied389 tries what the server has to refuse the service account.
func denied389(t *testing.T, h *host) {
	t.Helper()
	h.denied(t, "an entry outside the bases", adding("uid=x,ou=services,dc=example,dc=org", "objectClass", "account", "uid", "x"))
	h.denied(t, "an entry without the marker", adding("uid=x,ou=people,dc=example,dc=org", "objectClass", "inetOrgPerson", "uid", "x", "cn", "x", "sn", "x"))
	h.denied(t, "an administrator's password", replacing(root, "userPassword", "mine of all"))
	h.denied(t, "an administrator's lock", replacing(root, "nsAccountLock", "true"))
	h.denied(t, "a foreign group", putting(admins, "member", h.service))
	h.denied(t, "deleting a foreign group", deleting(admins))
	h.denied(t, "the base", replacing("ou=people,dc=example,dc=org", "description", "mine"))
	h.denied(t, "its own account", replacing(h.service, "description", "mine"))
	h.denied(t, "the settings", replacing("cn=config", "nsslapd-sizelimit", "1"))
	h.denied(t, "the rights", putting("ou=people,dc=example,dc=org", "aci",
		`(targetattr="*")(version 3.0; acl "mine"; allow (all) userdn="ldap:///`+h.service+`";)`))
	found, err := h.as(h.service, h.servicePassword).Search(ldap.NewSearchRequest(h.suffix, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, 0, false,
		"(objectClass=*)", []string{"userPassword", "aci", "cn"}, nil))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range found.Entries {
		if len(e.GetAttributeValues("userPassword")) > 0 || len(e.GetAttributeValues("aci")) > 0 {
			t.Errorf("the account reads secrets of %s", e.DN)
		}
	}
}

// Who leaves is moved and comes back, with the page's rights once more for that place; who
// is there already is taken over, if rights and configuration have the same filter.
func TestPage389DSMoveAndAdoption(t *testing.T) {
	t.Parallel()
	p, h, _ := own389(t, ds389.Config{Entries: theirs + "dn: ou=left,dc=example,dc=org\nobjectClass: organizationalUnit\nou: left\n\n"})
	p.stand["(scimSource=okta)"] = "(|(scimSource=okta)(employeeType=staff))" // the page says so
	p.files("service.ldif", "rights.ldif")
	p.follow("setup")
	text := p.here(p.block("rights.ldif").text)
	people := strings.ReplaceAll(text[:strings.Index(text, "dn: ou=groups")], "ou=people", "ou=left")
	whole, err := os.ReadFile(filepath.Join("..", "docs", "directories", "389ds.md"))
	if err != nil {
		t.Fatal(err)
	}
	move := regexp.MustCompile("(?m)`aci: (\\(target_from.*)`$").FindSubmatch(whole)
	if move == nil {
		t.Fatal("the page has no right to move")
	}
	away := strings.Replace(string(move[1]), `userdn="..."`, `userdn="ldap:///`+h.service+`"`, 1)
	back := strings.NewReplacer("ou=people", "ou=left", "ou=left", "ou=people", "moves", "moves back").Replace(away)
	p.write("move.ldif", people+"dn: dc=example,dc=org\nchangetype: modify\nadd: aci\naci: "+away+"\naci: "+back+"\n")
	p.shell(`ldapmodify -x -H ldaps://ldap1.example.com -D "cn=Directory Manager" -W -f move.ldif`)
	h.servicePassword = p.secret("ldap-password")
	p.stand["      delete: disable\n"] = "        - move: {to: \"ou=left,dc=example,dc=org\"}\n      delete: disable\n"
	c := p.serve("scimgate.yaml").client(t)
	id := provision(t, c, h)
	c.patch("/Users/"+id, object{"op": "replace", "path": "active", "value": false}).want(http.StatusOK)
	if got := h.person("ann@example.org").DN; got != "uid=ann@example.org,ou=left,dc=example,dc=org" {
		t.Errorf("inactive as %s", got)
	}
	adoptStaff(t, p, h)
	denied389(t, h)
}

// layoutOfFreeIPA is where FreeIPA has its entries.
const layoutOfFreeIPA = `dn: cn=accounts,dc=example,dc=org
objectClass: nsContainer
cn: accounts

dn: cn=users,cn=accounts,dc=example,dc=org
objectClass: nsContainer
cn: users

dn: cn=groups,cn=accounts,dc=example,dc=org
objectClass: nsContainer
cn: groups

dn: cn=etc,dc=example,dc=org
objectClass: nsContainer
cn: etc

dn: cn=sysaccounts,cn=etc,dc=example,dc=org
objectClass: nsContainer
cn: sysaccounts

dn: uid=root,cn=users,cn=accounts,dc=example,dc=org
objectClass: inetOrgPerson
uid: root
cn: Root
sn: Root
userPassword: secret of root

`

// classesOfFreeIPA are those of its groups.
const classesOfFreeIPA = `dn: cn=schema
changetype: modify
add: objectClasses
objectClasses: ( 2.16.840.1.113730.3.8.4.14 NAME 'nestedGroup' DESC 'Group that supports nesting' SUP groupOfNames STRUCTURAL MAY memberOf X-ORIGIN 'IPA v2' )
objectClasses: ( 2.16.840.1.113730.3.8.4.9 NAME 'ipaUserGroup' DESC 'IPA user group object class' SUP nestedGroup STRUCTURAL X-ORIGIN 'IPA v2' )
`

// FreeIPA's layout, on a 389 Directory Server.
func TestPageFreeIPA(t *testing.T) {
	t.Parallel()
	p, h, _ := own389(t, ds389.Config{Entries: layoutOfFreeIPA, Plugins: ds389.Plugins{MemberOf: true, RefInt: true, USN: true}})
	p = p.turn("freeipa.md")
	kerberos, err := os.ReadFile("/usr/share/dirsrv/data/60kerberos.ldif")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(p.stand["/etc/dirsrv/slapd-INSTANCE"], "schema", "60kerberos.ldif"), kerberos, 0o600); err != nil {
		t.Fatal(err)
	}
	p.write("classes.ldif", classesOfFreeIPA)
	p.shell(`ldapmodify -x -H ldaps://ldap1.example.com -D "cn=Directory Manager" -W -f classes.ldif`)
	h.service = "uid=scimgate,cn=sysaccounts,cn=etc,dc=example,dc=org"
	p.files("service.ldif", "rights.ldif")
	p.follow("setup")
	h.servicePassword = p.secret("ldap-password")
	g := p.serve("scimgate.yaml")
	p.check()
	provision(t, g.client(t), h)
	h.denied(t, "an administrator's password", replacing("uid=root,cn=users,cn=accounts,dc=example,dc=org", "userPassword", "mine of all"))
	h.denied(t, "an entry without the marker", adding("uid=x,cn=users,cn=accounts,dc=example,dc=org", "objectClass", "inetOrgPerson", "uid", "x", "cn", "x", "sn", "x"))
	h.denied(t, "an entry outside the bases", adding("uid=x,cn=sysaccounts,cn=etc,dc=example,dc=org", "objectClass", "account", "uid", "x"))
	p.allUsed()
}

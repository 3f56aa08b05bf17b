//go:build ds389

package ds389

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/go-ldap/ldap/v3"

	"scimgate/internal/daemon"
)

// begin starts a server that ends with the test.
func begin(t *testing.T, cfg Config) *Server {
	t.Helper()
	if cfg.Dir == "" {
		cfg.Dir = t.TempDir()
	}
	s, err := Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func bind(s *Server, password string) error {
	addr := strings.TrimPrefix(s.URL(), "ldap://")
	return daemon.Account{Addr: addr, DN: s.AdminDN(), Password: password}.Bind(context.Background())
}

// dial binds over TLS, trusting the server's CAFile alone.
func dial(t *testing.T, s *Server, dn, password string) *ldap.Conn {
	t.Helper()
	ca, err := os.ReadFile(s.CAFile())
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	conn, err := ldap.DialURL(s.TLSURL(), ldap.DialWithTLSConfig(&tls.Config{RootCAs: pool, ServerName: "127.0.0.1"}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.Bind(dn, password); err != nil {
		t.Fatal(err)
	}
	return conn
}

func admin(t *testing.T, s *Server) *ldap.Conn { return dial(t, s, s.AdminDN(), s.AdminPassword()) }

func personDN(uid string) string { return "uid=" + uid + ",ou=people," + suffix }

// person adds one, with further attributes: name, value, name, value.
func person(conn *ldap.Conn, uid string, more ...string) error {
	request := ldap.NewAddRequest(personDN(uid), nil)
	request.Attribute("objectClass", []string{"inetOrgPerson", "scimgateObject"})
	for i, attr := range []string{"uid", "cn", "sn"} {
		request.Attribute(attr, []string{uid, "Ann Lee", "Lee"}[i:i+1])
	}
	for i := 0; i < len(more); i += 2 {
		request.Attribute(more[i], more[i+1:i+2])
	}
	return conn.Add(request)
}

func modify(conn *ldap.Conn, dn string, change func(*ldap.ModifyRequest)) error {
	request := ldap.NewModifyRequest(dn, nil)
	change(request)
	return conn.Modify(request)
}

// read returns the values of an attribute of an entry, none where it is not there.
func read(t *testing.T, conn *ldap.Conn, dn, attr string) []string {
	t.Helper()
	found, err := conn.Search(ldap.NewSearchRequest(dn, ldap.ScopeBaseObject, ldap.NeverDerefAliases, 0, 0, false,
		"(objectClass=*)", []string{attr}, nil))
	if err != nil {
		t.Fatal(err)
	}
	if len(found.Entries) == 0 {
		return nil
	}
	return found.Entries[0].GetEqualFoldAttributeValues(attr)
}

func wantCode(t *testing.T, what string, err error, code uint16) {
	t.Helper()
	if !ldap.IsErrorWithCode(err, code) {
		t.Errorf("%s: got %v, want code %d", what, err, code)
	}
}

func TestStartStop(t *testing.T) {
	s := begin(t, Config{})
	if bind(s, "wrong") == nil {
		t.Error("a wrong password is accepted")
	}
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	if s.Pid() != 0 {
		t.Error("still there after Stop")
	}
	select {
	case <-s.Done():
	default:
		t.Error("Done is open after Stop")
	}
	if err := s.Restart(t.Context()); err == nil {
		t.Error("a stopped server can be restarted")
	}
}

// What was written outlives a kill, a restart and a new Start in the same folder, which two
// servers cannot have at once.
func TestDataStay(t *testing.T) {
	cfg := Config{Dir: t.TempDir(), ScimSchema: true}
	s := begin(t, cfg)
	if err := person(admin(t, s), "ann", "scimExternalId", "00u1"); err != nil {
		t.Fatal(err)
	}
	id := read(t, admin(t, s), personDN("ann"), "nsUniqueId")
	if _, err := Start(t.Context(), cfg); err == nil {
		t.Error("two servers run in one folder")
	}
	if err := s.Kill(); err != nil {
		t.Fatal(err)
	}
	<-s.Done()
	if err := s.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := read(t, admin(t, s), personDN("ann"), "nsUniqueId"); len(got) != 1 || !slices.Equal(got, id) {
		t.Errorf("after a kill the id is %q, it was %q", got, id)
	}
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	again := begin(t, cfg)
	if got := read(t, admin(t, again), personDN("ann"), "nsUniqueId"); !slices.Equal(got, id) {
		t.Errorf("after a new start the id is %q, it was %q", got, id)
	}
}

func TestTwoAtOnce(t *testing.T) {
	var both sync.WaitGroup
	for range 2 {
		dir := t.TempDir()
		both.Go(func() {
			s, err := Start(context.Background(), Config{Dir: dir})
			if err != nil {
				t.Error(err)
				return
			}
			if err := s.Stop(); err != nil {
				t.Error(err)
			}
		})
	}
	both.Wait()
}

func TestPlugins(t *testing.T) {
	conn := admin(t, begin(t, Config{
		Plugins: Plugins{MemberOf: true, RefInt: true, USN: true, Unique: []string{"uid", "mail"}}, ScimSchema: true,
	}))
	for _, err := range []error{person(conn, "ann", "mail", "ann@example.org"), person(conn, "bob")} {
		if err != nil {
			t.Fatal(err)
		}
	}
	wantCode(t, "a mail given twice", person(conn, "eve", "mail", "Ann@example.org"), ldap.LDAPResultConstraintViolation)

	const group = "cn=staff,ou=groups," + suffix
	request := ldap.NewAddRequest(group, nil)
	request.Attribute("objectClass", []string{"groupOfNames"})
	request.Attribute("member", []string{personDN("ann")})
	if err := conn.Add(request); err != nil {
		t.Fatal(err)
	}
	if got := read(t, conn, personDN("ann"), "memberOf"); !slices.Equal(got, []string{group}) {
		t.Errorf("memberOf is %q", got)
	}
	manager := func(r *ldap.ModifyRequest) { r.Replace("manager", []string{personDN("ann")}) }
	before := read(t, conn, personDN("bob"), "entryusn")
	if err := modify(conn, personDN("bob"), manager); err != nil {
		t.Fatal(err)
	}
	if after := read(t, conn, personDN("bob"), "entryusn"); len(after) != 1 || slices.Equal(after, before) {
		t.Errorf("entryusn was %q and is %q", before, after)
	}
	if err := conn.Del(ldap.NewDelRequest(personDN("ann"), nil)); err != nil {
		t.Fatal(err)
	}
	if left := append(read(t, conn, group, "member"), read(t, conn, personDN("bob"), "manager")...); len(left) != 0 {
		t.Errorf("references to a deleted entry are left: %q", left)
	}
}

// A new instance has none of these on, and knows no schema of ours.
func TestStock(t *testing.T) {
	conn := admin(t, begin(t, Config{}))
	wantCode(t, "an object class that is not loaded", person(conn, "ann"), ldap.LDAPResultObjectClassViolation)
	if got := read(t, conn, "ou=people,"+suffix, "entryusn"); len(got) != 0 {
		t.Errorf("entryusn is %q", got)
	}
}

const (
	service    = "uid=scimgate,ou=services," + suffix
	servicePWD = "of-the-service-1"
	account    = "dn: " + service + "\nobjectClass: account\nobjectClass: simpleSecurityObject\nuid: scimgate\nuserPassword: " + servicePWD + "\n"
	everything = `(targetattr="*")(version 3.0; acl "the service"; allow (all) userdn="ldap:///` + service + `";)`
)

func TestAccessConfAndEntries(t *testing.T) {
	s := begin(t, Config{
		Access: []string{everything}, Entries: account, ScimSchema: true,
		Conf: []string{"nsslapd-sizelimit: 2", "passwordCheckSyntax: on"},
	})
	conn := dial(t, s, service, servicePWD)
	wantCode(t, "more entries than the size limit", search(conn), ldap.LDAPResultSizeLimitExceeded)
	wantCode(t, "a weak password", person(conn, "ann", "userPassword", "ann"), ldap.LDAPResultConstraintViolation)
	if err := person(conn, "ann"); err != nil {
		t.Error(err)
	}
	anonymous, err := ldap.DialURL(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer anonymous.Close()
	if got := read(t, anonymous, suffix, "objectClass"); len(got) != 0 {
		t.Error("anybody may read in spite of the rules")
	}
}

func search(conn *ldap.Conn) error {
	_, err := conn.Search(ldap.NewSearchRequest(suffix, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, 0, false,
		"(objectClass=*)", []string{"1.1"}, nil))
	return err
}

func TestBadEntriesStopTheStart(t *testing.T) {
	for name, entries := range map[string]string{
		"not LDIF":         "this is no LDIF",
		"no such class":    "dn: " + personDN("x") + "\nobjectClass: nonsense\nuid: x\n",
		"no parent":        "dn: uid=x,ou=nowhere," + suffix + "\nobjectClass: account\nuid: x\n",
		"outside the tree": "dn: uid=x,dc=example,dc=com\nobjectClass: account\nuid: x\n",
	} {
		t.Run(name, func(t *testing.T) {
			s, err := Start(t.Context(), Config{Dir: t.TempDir(), Entries: entries})
			if err == nil {
				s.Stop()
				t.Fatal("started without them")
			}
			if !strings.Contains(err.Error(), "load the entries") {
				t.Error(err)
			}
		})
	}
}

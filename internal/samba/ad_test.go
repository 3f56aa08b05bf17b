//go:build ad

package samba

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

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

// trust is what a client makes of CAFile.
func trust(t *testing.T, s *Server) *tls.Config {
	t.Helper()
	text, err := os.ReadFile(s.CAFile())
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		t.Fatal("no certificate in CAFile")
	}
	return &tls.Config{RootCAs: pool, ServerName: strings.TrimPrefix(s.PlainURL(), "ldap://")}
}

// connect binds as the administrator over ldaps.
func connect(t *testing.T, s *Server) *ldap.Conn {
	t.Helper()
	conn, err := ldap.DialURL(s.URL(), ldap.DialWithTLSConfig(trust(t, s)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.Bind(s.AdminDN(), s.AdminPassword()); err != nil {
		t.Fatal(err)
	}
	return conn
}

func canBind(t *testing.T, s *Server) bool {
	admin := daemon.Account{
		Addr: strings.TrimPrefix(s.URL(), "ldaps://") + ":636", TLS: trust(t, s),
		DN: s.AdminDN(), Password: s.AdminPassword(),
	}
	return admin.Bind(context.Background()) == nil
}

func exists(t *testing.T, conn *ldap.Conn, dn string) bool {
	t.Helper()
	_, err := conn.Search(ldap.NewSearchRequest(dn, ldap.ScopeBaseObject, 0, 0, 0, false, "(objectClass=*)", []string{"1.1"}, nil))
	if err != nil && !ldap.IsErrorWithCode(err, ldap.LDAPResultNoSuchObject) {
		t.Fatal(err)
	}
	return err == nil
}

// gone says whether a process has ended.
func gone(pid int) bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }

const people = `dn: OU=people,DC=example,DC=org
objectClass: organizationalUnit

dn: CN=Ann,OU=people,DC=example,DC=org
objectClass: user
sAMAccountName: ann
`

// What the private server has to be: an Active Directory, with ids and entries of its own.
func TestStartStop(t *testing.T) {
	s := begin(t, Config{Entries: people})
	conn := connect(t, s)
	found, err := conn.Search(ldap.NewSearchRequest(s.Suffix(), ldap.ScopeWholeSubtree, 0, 0, 0, false,
		"(sAMAccountName=ann)", []string{"objectGUID", "userAccountControl"}, nil))
	if err != nil || len(found.Entries) != 1 {
		t.Fatalf("the loaded entry: %v, %v", found, err)
	}
	if len(found.Entries[0].GetRawAttributeValue("objectGUID")) != 16 {
		t.Error("no objectGUID")
	}
	pid := s.Pid()
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	if !gone(pid) || s.Pid() != 0 {
		t.Error("still there after Stop")
	}
	<-s.Done()
	if err := s.Restart(t.Context()); err == nil {
		t.Error("a stopped server can be restarted")
	}
}

// Passwords go over TLS, whichever way it was reached, or not at all.
func TestStrongAuth(t *testing.T) {
	s := begin(t, Config{})
	conn, err := ldap.DialURL(s.PlainURL())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.Bind(s.AdminDN(), s.AdminPassword()); !ldap.IsErrorWithCode(err, ldap.LDAPResultStrongAuthRequired) {
		t.Errorf("a bind in clear: %v", err)
	}
	if err := conn.StartTLS(trust(t, s)); err != nil {
		t.Fatal(err)
	}
	if err := conn.Bind(s.AdminDN(), "wrong"); !ldap.IsErrorWithCode(err, ldap.LDAPResultInvalidCredentials) {
		t.Errorf("a wrong password: %v", err)
	}
	if err := conn.Bind(s.AdminDN(), s.AdminPassword()); err != nil {
		t.Error(err)
	}
	info, err := os.Stat(s.cfg.path(keyFile))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key: %v, %v", info, err)
	}
}

// A given folder is kept and reused, and only one server at a time may use it.
func TestFolderIsReused(t *testing.T) {
	dir := t.TempDir()
	first := begin(t, Config{Dir: dir, Entries: people})
	if _, err := Start(t.Context(), Config{Dir: dir}); err == nil {
		t.Fatal("two servers on one database")
	}
	if err := connect(t, first).Del(ldap.NewDelRequest("CN=Ann,OU=people,"+suffix, nil)); err != nil {
		t.Fatal(err)
	}
	if err := first.Stop(); err != nil {
		t.Fatal(err)
	}
	conn := connect(t, begin(t, Config{Dir: dir, Entries: people}))
	if !exists(t, conn, "OU=people,"+suffix) || exists(t, conn, "CN=Ann,OU=people,"+suffix) {
		t.Error("the data were made anew")
	}
}

// What was answered outlives a crash, on the same address.
func TestKillAndRestart(t *testing.T) {
	s := begin(t, Config{Entries: people})
	url, pid := s.URL(), s.Pid()
	add := ldap.NewAddRequest("CN=Bob,OU=people,"+suffix, nil)
	add.Attribute("objectClass", []string{"user"})
	if err := connect(t, s).Add(add); err != nil {
		t.Fatal(err)
	}
	if err := s.Kill(); err != nil {
		t.Fatal(err)
	}
	if s.Pid() != 0 || canBind(t, s) {
		t.Error("alive after Kill")
	}
	if err := s.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s.URL() != url || s.Pid() == pid || !exists(t, connect(t, s), "CN=Bob,OU=people,"+suffix) {
		t.Error("not the same server after Restart")
	}
}

// Two servers at a time are two directories.
func TestServersAreApart(t *testing.T) {
	one, other := begin(t, Config{Entries: people}), begin(t, Config{})
	if one.URL() == other.URL() {
		t.Fatalf("both at %s", one.URL())
	}
	if !exists(t, connect(t, one), "OU=people,"+suffix) || exists(t, connect(t, other), "OU=people,"+suffix) {
		t.Error("one sees what the other has")
	}
}

// Whoever comes first makes the domain; those who come meanwhile are not hurt, and leave
// one copy and no rubbish.
func TestDomainIsMadeOnce(t *testing.T) {
	cache := t.TempDir()
	servers := make([]*Server, 2)
	var wait sync.WaitGroup
	for i := range servers {
		wait.Go(func() {
			var err error
			if servers[i], err = Start(t.Context(), Config{Dir: t.TempDir(), Cache: cache}); err != nil {
				t.Error(err)
				return
			}
			t.Cleanup(func() { _ = servers[i].Stop() }) // asked for again below
		})
	}
	wait.Wait()
	if t.Failed() {
		return
	}
	for _, s := range append(servers, begin(t, Config{Cache: cache})) {
		if !canBind(t, s) {
			t.Error("the administrator cannot bind")
		}
	}
	kept, err := os.ReadDir(cache)
	if err != nil || len(kept) != 1 {
		t.Errorf("in the cache: %v, %v", kept, err)
	}
}

// A load that was cut short leaves a folder that nobody can use.
func TestInterruptedLoadIsRepeated(t *testing.T) {
	dir := t.TempDir()
	if err := begin(t, Config{Dir: dir}).Stop(); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{
		os.Remove(filepath.Join(dir, loadedMark)),
		os.WriteFile(filepath.Join(dir, "private", "sam.ldb"), []byte("half"), 0o600),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	begin(t, Config{Dir: dir})
}

// What is wrong with the entries must reach whoever wrote them.
func TestBadEntriesAreExplained(t *testing.T) {
	_, err := Start(t.Context(), Config{Dir: t.TempDir(), Entries: people + "nonsense: x\n"})
	if err == nil || !strings.Contains(err.Error(), "nonsense") {
		t.Errorf("got %v", err)
	}
}

func TestAddressInUse(t *testing.T) {
	l, err := net.Listen("tcp", "127.77.1.1:636")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, err = Start(t.Context(), Config{Dir: t.TempDir(), Listen: "127.77.1.1"})
	if !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("got %v", err)
	}
}

// Rights are delegated with samba-tool, while the server runs.
func TestTool(t *testing.T) {
	s := begin(t, Config{Entries: people})
	out, err := s.Tool(t.Context(), "dsacl", "get", "--objectdn=OU=people,"+suffix)
	if err != nil || !strings.Contains(out, "O:") {
		t.Errorf("%v: %s", err, out)
	}
	if _, err := s.Tool(t.Context(), "dsacl", "get", "--objectdn=OU=nowhere,"+suffix); err == nil {
		t.Error("no error about what is not there")
	}
}

// The machine's own Samba would be in these places. Whatever a server writes is in its
// folder and in the cache.
func TestMachineIsLeftAlone(t *testing.T) {
	places := []string{"/etc/samba", "/var/lib/samba", "/var/cache/samba", "/run/samba", "/var/log/samba"}
	before := listing(t, places)
	s := begin(t, Config{Cache: t.TempDir(), Entries: people})
	connect(t, s)
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	if after := listing(t, places); !slices.Equal(before, after) {
		t.Errorf("before: %q\nafter: %q", before, after)
	}
}

// listing is every file with its size and its last change.
func listing(t *testing.T, places []string) []string {
	t.Helper()
	var files []string
	for _, place := range places {
		err := filepath.Walk(place, func(path string, info os.FileInfo, err error) error {
			if errors.Is(err, os.ErrNotExist) {
				return nil
			}
			if err == nil {
				files = append(files, path+" "+info.ModTime().Format(time.RFC3339Nano))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return files
}

// The test binary is the parent that dies: TestMain runs it as one when asked to.
const orphanDir = "SAMBA_TEST_ORPHAN_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(orphanDir); dir != "" {
		s, err := Start(context.Background(), Config{Dir: dir})
		if err != nil {
			os.Stdout.WriteString(err.Error() + "\n")
			os.Exit(1)
		}
		os.Stdout.WriteString(strings.TrimPrefix(s.URL(), "ldaps://") + ":636\n")
		select {}
	}
	os.Exit(m.Run())
}

func TestDiesWithItsParent(t *testing.T) {
	parent := exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), orphanDir+"="+t.TempDir())
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	line := make([]byte, 1024)
	n, err := out.Read(line)
	if err != nil {
		t.Fatal(err)
	}
	// Whether it answers, not whether its process id is still known: who waits for an
	// orphan, and when, is up to the machine.
	addr := strings.TrimSpace(string(line[:n]))
	if !answers(addr) {
		t.Fatalf("samba does not run; the parent said %s", addr)
	}
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait() // says that it was killed
	for deadline := time.Now().Add(5 * time.Second); answers(addr); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("samba outlives its parent")
		}
	}
}

func answers(addr string) bool {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return false
	}
	conn.Close()
	return true
}

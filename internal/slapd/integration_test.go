//go:build integration

package slapd

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"scimgate/internal/daemon"
	"scimgate/internal/testcert"
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

func admin(s *Server) daemon.Account {
	return daemon.Account{Addr: s.Addr(), DN: s.AdminDN(), Password: s.AdminPassword()}
}

func canBind(s *Server) bool {
	return admin(s).Bind(context.Background()) == nil
}

// gone says whether a process has ended.
func gone(pid int) bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within 5 s: %s", what)
		}
	}
}

func TestStartStop(t *testing.T) {
	s := begin(t, Config{Overlays: []string{"ppolicy", "refint", "memberof", "unique"}, GroupSchema: true})
	if !canBind(s) {
		t.Error("the administrator cannot bind")
	}
	stranger := admin(s)
	stranger.Password = "wrong"
	if stranger.Bind(t.Context()) == nil {
		t.Error("a wrong password is accepted")
	}
	pid := s.Pid()
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	if !gone(pid) || s.Pid() != 0 {
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

func TestEveryOverlayLoads(t *testing.T) {
	for _, overlay := range []string{
		"ppolicy", "refint", "memberof", "unique", "syncprov", "sssvlv",
		"constraint\nconstraint_attribute mail count 3", "auditlog\nauditlog /dev/null",
	} {
		t.Run(strings.Fields(overlay)[0], func(t *testing.T) {
			begin(t, Config{Overlays: []string{overlay}, NoScimSchema: true})
		})
	}
}

// A given folder is kept and reused, and only one server at a time may use it.
func TestFolderIsReused(t *testing.T) {
	dir := t.TempDir()
	first := begin(t, Config{Dir: dir, AdminPassword: "one"})
	if _, err := Start(t.Context(), Config{Dir: dir}); err == nil {
		t.Fatal("two servers on one database")
	}
	if err := first.Stop(); err != nil {
		t.Fatal(err)
	}
	before, err := os.Stat(filepath.Join(dir, "db", "data.mdb"))
	if err != nil {
		t.Fatal(err)
	}
	second := begin(t, Config{Dir: dir, AdminPassword: "two"})
	after, err := os.Stat(filepath.Join(dir, "db", "data.mdb"))
	if err != nil || !os.SameFile(before, after) {
		t.Errorf("the database was made anew (%v)", err)
	}
	if !canBind(second) {
		t.Error("the new password does not work")
	}
	text, err := os.ReadFile(filepath.Join(dir, "slapd.conf"))
	if err != nil || bytes.Contains(text, []byte(`"two"`)) {
		t.Errorf("the password is in the configuration (%v)", err)
	}
}

// A load that was cut short leaves a database that nobody can use.
func TestInterruptedLoadIsRepeated(t *testing.T) {
	dir := t.TempDir()
	if err := begin(t, Config{Dir: dir}).Stop(); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{
		os.Remove(filepath.Join(dir, loadedMark)),
		os.WriteFile(filepath.Join(dir, "db", "data.mdb"), []byte("half"), 0o600),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	begin(t, Config{Dir: dir})
}

func TestPortInUse(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, err = Start(t.Context(), Config{Dir: t.TempDir(), Listen: l.Addr().String()})
	if !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("got %v", err)
	}
}

// slapd's own words must reach whoever wrote the line.
func TestBadConfigurationIsExplained(t *testing.T) {
	_, err := Start(t.Context(), Config{Dir: t.TempDir(), DatabaseConf: []string{"nonsense on"}})
	if err == nil || !strings.Contains(err.Error(), "nonsense") {
		t.Errorf("got %v", err)
	}
}

func TestKillAndRestart(t *testing.T) {
	s := begin(t, Config{})
	addr, pid := s.Addr(), s.Pid()
	if err := s.Kill(); err != nil {
		t.Fatal(err)
	}
	if s.Pid() != 0 || canBind(s) {
		t.Error("alive after Kill")
	}
	if err := s.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s.Addr() != addr || s.Pid() == pid || !canBind(s) {
		t.Error("not the same server after Restart")
	}
	if err := s.Restart(t.Context()); err != nil { // of one that runs
		t.Fatal(err)
	}
}

func TestSupervise(t *testing.T) {
	s := begin(t, Config{})
	returned := make(chan struct{})
	go func() {
		defer close(returned)
		s.Supervise(t.Context())
	}()
	for range 3 {
		pid := s.Pid()
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		eventually(t, "a new slapd", func() bool { return s.Pid() != 0 && s.Pid() != pid && canBind(s) })
	}
	pid := s.Pid()
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	<-returned
	if !gone(pid) || canBind(s) {
		t.Error("came back after Stop")
	}
}

// A halted slapd neither answers nor hears SIGTERM; Stop must still end it.
func TestStopOfAHaltedServer(t *testing.T) {
	s := begin(t, Config{})
	pid := s.Pid()
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
	if !gone(pid) {
		t.Error("still there")
	}
}

// The test binary is the parent that dies: TestMain runs it as one when asked to.
const orphanDir = "SLAPD_TEST_ORPHAN_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(orphanDir); dir != "" {
		s, err := Start(context.Background(), Config{Dir: dir})
		if err != nil {
			os.Stdout.WriteString(err.Error() + "\n")
			os.Exit(1)
		}
		os.Stdout.WriteString(s.Addr() + "\n")
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
	line := make([]byte, 256)
	n, err := out.Read(line)
	if err != nil {
		t.Fatal(err)
	}
	// Whether it answers, not whether its process id is still known: who waits for an
	// orphan, and when, is up to the machine.
	addr := strings.TrimSpace(string(line[:n]))
	if !listens(addr) {
		t.Fatalf("slapd does not run; the parent said %s", addr)
	}
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait() // says that it was killed
	eventually(t, "the end of slapd", func() bool { return !listens(addr) })
}

func listens(addr string) bool {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return false
	}
	conn.Close()
	return true
}

func TestTLS(t *testing.T) {
	dir := t.TempDir()
	certificate := testcert.SelfSigned("127.0.0.1")
	files := &TLS{CertFile: filepath.Join(dir, "cert.pem"), KeyFile: filepath.Join(dir, "key.pem")}
	if err := certificate.Write(files.CertFile, files.KeyFile); err != nil {
		t.Fatal(err)
	}
	s := begin(t, Config{TLS: files, ListenTLS: "127.0.0.1:0"})
	addr, found := strings.CutPrefix(s.TLSURL(), "ldaps://")
	if !found {
		t.Fatalf("TLSURL is %q", s.TLSURL())
	}
	overTLS := admin(s)
	overTLS.Addr, overTLS.TLS = addr, &tls.Config{RootCAs: certificate.Pool(), ServerName: "127.0.0.1"}
	if err := overTLS.Bind(t.Context()); err != nil {
		t.Error(err)
	}
}

//go:build integration && !ad && !ds389

package ldapsink

import (
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/zap/zaptest"

	"scimgate/internal/directory"
	"scimgate/internal/slapd"
)

// The DNS says which servers there are and which is preferred; whose certificate
// is for another name is not used; what the DNS said last holds while it says
// nothing.
func TestServersOfADomain(t *testing.T) {
	t.Parallel()
	dns := serveNames(t)
	_, port, err := net.SplitHostPort(vacant(t))
	if err != nil {
		t.Fatal(err)
	}
	var trusted []byte
	start := func(host, address string) *slapd.Server {
		files := certificateFor(t, host)
		text, err := os.ReadFile(files.CertFile)
		if err != nil {
			t.Fatal(err)
		}
		trusted = append(trusted, text...)
		dns.set(func(s *nameServer) { s.addresses[host+"."] = net.ParseIP(address) })
		return serve(t, slapd.Config{AdminPassword: "shared", TLS: &files, ListenTLS: address + ":" + port})
	}
	first, second := start("dc1.example.test", "127.0.0.1"), start("dc2.example.test", "127.0.0.2")
	record := func(target string, priority uint16) net.SRV {
		return net.SRV{Target: target, Port: 389, Priority: priority}
	}
	dns.set(func(s *nameServer) {
		s.addresses["impostor.example.test."] = net.IPv4(127, 0, 0, 2)
		s.services["_ldap._tcp.example.test."] = []net.SRV{
			record("dc2.example.test.", 20), record("impostor.example.test.", 0), record("dc1.example.test.", 10),
		}
	})
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, trusted, 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := configured(first)
	cfg.URLs, cfg.TLS.CAFile = []string{"ldaps+srv://example.test:" + port}, ca
	cfg.ComeBack = 20 * time.Millisecond
	sink, err := newSink(cfg, zaptest.NewLogger(t, zaptest.Level(zaptestLevel)), dns.resolver(), 50*time.Millisecond, newMemory())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sink.Close)
	dc1, dc2 := "ldaps://dc1.example.test:"+port, "ldaps://dc2.example.test:"+port
	if err := sink.Ping(within(t, time.Minute)); err != nil || !uses(sink, dc1) {
		server, _ := sink.Server()
		t.Fatalf("uses %s: %v", server, err)
	}
	answers := func(what, url string) {
		t.Helper()
		eventually(t, what, func() bool { return sink.Ping(within(t, time.Minute)) == nil && uses(sink, url) })
	}
	if err := first.Kill(); err != nil {
		t.Fatal(err)
	}
	answers("the second server is used", dc2)
	dns.set(func(s *nameServer) { s.broken = true })
	if err := first.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	// The names cannot be looked up either, so nobody can come back yet.
	if err := sink.Ping(within(t, time.Minute)); err != nil {
		t.Errorf("while the DNS is away: %v", err)
	}
	dns.set(func(s *nameServer) { s.broken = false })
	answers("the first server is used again", dc1)
	dns.set(func(s *nameServer) {
		s.services["_ldap._tcp.example.test."] = []net.SRV{record("dc2.example.test.", 0)}
	})
	answers("the servers are those that the DNS has now", dc2)
	n := dns.lookUps()
	dns.set(func(s *nameServer) { s.services = map[string][]net.SRV{} })
	eventually(t, "it looks again", func() bool { return dns.lookUps() > n+1 })
	answers("the list stays", dc2)
	_ = second
}

// A domain of which the DNS knows nothing is a directory that is away.
func TestDomainWithoutServers(t *testing.T) {
	t.Parallel()
	cfg := Config{URLs: []string{"ldaps+srv://example.test"}, Bind: Bind{"cn=admin", "secret"},
		Retry: Retry{Attempts: 2, Base: time.Millisecond, Cap: time.Millisecond}}
	sink, err := newSink(cfg, zaptest.NewLogger(t, zaptest.Level(zaptestLevel)), serveNames(t).resolver(), time.Hour, newMemory())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sink.Close)
	wantKind(t, sink.Ping(within(t, time.Minute)), directory.Unavailable)
}

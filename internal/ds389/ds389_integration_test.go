//go:build ds389

package ds389

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"os"
	"strings"
	"testing"
	"time"

	"scimgate/internal/daemon"
)

// begin starts a server that ends with the test.
func begin(t *testing.T, cfg Config) *Server {
	t.Helper()
	if cfg.Dir == "" {
		cfg.Dir = t.TempDir()
	}
	at := time.Now()
	s, err := Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("started in %s", time.Since(at))
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

func bindTLS(t *testing.T, s *Server) error {
	t.Helper()
	ca, err := os.ReadFile(s.CAFile())
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	a := daemon.Account{
		Addr: strings.TrimPrefix(s.TLSURL(), "ldaps://"), TLS: &tls.Config{RootCAs: pool, ServerName: "127.0.0.1"},
		DN: s.AdminDN(), Password: s.AdminPassword(),
	}
	return a.Bind(t.Context())
}

func TestStartStop(t *testing.T) {
	s := begin(t, Config{
		Plugins: Plugins{MemberOf: true, RefInt: true, USN: true, Unique: []string{"uid", "mail"}}, ScimSchema: true,
	})
	if err := bindTLS(t, s); err != nil {
		t.Error("ldaps:", err)
	}
	if bind(s, "wrong") == nil {
		t.Error("a wrong password is accepted")
	}
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	if s.Pid() != 0 {
		t.Error("still there after Stop")
	}
}

//go:build integration && !ad && !ds389

package ldapsink

import (
	"path/filepath"
	"testing"
	"time"

	"scimgate/internal/directory"
	"scimgate/internal/slapd"
	"scimgate/internal/testcert"
)

// certificate writes a self-signed certificate for 127.0.0.1 and its key.
func certificate(t *testing.T) slapd.TLS {
	t.Helper()
	return certificateFor(t, "127.0.0.1")
}

// certificateFor does so for an address or a name.
func certificateFor(t *testing.T, host string) slapd.TLS {
	t.Helper()
	files := slapd.TLS{CertFile: filepath.Join(t.TempDir(), "cert.pem"), KeyFile: filepath.Join(t.TempDir(), "key.pem")}
	if err := testcert.SelfSigned(host).Write(files.CertFile, files.KeyFile); err != nil {
		t.Fatal(err)
	}
	return files
}

func TestTLSIsVerified(t *testing.T) {
	files, other := certificate(t), certificate(t)
	server := serve(t, slapd.Config{TLS: &files, ListenTLS: "127.0.0.1:0"})
	for _, tc := range []struct {
		name     string
		url      string
		ca       string
		startTLS bool
		trusted  bool
	}{
		{"StartTLS", server.URL(), files.CertFile, true, true},
		{"ldaps", server.TLSURL(), files.CertFile, false, true},
		{"StartTLS with another authority", server.URL(), other.CertFile, true, false},
		{"ldaps with another authority", server.TLSURL(), other.CertFile, false, false},
		{"ldaps with the system's authorities", server.TLSURL(), "", false, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			cfg := configured(server)
			cfg.URLs, cfg.TLS = []string{tc.url}, TLS{CAFile: tc.ca, StartTLS: tc.startTLS}
			sink := open(t, cfg)
			err := sink.Ping(within(t, time.Minute))
			if !tc.trusted {
				wantKind(t, err, directory.Unavailable)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			add(t, sink.Store(users()), person(tc.name))
		})
	}
}

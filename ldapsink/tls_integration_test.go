//go:build integration && !ad && !ds389

package ldapsink

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"scimgate/internal/directory"
	"scimgate/internal/slapd"
)

// certificate writes a self-signed certificate for 127.0.0.1 and its key.
func certificate(t *testing.T) slapd.TLS {
	t.Helper()
	return certificateFor(t, net.IPv4(127, 0, 0, 1))
}

// certificateFor does so for an address or for names.
func certificateFor(t *testing.T, address net.IP, names ...string) slapd.TLS {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "directory"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames: names, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	if address != nil {
		template.IPAddresses = []net.IP{address}
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	files := slapd.TLS{CertFile: filepath.Join(t.TempDir(), "cert.pem"), KeyFile: filepath.Join(t.TempDir(), "key.pem")}
	for name, block := range map[string]*pem.Block{files.CertFile: {Type: "CERTIFICATE", Bytes: cert}, files.KeyFile: {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
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

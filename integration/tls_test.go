//go:build integration

package integration

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"scimgate/internal/slapd"
)

// certificates are an authority and a server certificate for loopback, in the
// files ca.pem, tls.crt and tls.key.
type certificates struct {
	dir  string
	pool *x509.CertPool
}

func newCertificates(t *testing.T, dir string) certificates {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	server := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "loopback"},
		NotBefore: ca.NotBefore, NotAfter: ca.NotAfter,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"localhost"},
	}
	caDER, err := x509.CreateCertificate(rand.Reader, ca, ca, caKey.Public(), caKey)
	must(err)
	serverDER, err := x509.CreateCertificate(rand.Reader, server, ca, key.Public(), caKey)
	must(err)
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	must(err)
	for name, block := range map[string]*pem.Block{
		"ca.pem":  {Type: "CERTIFICATE", Bytes: caDER},
		"tls.crt": {Type: "CERTIFICATE", Bytes: serverDER},
		"tls.key": {Type: "PRIVATE KEY", Bytes: keyDER},
	} {
		must(os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600))
	}
	parsed, err := x509.ParseCertificate(caDER)
	must(err)
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return certificates{dir, pool}
}

func (c certificates) file(name string) string { return filepath.Join(c.dir, name) }

// server is for slapd.
func (c certificates) server() *slapd.TLS {
	return &slapd.TLS{CertFile: c.file("tls.crt"), KeyFile: c.file("tls.key"), CAFile: c.file("ca.pem")}
}

// trusting is a transport for clients that trust the authority.
func (c certificates) trusting() *http.Transport {
	return &http.Transport{TLSClientConfig: &tls.Config{RootCAs: c.pool}, MaxIdleConnsPerHost: 64}
}

// The way to the directory is encrypted where the configuration says so, and a
// directory that cannot prove who it is gets nothing.
func TestEncryptedDirectory(t *testing.T) {
	t.Parallel()
	files, strangers := newCertificates(t, t.TempDir()), newCertificates(t, t.TempDir())
	for what, change := range map[string]func(s *site){
		"ldaps":    func(s *site) { s.LDAPS = true },
		"StartTLS": func(s *site) { s.StartTLS = true },
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			s := usual()
			s.TLS, s.CAFile = files.server(), files.file("ca.pem")
			s.Database = []string{"security update_tls=128"} // plain writes are refused
			change(&s)
			g := serve(t, s)
			c := g.client(t)
			id := c.create(person("ann"))
			c.delete("/Users/" + id).want(http.StatusNoContent)
		})
		t.Run(what+" of a stranger", func(t *testing.T) {
			t.Parallel()
			s := usual()
			s.TLS, s.CAFile = files.server(), strangers.file("ca.pem")
			change(&s)
			g := serve(t, s)
			g.client(t).post("/Users", person("ann")).want(http.StatusServiceUnavailable)
			if d := g.tree(t); len(d.named("uid", "ann")) != 0 {
				t.Error("the person is in the directory of a stranger")
			}
		})
	}
}

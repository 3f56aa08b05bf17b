//go:build integration

package integration

import (
	"crypto/tls"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"scimgate/internal/slapd"
	"scimgate/internal/testcert"
)

// certificates are an authority and a server certificate for loopback, in the
// files ca.pem, tls.crt and tls.key.
type certificates struct {
	dir string
	ca  *testcert.Authority
}

func newCertificates(t *testing.T, dir string) certificates {
	t.Helper()
	c := certificates{dir, testcert.NewAuthority("test authority")}
	if err := errors.Join(
		c.ca.Server("127.0.0.1", "localhost").Write(c.file("tls.crt"), c.file("tls.key")),
		os.WriteFile(c.file("ca.pem"), c.ca.CertPEM(), 0o600),
	); err != nil {
		t.Fatal(err)
	}
	return c
}

func (c certificates) file(name string) string { return filepath.Join(c.dir, name) }

// server is for slapd.
func (c certificates) server() *slapd.TLS {
	return &slapd.TLS{CertFile: c.file("tls.crt"), KeyFile: c.file("tls.key"), CAFile: c.file("ca.pem")}
}

// trusting is a transport for clients that trust the authority.
func (c certificates) trusting() *http.Transport {
	return &http.Transport{TLSClientConfig: &tls.Config{RootCAs: c.ca.Pool()}, MaxIdleConnsPerHost: 64}
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

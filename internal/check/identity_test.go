package check

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"os"
	"path/filepath"
	"testing"
	"time"

	"scimgate/internal/config"
	"scimgate/internal/testcert"
	"scimgate/internal/testissuer"
)

// withIssuer is a fixture whose tenant takes the tokens of an issuer.
func withIssuer(t *testing.T, oidc config.OIDC) *checker {
	t.Helper()
	c := fixture(t)
	c.Tenants[0].Config.OIDC = oidc
	return c
}

func TestIssuers(t *testing.T) {
	server := testissuer.Start()
	good := config.OIDC{Issuer: server.URL, Audience: "scim", Scope: "scim.write"}
	c := withIssuer(t, good)
	c.callers(t.Context())
	c.tokens() // a tenant that has no token can be called all the same
	wants(t, c)

	c = withIssuer(t, config.OIDC{Issuer: server.URL, Audience: "scim"})
	c.callers(t.Context())
	wants(t, c, "warning: tenants[0].oidc: every token of the issuer for this audience may change everybody")

	server.Document = func(d testissuer.Object) { d["issuer"] = server.URL + "/" }
	c = withIssuer(t, good)
	c.callers(t.Context())
	wants(t, c, "did not match the issuer URL returned by provider")

	server.Document = nil
	server.Rotate()
	server.Keys = []testissuer.Object{{"kty": "oct", "k": "c2VjcmV0"}}
	c = withIssuer(t, good)
	c.callers(t.Context())
	wants(t, c, "it has no public key for signatures")

	server.Stop()
	c = withIssuer(t, good)
	c.callers(t.Context())
	wants(t, c, "error: tenants[0].oidc.issuer: keys of "+server.URL)
}

func TestAuthoritiesOfClients(t *testing.T) {
	named := config.Certificates{Subjects: []string{"CN=okta"}}
	ca := testcert.NewAuthority("authority")
	old := ca.Issue(&x509.Certificate{Subject: pkix.Name{CommonName: "old"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: now.AddDate(-2, 0, 0), NotAfter: now.AddDate(-1, 0, 0)})
	for _, tc := range []struct {
		name   string
		text   []byte
		named  config.Certificates
		at     time.Time
		pieces []string
	}{
		{"good", ca.CertPEM(), named, ca.Certificate.NotAfter.Add(-time.Hour), []string{`warning: server.tls.clientCAFile: the authority "CN=authority" expires on`}},
		{"expired", old.CertPEM(), named, now, []string{`error: server.tls.clientCAFile: the authority "CN=old" expired on 2025-05-06; renew it`}},
		{"nothing", nil, named, now, []string{"holds no certificate in PEM; give"}},
		{"a client's own", ca.Issue(&x509.Certificate{Subject: pkix.Name{CommonName: "okta"}, NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.AddDate(1, 0, 0)}).CertPEM(), named, now,
			[]string{`"CN=okta" is no authority`}},
		{"nobody named", ca.Issue(&x509.Certificate{Subject: pkix.Name{CommonName: "long"}, IsCA: true, BasicConstraintsValid: true,
			NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.AddDate(1, 0, 0)}).CertPEM(), config.Certificates{}, now, []string{"no tenant takes one"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := fixture(t)
			c.Now = tc.at
			c.Tenants[0].Config.Certificates = tc.named
			c.Config.Server.TLS.ClientCAFile = filepath.Join(t.TempDir(), "ca.pem")
			if err := os.WriteFile(c.Config.Server.TLS.ClientCAFile, tc.text, 0o600); err != nil {
				t.Fatal(err)
			}
			c.callers(t.Context())
			wants(t, c, tc.pieces...)
		})
	}
}

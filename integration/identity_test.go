//go:build integration && !ad && !ds389

package integration

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"scimgate/internal/testissuer"
)

// vouched is a gateway with TLS and two tenants, okta and entra, each with what it
// is told in the configuration to recognise callers by.
func vouched(t *testing.T, files certificates, okta, entra string) *company {
	t.Helper()
	s := usual()
	server := startHere(t, s)
	config := s.write(t, t.TempDir(), server)
	text := contentOf(t, config)
	head, tenant, _ := strings.Cut(text, "tenants:\n")
	head = strings.Replace(head, "  listen: 127.0.0.1:0\n", fmt.Sprintf("  listen: 127.0.0.1:0\n  tls: {certFile: %q, keyFile: %q, clientCAFile: %q}\n",
		files.file("tls.crt"), files.file("tls.key"), files.file("ca.pem")), 1)
	with := func(name, keys string) string {
		return strings.Replace(tenant, "  - name: okta\n", "  - name: "+name+"\n"+keys, 1)
	}
	text = head + "tenants:\n" + with("okta", okta) + with("entra", entra)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	g, err := startServe(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	g.endWith(t)
	g.of(server, makeToken(t, config, "okta"))
	g.base = strings.Replace(strings.Replace(g.base, "http://", "https://", 1), "/scim/v2", "/okta/scim/v2", 1)
	return &company{gate: g, server: server, config: config}
}

// caller is a client of okta that sends no token, unless one is given, and has certificates.
func (c *company) caller(t *testing.T, files certificates, token string, certificates ...tls.Certificate) *client {
	t.Helper()
	made := c.client(t).with("Authorization", "")
	if token != "" {
		made = made.with("Authorization", "Bearer "+token)
	}
	transport := files.trusting()
	transport.TLSClientConfig.Certificates = certificates
	made.http = &http.Client{Timeout: patience, Transport: transport}
	t.Cleanup(transport.CloseIdleConnections)
	return made
}

// at is the same client at another tenant.
func (c *client) atTenant(name string) *client {
	other := *c
	other.base = strings.Replace(c.base, "/okta/", "/"+name+"/", 1)
	return &other
}

// Access tokens of an issuer provision people; those that are not good for this
// tenant do not; and with the issuer away the gateway's own tokens go on.
func TestAccessTokensOfAnIssuer(t *testing.T) {
	t.Parallel()
	files := newCertificates(t, t.TempDir())
	issuer := testissuer.StartTLS(files.ca)
	t.Cleanup(issuer.Stop)
	issuer.Down.Store(true) // which stops no start
	oidc := func(audience string) string {
		return fmt.Sprintf("    oidc: {issuer: %q, audience: %s, scope: scim.write, caFile: %q}\n", issuer.URL, audience, files.file("ca.pem"))
	}
	company := vouched(t, files, oidc("scim"), oidc("scim-entra"))
	own := company.caller(t, files, company.token)
	good := issuer.Token()

	a := company.caller(t, files, good).get("/Users").want(http.StatusServiceUnavailable)
	if a.header.Get("Retry-After") == "" || !strings.Contains(a.text("$.detail"), "issuer's keys") {
		t.Errorf("with the issuer away: %v %s", a.header, a.text("$.detail"))
	}
	own.create(person("bob"))
	issuer.Down.Store(false)
	eventually(t, "the issuer is asked again", func() bool {
		return company.caller(t, files, good).get("/Users").want(http.StatusOK, http.StatusServiceUnavailable).status == http.StatusOK
	})

	c := company.caller(t, files, good)
	id := c.create(person("ann"))
	c.patch("/Users/"+id, op("replace", "title", "boss")).want(http.StatusOK)
	c.delete("/Users/" + id).want(http.StatusNoContent)
	c.get("/Me").want(http.StatusNotImplemented)

	a = company.caller(t, files, issuer.Token(object{"scope": "openid"})).post("/Users", person("eve")).wantError(http.StatusForbidden, "")
	if got := a.header.Get("WWW-Authenticate"); got != `Bearer realm="scim", error="insufficient_scope", scope="scim.write"` {
		t.Errorf("the challenge is %s", got)
	}
	for name, text := range map[string]string{
		"for another tenant":   issuer.Token(object{"aud": "scim-entra"}),
		"expired":              issuer.Token(object{"exp": time.Now().Add(-time.Hour).Unix()}),
		"unsigned":             testissuer.Unsigned(object{"kid": issuer.Key().ID}, issuer.Claims()),
		"signed by a stranger": testissuer.NewKey(issuer.Key().ID).Sign(nil, issuer.Claims()),
		"huge":                 issuer.Token(object{"x": strings.Repeat("x", 100_000)}),
	} {
		a := company.caller(t, files, text).post("/Users", person("eve")).wantError(http.StatusUnauthorized, "")
		if got := a.header.Get("WWW-Authenticate"); got != `Bearer realm="scim", error="invalid_token"` {
			t.Errorf("%s: the challenge is %s", name, got)
		}
	}
	company.caller(t, files, issuer.Token(object{"aud": "scim-entra"})).atTenant("entra").get("/Users").want(http.StatusOK)
	company.caller(t, files, good).atTenant("entra").get("/Users").want(http.StatusUnauthorized)

	issuer.Rotate(testissuer.NewRSA("second"))
	company.caller(t, files, issuer.Token()).get("/Users").want(http.StatusOK)
	types := schemes(company.caller(t, files, issuer.Token()))
	if !slices.Equal(types, []string{"oauthbearertoken", "oauth2"}) {
		t.Errorf("announced are %v", types)
	}
	log := company.log.String()
	if !strings.Contains(log, `"token":"oidc:client-1"`) {
		t.Error("the log does not name the client of the issuer")
	}
	for _, part := range strings.Split(good, ".") {
		if strings.Contains(log, part) {
			t.Error("a part of a token is in the log")
		}
	}
}

// schemes are the types of authentication that a tenant announces.
func schemes(c *client) []string {
	var found []string
	all, _ := c.get("/ServiceProviderConfig").want(http.StatusOK).at("$.authenticationSchemes").([]any)
	for _, one := range all {
		scheme, _ := one.(map[string]any)
		found = append(found, fmt.Sprint(scheme["type"]))
	}
	return found
}

// A certificate opens the tenant that names it, and no other; and nothing where a
// token is sent.
func TestClientCertificates(t *testing.T) {
	t.Parallel()
	files, strangers := newCertificates(t, t.TempDir()), newCertificates(t, t.TempDir())
	oktas, entras := files.ca.Client("okta").TLS(), files.ca.Client("entra").TLS()
	company := vouched(t, files, "    certificates: {subjects: CN=okta}\n", "    certificates: {subjects: [CN=entra]}\n")

	okta := company.caller(t, files, "", oktas)
	id := okta.create(person("ann"))
	okta.get("/Users/" + id).want(http.StatusOK)
	okta.atTenant("entra").get("/Users").wantError(http.StatusUnauthorized, "")
	entra := company.caller(t, files, "", entras)
	entra.atTenant("entra").get("/Users").want(http.StatusOK)
	for what, a := range map[string]*answer{
		"another tenant's certificate":          entra.post("/Users", person("eve")),
		"one that no tenant names":              company.caller(t, files, "", files.ca.Client("eve").TLS()).post("/Users", person("eve")),
		"no certificate":                        company.caller(t, files, "").post("/Users", person("eve")),
		"a good certificate with a bad token":   company.caller(t, files, "nonsense", oktas).post("/Users", person("eve")),
		"a good certificate with an empty one":  okta.withEmptyAuthorization().post("/Users", person("eve")),
		"a word of a proxy about a certificate": company.caller(t, files, "").with("X-Forwarded-Client-Cert", "Subject=\"CN=okta\"").with("X-SSL-Client-S-DN", "CN=okta").post("/Users", person("eve")),
	} {
		if a.wantError(http.StatusUnauthorized, ""); a.header.Get("WWW-Authenticate") == "" {
			t.Errorf("%s: there is no challenge", what)
		}
	}
	company.caller(t, files, company.token).get("/Users").want(http.StatusOK)
	company.caller(t, files, company.token, entras).get("/Users").want(http.StatusOK) // the token counts
	okta.with("Sec-Fetch-Site", "cross-site").post("/Bulk", object{}).wantError(http.StatusForbidden, "")

	for what, certificate := range map[string]tls.Certificate{
		"by a stranger's authority": strangers.ca.Client("okta").TLS(),
		"a server's":                files.ca.Server("okta").TLS(),
		"expired":                   files.ca.Issue(expired("okta")).TLS(),
	} {
		c := company.caller(t, files, company.token, certificate)
		// A certificate is sent where the server's list of authorities has its own; a bad
		// one has to be forced upon it.
		c.http.Transport.(*http.Transport).TLSClientConfig.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return &certificate, nil
		}
		if answer, err := c.http.Get(c.base + "/Users"); err == nil {
			_ = answer.Body.Close()
			t.Errorf("%s: the handshake succeeds with the status %s", what, answer.Status)
		}
	}
	if types := schemes(okta); !slices.Equal(types, []string{"oauthbearertoken", "tls_client_auth"}) {
		t.Errorf("announced are %v", types)
	}
	if !strings.Contains(company.log.String(), `"token":"cert:CN=okta"`) {
		t.Error("the log does not name the certificate")
	}
}

// withEmptyAuthorization sends the header without a value.
func (c *client) withEmptyAuthorization() *client {
	other := c.with("Authorization", "x")
	other.header.Set("Authorization", "")
	return other
}

// expired is a client's certificate that is over.
func expired(name string) *x509.Certificate {
	return &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: time.Now().Add(-time.Hour),
	}
}

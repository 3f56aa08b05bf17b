package identity

import (
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"scimgate/internal/testcert"
	"scimgate/internal/token"
)

// clientTemplate is a certificate with everything that an entry can name.
func clientTemplate() *x509.Certificate {
	return &x509.Certificate{
		Subject: pkix.Name{CommonName: "okta, inc", Organization: []string{"Example"}, ExtraNames: []pkix.AttributeTypeAndValue{
			{Type: asn1.ObjectIdentifier{0, 9, 2342, 19200300, 100, 1, 25}, Value: "org"},
		}},
		DNSNames: []string{"scim-client.example.com", "*.wild.example.com"}, URIs: []*url.URL{{Scheme: "spiffe", Host: "example.com", Path: "/scim"}},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
}

// knowing makes a verifier that trusts an authority.
func knowing(t *testing.T, authority *testcert.Authority, cfg CertificatesConfig) *Certificates {
	t.Helper()
	cfg.CAFile = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(cfg.CAFile, authority.CertPEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := NewCertificates(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func recognised(t *testing.T, c *Certificates, now time.Time, presented ...*x509.Certificate) bool {
	t.Helper()
	id, err := c.Recognise(presented, now)
	var refusal *token.Refusal
	if err != nil && (!errors.As(err, &refusal) || refusal.Kind != token.Invalid || refusal.Detail == "") || (err == nil) != (id.ID != "") || id.Subject != "" {
		t.Fatalf("the identity is %v, error %v", id, err)
	}
	return err == nil
}

func TestEachWayToNameACertificate(t *testing.T) {
	authority := testcert.NewAuthority("clients")
	leaf := authority.Issue(clientTemplate()).Certificate
	sum := sha256.Sum256(leaf.Raw)
	fingerprint := hex.EncodeToString(sum[:])
	var withColons []string
	for i := 0; i < len(fingerprint); i += 2 {
		withColons = append(withColons, strings.ToUpper(fingerprint[i:i+2]))
	}
	for _, tc := range []struct {
		list, text string
		want       bool
	}{
		{"subjects", `DC=org,CN=okta\, inc,O=Example`, true},
		{"subjects", `dc = ORG , cn=Okta\2c  Inc, 2.5.4.10=example`, true},
		{"subjects", `CN=okta\, inc,O=Example`, false},
		{"subjects", `CN=okta\, inc`, false},
		{"subjects", `O=Example,CN=okta\, inc,DC=org`, false}, // the order counts
		{"subjects", `DC=org,CN=okta,CN=inc,O=Example`, false},
		{"subjects", `DC=org+CN=okta\, inc,O=Example`, false},
		{"names", "scim-client.example.com", true},
		{"names", "SCIM-client.example.com.", true},
		{"names", "example.com", false},
		{"names", "x.wild.example.com", false}, // a pattern of the certificate means no client
		{"uris", "spiffe://example.com/scim", true},
		{"uris", "spiffe://example.com/", false},
		{"uris", "spiffe://example.com/SCIM", false},
		{"fingerprints", fingerprint, true},
		{"fingerprints", strings.Join(withColons, ":"), true},
		{"fingerprints", strings.Repeat("00", 32), false},
	} {
		var cfg CertificatesConfig
		*map[string]*[]string{"subjects": &cfg.Subjects, "names": &cfg.Names, "uris": &cfg.URIs, "fingerprints": &cfg.Fingerprints}[tc.list] = []string{tc.text}
		if got := recognised(t, knowing(t, authority, cfg), time.Now(), leaf); got != tc.want {
			t.Errorf("%s %s: %v", tc.list, tc.text, got)
		}
	}
	id, err := knowing(t, authority, CertificatesConfig{Fingerprints: []string{fingerprint}}).Recognise([]*x509.Certificate{leaf}, time.Now())
	if err != nil || id.ID != `cert:DC=org,CN=okta\, inc,O=Example` {
		t.Errorf("the name is %s, error %v", id.ID, err)
	}
}

func TestACertificateHasToBeGood(t *testing.T) {
	authority, stranger := testcert.NewAuthority("clients"), testcert.NewAuthority("clients")
	c := knowing(t, authority, CertificatesConfig{Subjects: []string{"CN=okta"}})
	now := time.Now()
	leaf := authority.Client("okta").Certificate
	between := authority.Issue(&x509.Certificate{
		Subject: pkix.Name{CommonName: "between"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	})
	below := (&testcert.Authority{Pair: *between}).Client("okta").Certificate
	foreign := stranger.Client("okta").Certificate
	serverOnly := authority.Issue(&x509.Certificate{Subject: leaf.Subject, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}).Certificate
	for name, tc := range map[string]struct {
		presented []*x509.Certificate
		at        time.Time
		want      bool
	}{
		"a good one":                             {[]*x509.Certificate{leaf}, now, true},
		"after its end":                          {[]*x509.Certificate{leaf}, leaf.NotAfter.Add(time.Second), false},
		"before its beginning":                   {[]*x509.Certificate{leaf}, leaf.NotBefore.Add(-time.Second), false},
		"by a namesake of the authority":         {[]*x509.Certificate{foreign}, now, false},
		"with the stranger's authority brought":  {[]*x509.Certificate{foreign, stranger.Certificate}, now, false},
		"with a good one after it":               {[]*x509.Certificate{foreign, leaf}, now, false},
		"another client of the authority":        {[]*x509.Certificate{authority.Client("entra").Certificate}, now, false},
		"with the one between":                   {[]*x509.Certificate{below, between.Certificate}, now, true},
		"without the one between":                {[]*x509.Certificate{below}, now, false},
		"the authority itself":                   {[]*x509.Certificate{authority.Certificate}, now, false},
		"a server's":                             {[]*x509.Certificate{serverOnly}, now, false},
		"none":                                   {nil, now, false},
		"so many that nobody looks through them": {append([]*x509.Certificate{leaf}, make([]*x509.Certificate, maxChain)...), now, false},
	} {
		if got := recognised(t, c, tc.at, tc.presented...); got != tc.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestEntriesThatMeanNoCertificate(t *testing.T) {
	for list, texts := range map[string][]string{
		"subjects":     {"", "okta", "CN=okta,", "CN=okta,O", "XX=okta", `O="Example, Inc."`, `CN=okta\`, "CN=#0401", "CN=a;O=b"},
		"names":        {"", "*.example.com", "https://example.com", "a@example.com"},
		"uris":         {"", "example.com", ":"},
		"fingerprints": {"", "00", strings.Repeat("0", 63), strings.Repeat("zz", 32)},
	} {
		for _, text := range texts {
			if key, err := (Entry{List: list, Text: text}).Key(); err == nil {
				t.Errorf("%s %q means %q", list, text, key)
			}
		}
	}
}

func FuzzSubject(f *testing.F) {
	for _, text := range []string{`CN=a`, `CN=a\, b+OU=c,O=\20d\20`, `2.5.4.3=x,DC=org`, `CN=\\,O= `} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := parseSubject(text)
		if err != nil {
			return
		}
		_ = s.key()
		_ = s.String()
	})
}

func TestFilesOfAuthorities(t *testing.T) {
	a, b := testcert.NewAuthority("a"), testcert.NewAuthority("b")
	file := filepath.Join(t.TempDir(), "ca.pem")
	for name, tc := range map[string]struct {
		text string
		want int
	}{
		"two with words between": {"first\n" + string(a.CertPEM()) + "second\n" + string(b.CertPEM()), 2},
		"nothing":                {"", 0},
		"no PEM":                 {"hello", 0},
		"a key as well":          {string(a.CertPEM()) + string(a.KeyPEM()), 0},
		"a broken one":           {string(a.CertPEM()) + "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", 0},
	} {
		if err := os.WriteFile(file, []byte(tc.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if all, err := Authorities(file); len(all) != tc.want || (err == nil) != (tc.want > 0) {
			t.Errorf("%s: %d, error %v", name, len(all), err)
		}
	}
}

package identity

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"scimgate/internal/token"
)

// maxChain is how many certificates of a handshake are looked at.
const maxChain = 10

// CertificatesConfig says which certificates are a tenant's: those of an authority
// in CAFile that one of the lists names. Each list is of a kind of its own, and one
// entry of one list is enough.
type CertificatesConfig struct {
	CAFile       string
	Subjects     []string // the whole subject, as RFC 4514 writes it
	Names        []string // a DNS name in subjectAltName, whole
	URIs         []string // a URI in subjectAltName, whole
	Fingerprints []string // SHA-256 of the certificate, hexadecimal
}

// Certificates tells the certificates of a tenant from any other. It is safe for
// concurrent use.
type Certificates struct {
	roots *x509.CertPool
	known map[string]bool // see keys
}

// NewCertificates returns a verifier. The error is about CAFile or about an entry
// of a list.
func NewCertificates(cfg CertificatesConfig) (*Certificates, error) {
	authorities, err := Authorities(cfg.CAFile)
	if err != nil {
		return nil, err
	}
	c := &Certificates{roots: Pool(authorities), known: map[string]bool{}}
	for _, entry := range cfg.Entries() {
		key, err := entry.Key()
		if err != nil {
			return nil, fmt.Errorf("certificates.%s: %w", entry.List, err)
		}
		c.known[key] = true
	}
	return c, nil
}

// Entry is one entry of a list of CertificatesConfig.
type Entry struct {
	List  string // subjects, names, uris or fingerprints
	Index int
	Text  string
}

// Entries are those of all lists.
func (c CertificatesConfig) Entries() []Entry {
	var all []Entry
	for _, list := range []struct {
		name  string
		texts []string
	}{{"subjects", c.Subjects}, {"names", c.Names}, {"uris", c.URIs}, {"fingerprints", c.Fingerprints}} {
		for i, text := range list.texts {
			all = append(all, Entry{list.name, i, text})
		}
	}
	return all
}

// Key is what the entry and the certificates that it means have in common. The
// error says what is wrong with the entry and what would be right.
func (e Entry) Key() (string, error) {
	switch e.List {
	case "subjects":
		s, err := parseSubject(e.Text)
		if err != nil {
			return "", fmt.Errorf("%w; write what openssl x509 -noout -subject -nameopt RFC2253 prints, for example CN=okta,O=Example", err)
		}
		return "subject " + s.key(), nil
	case "names":
		if e.Text == "" || strings.ContainsAny(e.Text, "*/:@ ") {
			return "", fmt.Errorf("%q is not a DNS name; write one of the certificate, whole, for example scim-client.example.com", e.Text)
		}
		return "name " + strings.ToLower(strings.TrimSuffix(e.Text, ".")), nil
	case "uris":
		u, err := url.Parse(e.Text)
		if err != nil || u.Scheme == "" {
			return "", fmt.Errorf("%q is not a URI; write one of the certificate, whole, for example spiffe://example.com/scim", e.Text)
		}
		return "uri " + u.String(), nil
	}
	sum, err := hex.DecodeString(strings.ReplaceAll(e.Text, ":", ""))
	if err != nil || len(sum) != sha256.Size {
		return "", fmt.Errorf("%q is not a SHA-256 in hexadecimal; write what openssl x509 -noout -fingerprint -sha256 prints after the =", e.Text)
	}
	return "fingerprint " + hex.EncodeToString(sum), nil
}

// Recognise returns who presents certificates, the client's own first. The error
// is a *token.Refusal. The certificate is looked at anew each time: it may expire,
// or its authority be trusted no longer, while a connection lives.
func (c *Certificates) Recognise(presented []*x509.Certificate, now time.Time) (token.Identity, error) {
	if len(presented) == 0 || len(presented) > maxChain {
		return token.Identity{}, invalid("no certificate was presented, or too many; present the client's, and those between it and its authority", nil)
	}
	between := x509.NewCertPool()
	for _, one := range presented[1:] {
		between.AddCert(one)
	}
	leaf := presented[0]
	if _, err := leaf.Verify(x509.VerifyOptions{
		Roots: c.roots, Intermediates: between, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}); err != nil {
		return token.Identity{}, invalid("this certificate is not good here: it has expired, is not for clients, or its authority is not trusted; renew it, and have its authority in server.tls.clientCAFile", err)
	}
	own := keysOf(leaf)
	if !slices.ContainsFunc(own, func(key string) bool { return c.known[key] }) {
		return token.Identity{}, invalid("this certificate is good, and not one of this tenant's; have it named under certificates of the tenant", nil)
	}
	return token.Identity{ID: nameOf(leaf)}, nil
}

// keysOf are the keys of all entries that mean a certificate.
func keysOf(leaf *x509.Certificate) []string {
	sum := sha256.Sum256(leaf.Raw)
	all := []string{"fingerprint " + hex.EncodeToString(sum[:])}
	if s, ok := subjectOf(leaf.RawSubject); ok {
		all = append(all, "subject "+s.key())
	}
	for _, name := range leaf.DNSNames {
		all = append(all, "name "+strings.ToLower(strings.TrimSuffix(name, ".")))
	}
	for _, uri := range leaf.URIs {
		all = append(all, "uri "+uri.String())
	}
	return all
}

// nameOf is what the log calls the bearer of a certificate.
func nameOf(leaf *x509.Certificate) string {
	if s, ok := subjectOf(leaf.RawSubject); ok && len(s) > 0 {
		return "cert:" + printable(s.String())
	}
	sum := sha256.Sum256(leaf.Raw)
	return "cert:" + hex.EncodeToString(sum[:])
}

// Authorities reads a file of certificates in PEM.
func Authorities(file string) ([]*x509.Certificate, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var all []*x509.Certificate
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			return nil, fmt.Errorf("%s holds a %s; a file of authorities holds their certificates alone", file, strings.ToLower(block.Type))
		}
		one, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("certificate %d of %s: %w", len(all)+1, file, err)
		}
		all = append(all, one)
	}
	if len(all) == 0 {
		return nil, errors.New(file + " holds no certificate in PEM")
	}
	return all, nil
}

// Pool trusts authorities.
func Pool(authorities []*x509.Certificate) *x509.CertPool {
	pool := x509.NewCertPool()
	for _, one := range authorities {
		pool.AddCert(one)
	}
	return pool
}

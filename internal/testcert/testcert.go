// Package testcert makes certificates for tests and for the private directories
// that tests start: an authority, certificates for servers and for clients, and
// whatever else a test thinks of (Issue). All are good from an hour ago for a
// week, with an ECDSA key.
//
// Nothing of it belongs into the program: a gateway makes no certificates.
package testcert

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"time"
)

// Pair is a certificate with its key.
type Pair struct {
	Certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// Authority signs certificates.
type Authority struct{ Pair }

// NewAuthority makes an authority of that name.
func NewAuthority(name string) *Authority {
	key := newKey()
	return &Authority{Pair{signed(&x509.Certificate{
		Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}, nil, key.Public(), key), key}}
}

// SelfSigned makes a certificate for a server's names and addresses that is its
// own authority.
func SelfSigned(hosts ...string) *Pair {
	key := newKey()
	template := server(hosts)
	template.IsCA, template.BasicConstraintsValid = true, true
	template.KeyUsage |= x509.KeyUsageCertSign
	return &Pair{signed(template, nil, key.Public(), key), key}
}

// Server makes a certificate for a server's names and addresses.
func (a *Authority) Server(hosts ...string) *Pair { return a.Issue(server(hosts)) }

// Client makes a certificate for a client of that name.
func (a *Authority) Client(name string) *Pair {
	return a.Issue(&x509.Certificate{
		Subject: pkix.Name{CommonName: name}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
}

// Issue makes a certificate as the template has it; what the template leaves
// open is filled in.
func (a *Authority) Issue(template *x509.Certificate) *Pair {
	key := newKey()
	return &Pair{a.Sign(template, key.Public()), key}
}

// Sign is Issue for a key that somebody else has.
func (a *Authority) Sign(template *x509.Certificate, key crypto.PublicKey) *x509.Certificate {
	return signed(template, a.Certificate, key, a.key)
}

// CertPEM is the text of a file with the certificate.
func (p *Pair) CertPEM() []byte { return PEM(p.Certificate) }

// PEM is the text of a file with certificates.
func PEM(certificates ...*x509.Certificate) []byte {
	var text []byte
	for _, c := range certificates {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	return text
}

// KeyPEM is the text of a file with the key.
func (p *Pair) KeyPEM() []byte {
	der, err := x509.MarshalPKCS8PrivateKey(p.key)
	must(err)
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

// Write makes the two files, for the eyes of their owner.
func (p *Pair) Write(certFile, keyFile string) error {
	return errors.Join(os.WriteFile(certFile, p.CertPEM(), 0o600), os.WriteFile(keyFile, p.KeyPEM(), 0o600))
}

// TLS is the pair as a server or a client presents it.
func (p *Pair) TLS() tls.Certificate {
	return tls.Certificate{Certificate: [][]byte{p.Certificate.Raw}, PrivateKey: p.key, Leaf: p.Certificate}
}

// Pool trusts the certificate, and what it has signed.
func (p *Pair) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(p.Certificate)
	return pool
}

// server is the template of a certificate for names and addresses.
func server(hosts []string) *x509.Certificate {
	c := &x509.Certificate{
		Subject: pkix.Name{CommonName: "server"}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			c.IPAddresses = append(c.IPAddresses, ip)
		} else {
			c.DNSNames = append(c.DNSNames, host)
		}
	}
	return c
}

// signed makes the certificate of a key, by itself where it has no parent.
func signed(template, parent *x509.Certificate, key crypto.PublicKey, by crypto.Signer) *x509.Certificate {
	c := *template
	if c.SerialNumber == nil {
		c.SerialNumber = new(big.Int).SetBytes([]byte(rand.Text()[:16])) // RFC 5280 section 4.1.2.2: at most 20 bytes
	}
	if c.NotBefore.IsZero() {
		c.NotBefore = time.Now().Add(-time.Hour)
	}
	if c.NotAfter.IsZero() {
		c.NotAfter = time.Now().AddDate(0, 0, 7)
	}
	if parent == nil {
		parent = &c
	}
	der, err := x509.CreateCertificate(rand.Reader, &c, parent, key, by)
	must(err)
	made, err := x509.ParseCertificate(der)
	must(err)
	return made
}

func newKey() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	return key
}

// must ends a test whose template makes no certificate.
func must(err error) {
	if err != nil {
		panic(fmt.Sprintf("testcert: %v", err))
	}
}

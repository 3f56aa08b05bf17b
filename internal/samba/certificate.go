package samba

import (
	"crypto/tls"

	"scimgate/internal/testcert"
)

// Samba refuses a key that others could read, and the certificate that it would make
// itself has no subjectAltName, which Go refuses.
const (
	certFile = "cert.pem"
	keyFile  = "key.pem"
)

// writeCertificate makes a certificate for the server's address, which signs itself, and
// returns what trusts it.
func (c Config) writeCertificate() (*tls.Config, error) {
	certificate := testcert.SelfSigned(c.Listen)
	return &tls.Config{RootCAs: certificate.Pool(), ServerName: c.Listen}, certificate.Write(c.path(certFile), c.path(keyFile))
}

package ds389

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"

	"scimgate/internal/testcert"
)

const caFile = "ca.pem"

// The server has its key in a database of NSS. The key is made there, since nothing else
// gets one in but PKCS #12; the certificate, with the names that Go looks at, is made here.
const (
	certRequest = "etc/server.csr"
	certFile    = "etc/server.pem"
	nickname    = "Server-Cert" // as the template of the configuration calls it
)

// writeCertificate makes an authority, and a database with the server's key and with a
// certificate by the authority.
func (c Config) writeCertificate(ctx context.Context, inst installation) error {
	for _, file := range []string{"etc/cert9.db", "etc/key4.db", "etc/pkcs11.txt"} {
		if err := os.Remove(c.path(file)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	noise := make([]byte, 64)
	if _, err := rand.Read(noise); err != nil {
		return err
	}
	if err := os.MkdirAll(c.path("etc"), 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(c.path("etc/noise"), noise, 0o600); err != nil {
		return err
	}
	certutil := func(args ...string) error {
		args = append(args, "-d", "sql:"+c.path("etc"))
		if out, err := exec.CommandContext(ctx, inst.certutil, args...).CombinedOutput(); err != nil {
			return fmt.Errorf("certutil %s: %w: %s", args[0], err, strings.TrimSpace(string(out)))
		}
		return nil
	}
	if err := certutil("-N", "--empty-password"); err != nil {
		return err
	}
	if err := certutil("-R", "-s", "CN=localhost", "-k", "rsa", "-g", "2048", "-z", c.path("etc/noise"), "-o", c.path(certRequest)); err != nil {
		return err
	}
	if err := c.sign(); err != nil {
		return err
	}
	return errors.Join(
		certutil("-A", "-n", "CA", "-t", "CT,,", "-a", "-i", c.path(caFile)),
		certutil("-A", "-n", nickname, "-t", "u,u,u", "-a", "-i", c.path(certFile)),
	)
}

// sign makes an authority, which is forgotten, and the certificate that was requested.
func (c Config) sign() error {
	der, err := os.ReadFile(c.path(certRequest))
	if err != nil {
		return err
	}
	request, err := x509.ParseCertificateRequest(der)
	if err != nil {
		return err
	}
	host, _, err := net.SplitHostPort(c.ListenTLS)
	if err != nil {
		return err
	}
	ca := testcert.NewAuthority("authority of a private 389 Directory Server")
	server := ca.Sign(&x509.Certificate{
		Subject: request.Subject, DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.ParseIP(host)},
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, request.PublicKey)
	return errors.Join(
		os.WriteFile(c.path(caFile), ca.CertPEM(), 0o600),
		os.WriteFile(c.path(certFile), testcert.PEM(server), 0o600),
	)
}

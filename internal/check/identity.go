package check

import (
	"context"
	"crypto/x509"
	"fmt"
	"time"

	"scimgate/internal/config"
	"scimgate/internal/identity"
)

// askIssuer is how long an issuer is waited for.
const askIssuer = 10 * time.Second

// callers checks whom tenants take on the word of somebody else: issuers of access
// tokens, and authorities of client certificates.
func (c *checker) callers(ctx context.Context) {
	taken := false
	for _, t := range c.Tenants {
		key := parent(t.Types[0].Key)
		c.issuer(ctx, key+".oidc", t)
		_, any := t.Config.Certificates.Of("")
		taken = taken || any
	}
	c.authorities("server.tls.clientCAFile", taken)
}

// otherWayIn reports whether somebody without a token of the gateway's own can call
// a tenant.
func otherWayIn(t config.Tenant) bool {
	_, certificates := t.Certificates.Of("")
	return t.OIDC.Issuer != "" || certificates
}

// issuer checks whether an issuer says what is needed to read its tokens.
func (c *checker) issuer(ctx context.Context, key string, t Tenant) {
	of, any := t.Config.OIDC.Of()
	if !any {
		return
	}
	if of.CAFile != "" {
		c.bundle(key+".caFile", of.CAFile)
	}
	issuer, err := identity.NewIssuer(of)
	if err != nil {
		return // the file of authorities, which has its finding
	}
	ctx, cancel := context.WithTimeout(ctx, askIssuer)
	defer cancel()
	if err := issuer.Check(ctx); err != nil {
		c.err(key+".issuer", "%v; until that is mended its tokens are answered with 503: compare the issuer with the one in its /.well-known/openid-configuration, to the last slash, and see whether this machine reaches it", err)
	}
	if of.Scope == "" && len(of.Clients) == 0 {
		c.warn(key, "every token of the issuer for this audience may change everybody, whoever got it; name a scope that the provisioning client alone is given, or that client under clients")
	}
}

// authorities checks those of clients.
func (c *checker) authorities(key string, taken bool) {
	file := c.Config.Server.TLS.ClientCAFile
	if file == "" {
		return
	}
	c.bundle(key, file)
	if !taken {
		c.warn(key, "clients are asked for certificates, and no tenant takes one; name those of each tenant under certificates, or remove the key")
	}
}

// bundle checks a file of authorities.
func (c *checker) bundle(key, file string) {
	all, err := identity.Authorities(file)
	if err != nil {
		c.err(key, "%v; give the certificates of the authorities, in PEM, and nothing else", err)
		return
	}
	for _, one := range all {
		c.expiry(key, fmt.Sprintf("the authority %q", one.Subject), one)
		if !signs(one) {
			c.warn(key, "%q is no authority and vouches for itself alone; give the certificate of the one that signed it", one.Subject)
		}
	}
}

// signs reports whether a certificate is an authority's.
func signs(one *x509.Certificate) bool {
	return one.IsCA && (one.KeyUsage == 0 || one.KeyUsage&x509.KeyUsageCertSign != 0)
}

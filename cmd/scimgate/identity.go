package main

import (
	"crypto/tls"
	"fmt"

	"scimgate/gateway"
	"scimgate/internal/config"
	"scimgate/internal/identity"
)

// identified lets a tenant recognise whom somebody else vouches for, beside its
// tokens: access tokens of its issuer, and certificates.
func identified(cfg *config.Config, index int, tenant *gateway.Tenant) error {
	t := cfg.Tenants[index]
	if of, any := t.OIDC.Of(); any {
		issuer, err := identity.NewIssuer(of)
		if err != nil {
			return usageError{fmt.Errorf("tenants[%d].oidc: %w", index, err)}
		}
		tenant.Tokens, tenant.Issuer = identity.Beside{Tokens: tenant.Tokens, Issuer: issuer}, of.Issuer
	}
	if of, any := t.Certificates.Of(cfg.Server.TLS.ClientCAFile); any {
		certificates, err := identity.NewCertificates(of)
		if err != nil {
			return usageError{fmt.Errorf("tenants[%d].%w", index, err)}
		}
		tenant.Certificates = certificates
	}
	return nil
}

// askForCertificates has a listener ask clients for certificates, where the
// configuration says whose. None is demanded, and one that is presented has to be good.
func askForCertificates(listener *tls.Config, files config.ServerTLS) error {
	if files.ClientCAFile == "" {
		return nil
	}
	authorities, err := identity.Authorities(files.ClientCAFile)
	if err != nil {
		return usageError{fmt.Errorf("server.tls.clientCAFile: %w", err)}
	}
	listener.ClientAuth, listener.ClientCAs = tls.VerifyClientCertIfGiven, identity.Pool(authorities)
	listener.SessionTicketsDisabled = true // a ticket would outlive the authority that the certificate was checked against
	return nil
}

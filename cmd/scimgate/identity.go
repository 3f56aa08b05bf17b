package main

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"os"
	"reflect"

	"scimgate/gateway"
	"scimgate/internal/config"
	"scimgate/internal/identity"
)

// issuer is one with all that it was made of.
type issuer struct {
	*identity.Issuer
	config identity.IssuerConfig
	roots  []byte // the content of its file of authorities
}

// identify lets a tenant recognise whom somebody else vouches for, beside its
// tokens: access tokens of its issuer, and certificates.
func (s *service) identify(before *service, index int, tenant *gateway.Tenant) error {
	t := s.cfg.Tenants[index]
	if of, any := t.OIDC.Of(); any {
		known, err := before.issuer(t.Name, of)
		if err != nil {
			return usageError{fmt.Errorf("tenants[%d].oidc: %w", index, err)}
		}
		s.issuers[t.Name] = known
		tenant.Tokens, tenant.Issuer = identity.Beside{Tokens: tenant.Tokens, Issuer: known.Issuer}, of.Issuer
	}
	if of, any := t.Certificates.Of(s.cfg.Server.TLS.ClientCAFile); any {
		certificates, err := identity.NewCertificates(of)
		if err != nil {
			return usageError{fmt.Errorf("tenants[%d].%w", index, err)}
		}
		tenant.Certificates = certificates
	}
	return nil
}

// issuer returns that of a tenant, with its keys, if it is as a declaration has it,
// or else a new one.
func (s *service) issuer(tenant string, of identity.IssuerConfig) (issuer, error) {
	made := issuer{config: of}
	if of.CAFile != "" {
		made.roots, _ = os.ReadFile(of.CAFile) // what is wrong with it NewIssuer tells
	}
	if s != nil {
		known := s.issuers[tenant]
		if known.Issuer != nil && reflect.DeepEqual(known.config, of) && bytes.Equal(known.roots, made.roots) {
			return known, nil
		}
	}
	var err error
	made.Issuer, err = identity.NewIssuer(of)
	return made, err
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

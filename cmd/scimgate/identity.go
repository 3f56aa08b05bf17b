package main

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"os"
	"reflect"

	"scimgate/gateway"
	"scimgate/internal/config"
	"scimgate/internal/directory"
	"scimgate/internal/identity"
)

// issuer is one with all that it was made of.
type issuer struct {
	*identity.Issuer
	config identity.IssuerConfig
	roots  []byte // the content of its file of authorities
}

// identify lets a tenant recognise whom somebody else vouches for, beside its
// tokens: access tokens of its issuer, and certificates. What can be wrong still is
// what the files of authorities hold.
func (s *service) identify(before *service, index int, tenant *gateway.Tenant) error {
	t := s.cfg.Tenants[index]
	if of, any := t.OIDC.Of(); any {
		known, err := before.issuer(t.Name, of)
		if err != nil {
			return faulty(s.cfg, fmt.Sprintf("tenants[%d].oidc.caFile", index), err)
		}
		s.issuers[t.Name] = known
		tenant.Tokens, tenant.Issuer = identity.Beside{Tokens: tenant.Tokens, Issuer: known.Issuer}, of.Issuer
	}
	if of, any := t.Certificates.Of(s.cfg.Server.TLS.ClientCAFile); any {
		certificates, err := identity.NewCertificates(of)
		if err != nil {
			return faulty(s.cfg, "server.tls.clientCAFile", err)
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
func askForCertificates(listener *tls.Config, cfg *config.Config) error {
	file := cfg.Server.TLS.ClientCAFile
	if file == "" {
		return nil
	}
	authorities, err := identity.Authorities(file)
	if err != nil {
		return faulty(cfg, "server.tls.clientCAFile", err)
	}
	listener.ClientAuth, listener.ClientCAs = tls.VerifyClientCertIfGiven, identity.Pool(authorities)
	listener.SessionTicketsDisabled = true // a ticket would outlive the authority that the certificate was checked against
	return nil
}

// faulty blames a key of the configuration.
func faulty(cfg *config.Config, key string, err error) error {
	return usageError{&config.Report{Faults: []config.Fault{cfg.Source().Locate(key, directory.Fault{Problem: err.Error()})}}}
}

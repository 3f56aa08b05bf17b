package config

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"scimgate/internal/identity"
)

// scopeSyntax is a word of a scope (RFC 6749 section 3.3).
var scopeSyntax = regexp.MustCompile(`^[\x21\x23-\x5B\x5D-\x7E]+$`)

// Of is the declaration in the words of the package that verifies; the second
// result is false for a tenant that takes no access tokens.
func (o OIDC) Of() (identity.IssuerConfig, bool) {
	return identity.IssuerConfig{Issuer: o.Issuer, Audience: o.Audience, Scope: o.Scope, Clients: o.Clients, CAFile: o.CAFile}, o.Issuer != ""
}

func (o OIDC) validate(s *Source, key string) {
	if o.Issuer == "" {
		if o.Audience != "" || o.Scope != "" || len(o.Clients) > 0 || o.CAFile != "" {
			s.fault(key+".issuer", "is missing; write what the issuer's tokens have in iss, for example https://id.example.com")
		}
		return
	}
	if problem := identity.IssuerURL(o.Issuer); problem != "" {
		s.fault(key+".issuer", "%s", problem)
	}
	if o.Audience == "" {
		s.fault(key+".audience", "is missing, and tokens that the issuer made for others would be taken; write what the tokens for this gateway have in aud")
	}
	for _, word := range strings.Fields(o.Scope) {
		if !scopeSyntax.MatchString(word) {
			s.fault(key+".scope", "%q is no word of a scope; those are ASCII without blanks, \" and \\", word)
		}
	}
	if slices.Contains(o.Clients, "") {
		s.fault(key+".clients", "has an empty entry; name the client as client_id, azp, cid or appid of its tokens does")
	}
}

// Of is the declaration in the words of the package that verifies; the second
// result is false for a tenant that takes no certificates.
func (c Certificates) Of(caFile string) (identity.CertificatesConfig, bool) {
	of := identity.CertificatesConfig{CAFile: caFile, Subjects: c.Subjects, Names: c.Names, URIs: c.URIs, Fingerprints: c.Fingerprints}
	return of, len(of.Entries()) > 0
}

// callers records the faults of certificates, and what would let the callers of one
// tenant in at another.
func (c *Config) callers(s *Source) {
	if c.Server.TLS.ClientCAFile != "" && c.Server.TLS.CertFile == "" {
		s.fault("server.tls.clientCAFile", "needs certFile and keyFile: without TLS no client can present a certificate, and what a proxy in front says about one is not looked at")
	}
	bearers := map[string]string{}
	for i, t := range c.Tenants {
		key := tenantKey(i)
		of, any := t.Certificates.Of(c.Server.TLS.ClientCAFile)
		if any && of.CAFile == "" {
			s.fault(key+".certificates", "need server.tls.clientCAFile, which says whose certificates are taken at all")
		}
		for _, e := range of.Entries() {
			at := fmt.Sprintf("%s.certificates.%s[%d]", key, e.List, e.Index)
			who, err := e.Key()
			if err != nil {
				s.fault(at, "%s", err)
				continue
			}
			if other, twice := bearers[who]; twice {
				s.fault(at, "is at %s too, and one certificate is for one tenant; give each client its own", other)
			}
			bearers[who] = at
		}
		for j, other := range c.Tenants {
			// Of two that take the same the later one is told.
			if j != i && t.OIDC.takes(other.OIDC) && (j < i || !other.OIDC.takes(t.OIDC)) {
				s.fault(key+".oidc", "takes the tokens of %s too, so that whoever is let in there is let in here; give each an audience of its own, or else a scope or clients", tenantKey(j))
				break
			}
		}
		for j, other := range c.Tenants[:i] {
			if file := t.Tokens.File; file != "" && filepath.Clean(file) == filepath.Clean(other.Tokens.File) {
				s.fault(key+".tokens.file", "is the file of %s too, so that each token of one opens the other; give each tenant its own", tenantKey(j))
				break
			}
		}
	}
}

// takes reports whether all access tokens that the other lets in are let in here.
func (o OIDC) takes(other OIDC) bool {
	among := func(some, all []string) bool {
		return !slices.ContainsFunc(some, func(one string) bool { return !slices.Contains(all, one) })
	}
	return o.Issuer != "" && o.Issuer == other.Issuer && o.Audience == other.Audience &&
		among(strings.Fields(o.Scope), strings.Fields(other.Scope)) &&
		(len(o.Clients) == 0 || len(other.Clients) > 0 && among(other.Clients, o.Clients))
}

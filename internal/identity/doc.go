// Package identity recognises callers whom somebody else vouches for, beside the
// tokens that the gateway makes itself (package token):
//
//	an access token    a JWT that an OpenID Connect issuer has signed
//	                   (issuer.go: what it has to say; keys.go, fetch.go: the issuer's keys)
//	a certificate      that an authority has signed, presented in the TLS handshake
//	                   (certificate.go, subject.go)
//
// Both are only ever clients that act for a whole tenant; neither names a person.
//
// An issuer that is away is no fault of a caller, and none of the gateway:
// nothing is asked of it before a token arrives that claims to be by it, keys that
// are known go on being used, and what cannot be decided is said to be so
// (token.Undecided). Whoever has no token cannot make the gateway ask the issuer
// more than a few times a minute.
//
// It is the only package that knows the libraries of OpenID Connect and JOSE. It
// must not know HTTP requests and answers of the gateway, nor the configuration file.
package identity

package gateway

import (
	"crypto/x509"
	"errors"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"scimgate/internal/scim"
	"scimgate/internal/token"
)

// Certificates recognises whoever presents certificates in the TLS handshake, the
// client's own first. The error is a *token.Refusal.
type Certificates interface {
	Recognise(presented []*x509.Certificate, now time.Time) (token.Identity, error)
}

// certified lets a client in that sends no token and presented a certificate.
// Without a certificate of this tenant the answer is as without a token.
func (g *Gateway) certified(c echo.Context, t *tenant, next echo.HandlerFunc) error {
	// A browser presents its owner's certificate to whatever page asks it to; a
	// token it would have to be told.
	if err := new(http.CrossOriginProtection).Check(c.Request()); err != nil {
		return &scim.Error{Status: http.StatusForbidden, Err: err,
			Detail: "this request comes from a page of another site, and a certificate is not taken for it; send a token"}
	}
	id, err := t.certificates.Recognise(c.Request().TLS.PeerCertificates, g.now())
	if err != nil {
		return explained(err, unauthorized("there is neither a token nor a certificate of this tenant"))
	}
	eventOf(c).token = id.ID
	c.Set(tenantKey, t)
	c.Set(subjectKey, id.Subject)
	return next(c)
}

// presents reports whether a request is to be judged by the certificate of its
// connection: who sends a token is known by that, and by nothing else.
func (t *tenant) presents(r *http.Request) bool {
	_, sent := r.Header[echo.HeaderAuthorization]
	return t.certificates != nil && !sent && r.TLS != nil && len(r.TLS.PeerCertificates) > 0
}

// refusedLater is the answer to a token that was not taken and that is no failed
// attempt; nil for one that is.
func refusedLater(c echo.Context, err error) error {
	var refusal *token.Refusal
	if !errors.As(err, &refusal) {
		return nil
	}
	switch refusal.Kind {
	case token.Undecided:
		return &scim.Error{Status: http.StatusServiceUnavailable, Detail: refusal.Detail, Err: refusal}
	case token.Insufficient: // RFC 6750 section 3.1
		wants := challenge + `, error="insufficient_scope"`
		if refusal.Scope != "" {
			wants += `, scope="` + refusal.Scope + `"`
		}
		c.Response().Header().Set(echo.HeaderWWWAuthenticate, wants)
		return &scim.Error{Status: http.StatusForbidden, Detail: refusal.Detail, Err: refusal}
	}
	return nil
}

// explained gives a 401 the reason that the verifier knows.
func explained(cause, err error) error {
	var refusal *token.Refusal
	var told *scim.Error
	if errors.As(cause, &refusal) && errors.As(err, &told) && told.Status == http.StatusUnauthorized {
		return &scim.Error{Status: told.Status, Detail: refusal.Detail, Err: refusal}
	}
	return err
}

// ofTheFile is what an error of a verifier says about its file, and nil where it
// only says why a token was not taken.
func ofTheFile(err error) error {
	if _, refused := err.(*token.Refusal); refused { //nolint:errorlint // one that is wrapped comes with an error of the file
		return nil
	}
	return err
}

// schemes are the ways in that a tenant has (RFC 7643 section 5). The standard's
// list of types has no word for certificates; this one is RFC 8705's.
func (t *tenant) schemes() []any {
	all := []any{map[string]any{
		"type": "oauthbearertoken", "name": "Bearer token",
		"description": "A token of this gateway in the Authorization header", "primary": true,
		"specUri": "https://www.rfc-editor.org/info/rfc6750",
	}}
	if t.issuer != "" {
		all = append(all, map[string]any{
			"type": "oauth2", "name": "OAuth 2 access token",
			"description": "A JWT access token of " + t.issuer + " in the Authorization header", "primary": false,
			"specUri": "https://www.rfc-editor.org/info/rfc9068",
		})
	}
	if t.certificates != nil {
		all = append(all, map[string]any{
			"type": "tls_client_auth", "name": "TLS client certificate",
			"description": "A certificate presented in the TLS handshake, and no Authorization header", "primary": false,
			"specUri": "https://www.rfc-editor.org/info/rfc8446",
		})
	}
	return all
}

package gateway

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"scimgate/internal/token"
)

// What a verifier says about a token decides the answer; what only the log is to
// know stays there.
func TestRefusals(t *testing.T) {
	cause := errors.New("inner cause")
	for name, tc := range map[string]struct {
		err       error
		status    int
		challenge string
		warned    int
	}{
		"invalid":                   {&token.Refusal{Kind: token.Invalid, Detail: "it is over", Err: cause}, 401, `Bearer realm="scim", error="invalid_token"`, 0},
		"insufficient":              {&token.Refusal{Kind: token.Insufficient, Detail: "it is over", Scope: "a b", Err: cause}, 403, `Bearer realm="scim", error="insufficient_scope", scope="a b"`, 0},
		"undecided":                 {&token.Refusal{Kind: token.Undecided, Detail: "it is over", Err: cause}, 503, "", 0},
		"with an error of the file": {errors.Join(errors.New("file is gone"), &token.Refusal{Kind: token.Undecided, Detail: "it is over", Err: cause}), 503, "", 1},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			core, logged := observer.New(zap.InfoLevel)
			s.log = zap.New(core)
			s.tenants[0].tokens = password{token: "open", err: tc.err}
			w := s.ask("GET", "/scim/v2/Users", "", "Authorization", "Bearer x")
			if w.Code != tc.status || w.Header().Get("WWW-Authenticate") != tc.challenge || (w.Header().Get("Retry-After") != "") != (tc.status == 503) {
				t.Errorf("status %d, headers %v", w.Code, w.Header())
			}
			if !strings.Contains(w.Body.String(), "it is over") || strings.Contains(w.Body.String(), "inner") {
				t.Errorf("the answer is %s", w.Body)
			}
			if n := logged.FilterMessageSnippet("tokens cannot be read").Len(); n != tc.warned {
				t.Errorf("%d warnings about the file", n)
			}
			if lines := logged.FilterMessage("request").All(); len(lines) != 1 || !strings.Contains(lines[0].ContextMap()["cause"].(string), "inner cause") {
				t.Errorf("the log has %v", lines)
			}
		})
	}
}

// bearer recognises one certificate.
type bearer struct{ known *x509.Certificate }

func (b bearer) Recognise(presented []*x509.Certificate, _ time.Time) (token.Identity, error) {
	if presented[0] == b.known {
		return token.Identity{ID: "cert:x"}, nil
	}
	return token.Identity{}, &token.Refusal{Detail: "not this one"}
}

func TestACertificateCountsWhereNoTokenIsSent(t *testing.T) {
	s := newSite(t)
	own, other := new(x509.Certificate), new(x509.Certificate)
	s.tenants[0].certificates = bearer{own}
	for _, tc := range []struct {
		name, path string
		presented  []*x509.Certificate
		headers    http.Header
		want       int
	}{
		{"its own", "/scim/v2/Users", []*x509.Certificate{own}, nil, 200},
		{"another", "/scim/v2/Users", []*x509.Certificate{other}, nil, 401},
		{"another before its own", "/scim/v2/Users", []*x509.Certificate{other, own}, nil, 401},
		{"none", "/scim/v2/Users", nil, nil, 401},
		{"at a tenant that takes none", "/entra/scim/v2/Users", []*x509.Certificate{own}, nil, 401},
		{"with a token that is none", "/scim/v2/Users", []*x509.Certificate{own}, http.Header{"Authorization": {"Bearer x"}}, 401},
		{"with an empty header", "/scim/v2/Users", []*x509.Certificate{own}, http.Header{"Authorization": {""}}, 401},
		{"with another scheme", "/scim/v2/Users", []*x509.Certificate{own}, http.Header{"Authorization": {"Basic eDp5"}}, 401},
		{"another, with a token", "/scim/v2/Users", []*x509.Certificate{other}, http.Header{"Authorization": {"Bearer open"}}, 200},
	} {
		r := httptest.NewRequest("GET", "https://idp.example"+tc.path, nil)
		r.TLS = &tls.ConnectionState{PeerCertificates: tc.presented}
		for name, values := range tc.headers {
			r.Header[name] = values
		}
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code != tc.want || (w.Code == 401) != (w.Header().Get("WWW-Authenticate") != "") {
			t.Errorf("%s: status %d, headers %v", tc.name, w.Code, w.Header())
		}
	}
}

func TestSchemesAreAnnouncedAsTheyAre(t *testing.T) {
	s := newSite(t)
	s.tenants[0].issuer, s.tenants[0].certificates = "https://id.example.com", bearer{}
	for path, want := range map[string][]string{
		"/scim/v2": {"oauthbearertoken", "oauth2", "tls_client_auth"}, "/entra/scim/v2": {"oauthbearertoken"},
	} {
		var answer struct {
			AuthenticationSchemes []struct{ Type string }
		}
		w := s.ask("GET", path+"/ServiceProviderConfig", "", "Authorization", map[bool]string{true: "Bearer open", false: "Bearer sesame"}[path == "/scim/v2"])
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, scheme := range answer.AuthenticationSchemes {
			got = append(got, scheme.Type)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s announces %v", path, got)
		}
	}
}

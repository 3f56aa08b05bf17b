//go:build integration

package main

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"scimgate/internal/testcert"
	"scimgate/internal/testissuer"
)

// What is known of callers outlives a reload that changes nothing about them: tokens
// hold while their file is damaged, and the keys of an issuer while it is away. The
// administrator is shown these tokens all the same.
func TestCallersAreKnownAfterAReload(t *testing.T) {
	t.Parallel()
	w := newWorkshop(t)
	authority := testcert.NewAuthority("test")
	w.put("ca.pem", string(authority.CertPEM()))
	server := testissuer.StartTLS(authority)
	t.Cleanup(server.Stop)
	tenant := func(audience string, more ...string) string {
		oidc := fmt.Sprintf("    oidc: {issuer: %q, audience: %s, caFile: %q}\n    users:", server.URL, audience, w.path("ca.pem"))
		return strings.Replace(declaredTenant("one", more...), "    users:", oidc, 1)
	}
	w.write(w.site(tenant("scim")))
	w.start()
	own, access := w.tokens["one"], server.Token()
	with := func(token string, want int) {
		t.Helper()
		w.tokens["one"] = token
		w.want(want, "GET", "one", "/Users", nil)
	}
	with(own, http.StatusOK)
	with(access, http.StatusOK)

	w.put("state/tokens/one.json", "{")
	server.Down.Store(true)
	w.reload(w.site(tenant("scim", "{scim: nickName, ldap: displayName}")))
	with(own, http.StatusOK)
	with(access, http.StatusOK)
	// Another declaration is another issuer, of which nothing is known yet.
	w.reload(w.site(tenant("elsewhere")))
	with(own, http.StatusOK)
	with(access, http.StatusServiceUnavailable)
	if shown := w.metrics(); !strings.Contains(shown, `scimgate_tokens{tenant="one"} 1`) {
		t.Errorf("the metrics say of the tokens: %s", strings.Join(linesWith(shown, "scimgate_tokens"), "\n"))
	}

	// The same place with other authorities in it: the issuer cannot be trusted.
	server.Down.Store(false)
	w.reload(w.site(tenant("scim")))
	with(access, http.StatusOK)
	w.outcome(reloaded, func() { w.put("ca.pem", string(testcert.NewAuthority("other").CertPEM())) })
	with(access, http.StatusServiceUnavailable)
}

// Files of authorities that hold none are faults with the place of their key, and
// leave the configuration before in force.
func TestRubbishIsNoAuthority(t *testing.T) {
	t.Parallel()
	w := newWorkshop(t)
	crt, key := w.certificate(1)
	w.put("tls.crt", string(crt))
	w.put("tls.key", string(key))
	w.put("rubbish", "rubbish")
	secured := func(more string) string {
		s := w.site(strings.Replace(declaredTenant("one"), "    users:", more+"    users:", 1))
		s.server = "  tls: {certFile: ../tls.crt, keyFile: ../tls.key, clientCAFile: ../tls.crt}"
		return s.text(w)
	}
	w.put("etc/scimgate.yaml", secured(""))
	w.start()
	clients := "    certificates: {names: [client.example.com]}\n"
	unknown := func(text string) string {
		return strings.Replace(text, "clientCAFile: ../tls.crt", "clientCAFile: ../rubbish", 1)
	}
	for _, c := range []struct{ key, text string }{
		{`server\.tls\.clientCAFile`, unknown(secured(""))},
		{`server\.tls\.clientCAFile`, unknown(secured(clients))},
		{`tenants\[0\]\.oidc\.caFile`, secured("    oidc: {issuer: \"https://127.0.0.1:1\", audience: scim, caFile: ../rubbish}\n")},
	} {
		if faults := w.refuse(c.text); !regexp.MustCompile(`scimgate\.yaml:\d+:\d+: ` + c.key + `: .*rubbish holds no certificate`).MatchString(faults) {
			t.Errorf("the log has %s", faults)
		}
	}
}

func linesWith(text, start string) []string {
	var found []string
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, start) {
			found = append(found, line)
		}
	}
	return found
}

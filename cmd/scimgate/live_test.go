//go:build ad || ds389

package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest"

	"scimgate/internal/config"
	"scimgate/internal/token"
)

// live is a gateway over a real directory, and the directory's administrator
// beside it.
type live struct {
	t           *testing.T
	base, token string
	url         string
	trust       *tls.Config
	admin       *ldap.Conn
	suffix      string
}

// server is what the tests' directories have in common.
type server interface {
	CAFile() string
	AdminDN() string
	AdminPassword() string
	Suffix() string
}

// serveOver serves a configuration over a directory until the test ends. URL, CA,
// DN and PASSWORD in the text stand for the directory's.
func serveOver(t *testing.T, s server, url, text string) *live {
	t.Helper()
	dir := t.TempDir()
	secret := filepath.Join(dir, "password")
	if err := os.WriteFile(secret, []byte(s.AdminPassword()), 0o600); err != nil {
		t.Fatal(err)
	}
	text = strings.NewReplacer("URL", url, "CA", s.CAFile(), "DN", s.AdminDN(), "PASSWORD", secret, "STATE", filepath.Join(dir, "state")).Replace(text)
	file := filepath.Join(dir, "scimgate.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, _, err := config.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	access, _, err := token.Open(cfg.StateDir, cfg.Tenants[0].Name).Create(time.Now(), time.Hour, 1, "test")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	listens, ended := make(chan addresses, 1), make(chan error, 1)
	go func() {
		ended <- run(ctx, cfg, zaptest.NewLogger(t, zaptest.Level(zap.WarnLevel)), func(a addresses) { listens <- a })
	}()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	l := &live{t: t, token: access, url: url, suffix: s.Suffix()}
	select {
	case a := <-listens:
		l.base = "http://" + a.SCIM + "/scim/v2"
	case err := <-ended:
		ended <- nil
		t.Fatal(err)
	}
	ca, err := os.ReadFile(s.CAFile())
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	l.trust = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	l.admin = l.dial()
	t.Cleanup(func() { l.admin.Close() })
	if err := l.admin.Bind(s.AdminDN(), s.AdminPassword()); err != nil {
		t.Fatal(err)
	}
	return l
}

func (l *live) dial() *ldap.Conn {
	l.t.Helper()
	conn, err := ldap.DialURL(l.url, ldap.DialWithTLSConfig(l.trust))
	if err != nil {
		l.t.Fatal(err)
	}
	return conn
}

// ask sends a request and wants one of the statuses.
func (l *live) ask(method, path, body string, statuses ...int) map[string]any {
	l.t.Helper()
	request, err := http.NewRequestWithContext(l.t.Context(), method, l.base+path, strings.NewReader(body))
	if err != nil {
		l.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+l.token)
	request.Header.Set("Content-Type", "application/scim+json")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		l.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		l.t.Fatal(err)
	}
	if !slices.Contains(statuses, answer.StatusCode) {
		l.t.Fatalf("%s %s: %d %s", method, path, answer.StatusCode, text)
	}
	var object map[string]any
	if len(text) > 0 {
		if err := json.Unmarshal(text, &object); err != nil {
			l.t.Fatal(err)
		}
	}
	return object
}

// active switches somebody on or off.
func (l *live) active(id string, on bool) {
	l.t.Helper()
	value := map[bool]string{true: "true", false: "false"}[on]
	answer := l.ask("PATCH", "/Users/"+id, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","path":"active","value":`+value+`}]}`, 200)
	if answer["active"] != on {
		l.t.Errorf("active is %v", answer["active"])
	}
}

// members are the ids of a group's members.
func (l *live) members(id string) []string {
	l.t.Helper()
	all, _ := l.ask("GET", "/Groups/"+id, "", 200)["members"].([]any)
	var ids []string
	for _, m := range all {
		v, _ := m.(map[string]any)["value"].(string)
		ids = append(ids, v)
	}
	return ids
}

// entry is the one that a filter finds, with the attributes.
func (l *live) entry(filter string, attributes ...string) *ldap.Entry {
	l.t.Helper()
	found, err := l.admin.Search(ldap.NewSearchRequest(l.suffix, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, 0, false, filter, attributes, nil))
	if err != nil || len(found.Entries) != 1 {
		l.t.Fatalf("%s: %v, %v", filter, found, err)
	}
	return found.Entries[0]
}

// set replaces an attribute past the gateway.
func (l *live) set(dn, attribute string, values ...string) {
	l.t.Helper()
	request := ldap.NewModifyRequest(dn, nil)
	request.Replace(attribute, values)
	if err := l.admin.Modify(request); err != nil {
		l.t.Fatal(err)
	}
}

// opens tells by a bind whether somebody gets in.
func (l *live) opens(dn, password string) bool {
	l.t.Helper()
	conn := l.dial()
	defer conn.Close()
	err := conn.Bind(dn, password)
	if err != nil && !ldap.IsErrorAnyOf(err, ldap.LDAPResultInvalidCredentials, ldap.LDAPResultUnwillingToPerform, ldap.LDAPResultConstraintViolation) {
		l.t.Fatal(err)
	}
	return err == nil
}

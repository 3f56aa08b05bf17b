package check

import (
	"bytes"
	"crypto/x509"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"scimgate/internal/config"
	"scimgate/internal/directory"
	"scimgate/internal/token"
	"scimgate/ldapsink"
)

var now = time.Date(2026, 5, 6, 7, 8, 9, 0, time.UTC)

// fixture loads a file that has nothing wrong in itself.
func fixture(t *testing.T) *checker {
	t.Helper()
	dir := t.TempDir()
	text := `server: {listen: 127.0.0.1:0}
admin: {listen: 127.0.0.1:0}
stateDir: state
directories:
  corp: {urls: ["ldap://127.0.0.1:1"], bind: {dn: "cn=x", passwordFile: password}}
tenants:
  - name: okta
    directory: corp
    users:
      base: ou=people,dc=example,dc=org
      objectClasses: [person]
      rdn: cn
      marker: {state: a, source: b}
      stableKey: externalId
      attributes:
        - {scim: userName, ldap: cn, required: true, unique: true}
        - {scim: externalId, ldap: c, unique: true}
      deactivate:
        - set: {ldap: d, inactive: e}
`
	for name, content := range map[string]string{"scimgate.yaml": text, "password": "p"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cfg, _, err := config.Load(filepath.Join(dir, "scimgate.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	tenant := Tenant{Config: cfg.Tenants[0], Types: []Type{{Key: "tenants[0].users"}}}
	return &checker{Options: Options{Config: cfg, Now: now, Tenants: []Tenant{tenant}}, seen: map[Finding]bool{}, outside: map[string]bool{}}
}

// found are the findings without their file.
func (c *checker) found() []string {
	var all []string
	for _, f := range report(c.findings).Findings {
		f.File = "F"
		all = append(all, f.String())
	}
	return all
}

func wants(t *testing.T, c *checker, pieces ...string) {
	t.Helper()
	got := c.found()
	if len(got) != len(pieces) {
		t.Errorf("%d findings, want %d: %q", len(got), len(pieces), got)
		return
	}
	for i, piece := range pieces {
		if !strings.Contains(got[i], piece) {
			t.Errorf("finding %d is %q, want %q", i, got[i], piece)
		}
	}
}

// Findings come by line, the worse first where they meet, each once, parted into
// problem and advice; text and JSON say the same.
func TestReport(t *testing.T) {
	c := fixture(t)
	c.note("tenants[0].users.rdn", "worth knowing")
	c.warn("tenants[0].users.rdn", "unwise; do it otherwise; or not")
	c.err("tenants[0].users.rdn", "wrong\nand long; mend it")
	c.err("tenants[0].users.rdn", "wrong\nand long; mend it")
	c.err("stateDir", "above; move")
	c.note("tenants[0].users.nowhere", "below")
	wants(t, c, "F:3:1: error: stateDir: above; move", "F:9:5: note: tenants[0].users.nowhere: below", "F:12:7: error: tenants[0].users.rdn: wrong and long; mend it",
		"F:12:7: warning: tenants[0].users.rdn: unwise; do it otherwise; or not", "F:12:7: note: tenants[0].users.rdn: worth knowing")
	r := report(c.findings)
	if want := (Summary{Errors: 2, Warnings: 1, Notes: 2}); r.Summary != want || want.String() != "2 errors, 1 warning, 2 notes" {
		t.Errorf("the summary is %s", r.Summary)
	}
	r.Findings = r.Findings[:1]
	r.Findings[0].File = "f.yaml"
	var text, object bytes.Buffer
	if err := r.Text(&text); err != nil {
		t.Fatal(err)
	}
	if err := r.JSON(&object); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff("f.yaml:3:1: error: stateDir: above; move\n2 errors, 1 warning, 2 notes\n", text.String()); d != "" {
		t.Error(d)
	}
	want := `{
  "findings": [
    {
      "severity": "error",
      "file": "f.yaml",
      "line": 3,
      "column": 1,
      "key": "stateDir",
      "problem": "above",
      "advice": "move"
    }
  ],
  "summary": {
    "errors": 2,
    "warnings": 1,
    "notes": 2
  }
}
`
	if d := cmp.Diff(want, object.String()); d != "" {
		t.Error(d)
	}
	object.Reset()
	if err := report(nil).JSON(&object); err != nil || !strings.Contains(object.String(), `"findings": []`) {
		t.Errorf("an empty report is %s (%v)", object.String(), err)
	}
}

func TestExpiry(t *testing.T) {
	for name, tc := range map[string]struct {
		from, to time.Duration
		want     []string
	}{
		"good":         {-time.Hour, 31 * 24 * time.Hour, nil},
		"soon over":    {-time.Hour, 29 * 24 * time.Hour, []string{"warning: stateDir: it expires on 2026-06-04; renew it"}},
		"over":         {-2 * time.Hour, -time.Hour, []string{"error: stateDir: it expired on 2026-05-06; renew it"}},
		"not good yet": {time.Hour, 1000 * time.Hour, []string{"error: stateDir: it is not good before 2026-05-06; compare the clocks"}},
	} {
		c := fixture(t)
		c.expiry("stateDir", "it", &x509.Certificate{NotBefore: now.Add(tc.from), NotAfter: now.Add(tc.to)})
		t.Log(name)
		wants(t, c, tc.want...)
	}
}

func TestTokens(t *testing.T) {
	const day = 24 * time.Hour
	for name, tc := range map[string]struct {
		made, lifetime time.Duration // 0 is no token
		want           []string
	}{
		"none":      {0, 0, []string{"warning: tenants[0].tokens: the tenant has no token, so nobody can call it; make one with scimgate token create --tenant okta"}},
		"good":      {-day, 365 * day, nil},
		"over":      {-3 * day, 2 * day, []string{"expired on 2026-05-05"}},
		"soon over": {-day, 20 * day, []string{"warning: tenants[0].tokens: the last token of the tenant expires on 2026-05-25"}},
		"endless":   {-day, 100 * 365 * day, []string{"is good until 2126"}},
	} {
		c := fixture(t)
		if tc.lifetime != 0 {
			if _, _, err := token.Open(c.Config.StateDir, "okta").Create(now.Add(tc.made), tc.lifetime, 2, ""); err != nil {
				t.Fatal(err)
			}
		}
		c.tokens()
		t.Log(name)
		wants(t, c, tc.want...)
	}
}

// What a tenant's second token ends is worth knowing, and no more.
func TestATokenThatEndsBesideAnother(t *testing.T) {
	const day = 24 * time.Hour
	c := fixture(t)
	f := token.Open(c.Config.StateDir, "okta")
	_, old, err := f.Create(now.Add(-350*day), 365*day, 2, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := f.Create(now, 365*day, 2, ""); err != nil {
		t.Fatal(err)
	}
	c.tokens()
	wants(t, c, "note: tenants[0].tokens: the token "+old.ID+" expires on 2026-05-21; see in scimgate token list")
	c = fixture(t)
	c.Tenants[0].Config.Tokens.Warn = 10 * day
	c.ends("tenants[0].tokens", []token.Token{old, {ID: "x", Created: now, Expires: now.Add(365 * day)}}, 10*day, false, "")
	wants(t, c)
}

// A token file that is made elsewhere has to be there, and is read.
func TestTokensOfAMountedFile(t *testing.T) {
	c := fixture(t)
	path := filepath.Join(t.TempDir(), "okta.json")
	c.Tenants[0].Config.Tokens.File = path
	c.tokens()
	wants(t, c, "error: tenants[0].tokens.file: stat "+path+": no such file or directory; mount the secret")
	c.findings = nil
	if _, _, err := token.At(path, "okta").Create(now, 365*24*time.Hour, 2, ""); err != nil {
		t.Fatal(err)
	}
	c.tokens()
	wants(t, c)
}

// A folder that is not there yet is judged by the one that it will be made in,
// and is not made.
func TestFolder(t *testing.T) {
	c := fixture(t)
	if !c.folder() || len(c.findings) > 0 {
		t.Errorf("a folder that can be made is refused: %v", c.found())
	}
	if _, err := os.Stat(c.Config.StateDir); err == nil {
		t.Error("the folder was made")
	}
	c.Config.StateDir = filepath.Join(filepath.Dir(c.Config.StateDir), "scimgate.yaml")
	if c.folder() {
		t.Error("a file is taken for a folder")
	}
	wants(t, c, "error: stateDir: "+c.Config.StateDir+" is no folder; ")
}

// A refused bind blames the account where the account is to blame.
func TestRefusedBind(t *testing.T) {
	for _, tc := range []struct {
		why          ldapsink.Refusal
		problem, key string
	}{
		{ldapsink.Refusal{Code: 49}, "wrong name or password, or the account is locked", "bind.dn"},
		{ldapsink.Refusal{Code: 49, Data: "52e"}, "wrong name or password", "bind.dn"},
		{ldapsink.Refusal{Code: 49, Data: "775"}, "the account is locked", "bind.dn"},
		{ldapsink.Refusal{Code: 49, Data: "533"}, "the account is disabled", "bind.dn"},
		{ldapsink.Refusal{Code: 19}, "too many wrong passwords", "bind.dn"},
		{ldapsink.Refusal{Code: 53}, "the account is locked", "bind.dn"},
		{ldapsink.Refusal{Code: 32}, "no such account", "bind.dn"},
		{ldapsink.Refusal{Code: 48}, "no password", "bind.dn"},
		{ldapsink.Refusal{Code: 13}, "over TLS only", ""},
		{ldapsink.Refusal{Code: 8}, "over TLS only", ""},
		{ldapsink.Refusal{Code: 80}, "result 80", ""},
	} {
		problem, advice, key := refusedBind(tc.why)
		if !strings.Contains(problem, tc.problem) || key != tc.key || advice == "" || strings.Contains(problem, "; ") {
			t.Errorf("%+v: %q, %q, %q", tc.why, problem, advice, key)
		}
	}
}

func TestFlavor(t *testing.T) {
	for name, tc := range map[string]struct {
		given string
		shows ldapsink.Server
		holds bool
		want  []string
	}{
		"right":            {"openldap", ldapsink.Server{Fits: "openldap"}, true, nil},
		"another":          {"openldap", ldapsink.Server{Fits: "activeDirectory"}, false, []string{"error: directories.corp.flavor: the server shows to be activeDirectory and not openldap; write flavor: activeDirectory", "note: tenants[0].users: is not held"}},
		"generic":          {"generic", ldapsink.Server{}, true, nil},
		"generic, but not": {"generic", ldapsink.Server{Fits: "openldap"}, true, []string{"warning: directories.corp.flavor: "}},
		"a stranger":       {"389ds", ldapsink.Server{Vendor: "Acme 1"}, true, []string{"warning: directories.corp.flavor: the server does not show to be 389ds (it calls itself Acme 1); if it is another, write flavor: generic"}},
	} {
		c := fixture(t)
		d := c.Config.Directories["corp"]
		d.Flavor = tc.given
		c.Config.Directories["corp"] = d
		if got := c.flavor("directories.corp", tc.shows, c.Tenants); got != tc.holds {
			t.Errorf("%s: %v, want %v", name, got, tc.holds)
		}
		t.Log(name)
		wants(t, c, tc.want...)
	}
}

func TestWithin(t *testing.T) {
	for _, tc := range []struct {
		dn, above string
		want      bool
	}{
		{"ou=p,dc=x", "dc=x", true}, {"OU=P, DC=X", "dc=x", true}, {"dc=x", "dc=x", true}, {"dc=x", "ou=p,dc=x", false}, {"ou=p,dc=xx", "dc=x", false}, {"dc=x", "", true},
	} {
		if got := within(tc.dn, tc.above); got != tc.want {
			t.Errorf("%s within %s: %v", tc.dn, tc.above, got)
		}
	}
}

// A file that cannot be loaded has a report of the same form.
func TestUnloaded(t *testing.T) {
	r := Unloaded(&config.Report{Faults: []config.Fault{{File: "f", Position: config.Position{Line: 2, Column: 3}, Key: "a.b", Problem: "is wrong; mend it"}}},
		[]config.Warning{{File: "f", Position: config.Position{Line: 1, Column: 1}, Key: "a", Problem: "is unwise"}})
	want := []Finding{{"warning", "f", 1, 1, "a", "is unwise", ""}, {directory.SevereError.String(), "f", 2, 3, "a.b", "is wrong", "mend it"}}
	if d := cmp.Diff(want, r.Findings); d != "" {
		t.Error(d)
	}
}

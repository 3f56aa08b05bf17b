//go:build integration

package integration

import (
	"bytes"
	"encoding/json"
	"flag"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"text/template"

	"github.com/google/go-cmp/cmp"

	"scimgate/internal/slapd"
)

var update = flag.Bool("update", false, "write the reports in testdata anew")

// badEntries are those of a directory that somebody else uses, too: the service
// account, and a person with a value where the marker is to go.
const badEntries = serviceAccount + `
dn: uid=old,ou=people,dc=example,dc=org
objectClass: inetOrgPerson
uid: old
cn: Old
sn: Old
roomNumber: 42
employeeType: contractor

dn: uid=legacy,ou=people,dc=example,dc=org
objectClass: inetOrgPerson
objectClass: scimgateObject
uid: legacy
cn: Legacy
sn: Legacy
scimState: somebody else's
scimSource: somebody else

`

// badDirectory shows its settings to the service account, and lets it write one
// attribute too few.
func badDirectory() slapd.Config {
	const service = `by dn.exact="cn=scimgate,ou=services,dc=example,dc=org"`
	return slapd.Config{
		Overlays: []string{"ppolicy", "unique"}, Entries: badEntries,
		GlobalConf: []string{"database config", "access to * by users read by * none"},
		Access: append([]string{
			`to dn.subtree="ou=people,dc=example,dc=org" attrs=sn ` + service + ` read`,
			`to dn.subtree="ou=policies,dc=example,dc=org" by * none`,
		}, serviceAccess...),
	}
}

// startDirectory runs a directory until the test ends.
func startDirectory(t *testing.T, cfg slapd.Config) *slapd.Server {
	t.Helper()
	cfg.Dir = t.TempDir()
	server, err := slapd.Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	return server
}

// writeBad writes the bad configuration, and returns its file.
func writeBad(t *testing.T, values map[string]any, rootPassword string) string {
	t.Helper()
	dir := t.TempDir()
	files := newCertificates(t, dir)
	made, err := template.New("bad.yaml").Funcs(template.FuncMap{"quote": strconv.Quote}).ParseFiles(filepath.Join("testdata", "bad.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if err := made.Execute(&text, values); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"scimgate.yaml": text.String(), "password": "example secret\n", "root-password": rootPassword,
		"short.crt": contentOf(t, files.file("tls.crt")), "short.key": contentOf(t, files.file("tls.key")),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "scimgate.yaml")
}

func contentOf(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// A configuration with every kind of mistake gets them all reported at once, at
// their places; the same report comes as JSON.
func TestCheckReportsEverything(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	tlsFiles := newCertificates(t, t.TempDir())
	cfg := badDirectory()
	cfg.TLS, cfg.ListenTLS = tlsFiles.server(), "127.0.0.1:0"
	server, other := startDirectory(t, cfg), startDirectory(t, badDirectory())
	file := writeBad(t, map[string]any{
		"Taken": taken.Addr().String(), "URL": server.URL(), "TLSURL": server.TLSURL(), "OtherURL": other.URL(),
		"Long": strings.Repeat("red", 400), "Tenants": map[string]string{
			"mistaken": "b-mistaken", "locked": "c-locked", "dead": "d-dead", "root": "e-root", "apart": "f-apart",
		},
	}, server.AdminPassword())
	code, stdout, stderr := run(t, "check", "--config", file)
	if code != 1 || stderr != "" {
		t.Errorf("exit code %d, standard error %q, want 1 and nothing", code, stderr)
	}
	got := strings.NewReplacer(
		filepath.Dir(file)+"/", "", server.URL(), "URL", server.TLSURL(), "TLSURL", other.URL(), "OTHER", taken.Addr().String(), "TAKEN",
		strings.Repeat("red", 400), "red...",
	).Replace(expires.ReplaceAllString(stdout, "expires on SOON"))
	golden(t, "bad.txt", got)

	code, stdout, _ = run(t, "check", "--config", file, "--json")
	var report struct {
		Findings []struct {
			Severity, File, Key, Problem, Advice string
			Line, Column                         int
		}
		Summary map[string]int
	}
	if err := json.Unmarshal([]byte(stdout), &report); err != nil || code != 1 {
		t.Fatalf("exit code %d, %v", code, err)
	}
	lines := strings.Split(strings.TrimSpace(got), "\n")
	if len(report.Findings) != len(lines)-1 || report.Summary["errors"]+report.Summary["warnings"]+report.Summary["notes"] != len(report.Findings) {
		t.Errorf("%d findings in JSON, %v, %d lines of text", len(report.Findings), report.Summary, len(lines))
	}
	for _, f := range report.Findings {
		if f.Severity == "" || f.File != file || f.Line == 0 || f.Column == 0 || f.Key == "" || f.Problem == "" || f.Advice == "" {
			t.Errorf("a finding with a gap: %+v", f)
		}
	}
}

// golden compares with a file in testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if d := cmp.Diff(strings.Split(contentOf(t, file), "\n"), strings.Split(got, "\n")); d != "" {
		t.Error(d)
	}
}

var expires = regexp.MustCompile(`expires on [0-9-]+`)

// checked runs check, and wants an exit code and a report with some pieces.
func checked(t *testing.T, code int, args []string, pieces ...string) string {
	t.Helper()
	got, stdout, stderr := run(t, append([]string{"check"}, args...)...)
	if got != code || stderr != "" {
		t.Errorf("check %v: exit code %d, want %d; standard error %q", args, got, code, stderr)
	}
	for _, piece := range pieces {
		if !strings.Contains(stdout, piece) {
			t.Errorf("check %v: the report does not have %q", args, piece)
		}
	}
	if t.Failed() {
		t.Log(stdout)
	}
	return stdout
}

// The configuration that the demo writes out has nothing wrong, also where the
// rights are tried, which leaves nothing behind.
func TestCheckOfTheDemo(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "out.yaml")
	g := demo(t, "--config-out", file)
	d := g.tree(t)
	before := len(d.search("(objectClass=*)"))
	report := checked(t, 0, []string{"--config", file}, "\n0 errors, ", "--write-test", "index")
	if n := strings.Count(report, ": warning: "); n != 1 || !strings.Contains(report, "rootdn") {
		t.Errorf("%d warnings, want the one about the administrator", n)
	}
	report = checked(t, 0, []string{"--config", file, "--write-test"}, "\n0 errors, ")
	if strings.Contains(report, "nothing was tried") {
		t.Error("the rights were tried, and the report says they were not")
	}
	if after := len(d.search("(objectClass=*)")); after != before {
		t.Errorf("%d entries before, %d after", before, after)
	}
}

// A service account with rights below its bases alone passes; each right that is
// missing is named, and a write test leaves nothing behind.
func TestCheckOfRights(t *testing.T) {
	t.Parallel()
	const service = `by dn.exact="cn=scimgate,ou=services,dc=example,dc=org"`
	policy := `to dn.subtree="ou=policies,dc=example,dc=org" ` + service + " read"
	people := `to dn.subtree="ou=people,dc=example,dc=org" `
	for name, c := range map[string]struct {
		access []string // before what the example has
		code   int
		pieces []string
	}{
		"enough":    {nil, 0, []string{"\n0 errors, 0 warnings, "}},
		"no sn":     {[]string{people + "attrs=title,mail " + service + " read"}, 1, []string{"may not write title;", "may not write mail;", "\n2 errors"}},
		"no delete": {[]string{people + "attrs=children " + service + " add"}, 1, []string{"may not rename", "the entry of the write test may be left behind: uid=scimgate-check-"}},
		"read only": {[]string{people + service + " read", `to dn.subtree="ou=groups,dc=example,dc=org" ` + service + " read"}, 1,
			[]string{"users.base: the account may not add an entry below ou=people,", "groups.base: the account may not add an entry below ou=groups,", "\n2 errors"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := usual()
			s.Entries, s.Access = serviceAccount, append(append([]string{policy}, c.access...), serviceAccess...)
			server := startDirectory(t, s.slapd(t.TempDir()))
			s.BindDN, s.Password = "cn=scimgate,ou=services,dc=example,dc=org", "example secret"
			file := s.write(t, t.TempDir(), server)
			makeToken(t, file, "okta")
			checked(t, c.code, []string{"--config", file, "--write-test"}, c.pieces...)
			g := &gate{}
			g.of(server, "")
			if left := g.tree(t).search("(|(uid=scimgate-check-*)(cn=scimgate-check-*))"); len(left) > 0 != (name == "no delete") {
				t.Errorf("%d entries are left", len(left))
			}
		})
	}
}

// A file that cannot be loaded is exit code 2, with the same report as at the
// start, and as JSON too.
func TestCheckOfAFaultyFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "wrong.yaml")
	if err := os.WriteFile(file, []byte("server:\n  lisen: x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	checked(t, 2, []string{"--config", file}, file+":2:3: error: server.lisen: ", "error: tenants: is missing; declare at least one tenant")
	report := checked(t, 2, []string{"--config", file, "--json"})
	if !json.Valid([]byte(report)) || !strings.Contains(report, `"key": "server.lisen"`) {
		t.Errorf("the report is %s", report)
	}
	missing := filepath.Join(t.TempDir(), "missing.yaml")
	checked(t, 2, []string{"--config", missing}, missing+": error: the file "+missing+" cannot be read", "1 error, ")
}

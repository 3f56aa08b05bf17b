//go:build integration

package integration

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"text/template"
	"time"

	"scimgate/internal/slapd"
)

// site is a customer: a directory, and what the configuration says about it.
// Zero values are those of an OpenLDAP with the gateway's schema.
type site struct {
	Overlays []string // beside ppolicy
	Groups   bool     // the directory knows groupOfMembers
	TLS      *slapd.TLS
	LDAPS    bool
	Entries  string   // LDIF
	Database []string // further lines of slapd.conf
	Access   []string
	Global   []string // lines for the head of slapd.conf
	Template string   // in testdata, in place of serve.yaml
	// Through is called with the address of the directory and returns the one
	// that the gateway is told.
	Through func(address string) string

	Schema           bool // the gateway's schema is in the directory
	State1, Source1  string
	State2, Source2  string
	StableKey        string
	GroupKey         string
	GroupClass       string
	Member           string
	EmptyMember      string
	OnForeignLock    string
	Delete           string
	OnExisting       string // of users
	GroupsOnExisting string
	Protected        string
	Me               string
	Brake            string
	Profile          string
	UserRules        []string
	RDN              string   // of people; uid
	UserClasses      string   // further object classes, each with a comma before it
	Deactivate       []string // steps in place of the password policy's lock
	PageSize         int
	FilterEntries    int
	BodyBytes        int // 65536, where it says nothing else
	Timeout          string
	CAFile           string
	StartTLS         bool
	URL, State       string
	BindDN, Password string
	PasswordFile     string
}

// usual is a directory with the gateway's schema, if it takes one, and the groups
// that it has by itself.
func usual(overlays ...string) site {
	return site{
		Overlays: overlays, Schema: true,
		State1: "scimState", Source1: "scimSource", State2: "scimState", Source2: "scimSource",
		StableKey: "scimExternalId", GroupKey: "scimExternalId",
		GroupClass: here.groups[0].class, Member: here.groups[0].member, EmptyMember: here.groups[0].empty,
		OnForeignLock: "keep", Delete: "disable", PageSize: 100, Timeout: cmp.Or(here.timeout, "20s"),
	}
}

// company is a running site.
type company struct {
	*gate
	server server
	slapd  *slapd.Server // the same, where it is one
	config string        // its configuration file
}

// serve runs a directory and, in front of it, the gateway with a configuration
// file, until the test ends.
func serve(t *testing.T, s site) *company {
	t.Helper()
	server := startHere(t, s)
	config := s.write(t, t.TempDir(), server)
	g, err := startServe(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	g.endWith(t)
	g.of(server, makeToken(t, config, "okta"))
	c := &company{gate: g, server: server, config: config}
	c.slapd, _ = server.(*slapd.Server)
	return c
}

// startHere runs the directory of a site until the test ends.
func startHere(t *testing.T, s site) server {
	t.Helper()
	server, err := here.begin(t.Context(), s, t.TempDir())
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

// startSlapd is the same where the site is an OpenLDAP's.
func startSlapd(t *testing.T, s site) *slapd.Server {
	t.Helper()
	return startHere(t, s).(*slapd.Server)
}

// of notes which directory is behind the gate.
func (g *gate) of(s server, token string) {
	g.ldap, g.suffix, g.admin, g.password, g.token = s.URL(), s.Suffix(), s.AdminDN(), s.AdminPassword(), token
	if s, ok := s.(interface{ CAFile() string }); ok {
		g.trust = s.CAFile()
	}
}

// slapd is the directory of the site.
func (s site) slapd(dir string) slapd.Config {
	cfg := slapd.Config{
		Dir: dir, Overlays: append([]string{"ppolicy"}, s.Overlays...), GroupSchema: s.Groups,
		NoScimSchema: !s.Schema, TLS: s.TLS, Entries: s.Entries, DatabaseConf: s.Database, Access: s.Access, GlobalConf: s.Global,
	}
	if s.LDAPS {
		cfg.ListenTLS = "127.0.0.1:0"
	}
	return cfg
}

// write makes the configuration file.
func (s site) write(t *testing.T, dir string, server server) string {
	t.Helper()
	if s.BindDN == "" {
		s.BindDN, s.Password = server.AdminDN(), server.AdminPassword()
	}
	s.URL = server.URL()
	if behind, ok := server.(interface{ Behind() (url, caFile string) }); ok {
		s.URL, s.CAFile = behind.Behind()
	}
	if s.LDAPS {
		s.URL = server.(*slapd.Server).TLSURL()
	}
	if s.Through != nil {
		scheme, address, _ := strings.Cut(s.URL, "://")
		s.URL = scheme + "://" + s.Through(address)
	}
	return s.writeFor(t, dir, s.URL)
}

// writeFor makes the configuration file for a directory at a URL.
func (s site) writeFor(t *testing.T, dir, url string) string {
	t.Helper()
	s.URL, s.State, s.PasswordFile = url, filepath.Join(dir, "state"), filepath.Join(dir, "password")
	source := here.serve
	if s.Template != "" {
		source = s.Template
	}
	made, err := template.New(source).Funcs(template.FuncMap{"quote": strconv.Quote}).ParseFiles(filepath.Join("testdata", source))
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if err := made.Execute(&text, s); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(dir, "scimgate.yaml")
	for file, content := range map[string][]byte{s.PasswordFile: []byte(s.Password), config: text.Bytes()} {
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return config
}

var readyLog = regexp.MustCompile(`(?m)^.*"msg":"ready","listen":"([^"]+)","admin":"([^"]+)".*$`)

// startServe runs serve.
func startServe(ctx context.Context, config string) (*gate, error) {
	p, err := launch("serve", "--config", config)
	if err != nil {
		return nil, err
	}
	found, err := p.awaitLine(ctx, p.log, readyLog)
	if err != nil {
		return nil, errors.Join(err, p.stop())
	}
	return &gate{program: p, base: "http://" + found[1] + "/scim/v2", health: "http://" + found[2] + "/readyz"}, nil
}

// makeToken makes a token as an operator does.
func makeToken(t *testing.T, config, tenant string, flags ...string) string {
	t.Helper()
	cmd := exec.Command(binary, append([]string{"token", "create", "--config", config, "--tenant", tenant}, flags...)...)
	var complaint strings.Builder
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	token := strings.TrimSpace(string(out))
	if err != nil || token == "" || strings.ContainsAny(token, " \n") {
		t.Fatalf("token create: %v: %q\n%s", err, out, complaint.String())
	}
	return token
}

// run runs the binary to its end.
func run(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	p, err := launch(args...)
	if err != nil {
		t.Fatal(err)
	}
	select {
	case <-p.done:
	case <-time.After(patience):
		t.Fatal(fmt.Errorf("scimgate %v does not end: %w", args, p.stop()))
	}
	return p.cmd.ProcessState.ExitCode(), p.out.String(), p.log.String()
}

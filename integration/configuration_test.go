//go:build integration

package integration

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"scimgate/internal/slapd"
)

// wrongConfig has one fault of every kind; %s are the addresses that must not
// be opened.
const wrongConfig = `server:
  listen: %s
  lisen: x
  limits: {pageSize: many}
admin:
  listen: %s
stateDir: %s
directories:
  corp:
    flavor: oracle
    urls: [http://ldap.example.com]
    bind: {dn: "cn=x", passwordFile: nowhere}
    retry: {attempts: 0}
tenants:
  - name: Okta!
    directory: other
    profile: unheard-of
    users:
      base: ou=people,dc=example,dc=org
      objectClasses: [top, person]
      rdn: uid
      marker: {state: scimState, source: scimSource}
      stableKey: externalId
      onForeignLock: sometimes
      attributes:
        - {scim: userName, ldap: uid, required: true, unique: true}
        - {scim: externalId, ldap: scimExternalId, unique: perhaps}
        - {scim: shoeSize, ldap: description}
        - {ldap: cn, template: '{{ .userName'}
      deactivate: []
`

// A wrong configuration file gets one report that names every fault by line and
// column, exit code 2, and nothing is started.
func TestWrongConfiguration(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "wrong.yaml")
	scim, admin := freeAddress(t), freeAddress(t)
	state := filepath.Join(dir, "state")
	if err := os.WriteFile(file, fmt.Appendf(nil, wrongConfig, scim, admin, state), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, command := range [][]string{{"serve", "--config", file}, {"token", "create", "--config", file, "--tenant", "okta"}} {
		code, stdout, stderr := run(t, command...)
		if code != 2 || stdout != "" {
			t.Errorf("%v: exit code %d, standard output %q, want 2 and nothing", command, code, stdout)
		}
		for _, want := range []string{
			":3:3: server.lisen", ":4:12: server.limits.pageSize", "directories.corp.flavor", "directories.corp.urls",
			":12:24: directories.corp.bind.passwordFile", "directories.corp.retry.attempts", ":15:5: tenants[0].name",
			":16:5: tenants[0].directory", ":17:5: tenants[0].profile", "onForeignLock",
			":27:52: tenants[0].users.attributes[1].unique", "attributes[2]", "attributes[3]", "tenants[0].users.deactivate",
		} {
			if !strings.Contains(stderr, want) {
				t.Errorf("%v: the report does not have %q", command, want)
			}
		}
		for line := range strings.Lines(strings.TrimSpace(stderr)) {
			if !strings.HasPrefix(line, file+":") && !strings.HasPrefix(line, "wrong.yaml:") && !strings.HasSuffix(strings.TrimSpace(line), "faults") {
				t.Errorf("%v: a line without a place: %s", command, line)
			}
		}
		if t.Failed() {
			t.Log(stderr)
		}
	}
	if listening(scim) || listening(admin) {
		t.Error("something listens")
	}
	if _, err := os.Stat(state); err == nil {
		t.Error("the state folder was made")
	}
}

// Wrong usage is exit code 2 and says what is right.
func TestWrongUsage(t *testing.T) {
	t.Parallel()
	missing := filepath.Join(t.TempDir(), "missing.yaml")
	for _, args := range [][]string{
		{}, {"nonsense"}, {"serve", "--nonsense"}, {"serve", "too", "many"}, {"serve", "--config", missing}, {"token"},
		{"token", "create", "--config", missing}, {"demo", "--profile", "nonsense"}, {"profile"}, {"profile", "show", "nonsense"},
	} {
		code, _, stderr := run(t, args...)
		if code != 2 || strings.TrimSpace(stderr) == "" {
			t.Errorf("scimgate %v: exit code %d, %q", args, code, stderr)
		}
	}
	if code, stdout, _ := run(t, "version"); code != 0 || !strings.Contains(stdout, "scimgate") {
		t.Errorf("version: exit code %d, %q", code, stdout)
	}
}

// A port that somebody else has ends the demo with a message that names it.
func TestPortIsTaken(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	temp := t.TempDir()
	for _, flag := range []string{"--listen", "--admin", "--ldap"} {
		args := []string{"demo", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--ldap", "127.0.0.1:0"}
		args = append(args, flag, taken.Addr().String())
		p, err := launchWith([]string{"TMPDIR=" + temp}, args...)
		if err != nil {
			t.Fatal(err)
		}
		<-p.done
		if code := p.cmd.ProcessState.ExitCode(); code == 0 || !strings.Contains(p.log.String(), taken.Addr().String()) {
			t.Errorf("%s: exit code %d: %s", flag, code, p.log)
		}
		if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
			t.Errorf("%s: left behind %v (%v)", flag, left, err)
		}
	}
}

// The configuration that the demo writes out serves the same people.
func TestDemoConfigOut(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	file := filepath.Join(t.TempDir(), "out.yaml")
	first := demo(t, "--data", data, "--config-out", file)
	id := first.client(t).create(person("ann"))
	written, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(written), "\n  - name: ") {
		t.Error("the tenants do not begin with a line of their own")
	}
	second, err := startServe(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	second.endWith(t)
	second.token = first.token
	second.client(t).get("/Users/" + id).want(200)
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// serviceAccount is whom the example binds as: it may write below the bases of
// its tenant, find them, and nothing else.
const serviceAccount = `dn: ou=services,dc=example,dc=org
objectClass: organizationalUnit
ou: services

dn: cn=scimgate,ou=services,dc=example,dc=org
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: scimgate
userPassword: example secret

`

var serviceAccess = []string{
	`to dn.subtree="ou=people,dc=example,dc=org" attrs=userPassword by dn.exact="cn=scimgate,ou=services,dc=example,dc=org" manage by anonymous auth`,
	`to dn.subtree="ou=people,dc=example,dc=org" by dn.exact="cn=scimgate,ou=services,dc=example,dc=org" manage by * none`,
	`to dn.subtree="ou=groups,dc=example,dc=org" by dn.exact="cn=scimgate,ou=services,dc=example,dc=org" manage by * none`,
	`to dn.subtree="ou=services,dc=example,dc=org" attrs=userPassword by anonymous auth`,
	`to dn.base="" by * read`,
	`to dn.base="cn=Subschema" by * read`,
	`to * by dn.exact="cn=scimgate,ou=services,dc=example,dc=org" search by * none`,
}

// The example file serves as it stands, over TLS on both sides and with an
// account that may write below its bases only; nothing in it is changed but
// addresses and the state folder.
func TestExampleConfiguration(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile(filepath.Join("..", "config.example.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	files := newCertificates(t, dir)
	s := usual()
	s.TLS, s.LDAPS, s.Entries, s.Access = files.server(), true, serviceAccount, serviceAccess
	server, err := slapd.Start(t.Context(), s.slapd(t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	text := string(raw)
	for from, to := range map[string]string{
		`listen: ":8443"`:                   `listen: 127.0.0.1:0`,
		`listen: 127.0.0.1:8081`:            `listen: 127.0.0.1:0`,
		`/var/lib/scimgate`:                 filepath.Join(dir, "state"),
		`      - ldaps://ldap1.example.com`: `      - ` + server.TLSURL(),
		`      - ldaps://ldap2.example.com`: `      - ldaps://` + freeAddress(t),
	} {
		if !strings.Contains(text, from) {
			t.Fatalf("the example has no %s any more", from)
		}
		text = strings.Replace(text, from, to, 1)
	}
	config := filepath.Join(dir, "scimgate.yaml")
	for name, content := range map[string]string{config: text, filepath.Join(dir, "ldap-password"): "example secret\n"} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	g, err := startServe(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	g.endWith(t)
	g.of(server, makeToken(t, config, "okta"))
	g.base = strings.Replace(g.base, "http://", "https://", 1)
	c := g.client(t)
	c.http.Transport = files.trusting()
	d := g.tree(t)

	id := c.create(person("ann", object{"externalId": "42", "password": oldPass}))
	team := c.createGroup("team", id)
	if !d.opens(id, oldPass) {
		t.Error("the password does not work")
	}
	c.do("PATCH", "/Users/"+id, []byte(oktaOff)).want(200)
	if d.opens(id, oldPass) {
		t.Error("deactivated, and gets in")
	}
	c.put("/Users/"+id, person("other")).want(200)
	if got := c.get("/Groups/" + team).members(); len(got) != 1 {
		t.Errorf("the group has %v", got)
	}
	if at := c.get("/Users/" + id).text("$.meta.location"); at != "https://scim.example.com/okta/scim/v2/Users/"+id &&
		at != "https://scim.example.com/scim/v2/Users/"+id {
		t.Errorf("meta.location is %s", at)
	}
	own := *c
	own.base = strings.Replace(c.base, "/scim/v2", "/okta/scim/v2", 1)
	if at := own.get("/Users/" + id).text("$.meta.location"); at != "https://scim.example.com/okta/scim/v2/Users/"+id {
		t.Errorf("meta.location is %s", at)
	}
	c.delete("/Users/" + id).want(204)
}

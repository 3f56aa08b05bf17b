//go:build integration

package integration

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"
)

// A page of docs/directories is not only read: its blocks with a name are taken out
// and used as an administrator would, against the directory that the page is about.
// A block begins with three backquotes, a language and a name. "sh setup" and "sh
// check" are commands, in whose order the page is followed; any other name is that of
// a file.
type page struct {
	t      *testing.T
	name   string
	dir    string // where the administrator sits: files, and the project's deploy folder
	blocks []*pageBlock
	stand  map[string]string // what the page says, and what it is here

	preamble string // comes before all commands
}

type pageBlock struct {
	language, name, text string
	used                 bool
}

var fenced = regexp.MustCompile("(?ms)^```(\\S+) ([^\n]+)\n(.*?)^```$")

// openPage reads a page and lays its files out. At the end of the test every block
// has to have been used, or the page promises what nobody tries.
func openPage(t *testing.T, name string, stand map[string]string) *page {
	t.Helper()
	p := &page{t: t, dir: t.TempDir(), stand: stand}
	p.read(name)
	deploy, err := filepath.Abs(filepath.Join("..", "deploy"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(deploy, filepath.Join(p.dir, "deploy")); err != nil {
		t.Fatal(err)
	}
	return p
}

// read takes the blocks out of a page.
func (p *page) read(name string) {
	p.t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "docs", "directories", name))
	if err != nil {
		p.t.Fatal(err)
	}
	if lines := strings.Count(string(text), "\n"); lines > 200 {
		p.t.Errorf("%s has %d lines", name, lines)
	}
	p.name, p.blocks = name, nil
	for _, found := range fenced.FindAllStringSubmatch(string(text), -1) {
		p.blocks = append(p.blocks, &pageBlock{language: found[1], name: found[2], text: found[3]})
	}
}

// turn goes on with another page in the same place.
func (p *page) turn(name string) *page {
	p.t.Helper()
	other := *p
	other.read(name)
	return &other
}

// allUsed is for the end of a page's main test.
func (p *page) allUsed() {
	p.t.Helper()
	for _, b := range p.blocks {
		if !b.used {
			p.t.Errorf("%s: nothing tries the block %q", p.name, b.language+" "+b.name)
		}
	}
}

// files writes blocks to the administrator's folder.
func (p *page) files(names ...string) {
	p.t.Helper()
	for _, name := range names {
		p.write(name, p.here(p.block(name).text))
	}
}

func (p *page) write(name, text string) {
	p.t.Helper()
	if err := os.WriteFile(filepath.Join(p.dir, name), []byte(text), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

// trust puts the directory's authority where the page has it.
func (p *page) trust(caFile string) {
	p.t.Helper()
	ca, err := os.ReadFile(caFile)
	if err != nil {
		p.t.Fatal(err)
	}
	p.write("ca.pem", string(ca))
}

// secret reads the password that the page's commands have made.
func (p *page) secret(name string) string {
	p.t.Helper()
	text, err := os.ReadFile(filepath.Join(p.dir, name))
	if err != nil {
		p.t.Fatal(err)
	}
	return strings.TrimSpace(string(text))
}

// block returns the one block of a name.
func (p *page) block(name string) *pageBlock {
	p.t.Helper()
	found := p.named(name)
	if len(found) != 1 {
		p.t.Fatalf("%s has %d blocks named %q", p.name, len(found), name)
	}
	return found[0]
}

func (p *page) named(name string) []*pageBlock {
	var found []*pageBlock
	for _, b := range p.blocks {
		if b.name == name {
			b.used = true
			found = append(found, b)
		}
	}
	return found
}

// here puts what is really there in the place of the page's examples.
func (p *page) here(text string) string {
	var pairs []string
	for said, is := range p.stand {
		pairs = append(pairs, said, is)
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// follow runs all commands of a name in their order and returns what they said.
func (p *page) follow(name string) string {
	p.t.Helper()
	commands := p.named(name)
	if len(commands) == 0 {
		p.t.Fatalf("%s has no commands named %q", p.name, name)
	}
	var said strings.Builder
	for _, b := range commands {
		said.WriteString(p.shell(b.text))
	}
	return said.String()
}

// check follows the page's last commands, with the gateway running, and returns what they say.
func (p *page) check() string {
	p.t.Helper()
	p.files("ann.json")
	said := p.follow("check")
	for _, sign := range []string{"\n0 errors, ", "dn: ", "ann.test"} {
		if !strings.Contains(said, sign) {
			p.t.Errorf("%s: what was checked says nothing of %q:\n%s", p.name, sign, said)
		}
	}
	return said
}

// mustFail is a line that a reader sees fail. The shell by itself would go on where it does not.
var mustFail = regexp.MustCompile(`(?m)^! (.*)$`)

// shell runs commands in the administrator's folder; each has to succeed, or to fail where
// an exclamation mark stands before it.
func (p *page) shell(text string) string {
	p.t.Helper()
	text = mustFail.ReplaceAllString(text, "if $1; then echo this was to fail; exit 1; fi")
	cmd := exec.Command("bash", "-euo", "pipefail", "-c", p.preamble+p.here(text))
	cmd.Dir = p.dir
	cmd.Env = append(os.Environ(), "PATH="+filepath.Dir(binary)+":"+os.Getenv("PATH")+":/usr/sbin:/sbin",
		"LDAPTLS_CACERT="+filepath.Join(p.dir, "ca.pem"))
	out, err := cmd.CombinedOutput()
	if err != nil {
		p.t.Fatalf("%s: %v\n%s%s\n%s", p.name, err, p.preamble, p.here(text), out)
	}
	return string(out)
}

// pageHead is what the pages leave to config.example.yaml.
const pageHead = `server: {listen: "127.0.0.1:0"}
admin: {listen: "127.0.0.1:0"}
stateDir: state
`

// serve runs the gateway with a configuration of the page.
func (p *page) serve(name string) *gate {
	p.t.Helper()
	p.write(name, pageHead+p.here(p.block(name).text))
	config := filepath.Join(p.dir, name)
	g, err := startServe(p.t.Context(), config)
	if err != nil {
		p.t.Fatal(err)
	}
	g.endWith(p.t)
	g.token = makeToken(p.t, config, "okta")
	p.stand["https://scim.example.com/scim/v2"] = g.base
	return g
}

// host is a directory as its administrator sees it.
type host struct {
	t                        *testing.T
	url, caFile, suffix      string
	admin, password          string
	service, servicePassword string
	login, member            string   // attributes
	attributes               []string // operational ones that "+" does not bring
	beforeAt                 bool     // the login is what stands before the @ of the userName
	locked                   uint16   // result of a bind of somebody who is locked
}

// dial opens a connection as somebody; the error is the bind's.
func (h *host) dial(dn, password string) (*ldap.Conn, error) {
	h.t.Helper()
	pem, err := os.ReadFile(h.caFile)
	if err != nil {
		h.t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	conn, err := ldap.DialURL(h.url, ldap.DialWithTLSConfig(&tls.Config{RootCAs: roots}))
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { conn.Close() })
	conn.SetTimeout(patience)
	return conn, conn.Bind(dn, password)
}

func (h *host) as(dn, password string) *ldap.Conn {
	h.t.Helper()
	conn, err := h.dial(dn, password)
	if err != nil {
		h.t.Fatalf("bind as %s: %v", dn, err)
	}
	return conn
}

// find returns what the administrator finds.
func (h *host) find(format string, args ...any) []*ldap.Entry {
	h.t.Helper()
	for i, a := range args {
		args[i] = ldap.EscapeFilter(fmt.Sprint(a))
	}
	found, err := h.as(h.admin, h.password).Search(ldap.NewSearchRequest(h.suffix, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, 0, false,
		fmt.Sprintf(format, args...), append([]string{"*", "+"}, h.attributes...), nil))
	if err != nil {
		h.t.Fatal(err)
	}
	return found.Entries
}

// person returns the one entry with a login.
func (h *host) person(login string) *ldap.Entry {
	h.t.Helper()
	found := h.find("("+h.login+"=%s)", login)
	if len(found) != 1 {
		h.t.Fatalf("%d entries have the %s %s", len(found), h.login, login)
	}
	return found[0]
}

// enters says whether the person with a login gets in with a password.
func (h *host) enters(login, password string) bool {
	h.t.Helper()
	_, err := h.dial(h.person(login).DN, password)
	if err != nil && !ldap.IsErrorWithCode(err, ldap.LDAPResultInvalidCredentials) && !ldap.IsErrorWithCode(err, h.locked) {
		h.t.Fatalf("bind of %s: %v", login, err)
	}
	return err == nil
}

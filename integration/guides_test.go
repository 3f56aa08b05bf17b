//go:build integration && !ad && !ds389

package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The pages of docs/guides are followed from top to bottom in one shell, by an
// administrator with the configuration of docs/directories/openldap.md and the
// tenant of the guide, and the one beside it where the guide has two. What the
// commands of a block say is in the block "answer" after it, where … stands for
// anything.
func TestGuides(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"okta", "entra-id", "onelogin", "jumpcloud", "README"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := openGuide(t, name)
			said := g.follow()
			for i, s := range g.steps {
				if s.answer != "" && !s.matches(said[i]) {
					t.Errorf("line %d: the commands\n%s\nsay\n%s\nand the page has\n%s", s.line, s.commands, said[i], s.answer)
				}
			}
		})
	}
}

// guide is a page of docs/guides on an administrator's desk.
type guide struct {
	*page
	tenant, declaration string
	beside              string // another tenant, with users and groups like the first
	steps               []guideStep
	base                string
}

// guideStep is a block of commands and the answer after it.
type guideStep struct {
	line             int
	commands, answer string
}

var (
	guideBlock = regexp.MustCompile("(?ms)^```([^\n]+)\n(.*?)^```$")
	tenantName = regexp.MustCompile(`- name: (\S+)`)
)

// defaultTenant is that of a page without one of its own.
const defaultTenant = "tenants:\n  - name: okta\n    directory: corp\n"

// openGuide reads a guide and starts what it takes for granted: a directory, and
// the gateway in front of it.
func openGuide(t *testing.T, name string) *guide {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "docs", "guides", name+".md"))
	if err != nil {
		t.Fatal(err)
	}
	g := &guide{declaration: defaultTenant}
	for _, at := range guideBlock.FindAllSubmatchIndex(text, -1) {
		kind, body := string(text[at[2]:at[3]]), string(text[at[4]:at[5]])
		switch {
		case kind == "yaml tenant":
			g.declaration = body
		case kind == "yaml beside":
			g.beside = body
		case kind == "sh":
			g.steps = append(g.steps, guideStep{line: 1 + strings.Count(string(text[:at[0]]), "\n"), commands: body})
		case strings.HasSuffix(kind, " answer"):
			g.steps[len(g.steps)-1].answer = body
		}
	}
	g.tenant = tenantName.FindStringSubmatch(g.declaration)[1]
	server := startSlapd(t, usual())
	g.page = openPage(t, "openldap.md", map[string]string{
		"    tls: {caFile: ca.pem}\n": "", "ldaps://ldap1.example.com": server.URL(),
		"cn=scimgate,ou=services,dc=example,dc=org": server.AdminDN(), defaultTenant: g.declaration,
		"-W": "-w '" + server.AdminPassword() + "'",
	})
	g.write("ldap-password", server.AdminPassword())
	declared := g.block("scimgate.yaml").text
	config := "log: {provisioning: provisioning.jsonl, keepFailedBodies: true}\n" + pageHead + g.here(declared)
	if g.beside != "" {
		_, mappings, _ := strings.Cut(declared, defaultTenant)
		config += g.beside + g.here(mappings)
	}
	g.write("scimgate.yaml", config)
	gateway, err := startServe(t.Context(), filepath.Join(g.dir, "scimgate.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	gateway.endWith(t)
	g.base = gateway.base
	g.stand["https://scim.example.com"] = strings.TrimSuffix(g.base, "/scim/v2")
	return g
}

// follow runs all steps and returns what each said.
func (g *guide) follow() []string {
	g.t.Helper()
	const end = "- - - end of a step - - -"
	script := fmt.Sprintf("BASE=%s\n", g.base)
	if !strings.Contains(g.steps[0].commands, "TOKEN=") {
		script += "TOKEN=$(scimgate token create --config scimgate.yaml --tenant " + g.tenant + " 2>/dev/null)\n"
	}
	for _, s := range g.steps {
		script += s.commands + "echo '" + end + "'\n"
	}
	said := strings.Split(g.shell(script), end+"\n")
	if len(said) != len(g.steps)+1 {
		g.t.Fatalf("%d of %d steps came to an end:\n%s", len(said)-1, len(g.steps), strings.Join(said, "\n"))
	}
	return said
}

// matches compares what was said with the page. Lines that begin with a word of
// standard error are no part of an answer.
func (s guideStep) matches(said string) bool {
	pattern := strings.ReplaceAll(regexp.QuoteMeta(strings.TrimSpace(s.answer)), "…", "(?s:.*)")
	return regexp.MustCompile(`^\s*` + pattern + `\s*$`).MatchString(said)
}

package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// arrows says which of our packages each may import; docs/architecture.md shows
// them to a newcomer.
var arrows = map[string][]string{
	"cmd/scimgate":        {"gateway", "mapping", "ldapsink", "internal/brake", "internal/check", "internal/config", "internal/directory", "internal/identity", "internal/metrics", "internal/preview", "internal/provlog", "internal/shutoff", "internal/slapd", "internal/state", "internal/token"},
	"gateway":             {"mapping", "internal/brake", "internal/scim", "internal/directory", "internal/provlog", "internal/token"},
	"mapping":             {"internal/scim", "internal/directory"},
	"ldapsink":            {"internal/directory"},
	"internal/check":      {"mapping", "ldapsink", "internal/config", "internal/directory", "internal/identity", "internal/token"},
	"internal/config":     {"mapping", "ldapsink", "internal/brake", "internal/directory", "internal/identity"},
	"internal/identity":   {"internal/token"},
	"internal/adproxy":    {},
	"internal/preview":    {"ldapsink", "internal/directory"},
	"internal/scim":       {},
	"internal/directory":  {},
	"internal/provlog":    {},
	"internal/brake":      {"internal/state"},
	"internal/metrics":    {},
	"internal/shutoff":    {"internal/state"},
	"internal/state":      {},
	"internal/token":      {"internal/state"},
	"internal/daemon":     {},
	"internal/slapd":      {"internal/daemon", "deploy/schema"},
	"internal/samba":      {"internal/daemon", "internal/testcert"},
	"internal/ds389":      {"internal/daemon", "internal/testcert", "deploy/schema"},
	"internal/testcert":   {},
	"internal/testissuer": {"internal/testcert"},
	"deploy/schema":       {},
	"integration":         {},
}

// owners are the libraries that one package alone imports.
var owners = map[string]string{
	"github.com/labstack/echo/v4":   "gateway",
	"github.com/go-ldap/ldap/v3":    "ldapsink",
	"github.com/goccy/go-yaml":      "internal/config",
	"github.com/sethvargo/go-retry": "ldapsink",
	"github.com/spf13/cobra":        "cmd/scimgate",
	"github.com/fsnotify/fsnotify":  "cmd/scimgate",
	"github.com/coreos/go-oidc/v3":  "internal/identity",
	"github.com/go-jose/go-jose/v4": "internal/identity",

	"github.com/prometheus/client_golang": "internal/metrics",
}

// The rooms of the house are held apart by what they may import.
func TestArrows(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}}{{range .Imports}} {{.}}{{end}}`, "scimgate/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(lines) < len(arrows)-1 { // integration may hold tests alone
		t.Fatalf("go list found %d packages only", len(lines))
	}
	for _, line := range lines {
		fields := strings.Fields(line)
		name := strings.TrimPrefix(fields[0], "scimgate/")
		allowed, ok := arrows[name]
		if !ok {
			t.Errorf("package %s is not on the list of arrows", name)
		}
		for _, imported := range fields[1:] {
			ours, isOurs := strings.CutPrefix(imported, "scimgate/")
			if isOurs && !slices.Contains(allowed, ours) {
				t.Errorf("%s must not import %s", name, ours)
			}
			for library, owner := range owners {
				if (imported == library || strings.HasPrefix(imported, library+"/")) && name != owner {
					t.Errorf("%s imports %s, which is %s's alone", name, library, owner)
				}
			}
		}
	}
}

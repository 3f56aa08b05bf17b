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
	"cmd/scimgate":       {"gateway", "mapping", "ldapsink", "internal/brake", "internal/check", "internal/config", "internal/directory", "internal/metrics", "internal/preview", "internal/slapd", "internal/state", "internal/token"},
	"gateway":            {"mapping", "internal/brake", "internal/scim", "internal/directory", "internal/token"},
	"mapping":            {"internal/scim", "internal/directory"},
	"ldapsink":           {"internal/directory"},
	"internal/check":     {"mapping", "ldapsink", "internal/config", "internal/directory", "internal/token"},
	"internal/config":    {"mapping", "ldapsink", "internal/brake", "internal/directory"},
	"internal/adproxy":   {},
	"internal/preview":   {"ldapsink", "internal/directory"},
	"internal/scim":      {},
	"internal/directory": {},
	"internal/state":     {},
	"internal/brake":     {"internal/state"},
	"internal/metrics":   {},
	"internal/token":     {"internal/state"},
	"internal/daemon":    {},
	"internal/slapd":     {"internal/daemon", "deploy/schema"},
	"internal/samba":     {"internal/daemon"},
	"internal/ds389":     {"internal/daemon", "deploy/schema"},
	"deploy/schema":      {},
	"integration":        {},
}

// owners are the libraries that one package alone imports.
var owners = map[string]string{
	"github.com/labstack/echo/v4":   "gateway",
	"github.com/go-ldap/ldap/v3":    "ldapsink",
	"github.com/goccy/go-yaml":      "internal/config",
	"github.com/sethvargo/go-retry": "ldapsink",
	"github.com/spf13/cobra":        "cmd/scimgate",

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

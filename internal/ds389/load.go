package ds389

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// loadedMark is the file that says that the entries went in completely.
const loadedMark = "loaded"

// stockAccess is the rule of a stock instance with sample entries: everybody reads all but
// passwords and rules. The administrator is above all rules.
var stockAccess = []string{`(targetattr!="userPassword || aci")(version 3.0; acl "Enable anonymous access"; ` +
	`allow (read, search, compare) userdn="ldap:///anyone";)`}

// load fills a new database before the server's first start. A load that was interrupted
// is done again from the beginning: ldif2db empties the database first.
func (c Config) load(ctx context.Context, inst installation) error {
	if _, err := os.Stat(c.path(loadedMark)); err == nil {
		return nil
	}
	file := c.path("ldif/entries.ldif")
	if err := os.WriteFile(file, []byte(c.baseEntries()+c.Entries), 0o600); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, inst.server, "ldif2db", "-D", c.path("etc"), "-n", backend, "-i", file)
	out, err := cmd.CombinedOutput()
	said := importFaults(string(out))
	if err == nil && said != "" {
		err = errors.New("not all of them are in")
	}
	if err != nil {
		return fmt.Errorf("load the entries: %w: %s", err, said)
	}
	return os.WriteFile(c.path(loadedMark), nil, 0o600)
}

// importFaults are the lines that tell what did not work; an import that leaves out an
// entry calls itself a success.
func importFaults(out string) string {
	var faults []string
	for line := range strings.SplitSeq(out, "\n") {
		if strings.Contains(line, " - ERR - ") || strings.Contains(line, " - WARNING - ") || strings.Contains(line, "Skipping") {
			faults = append(faults, strings.TrimSpace(line))
		}
	}
	return strings.Join(faults, "; ")
}

// baseEntries is the LDIF of a new directory: the suffix with its rules, places for people
// and groups, and one for the accounts of services.
func (c Config) baseEntries() string {
	access := c.Access
	if access == nil {
		access = stockAccess
	}
	var b strings.Builder
	b.WriteString("dn: " + suffix + "\nobjectClass: top\nobjectClass: domain\ndc: example\n")
	for _, rule := range access {
		b.WriteString("aci: " + rule + "\n")
	}
	for _, ou := range []string{"people", "groups", "services"} {
		b.WriteString("\ndn: ou=" + ou + "," + suffix + "\nobjectClass: top\nobjectClass: organizationalUnit\nou: " + ou + "\n")
	}
	return b.String() + "\n"
}

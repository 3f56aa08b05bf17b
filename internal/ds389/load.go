package ds389

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
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
	ldif, file := c.baseEntries()+c.Entries, c.path("ldif/entries.ldif")
	if err := os.WriteFile(file, []byte(ldif), 0o600); err != nil {
		return err
	}
	// What an earlier attempt left there is not about this one.
	if err := os.Remove(c.path("log/errors")); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	cmd := exec.CommandContext(ctx, inst.server, "ldif2db", "-D", c.path("etc"), "-n", backend, "-i", file)
	out, err := cmd.CombinedOutput()
	log, _ := os.ReadFile(c.path("log/errors")) // absent where it did not get so far
	if err == nil {
		err = complete(ldif, string(log))
	}
	if err != nil {
		return fmt.Errorf("load the entries: %w: %s", err, faults(string(out)+string(log)))
	}
	return os.WriteFile(c.path(loadedMark), nil, 0o600)
}

var (
	beginning = regexp.MustCompile(`(?mi)^dn:`)
	processed = regexp.MustCompile(`Processed (\d+) entries`)
)

// complete says whether all entries went in: an import that left out what it could not
// read, or what is below another suffix, calls itself a success.
func complete(ldif, log string) error {
	all := strconv.Itoa(len(beginning.FindAllString(ldif, -1)))
	if m := processed.FindStringSubmatch(log); m != nil && m[1] != all {
		return fmt.Errorf("%s of %s are in", m[1], all)
	}
	if strings.Contains(log, " Skipping ") {
		return errors.New("not all of them are in")
	}
	return nil
}

// faults are the lines that tell what did not work.
func faults(log string) string {
	var lines []string
	for line := range strings.SplitSeq(log, "\n") {
		if strings.Contains(line, " - ERR - ") || strings.Contains(line, " - WARN") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return strings.Join(lines, "; ")
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

//go:build integration && large

package integration

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A dry run of a whole company takes what reading it takes, however much of it is
// alike.
func TestAdoptDryRunOfMany(t *testing.T) {
	const people = 100_000
	var entries, pushed strings.Builder
	for i := range people {
		fmt.Fprintf(&entries, "dn: uid=p%06d,ou=people,dc=example,dc=org\nobjectClass: inetOrgPerson\nuid: p%06d\nuid: everybody\nsn: P\ncn: P\nemployeeType: staff\n\n", i, i)
		fmt.Fprintf(&pushed, `{"userName":"p%06d","name":{"familyName":"P"}}`+"\n", i)
	}
	s := settled()
	s.Entries, s.Database = entries.String(), []string{"dbnosync"}
	g := serve(t, s)
	file := filepath.Join(t.TempDir(), "people.jsonl")
	if err := os.WriteFile(file, []byte(pushed.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{}, {file}} {
		code, out, log := run(t, append([]string{"adopt", "--dry-run", "--config", g.config, "--json"}, args...)...)
		var report struct{ Summary map[string]int }
		if err := json.Unmarshal([]byte(out), &report); err != nil || code != 0 || report.Summary["adopt"] != people {
			t.Errorf("%v: %d, %v, %v: %s", args, code, err, report.Summary, log)
		}
	}
}

//go:build integration

package integration

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"scimgate/internal/slapd"
)

// binary is the program under test, built once for all tests.
var binary string

// buildFlags of the program; see race_test.go.
var buildFlags []string

// common is the demo that tests share which mind only their own people.
var common struct {
	sync.Mutex
	gate *gate
}

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(runAll(m))
}

// runAll returns the exit code: a test fails, and does not skip, where there is
// no slapd.
func runAll(m *testing.M) int {
	if _, err := slapd.Find(); err != nil {
		fmt.Fprintln(os.Stderr, "integration:", err)
		return 1
	}
	dir, err := os.MkdirTemp("", "scimgate-integration-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "integration:", err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "scimgate")
	args := append(append([]string{"build"}, buildFlags...), "-o", binary, "scimgate/cmd/scimgate")
	if out, err := exec.Command("go", args...).CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "integration: go %v: %v\n%s", args, err, out)
		return 1
	}
	code := m.Run()
	if g := common.gate; g != nil {
		if err := g.stop(); err != nil {
			fmt.Fprintf(os.Stderr, "the shared demo: %v\n%s", err, g.log.tail())
			return 1
		}
	}
	return code
}

// shared returns the demo that tests share. They may run at the same time, so
// each gives its people and groups names of their own and never looks at all.
func shared(t *testing.T) *gate {
	t.Helper()
	common.Lock()
	defer common.Unlock()
	if common.gate == nil {
		g, err := startDemo(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		common.gate = g
	}
	common.gate.showLog(t)
	return common.gate
}

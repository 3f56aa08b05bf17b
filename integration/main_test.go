//go:build integration

package integration

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"scimgate/internal/slapd"
)

var (
	workDir string // of what tests share
	binary  string // the program under test, built once for all tests
)

// buildFlags of the program; see race_test.go.
var buildFlags []string

// common are the gateways that tests share which mind only their own people:
// the demo, and one before a directory that follows references by itself.
var common struct {
	sync.Mutex
	demo, overlays *gate
	server         *slapd.Server // of overlays
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
	workDir, binary = dir, filepath.Join(dir, "scimgate")
	args := append(append([]string{"build"}, buildFlags...), "-o", binary, "scimgate/cmd/scimgate")
	if out, err := exec.Command("go", args...).CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "integration: go %v: %v\n%s", args, err, out)
		return 1
	}
	code := m.Run()
	return max(code, endCommon())
}

// endCommon stops what tests shared; it returns 1 if anything ended badly.
func endCommon() int {
	code := 0
	for _, g := range []*gate{common.demo, common.overlays} {
		if g == nil {
			continue
		}
		if err := g.stop(); err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n%s", g.cmd, err, g.log.tail())
			code = 1
		}
	}
	if common.server != nil {
		if err := common.server.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
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
	if common.demo == nil {
		g, err := startDemo(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		common.demo = g
	}
	common.demo.showLog(t)
	return common.demo
}

// sharedOverlays is the same with refint and memberof in the directory.
func sharedOverlays(t *testing.T) *gate {
	t.Helper()
	common.Lock()
	defer common.Unlock()
	if common.overlays == nil {
		s := usual("refint", "memberof")
		var err error
		if common.server, err = slapd.Start(t.Context(), s.slapd(filepath.Join(workDir, "slapd"))); err != nil {
			t.Fatal(err)
		}
		config := s.write(t, workDir, common.server)
		g, err := startServe(t.Context(), config)
		if err != nil {
			t.Fatal(err)
		}
		g.of(common.server, makeToken(t, config, "okta"))
		common.overlays = g
	}
	common.overlays.showLog(t)
	return common.overlays
}

// notRun ends a test that cannot be run here, and says so where it is seen: go
// test hides what passing packages print, so the line goes to the file named by
// SCIMGATE_NOT_RUN too, for a script to show at the end.
func notRun(t *testing.T, format string, args ...any) {
	t.Helper()
	line := "NOT RUN: " + fmt.Sprintf(format, args...)
	fmt.Fprintln(os.Stderr, line)
	if name := os.Getenv("SCIMGATE_NOT_RUN"); name != "" {
		file, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		_, err = fmt.Fprintln(file, line)
		if err := errors.Join(err, file.Close()); err != nil {
			t.Fatal(err)
		}
	}
	t.Skip(line)
}

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
	servers        []server // of those that have not a demo around them
}

func TestMain(m *testing.M) {
	flag.Parse()
	if others := skipping(); others != "" {
		set := flag.Lookup("test.skip")
		if asked := set.Value.String(); asked != "" {
			others += "|" + asked
		}
		if err := set.Value.Set(others); err != nil {
			fmt.Fprintln(os.Stderr, "integration:", err)
			os.Exit(1)
		}
	}
	os.Exit(runAll(m))
}

// runAll returns the exit code: a test fails, and does not skip, where the
// directory is not installed.
func runAll(m *testing.M) int {
	if err := here.find(); err != nil {
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
	for _, s := range common.servers {
		if err := s.Stop(); err != nil {
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
	if common.demo == nil && here.demo {
		g, err := startDemo(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		common.demo = g
	}
	if common.demo == nil {
		common.demo = serveAll(t, usual())
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
		common.overlays = serveAll(t, usual("refint", "memberof"))
	}
	common.overlays.showLog(t)
	return common.overlays
}

// serveAll is serve for all tests: it ends with the last of them.
func serveAll(t *testing.T, s site) *gate {
	t.Helper()
	dir, err := os.MkdirTemp(workDir, "")
	if err != nil {
		t.Fatal(err)
	}
	server, err := here.begin(t.Context(), s, filepath.Join(dir, "directory"))
	if err != nil {
		t.Fatal(err)
	}
	common.servers = append(common.servers, server)
	config := s.write(t, dir, server)
	g, err := startServe(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	g.of(server, makeToken(t, config, "okta"))
	return g
}

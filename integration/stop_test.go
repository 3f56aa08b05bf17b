//go:build integration

package integration

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
)

// children returns the process ids of a process's children.
func children(t *testing.T, pid int) []int {
	t.Helper()
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil {
		t.Fatal(err)
	}
	var pids []int
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			continue // the thread has ended
		}
		for _, field := range strings.Fields(string(raw)) {
			if child, err := strconv.Atoi(field); err == nil && alive(child) {
				pids = append(pids, child)
			}
		}
	}
	return pids
}

// alive says whether a process runs; one that waits to be collected does not.
func alive(pid int) bool {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(raw), ") ")
	return !strings.HasPrefix(rest, "Z")
}

// kill ends a process as a crash would.
func kill(t *testing.T, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		t.Fatal(err)
	}
}

// hostOf returns host and port of a URL.
func hostOf(url string) string {
	_, rest, _ := strings.Cut(url, "://")
	host, _, _ := strings.Cut(rest, "/")
	return host
}

// A gateway that is told to stop takes no new requests, finishes those that it
// began, and ends with 0.
func TestStopFinishesWhatItBegan(t *testing.T) {
	t.Parallel()
	s := usual()
	var wire *proxy
	s.Through = func(address string) string {
		wire = newProxy(t, address)
		return wire.address()
	}
	g := serve(t, s)
	c := g.client(t)
	c.create(person("first"))

	resume := wire.halt() // from now on every request hangs at the directory
	defer resume()
	const n = 8
	names := make([]string, n)
	for i := range names {
		names[i] = unlike("late")
	}
	var begun atomic.Int64
	got := make(chan map[int]int)
	tracked := tracing(c, &begun)
	go func() {
		got <- statuses(t, tracked, n, func(i int) (string, string, any) { return "POST", "/Users", person(names[i]) })
	}()
	eventually(t, "all requests are begun", func() bool { return begun.Load() == n })
	if err := g.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	eventually(t, "no new connections", func() bool { return !listening(hostOf(g.base)) })
	select {
	case <-g.done:
		t.Fatal("ended with requests in flight")
	default:
	}
	resume()
	if counts := <-got; counts[http.StatusCreated] != n {
		t.Errorf("answers %v, want %d times 201", counts, n)
	}
	if err := g.stop(); err != nil {
		t.Errorf("exit: %v", err)
	}
	d := g.tree(t)
	for _, name := range names {
		if len(d.named("uid", name)) != 1 {
			t.Errorf("%s was answered and is not in the directory", name)
		}
	}
}

// The demo leaves nothing behind: no process, no folder, no port; with --data
// the folder stays and the next demo goes on with it.
func TestDemoLeavesNothing(t *testing.T) {
	t.Parallel()
	// Addresses of their own, because a port that is free again can be another
	// test's at once.
	for signal, host := range map[syscall.Signal]string{syscall.SIGTERM: "127.0.7.1:0", syscall.SIGINT: "127.0.7.2:0"} {
		t.Run(signal.String(), func(t *testing.T) {
			t.Parallel()
			temp := t.TempDir()
			g := demoIn(t, temp, "--listen", host, "--ldap", host, "--admin", host)
			if entries, err := os.ReadDir(temp); err != nil || len(entries) != 1 {
				t.Errorf("the demo has made %d folders (%v)", len(entries), err)
			}
			slapds := children(t, g.cmd.Process.Pid)
			if len(slapds) != 1 {
				t.Errorf("the demo has the children %v", slapds)
			}
			g.client(t).create(person("ann"))
			if err := g.cmd.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			if err := g.stop(); err != nil {
				t.Errorf("exit: %v", err)
			}
			for _, pid := range slapds {
				if alive(pid) {
					t.Errorf("slapd %d is still there", pid)
				}
			}
			for _, url := range []string{g.base, g.ldap, g.health} {
				if listening(hostOf(url)) {
					t.Errorf("somebody still listens at %s", url)
				}
			}
			if entries, err := os.ReadDir(temp); err != nil || len(entries) != 0 {
				t.Errorf("left behind: %v (%v)", entries, err)
			}
		})
	}
	t.Run("kept data", func(t *testing.T) {
		t.Parallel()
		data := filepath.Join(t.TempDir(), "kept")
		first := demo(t, "--data", data, "--token", "T", "--ldap-password", "P")
		if first.token != "T" || first.password != "P" {
			t.Errorf("token %q, password %q", first.token, first.password)
		}
		id := first.client(t).create(person("ann"))
		if err := first.stop(); err != nil {
			t.Fatal(err)
		}
		second := demo(t, "--data", data, "--token", "other")
		second.client(t).get("/Users/" + id).want(http.StatusOK)
	})
}

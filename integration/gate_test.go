//go:build integration

package integration

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long a test waits for what has to come. It is far beyond
// what anything takes and decides nothing but a hang.
const patience = 4 * time.Minute

// gate is a running gateway with the directory behind it.
type gate struct {
	*program
	base     string // of SCIM
	token    string
	ldap     string // URL of the directory
	suffix   string
	admin    string // DN
	password string // of the admin
	trust    string // file with the certificate of the directory; may be ""
	health   string
}

// program is a process of the binary under test.
type program struct {
	cmd    *exec.Cmd
	log    *journal // standard error
	out    *journal // standard output
	done   chan struct{}
	ended  error
	ending sync.Once
}

// launch starts the binary. Its standard output and error are kept.
func launch(args ...string) (*program, error) { return launchWith(nil, args...) }

// launchWith does so with more in the environment.
func launchWith(env []string, args ...string) (*program, error) {
	p := &program{cmd: exec.Command(binary, args...), log: newJournal(), out: newJournal(), done: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stdout, p.cmd.Stderr = p.out, p.log
	p.cmd.SysProcAttr = childAttributes()
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // the kernel ends the child with the thread that made it
		err := p.cmd.Start()
		started <- err
		if err == nil {
			p.ended = p.cmd.Wait()
			close(p.done)
		}
	}()
	return p, <-started
}

// awaitLine waits for a line that matches on one of the outputs.
func (p *program) awaitLine(ctx context.Context, from *journal, pattern *regexp.Regexp) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		if found := pattern.FindStringSubmatch(from.String()); found != nil {
			return found, nil
		}
		select {
		case <-p.done:
			return nil, fmt.Errorf("%s ended (%v) before it was ready:\n%s", p.cmd, p.ended, p.log)
		case <-ctx.Done():
			return nil, fmt.Errorf("%s is not ready: %w\n%s", p.cmd, ctx.Err(), p.log)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// stop asks the program to end with SIGTERM and says if it did not end well.
func (p *program) stop() error {
	var err error
	p.ending.Do(func() {
		select {
		case <-p.done:
		default:
			err = p.cmd.Process.Signal(syscall.SIGTERM)
		}
	})
	select {
	case <-p.done:
	case <-time.After(patience):
		return errors.Join(errors.New("still running after SIGTERM"), p.cmd.Process.Kill())
	}
	if strings.Contains(p.log.String(), "WARNING: DATA RACE") {
		return errors.Join(err, p.ended, errors.New("the race detector found something"))
	}
	return errors.Join(err, p.ended)
}

var readyLine = regexp.MustCompile(`(?m)^ready (\S+) token (\S+) directory (\S+) password (\S+) health (\S+)$`)

// startDemo runs the demo on free ports.
func startDemo(ctx context.Context, flags ...string) (*gate, error) {
	return startDemoWith(ctx, nil, flags...)
}

func startDemoWith(ctx context.Context, env []string, flags ...string) (*gate, error) {
	p, err := launchWith(env, append([]string{"demo", "--listen", "127.0.0.1:0", "--ldap", "127.0.0.1:0", "--admin", "127.0.0.1:0"}, flags...)...)
	if err != nil {
		return nil, err
	}
	found, err := p.awaitLine(ctx, p.out, readyLine)
	if err != nil {
		return nil, errors.Join(err, p.stop())
	}
	return &gate{program: p, base: found[1], token: found[2], ldap: found[3], password: found[4], health: found[5],
		suffix: "dc=example,dc=org", admin: "cn=admin,dc=example,dc=org"}, nil
}

// demo runs a demo that ends with the test.
func demo(t *testing.T, flags ...string) *gate {
	t.Helper()
	g, err := startDemo(t.Context(), flags...)
	if err != nil {
		t.Fatal(err)
	}
	g.endWith(t)
	return g
}

// demoIn runs a demo whose temporary folders are below dir.
func demoIn(t *testing.T, dir string, flags ...string) *gate {
	t.Helper()
	g, err := startDemoWith(t.Context(), []string{"TMPDIR=" + dir}, flags...)
	if err != nil {
		t.Fatal(err)
	}
	g.endWith(t)
	return g
}

// endWith stops the gate at the end of the test.
func (g *gate) endWith(t *testing.T) {
	t.Cleanup(func() {
		if err := g.stop(); err != nil {
			t.Errorf("%s: %v", g.cmd, err)
		}
	})
	g.showLog(t)
}

// showLog prints what the gateway said since now, if the test fails.
func (g *gate) showLog(t *testing.T) {
	from := g.log.mark()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the gateway's log:\n%s", g.log.since(from))
		}
	})
}

// awaitHealthy waits until the gateway says that its directory answers.
func (g *gate) awaitHealthy(t *testing.T) {
	t.Helper()
	eventually(t, "the gateway is ready", func() bool {
		answer, err := http.Get(g.health)
		if err != nil {
			return false
		}
		answer.Body.Close()
		return answer.StatusCode == http.StatusOK
	})
}

// eventually polls until something holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %s: %s", patience, what)
		}
	}
}

// listening says whether anybody listens at an address.
func listening(address string) bool {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return false
	}
	conn.Close()
	return true
}

// journal keeps what a program writes.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func newJournal() *journal { return &journal{} }

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

func (j *journal) mark() int { return len(j.String()) }

// since returns the last of what was written after a mark.
func (j *journal) since(mark int) string {
	const most = 12000
	text := j.String()[mark:]
	if len(text) > most {
		text = "[...]" + text[len(text)-most:]
	}
	return text
}

func (j *journal) tail() string { return j.since(0) }

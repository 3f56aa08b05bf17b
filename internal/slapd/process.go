package slapd

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"time"
)

// process is one run of slapd.
type process struct {
	cmd  *exec.Cmd
	pid  int
	tail *tail
	done chan struct{} // closed when it has ended and was waited for
	err  error         // how it ended; read after done
}

// launch starts slapd. On Linux a child can be told to die with the *thread* that
// started it, so the goroutine that starts it keeps its thread until the child is gone;
// then only the end of the whole process can be meant.
func launch(binary string, args []string, log io.Writer) (*process, error) {
	p := &process{tail: &tail{next: log}, done: make(chan struct{})}
	p.cmd = exec.Command(binary, args...)
	p.cmd.Stdout, p.cmd.Stderr = p.tail, p.tail
	p.cmd.SysProcAttr = childAttributes()

	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.cmd.Start()
		if err == nil {
			p.pid = p.cmd.Process.Pid
		}
		started <- err
		if err == nil {
			p.err = p.cmd.Wait()
			close(p.done)
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", binary, err)
	}
	return p, nil
}

func (p *process) exited() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// how says how an ended process ended, with the last of what it said.
func (p *process) how() string {
	how := "exit status 0"
	if p.err != nil {
		how = p.err.Error()
	}
	if said := p.tail.String(); said != "" {
		how += ": " + said
	}
	return how
}

// terminate asks the process to end, insists after patience, and waits for it.
func (p *process) terminate(patience time.Duration) error {
	if p.exited() {
		return nil
	}
	if err := askToEnd(p.cmd.Process); err != nil {
		return p.kill()
	}
	select {
	case <-p.done:
		return nil
	case <-time.After(patience):
		return errors.Join(fmt.Errorf("slapd did not end within %s and was killed", patience), p.kill())
	}
}

func (p *process) kill() error {
	if p.exited() {
		return nil
	}
	err := p.cmd.Process.Kill()
	<-p.done
	if p.cmd.ProcessState != nil {
		return nil // it is gone; that it went by itself meanwhile is no fault
	}
	return err
}

// tail passes on what slapd says and remembers the end of it for error messages.
type tail struct {
	next io.Writer

	mu   sync.Mutex
	last []byte
}

const tailSize = 1024

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	t.last = append(t.last, b...)
	if n := len(t.last) - tailSize; n > 0 {
		t.last = append(t.last[:0], t.last[n:]...)
	}
	t.mu.Unlock()
	if t.next == nil {
		return len(b), nil
	}
	return t.next.Write(b)
}

// String is the last lines in one line.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	lines := strings.Split(string(bytes.TrimSpace(t.last)), "\n")
	if n := len(lines) - 4; n > 0 {
		lines = lines[n:]
	}
	return strings.Join(lines, "; ")
}

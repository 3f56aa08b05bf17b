package daemon

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

// Process is one run of a program.
type Process struct {
	name string
	cmd  *exec.Cmd
	pid  int
	tail *tail
	done chan struct{} // closed when it has ended and was waited for
	err  error         // how it ended; read after done
}

// Launch starts a program that is called name in messages. On Linux a child can be told
// to die with the *thread* that started it, so the goroutine that starts it keeps its
// thread until the child is gone; then only the end of the whole process can be meant.
func Launch(name, binary string, args []string, log io.Writer) (*Process, error) {
	p := &Process{name: name, tail: &tail{next: log}, done: make(chan struct{})}
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

// Pid is its process id, also after it ended.
func (p *Process) Pid() int { return p.pid }

func (p *Process) exited() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// how says how an ended process ended, with the last of what it said.
func (p *Process) how() string {
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
func (p *Process) terminate(patience time.Duration) error {
	if p.exited() {
		return nil
	}
	if err := askToEnd(p.cmd.Process); err != nil {
		return p.Kill()
	}
	select {
	case <-p.done:
		return nil
	case <-time.After(patience):
		return errors.Join(fmt.Errorf("%s did not end within %s and was killed", p.name, patience), p.Kill())
	}
}

// Kill ends the process as a crash would, and returns when it is gone.
func (p *Process) Kill() error {
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

// tail passes on what a program says and remembers the end of it for error messages.
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

// Package daemon looks after a server program that belongs to the process that started
// it: a private directory of the demo or of a test. It ends when Stop is called, and on
// Linux also when that process dies in whatever way; it can be killed, started again and
// supervised.
//
// It knows nothing of any server but how to ask an LDAP server, with one bind, whether it
// answers. It uses nothing but the standard library.
package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

const stopTimeout = 5 * time.Second // after SIGTERM, before SIGKILL

// Config says what to look after.
type Config struct {
	Name  string                                      // in messages
	Start func(ctx context.Context) (*Process, error) // launches it and returns when it answers
	Lock  io.Closer                                   // what Stop gives back; may be nil
	Log   io.Writer                                   // what happens to the program; may be nil
}

// Daemon is a program that runs. Its methods may be called from any goroutine.
type Daemon struct {
	cfg Config

	change sync.Mutex // held while the process is being started or stopped

	mu      sync.Mutex // guards what follows
	proc    *Process
	stopped bool          // by Stop, so that nobody starts it again
	quit    chan struct{} // closed by Stop
}

// Start starts the program, and returns when it answers.
func Start(ctx context.Context, cfg Config) (*Daemon, error) {
	d := &Daemon{cfg: cfg, quit: make(chan struct{})}
	return d, d.start(ctx)
}

// start runs the program. The caller holds change, or is alone.
func (d *Daemon) start(ctx context.Context) error {
	p, err := d.cfg.Start(ctx)
	if err != nil {
		return err
	}
	d.mu.Lock()
	d.proc = p
	d.mu.Unlock()
	return nil
}

// Pid is the process id of the running program, 0 when it does not run.
func (d *Daemon) Pid() int {
	p := d.current()
	if p.exited() {
		return 0
	}
	return p.pid
}

// Done is closed when the process that runs now has ended, for whatever reason. After a
// restart ask again.
func (d *Daemon) Done() <-chan struct{} { return d.current().done }

// Stop ends the program with SIGTERM, with SIGKILL if that is not enough, and returns when
// it is gone. It is not started again. Stopping twice is no error.
func (d *Daemon) Stop() error {
	d.mu.Lock()
	again := d.stopped
	d.stopped = true
	if !again {
		close(d.quit)
	}
	d.mu.Unlock()

	d.change.Lock()
	defer d.change.Unlock()
	err := d.current().terminate(stopTimeout)
	if !again && d.cfg.Lock != nil {
		err = errors.Join(err, d.cfg.Lock.Close())
	}
	return err
}

// Kill ends the program with SIGKILL and returns when it is gone, as a crash would. It
// stays away until Restart, or until Supervise finds it missing.
func (d *Daemon) Kill() error { return d.current().Kill() }

// Restart stops the program if it runs and starts it again. One that was stopped with Stop
// cannot be restarted.
func (d *Daemon) Restart(ctx context.Context) error {
	d.change.Lock()
	defer d.change.Unlock()
	if d.isStopped() {
		return fmt.Errorf("%s: restart of a server that was stopped", d.cfg.Name)
	}
	if err := d.current().terminate(stopTimeout); err != nil {
		return err
	}
	if err := d.start(ctx); err != nil {
		return fmt.Errorf("%s: restart: %w", d.cfg.Name, err)
	}
	return nil
}

// Supervise starts the program again whenever it dies, until ctx ends or Stop is called. It
// does not stop the program when it returns.
func (d *Daemon) Supervise(ctx context.Context) {
	const first, last = 20 * time.Millisecond, 2 * time.Second
	delay := first
	for {
		died := d.current()
		select {
		case <-ctx.Done():
			return
		case <-d.quit:
			return
		case <-died.done:
		}
		err := d.revive(ctx, died)
		if err == nil {
			delay = first
			continue
		}
		d.logf("%s does not start, next attempt in %s: %v", d.cfg.Name, delay, err)
		select {
		case <-ctx.Done():
			return
		case <-d.quit:
			return
		case <-time.After(delay):
		}
		delay = min(2*delay, last)
	}
}

// revive replaces a process that died, unless somebody else has done so meanwhile.
func (d *Daemon) revive(ctx context.Context, died *Process) error {
	d.change.Lock()
	defer d.change.Unlock()
	now := d.current()
	if d.isStopped() || ctx.Err() != nil || (now != died && !now.exited()) {
		return nil
	}
	d.logf("%s (process %d) ended: %s; starting it again", d.cfg.Name, died.pid, died.how())
	return d.start(ctx)
}

func (d *Daemon) current() *Process {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.proc
}

func (d *Daemon) isStopped() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.stopped
}

func (d *Daemon) logf(format string, args ...any) {
	if d.cfg.Log != nil {
		fmt.Fprintf(d.cfg.Log, format+"\n", args...)
	}
}

// Reserve says whether addr can be listened on, and with port 0 which port was free.
func Reserve(addr string) (string, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

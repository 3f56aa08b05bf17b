package daemon

import (
	"io"
	"os"
	"syscall"
)

// childAttributes makes the server die with us even when we are killed, and keeps the
// terminal's Ctrl-C from it: the gateway finishes its requests first, then ends it.
// Killing is safe: a commit that was answered is on disk.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
}

// askToEnd also wakes a process that a test has halted with SIGSTOP.
func askToEnd(p *os.Process) error {
	if err := p.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return p.Signal(syscall.SIGCONT)
}

// LockFolder takes a lock, the file at path, that the kernel gives back when this
// process ends.
func LockFolder(path string) (io.Closer, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

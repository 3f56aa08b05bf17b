//go:build !linux

package daemon

import (
	"io"
	"os"
	"syscall"
)

// Elsewhere there is no death signal: the server ends with Stop.
func childAttributes() *syscall.SysProcAttr { return nil }

func askToEnd(p *os.Process) error { return p.Signal(syscall.SIGTERM) }

// LockFolder takes no lock here.
func LockFolder(path string) (io.Closer, error) {
	return os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
}

//go:build !linux

package slapd

import (
	"io"
	"os"
	"syscall"
)

// Elsewhere there is no death signal: slapd ends with Stop.
func childAttributes() *syscall.SysProcAttr { return nil }

func askToEnd(p *os.Process) error { return p.Signal(syscall.SIGTERM) }

func lockDir(path string) (io.Closer, error) {
	return os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
}

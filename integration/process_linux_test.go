//go:build integration

package integration

import "syscall"

// childAttributes lets a gateway die with the tests, however they end.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM, Setpgid: true}
}

package check

import "syscall"

// writable asks whether this user may make files in a folder.
func writable(folder string) bool {
	const writeAndEnter = 2 | 1 // W_OK and X_OK of access(2)
	return syscall.Access(folder, writeAndEnter) == nil
}

package state

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
)

// makeFolder makes a folder, and those above it.
func makeFolder(path string) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	if err := os.MkdirAll(path, 0o700); err != nil {
		return err
	}
	return inherit(path)
}

// inherit gives what root has made to the owner of the folder around it: a
// token that root creates by hand must be readable for the gateway, which has
// an account of its own. Others cannot give files away and need not.
func inherit(path string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	info, err := os.Stat(filepath.Dir(path))
	if err != nil {
		return err
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); ok {
		return os.Lchown(path, int(owner.Uid), int(owner.Gid))
	}
	return nil
}

// lock waits until no other process holds the file, which is one of its own,
// because what it guards is replaced. The lock ends with the process that holds
// it.
func lock(path string) (func(), error) {
	_, before := os.Lstat(path)
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if errors.Is(before, os.ErrNotExist) {
		err = inherit(path)
	}
	for err == nil {
		if err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX); !errors.Is(err, syscall.EINTR) {
			break
		}
		err = nil // a signal came first
	}
	if err != nil {
		_ = file.Close() // err says more
		return nil, err
	}
	return func() { _ = file.Close() }, nil // closing gives the lock back
}

// replace writes a new file and puts it at a path in one step. pattern is
// that of the temporary file, in the same folder.
func replace(path, pattern string, text []byte) error {
	folder := filepath.Dir(path)
	temp, err := os.CreateTemp(folder, pattern) // made with 0600
	if err != nil {
		return err
	}
	err = writeSynced(temp, text)
	if err == nil {
		err = inherit(temp.Name())
	}
	if err == nil {
		err = os.Rename(temp.Name(), path)
	}
	if err != nil {
		_ = os.Remove(temp.Name()) // err says more
		return err
	}
	return syncFolder(folder)
}

// writeSynced writes, waits until the disk has it, and closes.
func writeSynced(file *os.File, text []byte) error {
	_, err := file.Write(text)
	if err == nil {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}

// syncFolder waits until the disk has the new name.
func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

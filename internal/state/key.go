package state

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// CursorKey returns the key with which gateways seal the cursors of lists, and
// makes it where there is none. Gateways that share the state folder get the
// same one, also when they start at the same time.
func CursorKey(stateDir string) ([32]byte, error) {
	path := filepath.Join(stateDir, "cursor.key")
	key, err := readKey(path)
	if errors.Is(err, fs.ErrNotExist) {
		key, err = makeKey(path)
	}
	if err != nil {
		return [32]byte{}, fmt.Errorf("key of cursors: %w", err)
	}
	return key, nil
}

func readKey(path string) ([32]byte, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return [32]byte{}, err
	}
	if len(text) != len([32]byte{}) {
		return [32]byte{}, fmt.Errorf("%s is damaged: it has %d bytes, not 32; remove it, and a new one is made", path, len(text))
	}
	return [32]byte(text), nil
}

// makeKey makes a key, unless somebody else was first.
func makeKey(path string) ([32]byte, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return [32]byte{}, err
	}
	unlock, err := lock(path + ".lock")
	if err != nil {
		return [32]byte{}, err
	}
	defer unlock()
	key, err := readKey(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	_, _ = rand.Read(key[:]) // never fails: it ends the program instead
	return key, replace(path, ".cursor.key-*", key[:])
}

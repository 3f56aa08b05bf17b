package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// maxNamed bounds a file that a configuration names, in bytes.
const maxNamed = 16 << 20

// contents reads a file of at most so many bytes.
func contents(path string, most int64) ([]byte, error) {
	if err := readSoon(path, most); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
}

// readSoon returns an error for what is there and could not be read, or would take
// for ever to read: a reload waits for it. A named pipe waits for somebody who
// writes; one that a shell has made, which has no name, has a writer.
func readSoon(path string, most int64) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	switch mode := info.Mode(); {
	case mode&os.ModeNamedPipe != 0:
		if _, err := filepath.EvalSymlinks(path); err == nil {
			return errors.New("it is a named pipe; give a file")
		}
	case mode&(os.ModeDevice|os.ModeSocket) != 0:
		return errors.New("it is a device or a socket; give a file")
	case mode.IsRegular() && info.Size() > most:
		return fmt.Errorf("it has %d bytes, and %d are the most", info.Size(), most)
	}
	return nil
}

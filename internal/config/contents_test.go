//go:build unix

package config

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// A file that nobody would ever have read to its end is refused, and nobody waits.
func TestFilesThatDoNotEnd(t *testing.T) {
	dir := t.TempDir()
	pipe, long := filepath.Join(dir, "pipe"), filepath.Join(dir, "long")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(long, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(long, maxNamed+1); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{pipe, long, "/dev/zero", dir} {
		if _, err := contents(path, maxNamed); err == nil {
			t.Errorf("%s was read", path)
		}
		if _, _, err := Load(path); err == nil {
			t.Errorf("%s is taken for a configuration", path)
		}
	}
}

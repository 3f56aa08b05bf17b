package state

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// Gateways that start at once end with one key, which stays.
func TestCursorKeyIsOneForAll(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	keys := make([][32]byte, 16)
	var all sync.WaitGroup
	for i := range keys {
		all.Go(func() {
			var err error
			if keys[i], err = CursorKey(dir); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for _, k := range keys {
		if k != keys[0] || k == ([32]byte{}) {
			t.Fatalf("keys differ: %x and %x", k, keys[0])
		}
	}
	info, err := os.Stat(filepath.Join(dir, "cursor.key"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
}

// A key of another size is refused rather than replaced: others may still have it.
func TestADamagedCursorKeyIsRefused(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "cursor.key")
	for _, text := range []string{"", "short"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := CursorKey(dir); err == nil {
			t.Errorf("%q is taken for a key", text)
		}
	}
	if _, err := CursorKey(path); err == nil {
		t.Error("a file is taken for a folder")
	}
}

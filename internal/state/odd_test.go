package state

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// What stands where a document should be is damage, and nobody waits for it: opening
// a pipe takes a writer, and a device has no end.
func TestWhatIsNoFileIsDamage(t *testing.T) {
	for name, put := range map[string]func(path string) error{
		"a folder": func(path string) error { return os.Mkdir(path, 0o700) },
		"a pipe":   func(path string) error { return syscall.Mkfifo(path, 0o600) },
		"a device": func(path string) error { return os.Symlink("/dev/zero", path) },
		"too long": func(path string) error {
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				return err
			}
			return os.Truncate(path, largest+1)
		},
		"a circle": func(path string) error { return os.Symlink(path, path) },
	} {
		t.Run(name, func(t *testing.T) {
			f := Open[int](t.TempDir(), "numbers", "one", nil)
			if err := f.Change(func(int) (int, error) { return 7, nil }); err != nil {
				t.Fatal(err)
			}
			w := NewWatch(f, 0)
			if n, err := w.Now(); n != 7 || err != nil {
				t.Fatal(n, err)
			}
			aside := filepath.Join(t.TempDir(), "aside")
			if err := os.Rename(f.Path(), aside); err != nil {
				t.Fatal(err)
			}
			if err := put(f.Path()); err != nil {
				t.Fatal(err)
			}
			done := make(chan struct{})
			go func() {
				defer close(done)
				if n, err := w.Now(); n != 7 || err == nil {
					t.Errorf("%d %v", n, err)
				}
				if err := f.Change(func(n int) (int, error) { return n + 1, nil }); err == nil {
					t.Error("it was replaced")
				}
			}()
			select {
			case <-done:
			case <-time.After(20 * time.Second):
				t.Fatal("it is still being opened")
			}
			if err := os.Remove(f.Path()); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(aside, f.Path()); err != nil {
				t.Fatal(err)
			}
			if n, err := w.Now(); n != 7 || err != nil {
				t.Errorf("once it is back: %d %v", n, err)
			}
		})
	}
}

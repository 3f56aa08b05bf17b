package shutoff

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// watched is a switch that looks whenever it is asked, and what it told.
type watched struct {
	*Switch
	t     *testing.T
	heard []string
}

func watch(t *testing.T, f *File) *watched {
	w := &watched{t: t}
	w.Switch = Watch(f, func(p Position, err error) {
		word := "on"
		if p.Off {
			word = "off"
		}
		if err != nil {
			word = "lost " + word
		}
		w.heard = append(w.heard, word)
	})
	return w
}

// stands looks anew and wants the switch to be off, and to have told something.
func (w *watched) stands(off bool, heard ...string) {
	w.t.Helper()
	w.heard = nil
	for range 2 {
		w.checked = time.Time{}
		if got := w.Off(); got != off {
			w.t.Errorf("off: %v, want %v", got, off)
		}
	}
	if len(heard) != len(w.heard) || len(heard) == 1 && heard[0] != w.heard[0] {
		w.t.Errorf("it told %q, want %q", w.heard, heard)
	}
}

func set(t *testing.T, f *File, to Position) Position {
	t.Helper()
	before, err := f.Set(to)
	if err != nil {
		t.Fatal(err)
	}
	return before
}

func TestASwitchIsNoticed(t *testing.T) {
	f := Open(filepath.Join(t.TempDir(), "state"), "okta") // which is not there
	w := watch(t, f)
	w.stands(false)
	off := Position{Off: true, Since: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), By: "ann", Reason: "moving house"}
	if before := set(t, f, off); before.Off {
		t.Error("it was off before")
	}
	w.stands(true, "off")
	if before := set(t, f, Position{Off: true, By: "bob"}); before != off {
		t.Errorf("%+v was there", before)
	}
	if now, err := f.Read(); now != off || err != nil {
		t.Errorf("who switched off is forgotten: %+v %v", now, err)
	}
	w.stands(true)
	set(t, f, Position{By: "bob"})
	w.stands(false, "on")
	set(t, f, off)
	watch(t, f).stands(true, "off") // and by a gateway that starts
}

// What cannot be read leaves a running gateway as it was.
func TestASwitchThatCannotBeReadStays(t *testing.T) {
	for _, off := range []bool{true, false} {
		dir := t.TempDir()
		f := Open(dir, "okta")
		set(t, f, Position{Off: true})
		set(t, f, Position{Off: off})
		w := watch(t, f)
		w.Off()
		lost := map[bool]string{true: "lost off", false: "lost on"}[off]
		if err := os.WriteFile(f.document.Path(), []byte(`{"off": tr`), 0o600); err != nil {
			t.Fatal(err)
		}
		w.stands(off, lost)
		if _, err := f.Set(Position{Off: !off}); err == nil {
			t.Error("a damaged document was replaced")
		}
		if err := os.Remove(f.document.Path()); err != nil {
			t.Fatal(err)
		}
		if off {
			w.stands(false, "on")
		}
		set(t, f, Position{Off: true})
		w.stands(true, "off")
		if err := os.Rename(filepath.Join(dir, "switch"), filepath.Join(dir, "away")); err != nil { // a volume that went away
			t.Fatal(err)
		}
		w.stands(true, "lost off")
		if err := os.Rename(filepath.Join(dir, "away"), filepath.Join(dir, "switch")); err != nil {
			t.Fatal(err)
		}
		w.stands(true)
	}
}

// A gateway that starts beside a document which it cannot read refuses until it
// can: without one it would be on.
func TestASwitchThatWasNeverReadIsOff(t *testing.T) {
	f := Open(t.TempDir(), "okta")
	set(t, f, Position{Off: true})
	set(t, f, Position{})
	good, err := os.ReadFile(f.document.Path())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(f.document.Path(), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	w := watch(t, f)
	w.stands(true, "lost off")
	if err := os.WriteFile(f.document.Path(), good, 0o600); err != nil {
		t.Fatal(err)
	}
	w.stands(false, "on")
}

// Between two looks nobody asks the disk.
func TestASwitchIsReadNowAndThen(t *testing.T) {
	f := Open(t.TempDir(), "okta")
	w := Watch(f, func(Position, error) {})
	w.Off()
	set(t, f, Position{Off: true})
	w.mu.Lock()
	w.checked = time.Now().Add(time.Hour) // not due
	w.mu.Unlock()
	if w.Off() {
		t.Error("the disk was asked")
	}
	w.mu.Lock()
	w.checked = time.Time{}
	w.mu.Unlock()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() { w.Off() })
	}
	all.Wait()
	if !w.Off() {
		t.Error("it was not noticed")
	}
}

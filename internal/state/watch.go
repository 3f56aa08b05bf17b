package state

import (
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Fresh is how long an answer of a Watch may rest on what was read before: short
// enough for a token that was revoked, long enough not to ask the disk all the
// time.
const Fresh = 250 * time.Millisecond

// Watch is a document that others change. It is safe for concurrent use and looks
// for a new one by itself.
type Watch[T any] struct {
	file  *File[T]
	every time.Duration

	mu      sync.Mutex
	checked time.Time   // when the file was last looked at
	seen    os.FileInfo // of the file that known is from; nil for none
	known   T
}

// NewWatch watches a document, which need not exist yet. What it tells is at most
// that old, as a rule Fresh.
func NewWatch[T any](f *File[T], every time.Duration) *Watch[T] {
	return &Watch[T]{file: f, every: every}
}

// Now returns the document, which is shared and must not be changed.
//
// The error says that the file could not be read; the document is the last good
// one then. It comes once for each look at the file, not for each call.
func (w *Watch[T]) Now() (T, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.checked.IsZero() && time.Since(w.checked) < w.every {
		return w.known, nil
	}
	return w.look()
}

// Look is Now for somebody who has reason to think that the document is another
// one already: it asks the disk, however short the time since the last look.
func (w *Watch[T]) Look() (T, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.look()
}

func (w *Watch[T]) look() (T, error) {
	w.checked = time.Now()
	err := w.refresh()
	return w.known, err
}

// refresh reads the file if it is another one than the last. Files are replaced,
// never written in place by us; size and time are for editors.
func (w *Watch[T]) refresh() error {
	now, err := os.Stat(w.file.path)
	if err == nil && w.seen != nil && os.SameFile(now, w.seen) &&
		now.Size() == w.seen.Size() && now.ModTime().Equal(w.seen.ModTime()) {
		return nil
	}
	document, info, err := w.file.read()
	if err != nil {
		return err
	}
	if info == nil && w.seen != nil {
		// A file that was removed takes what it said along; a whole folder that is
		// gone is a volume that went away, and no order to forget.
		if _, err := os.Stat(filepath.Dir(w.file.path)); err != nil {
			return err
		}
	}
	w.known, w.seen = document, info
	return nil
}

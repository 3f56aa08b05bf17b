package provlog

import (
	"errors"
	"maps"
	"os"
	"slices"
	"time"
)

// lookAfter brings indexes up to date when there is something new, and closes and
// removes segments that are old, until the Writer is closed.
func (w *Writer) lookAfter() {
	ticks := time.NewTicker(max(min(w.cfg.MaxAge/20, time.Hour), time.Second))
	defer ticks.Stop()
	for {
		select {
		case <-w.stop:
			return
		case <-w.kick:
		case <-ticks.C:
			w.closeOld()
		}
		_ = w.tidy() // what cannot be done now is tried again; a reader does without
	}
}

func (w *Writer) stopped() bool {
	select {
	case <-w.stop:
		return true
	default:
		return false
	}
}

// closeOld closes the segment that is written if it is old, so that its lines go in
// time also where no more come.
func (w *Writer) closeOld() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.file != nil && w.size > 0 && w.old() {
		_ = w.rotate() // tried again, and with the next line
	}
}

// tidy removes the segments that are older than they may be, and brings the indexes
// of the others up to date. Another process that is about it does it for all.
func (w *Writer) tidy() error {
	release, ok, err := tryLock(w.cfg.Path, indexing)
	if !ok || err != nil {
		return err
	}
	defer release()
	all, err := segments(w.cfg.Path)
	if err != nil {
		return err
	}
	maps.DeleteFunc(w.done, func(path string, _ bool) bool {
		return !slices.ContainsFunc(all, func(s segment) bool { return s.path == path })
	})
	var problems []error
	for _, s := range all {
		switch {
		case w.stopped():
			return nil
		case !s.closed.IsZero() && w.now().Sub(s.closed) > w.cfg.MaxAge:
			problems = append(problems, remove(s.path), remove(indexPath(s.path)))
		case s.closed.IsZero() || !w.indexed(s):
			err := catchUp(s, w.stopped)
			problems = append(problems, err)
			if err == nil && !s.closed.IsZero() && !w.stopped() {
				w.done[s.path] = true
			}
		}
	}
	return errors.Join(problems...)
}

// indexed reports whether a closed segment has an index that this Writer knows to be
// whole.
func (w *Writer) indexed(s segment) bool {
	if !w.done[s.path] {
		return false
	}
	_, err := os.Stat(indexPath(s.path))
	return err == nil
}

func remove(path string) error {
	if err := os.Remove(path); !gone(err) {
		return err
	}
	return nil
}

package provlog

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Config is what a Writer needs to know.
type Config struct {
	// Path is the file that is written; closed segments lie beside it.
	Path string
	// MaxSize is how long a segment gets, MaxAge how long it is kept after it was
	// closed. A segment is closed after a tenth of that, however short it is.
	MaxSize int64
	MaxAge  time.Duration
	// Report is told once when lines cannot be written, and with a nil error once
	// when they can again; lost is how many were not. May be nil.
	Report func(lost int64, err error)
}

// Writer writes a log. A line is with the operating system when Record returns, so
// that the end of the process loses none. Nothing that happens to the disk reaches
// the caller: lines that cannot be written are counted and reported.
//
// Writers of one log, in one process or several, do not get in each other's way.
// The file may be renamed or removed at any time: the next line begins a new one.
type Writer struct {
	cfg Config
	now func() time.Time

	mu     sync.Mutex
	file   *os.File    // nil while there is none that can be written
	info   os.FileInfo // of file when it was opened
	size   int64       // of file after our last write
	began  time.Time   // when its first line was written
	torn   bool        // the file does not end with a whole line
	key    []byte
	lost   int64
	broken error // why the last line was not written
	closed bool

	done  map[string]bool // closed segments whose index is whole; of lookAfter alone
	fresh int64           // bytes written that the index was not told of
	kick  chan struct{}   // has one when the index is to catch up
	stop  chan struct{}
	ended sync.WaitGroup
}

// NewWriter returns a Writer of a log, whose files need not be there, and looks after
// the segments that there are in the background. It has to be closed.
func NewWriter(cfg Config) *Writer {
	w := &Writer{cfg: cfg, now: time.Now, done: map[string]bool{}, kick: make(chan struct{}, 1), stop: make(chan struct{})}
	w.ended.Go(w.lookAfter)
	w.kick <- struct{}{}
	return w
}

// Try opens the log, and says why if that fails. A Writer does without: it tries
// again with every line.
func (w *Writer) Try() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.open()
}

// Close ends the work in the background and closes the file. Records that come
// after it are lost.
func (w *Writer) Close() error {
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		return nil
	}
	w.closed = true
	close(w.stop)
	err := w.release()
	w.mu.Unlock()
	w.ended.Wait()
	return err
}

// Lost returns how many lines could not be written since the start, and why the last
// one was not; nil where it was.
func (w *Writer) Lost() (int64, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.lost, w.broken
}

// Record writes the line of a request.
func (w *Writer) Record(r Record) {
	w.mu.Lock()
	was, lost := w.broken, w.lost
	w.broken = w.record(r)
	if w.broken != nil {
		w.lost++
	}
	is, all := w.broken, w.lost
	w.mu.Unlock()
	switch {
	case w.cfg.Report == nil:
	case was == nil && is != nil:
		w.cfg.Report(all, is)
	case was != nil && is == nil:
		w.cfg.Report(lost, nil)
	}
}

var errClosed = errors.New("the provisioning log is closed")

func (w *Writer) record(r Record) error {
	if w.closed {
		return errClosed
	}
	if err := w.open(); err != nil {
		return err
	}
	r.Who = hashes(w.key, r.Names)
	var line bytes.Buffer
	encoder := json.NewEncoder(&line)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(r); err != nil { // ends the line, too
		return err
	}
	if w.size > 0 && (w.size+int64(line.Len()) > w.cfg.MaxSize || w.old()) {
		if err := w.rotate(); err != nil {
			return err
		}
		if err := w.open(); err != nil {
			return err
		}
	}
	return w.append(line.Bytes())
}

// open makes sure that the file at the path is the one that is written.
func (w *Writer) open() error {
	if w.closed {
		return errClosed
	}
	if info, err := os.Stat(w.cfg.Path); w.file != nil && err == nil && os.SameFile(info, w.info) {
		if info.Size() != w.size { // another process wrote, or somebody cut it
			w.size = info.Size()
			w.torn = w.endsTorn()
		}
		return nil
	}
	if err := w.release(); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(w.cfg.Path), 0o700); err != nil {
		return err
	}
	file, err := os.OpenFile(w.cfg.Path, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	info, err := file.Stat()
	if err == nil && info.Mode().Perm()&0o007 != 0 { // not for everybody to read
		err = file.Chmod(info.Mode().Perm() &^ 0o007)
	}
	if err == nil {
		w.key, err = ownKey(w.cfg.Path)
	}
	if err != nil {
		return errors.Join(err, file.Close())
	}
	w.file, w.info, w.size, w.fresh = file, info, info.Size(), blockBytes
	w.torn, w.began = w.endsTorn(), w.firstTime()
	return nil
}

// endsTorn reports whether the file ends in the middle of a line.
func (w *Writer) endsTorn() bool {
	last := []byte{'\n'}
	if w.size > 0 {
		_, _ = w.file.ReadAt(last, w.size-1) // a line end too many does no harm
	}
	return last[0] != '\n'
}

// firstTime is when the first line of the file was written.
func (w *Writer) firstTime() time.Time {
	line, err := bufio.NewReader(io.NewSectionReader(w.file, 0, longestLine)).ReadBytes('\n')
	var r Record
	if err != nil || json.Unmarshal(line, &r) != nil {
		return w.now()
	}
	return r.Time
}

// append writes a line in one piece, after a line end where the file has half a
// line: what a crash or a full disk has left of one stays what it is.
func (w *Writer) append(line []byte) error {
	if w.torn {
		line = append([]byte{'\n'}, line...)
	}
	n, err := w.file.Write(line)
	w.size += int64(n)
	w.torn = n > 0 && n < len(line) || w.torn && n == 0
	if w.fresh += int64(n); w.fresh >= blockBytes {
		w.fresh = 0
		select {
		case w.kick <- struct{}{}:
		default:
		}
	}
	return err
}

func (w *Writer) release() error {
	if w.file == nil {
		return nil
	}
	err := w.file.Close()
	w.file = nil
	return err
}

// old reports whether the segment is to be closed for its age.
func (w *Writer) old() bool { return w.now().Sub(w.began) > w.cfg.MaxAge/10 }

// rotate closes the segment: it gets a name of its own, and its index with it. While
// another process closes it, or writes an index, it goes on as it is.
func (w *Writer) rotate() error {
	release, ok, err := tryLock(w.cfg.Path, closing)
	if !ok || err != nil {
		return err
	}
	defer release()
	info, err := os.Stat(w.cfg.Path)
	if gone(err) || err == nil && !os.SameFile(info, w.info) { // somebody was first
		return nil
	}
	if err != nil {
		return err
	}
	to := closedPath(w.cfg.Path, w.now())
	if _, err := os.Lstat(to); err == nil {
		return nil // a clock that stands: the next line tries again
	}
	if err := os.Rename(w.cfg.Path, to); err != nil {
		return err
	}
	if err := os.Rename(indexPath(w.cfg.Path), indexPath(to)); err != nil && !gone(err) {
		return err
	}
	return w.release()
}

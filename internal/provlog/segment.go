package provlog

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

const stampForm = "20060102T150405.000000000Z"

// segment is one file of a log.
type segment struct {
	path   string
	closed time.Time // zero for the one that is being written
}

// segments lists the files of a log that are there, the oldest first and the one
// that is being written last.
func segments(path string) ([]segment, error) {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	stem, ext := split(filepath.Base(path))
	var all []segment
	current := false
	for _, e := range entries {
		name := e.Name()
		if name == filepath.Base(path) {
			current = true
			continue
		}
		stamp, ok := strings.CutPrefix(name, stem+"-")
		if !ok {
			continue
		}
		if stamp, ok = strings.CutSuffix(stamp, ext); !ok {
			continue
		}
		if closed, err := time.Parse(stampForm, stamp); err == nil {
			all = append(all, segment{filepath.Join(filepath.Dir(path), name), closed})
		}
	}
	slices.SortFunc(all, func(a, b segment) int { return a.closed.Compare(b.closed) })
	if current {
		all = append(all, segment{path: path})
	}
	return all, nil
}

// split parts a file name before its extension.
func split(name string) (stem, ext string) {
	ext = filepath.Ext(name)
	return strings.TrimSuffix(name, ext), ext
}

// closedPath is where a segment goes that is closed at a time.
func closedPath(path string, now time.Time) string {
	stem, ext := split(filepath.Base(path))
	return filepath.Join(filepath.Dir(path), stem+"-"+now.UTC().Format(stampForm)+ext)
}

func indexPath(path string) string { return path + ".idx" }

// A log has two locks: one is held for a moment by who closes a segment, the other by
// who writes indexes, which can take longer.
const (
	closing  = ".lock"
	indexing = ".idx.lock"
)

// tryLock takes a lock of a log unless somebody else has it. The lock ends with the
// process that holds it.
func tryLock(path, which string) (release func(), ok bool, err error) {
	file, err := os.OpenFile(path+which, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, false, err
	}
	for {
		err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if err != nil {
		_ = file.Close() // err says more
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, false, nil
		}
		return nil, false, err
	}
	return func() { _ = file.Close() }, true, nil // closing gives the lock back
}

// gone reports whether an error says that a file is not there.
func gone(err error) bool { return errors.Is(err, fs.ErrNotExist) }

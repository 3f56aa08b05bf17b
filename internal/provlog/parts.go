package provlog

import (
	"errors"
	"os"
)

// parts are the segments of a log at one moment, the oldest first.
type parts []part

type part struct {
	segment
	file *os.File // of the current one
	end  *int64   // of what is to be read, nil for all
}

// take opens a part, and leaves it to the caller to close it.
func (p *part) take() (*os.File, error) {
	if p.file == nil {
		return os.Open(p.path)
	}
	file := p.file
	p.file = nil
	return file, nil
}

// partsOf opens the current segment before it lists the others, so that none is
// missed that is closed at the time, and drops it where it is among these already.
func partsOf(path string) (parts, error) {
	var all parts
	current, err := os.Open(path)
	if err != nil && !gone(err) {
		return nil, err
	}
	listed, err := segments(path)
	if err != nil && !gone(err) { // gone: nothing was written yet
		return nil, errors.Join(err, closeAll(current))
	}
	for _, s := range listed {
		if !s.closed.IsZero() && !sameFile(current, s.path) {
			all = append(all, part{segment: s})
		}
	}
	if current != nil {
		all = append(all, part{segment: segment{path: path}, file: current})
	}
	return all, nil
}

func sameFile(file *os.File, path string) bool {
	if file == nil {
		return false
	}
	a, err := file.Stat()
	if err != nil {
		return false
	}
	b, err := os.Stat(path)
	return err == nil && os.SameFile(a, b)
}

func closeAll(file *os.File) error {
	if file == nil {
		return nil
	}
	return file.Close()
}

func (p parts) close() {
	for _, one := range p {
		_ = closeAll(one.file) // only read
	}
}

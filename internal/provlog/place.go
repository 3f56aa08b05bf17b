package provlog

import (
	"bytes"
	"errors"
	"io"
	"os"
)

// Place is where a log ended at a moment: what had been written by then is on one side
// of it, what came later on the other.
type Place struct {
	file os.FileInfo // the newest there was, nil for none
	size int64
}

// End is the place where the log ends now.
func (l Log) End() (Place, error) {
	all, err := partsOf(l.path)
	if err != nil || len(all) == 0 {
		return Place{}, err
	}
	defer all.close()
	file, err := all[len(all)-1].take()
	if err != nil {
		return Place{}, err
	}
	defer func() { _ = file.Close() }() // only read
	info, err := file.Stat()
	if err != nil {
		return Place{}, err
	}
	size, err := lastLine(file, info.Size())
	return Place{info, size}, err
}

// lastLine is where the last whole line of a file ends: the rest is being written.
func lastLine(file *os.File, size int64) (int64, error) {
	text := make([]byte, 4096)
	for end := size; end > 0; {
		begin := max(end-int64(len(text)), 0)
		n, err := file.ReadAt(text[:end-begin], begin)
		if int64(n) < end-begin {
			return size, err
		}
		if i := bytes.LastIndexByte(text[:n], '\n'); i >= 0 {
			return begin + int64(i) + 1, nil
		}
		end = begin
	}
	return 0, nil
}

// Before is the log as far as it was written at a place.
func (l Log) Before(p Place) Log { return Log{path: l.path, end: &p} }

// upTo takes out of the parts what was written after a place.
func (p parts) upTo(end Place) (parts, error) {
	if end.file == nil {
		p.close()
		return nil, nil
	}
	for i := range p {
		is, err := p[i].is(end)
		if err != nil {
			return p, err
		}
		if is {
			p[i].end = &end.size
			p[i+1:].close()
			return p[:i+1], nil
		}
	}
	return p, nil // the file was taken away
}

// is reports whether a part is the file of a place.
func (p part) is(at Place) (bool, error) {
	info, err := os.Stat(p.path)
	if p.file != nil {
		info, err = p.file.Stat()
	}
	return err == nil && os.SameFile(info, at.file), ignoreGone(err)
}

// openAt opens the file of a place and goes there: to the beginning of the oldest file
// where there was none, nil where there is none any more.
func (l Log) openAt(p Place) (*os.File, error) {
	all, err := partsOf(l.path)
	if err != nil {
		return nil, err
	}
	defer all.close()
	for i := range all {
		if p.file != nil {
			if is, err := all[i].is(p); err != nil || !is {
				continue
			}
		}
		file, err := all[i].take()
		if gone(err) {
			continue // removed for its age
		}
		if err != nil {
			return nil, err
		}
		if _, err := file.Seek(p.size, io.SeekStart); err != nil {
			return nil, errors.Join(err, file.Close())
		}
		return file, nil
	}
	return nil, nil
}

package provlog

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"time"
)

// lookEvery is how often a follower looks for new lines.
const lookEvery = 200 * time.Millisecond

// Follow calls for every line that matches and is written after a place, until ctx
// ends or there is an error. It goes on where a segment is closed, from file to file.
func (l Log) Follow(ctx context.Context, q Query, from Place, each func(Line) error) error {
	key, err := readKey(l.path)
	if err != nil {
		key = nil // see begin
	}
	f := follower{log: l, query: q, search: q.prepare(key), each: each}
	defer f.leave()
	file, err := l.openAt(from)
	if err != nil {
		return err
	}
	if file != nil {
		f.enter(file)
	}
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for {
		if err := f.look(); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-look.C:
		}
	}
}

// follower is in one file at a time.
type follower struct {
	log    Log
	query  Query
	search search
	each   func(Line) error
	file   *os.File // nil before there is one
	lines  *bufio.Reader
	half   []byte // what there is of a line that is being written
}

// enter goes on in a file.
func (f *follower) enter(file *os.File) {
	f.leave()
	f.file, f.lines, f.half = file, bufio.NewReader(file), nil
	if key, err := readKey(f.log.path); err == nil { // it comes with the first file
		f.search = f.query.prepare(key)
	}
}

func (f *follower) leave() {
	if f.file != nil {
		_ = f.file.Close() // only read
		f.file = nil
	}
}

// look reads what is new, and goes on to the next file once this one is not the
// current one any more.
func (f *follower) look() error {
	for {
		next, err := f.next() // asked first: what was written before is read then
		if err != nil {
			return err
		}
		if err := f.drain(); err != nil {
			return errors.Join(err, closeAll(next))
		}
		if next == nil {
			return nil
		}
		f.enter(next)
	}
}

// drain reads to the end of the file.
func (f *follower) drain() error {
	for f.file != nil {
		text, err := f.lines.ReadSlice('\n')
		if len(f.half) <= longestLine { // what is longer is no line of ours
			f.half = append(f.half, text...)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if err != nil {
			return ignoreEnd(err)
		}
		if line, ok := f.search.line(f.half); ok {
			if err := f.each(line); err != nil {
				return err
			}
		}
		f.half = nil
	}
	return nil
}

// next opens the file to go on to: the one after that which is read, nil while that
// is the current one. Files get other names at any time, so it is only believed once
// it is still the next after it was opened.
func (f *follower) next() (*os.File, error) {
	for {
		path, err := f.after()
		if err != nil || path == "" {
			return nil, err
		}
		file, err := os.Open(path)
		if gone(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if again, err := f.after(); err != nil || again != "" && sameFile(file, again) {
			return file, err
		}
		_ = file.Close() // only opened
	}
}

// after is the path of the file after that which is read, "" while there is none.
func (f *follower) after() (string, error) {
	if f.file == nil {
		_, err := os.Stat(f.log.path)
		if err != nil {
			return "", ignoreGone(err)
		}
		return f.log.path, nil
	}
	here, err := f.file.Stat()
	if err != nil {
		return "", err
	}
	if sameFile(f.file, f.log.path) {
		if offset, err := f.file.Seek(0, io.SeekCurrent); err != nil || here.Size() < offset { // somebody cut it
			return f.log.path, err
		}
		return "", nil
	}
	all, err := segments(f.log.path) // ours has its last name by now
	if err != nil || len(all) == 0 {
		return "", ignoreGone(err)
	}
	i := slices.IndexFunc(all, func(s segment) bool { return sameFile(f.file, s.path) })
	switch {
	case i >= 0 && i+1 < len(all):
		return all[i+1].path, nil
	case i < 0 && all[len(all)-1].closed.IsZero(): // it was taken away
		return f.log.path, nil
	}
	return "", nil // there is no new one yet
}

func ignoreEnd(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

func ignoreGone(err error) error {
	if gone(err) {
		return nil
	}
	return err
}

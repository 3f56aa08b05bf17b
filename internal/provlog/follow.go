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

// Follow calls for every line that matches and is written from now on, until ctx
// ends or there is an error. It goes on where a segment is closed, from file to file.
func (l Log) Follow(ctx context.Context, q Query, each func(Line) error) error {
	key, err := readKey(l.path)
	if err != nil {
		key = nil // see begin
	}
	f := follower{log: l, query: q, search: q.prepare(key), each: each}
	defer f.leave()
	if err := f.enter(l.path, io.SeekEnd); err != nil && !gone(err) {
		return err
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

func (f *follower) enter(path string, whence int) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	if _, err := file.Seek(0, whence); err != nil {
		return errors.Join(err, file.Close())
	}
	f.leave()
	if key, err := readKey(f.log.path); err == nil { // it comes with the first file
		f.search = f.query.prepare(key)
	}
	f.file, f.lines, f.half = file, bufio.NewReader(file), nil
	return nil
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
			return err
		}
		if next == "" {
			return nil
		}
		if err := f.enter(next, io.SeekStart); err != nil && !gone(err) {
			return err
		}
	}
}

// drain reads to the end of the file.
func (f *follower) drain() error {
	for f.file != nil {
		text, err := f.lines.ReadBytes('\n')
		if f.half = append(f.half, text...); err != nil {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return err
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

// next is the file to go on to: the one after that which is read, "" while that is
// the current one.
func (f *follower) next() (string, error) {
	all, err := segments(f.log.path)
	if err != nil || len(all) == 0 {
		return "", ignoreGone(err)
	}
	last := all[len(all)-1]
	if f.file == nil {
		if !last.closed.IsZero() {
			return "", nil
		}
		return last.path, nil
	}
	here, err := f.file.Stat()
	if err != nil {
		return "", err
	}
	is := func(s segment) bool {
		info, err := os.Stat(s.path)
		return err == nil && os.SameFile(info, here)
	}
	if is(last) {
		offset, err := f.file.Seek(0, io.SeekCurrent)
		if err != nil || here.Size() < offset { // somebody cut it
			return last.path, err
		}
		return "", nil
	}
	if i := slices.IndexFunc(all, is); i >= 0 {
		return all[i+1].path, nil
	}
	if !last.closed.IsZero() { // it was taken away, and there is no new one yet
		return "", nil
	}
	return last.path, nil
}

func ignoreGone(err error) error {
	if gone(err) {
		return nil
	}
	return err
}

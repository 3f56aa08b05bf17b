package state

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// largest bounds a document in bytes: what is longer is none of ours.
const largest = 16 << 20

// File is one document. It has no state of its own and is safe for concurrent
// use.
type File[T any] struct {
	path  string
	check func(T) error
}

// Open names a document below the state folder, in a folder for its kind. It
// touches nothing: a document that is not there is the zero T, and the first
// change makes it. check finds what makes a document damaged; it may be nil.
func Open[T any](stateDir, kind, name string, check func(T) error) *File[T] {
	return At(filepath.Join(stateDir, kind, name+".json"), check)
}

// At is Open for a document at a path of its own, whose name ends with .json.
func At[T any](path string, check func(T) error) *File[T] {
	return &File[T]{path, check}
}

// Path is where the document is.
func (f *File[T]) Path() string { return f.path }

// Read returns the document, the zero T where there is none. A damaged one is an
// error that names the file.
func (f *File[T]) Read() (T, error) {
	document, _, err := f.read()
	return document, err
}

// Change replaces the document by what edit makes of it, alone among all
// processes. After an error, also of edit, the file is as it was.
func (f *File[T]) Change(edit func(T) (T, error)) error {
	if err := makeFolder(filepath.Dir(f.path)); err != nil {
		return err
	}
	unlock, err := lock(f.stem() + ".lock")
	if err != nil {
		return err
	}
	defer unlock()
	document, _, err := f.read()
	if err != nil {
		return err
	}
	if document, err = edit(document); err != nil {
		return err
	}
	return f.replace(document)
}

func (f *File[T]) stem() string { return strings.TrimSuffix(f.path, ".json") }

// read returns the document and the state of the very file that it is from, nil
// where there is no file.
func (f *File[T]) read() (T, os.FileInfo, error) {
	var document, none T
	if info, err := os.Stat(f.path); err == nil && !info.Mode().IsRegular() {
		return none, nil, fmt.Errorf("%s is damaged: it is no file", f.path) // opening a pipe would wait for its writer
	}
	file, err := os.Open(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return none, nil, nil
	}
	if err != nil {
		return none, nil, err
	}
	defer func() { _ = file.Close() }() // only read
	info, err := file.Stat()
	if err != nil {
		return none, nil, err
	}
	if info.Size() > largest {
		return none, nil, fmt.Errorf("%s is damaged: it has %d bytes, and %d are the most", f.path, info.Size(), largest)
	}
	text, err := io.ReadAll(file)
	if err != nil {
		return none, nil, err
	}
	err = json.Unmarshal(text, &document)
	if err == nil && f.check != nil {
		err = f.check(document)
	}
	if err != nil {
		return none, nil, fmt.Errorf("%s is damaged: %w", f.path, err)
	}
	return document, info, nil
}

// replace writes a new file and puts it in place of the old one. What a crash
// can leave behind is a temporary file, which the next writer removes; it holds
// the lock, so nobody else is writing one.
func (f *File[T]) replace(document T) error {
	text, err := json.MarshalIndent(document, "", "  ")
	if err != nil {
		return err
	}
	folder, name := filepath.Split(f.path)
	pattern := "." + name + "-*"
	left, err := filepath.Glob(filepath.Join(folder, pattern))
	if err != nil {
		return err
	}
	for _, path := range left {
		_ = os.Remove(path) // in nobody's way if it stays
	}
	return replace(f.path, pattern, append(text, '\n'))
}

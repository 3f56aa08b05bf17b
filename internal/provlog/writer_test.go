package provlog

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// Half a line, which a crash or a full disk has left, spoils no other.
func TestATornLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "p.jsonl")
	w := open(t, Config{Path: path, MaxSize: 1e6})
	w.Record(made(1))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	tear := func() {
		f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteString(`{"time":"2026-01-02T03:04:05Z","request":"TORN`); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	tear()
	if n := len(find(t, At(path), Query{}, 10).Lines); n != 1 {
		t.Errorf("%d lines before", n)
	}
	w = open(t, Config{Path: path, MaxSize: 1e6})
	w.Record(made(2))
	tear() // another process has died
	w.Record(made(3))
	if n := len(find(t, At(path), Query{}, 10).Lines); n != 3 {
		t.Errorf("%d lines after", n)
	}
}

// Writers of several processes lose nothing, also while they close segments, and no
// line is in two places or in two pieces.
func TestManyWriters(t *testing.T) {
	path := filepath.Join(t.TempDir(), "p.jsonl")
	const writers, lines = 4, 800
	var all sync.WaitGroup
	for k := range writers {
		w := open(t, Config{Path: path, MaxSize: 100_000, MaxAge: 100 * 365 * 24 * time.Hour})
		all.Go(func() {
			for i := range lines {
				w.Record(made(k*lines + i))
			}
		})
	}
	all.Wait()
	seen := map[string]int{}
	if err := At(path).Each(t.Context(), Query{}, func(l Line) error { seen[l.Record.Request]++; return nil }); err != nil {
		t.Fatal(err)
	}
	if len(seen) != writers*lines {
		t.Errorf("%d lines, want %d", len(seen), writers*lines)
	}
	for request, n := range seen {
		if n != 1 {
			t.Fatalf("%s is there %d times", request, n)
		}
	}
	parts, err := segments(path)
	if err != nil || len(parts) < 5 {
		t.Errorf("%d segments %v", len(parts), err)
	}
}

// Somebody else's rotation, and what is removed, costs no line that comes after.
func TestTheFileIsTakenAway(t *testing.T) {
	path := filepath.Join(t.TempDir(), "p.jsonl")
	w := open(t, Config{Path: path, MaxSize: 1e6})
	w.Record(made(1))
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	w.Record(made(2))
	old, err := os.ReadFile(path + ".1")
	if err != nil || bytes.Count(old, []byte("\n")) != 1 {
		t.Errorf("%q %v", old, err)
	}
	if n := len(find(t, At(path), Query{}, 10).Lines); n != 1 {
		t.Errorf("%d lines", n)
	}
	if err := os.Truncate(path, 0); err != nil { // logrotate's copytruncate
		t.Fatal(err)
	}
	w.Record(made(3))
	if r := find(t, At(path), Query{}, 10); len(r.Lines) != 1 || r.Lines[0].Record.Request != made(3).Request {
		t.Errorf("%v", r.Lines)
	}
}

// Only the owner reads a log, and nobody has more rights to a file that was there.
func TestFileModes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "p.jsonl")
	w := open(t, Config{Path: path, MaxSize: 100_000, MaxAge: 100 * 365 * 24 * time.Hour})
	for i := range 1000 {
		w.Record(made(i))
	}
	for !tidied(t, w) {
	}
	files, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(files) < 5 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		info, err := f.Info()
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", f.Name(), info.Mode(), err)
		}
	}
	other := filepath.Join(t.TempDir(), "p.jsonl")
	if err := os.WriteFile(other, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	open(t, Config{Path: other, MaxSize: 1e6}).Record(made(1))
	if info, err := os.Stat(other); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("%v %v", info.Mode(), err)
	}
}

// A segment is closed for its age, and removed after a time.
func TestOldSegmentsGo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "p.jsonl")
	w := &Writer{cfg: Config{Path: path, MaxSize: 1e6, MaxAge: 90 * 24 * time.Hour}, done: map[string]bool{}, kick: make(chan struct{}, 1), stop: make(chan struct{})}
	now := start
	w.now = func() time.Time { return now }
	record := func() { r := made(0); r.Time = now; w.Record(r) }
	count := func() int {
		all, err := segments(path)
		if err != nil {
			t.Fatal(err)
		}
		return len(all)
	}
	record()
	now = now.Add(8 * 24 * time.Hour)
	record()
	if count() != 1 {
		t.Error("a young segment is closed")
	}
	now = now.Add(2 * 24 * time.Hour)
	w.closeOld() // nothing is written, and it is closed all the same
	if count() != 1 {
		t.Errorf("%d segments", count())
	}
	record()
	if count() != 2 {
		t.Errorf("%d segments", count())
	}
	now = now.Add(89 * 24 * time.Hour)
	if err := w.tidy(); err != nil || count() != 2 {
		t.Errorf("%d segments %v", count(), err)
	}
	now = now.Add(2 * 24 * time.Hour)
	if err := w.tidy(); err != nil || count() != 1 {
		t.Errorf("%d segments %v", count(), err)
	}
	left, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range left {
		if strings.HasPrefix(f.Name(), "p-") {
			t.Errorf("%s is left", f.Name())
		}
	}
}

// What happens to the disk is told once, and again when it is over; no call fails.
func TestADiskThatFails(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "folder", "p.jsonl")
	if err := os.WriteFile(filepath.Join(dir, "folder"), nil, 0o600); err != nil { // a file where a folder is to be
		t.Fatal(err)
	}
	var told []string
	w := open(t, Config{Path: path, MaxSize: 1e6, Report: func(lost int64, err error) { told = append(told, fmt.Sprint(lost, err != nil)) }})
	if w.Try() == nil {
		t.Error("it opens")
	}
	w.Record(made(1))
	w.Record(made(2))
	if lost, err := w.Lost(); lost != 2 || err == nil {
		t.Errorf("%d %v", lost, err)
	}
	if err := os.Remove(filepath.Join(dir, "folder")); err != nil {
		t.Fatal(err)
	}
	w.Record(made(3))
	if lost, err := w.Lost(); lost != 2 || err != nil {
		t.Errorf("%d %v", lost, err)
	}
	if got := fmt.Sprint(told); got != "[1 true 2 false]" {
		t.Error(got)
	}
	if n := len(find(t, At(path), Query{}, 10).Lines); n != 1 {
		t.Errorf("%d lines", n)
	}
}

// A disk without room for a line leaves the beginning of one, and the next lines are whole.
func TestAFullDisk(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("no /dev/full here")
	}
	path := filepath.Join(t.TempDir(), "p.jsonl")
	w := open(t, Config{Path: path, MaxSize: 1e6})
	w.Record(made(1))
	w.mu.Lock()
	good := w.file
	full, err := os.OpenFile("/dev/full", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	w.file = full
	w.mu.Unlock()
	w.Record(made(2))
	if lost, err := w.Lost(); lost != 1 || err == nil {
		t.Errorf("%d %v", lost, err)
	}
	w.mu.Lock()
	w.file = good
	w.mu.Unlock()
	_ = full.Close()
	w.Record(made(3))
	if n := len(find(t, At(path), Query{}, 10).Lines); n != 2 {
		t.Errorf("%d lines", n)
	}
}

// Whoever reads what is there and then follows sees every line once and in order,
// however much comes in between and whatever becomes of the file.
func TestFollow(t *testing.T) {
	for _, there := range []int{0, 1, 300, 700} { // lines before the place; the later ones in closed segments too
		path := filepath.Join(t.TempDir(), "p.jsonl")
		w := open(t, Config{Path: path, MaxSize: 50_000, MaxAge: 100 * 365 * 24 * time.Hour})
		write := func(from, to int) {
			for i := from; i < to; i++ {
				w.Record(made(i))
			}
		}
		write(0, there)
		if there == 0 {
			if err := os.Remove(path); err != nil && !gone(err) {
				t.Fatal(err)
			}
		}
		const n = 1000
		l := At(path)
		end, err := l.End()
		if err != nil {
			t.Fatal(err)
		}
		write(there, n/2+there/2) // segments are closed before anybody has read
		i := 0
		one := func(l Line) error {
			if l.Record.Request != made(i).Request {
				return fmt.Errorf("%s came, want %s", l.Record.Request, made(i).Request)
			}
			if i++; i == n {
				return errDone
			}
			return nil
		}
		if err := l.Before(end).Each(t.Context(), Query{}, one); err != nil || i != there {
			t.Fatalf("%d lines, want %d: %v", i, there, err)
		}
		if found, err := l.Before(end).Find(t.Context(), Query{}, n); err != nil || len(found.Lines) != there {
			t.Errorf("%d lines, want %d: %v", len(found.Lines), there, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
		result := make(chan error, 1)
		go func() { result <- l.Follow(ctx, Query{}, end, one) }()
		write(n/2+there/2, n)
		if err := <-result; !errors.Is(err, errDone) {
			t.Errorf("after %d: %v at %d", there, err, i)
		}
		cancel()
	}
}

var errDone = errors.New("done")

// What stands for a name tells nobody whose it is.
func TestNamesAreNotInTheLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "p.jsonl")
	r := made(1)
	r.DN, r.Names = "", []string{"Ann Canary"}
	open(t, Config{Path: path, MaxSize: 1e6}).Record(r)
	text, err := os.ReadFile(path)
	if err != nil || len(text) == 0 || bytes.Contains(bytes.ToLower(text), []byte("canary")) {
		t.Errorf("%s %v", text, err)
	}
	if n := len(find(t, At(path), Query{User: "ann  canary"}, 1).Lines); n != 1 {
		t.Errorf("%d lines", n)
	}
	if err := os.Remove(keyPath(path)); err != nil {
		t.Fatal(err)
	}
	if known, err := At(path).NamesKnown(); known || err != nil {
		t.Error(known, err)
	}
	if n := len(find(t, At(path), Query{User: "ann canary"}, 1).Lines); n != 0 {
		t.Error("found without the key")
	}
}

// A file without line ends, whoever made it, is not read into memory as a whole, and
// hides nothing that comes after it.
func TestAnEndlessLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "p.jsonl")
	if err := os.WriteFile(path, bytes.Repeat([]byte("x"), 3*longestLine), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	l := At(path)
	end, err := l.End()
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(made(7))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprintf(f, "\n%s\n", text); err != nil {
		t.Fatal(err)
	}
	read, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	s := Query{}.prepare(nil)
	blocks, err := s.candidates(read, path, 3*longestLine+int64(len(text))+2)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range blocks {
		if b.length > longestLine {
			t.Errorf("a block of %d bytes", b.length)
		}
	}
	found, err := l.Find(t.Context(), Query{}, 5)
	if err != nil || len(found.Lines) != 1 || found.Lines[0].Record.Request != made(7).Request {
		t.Errorf("%v %v", found, err)
	}
	follower := follower{log: l, search: s, each: func(line Line) error {
		if line.Record.Request != made(7).Request {
			t.Errorf("%s", line.Text)
		}
		return errDone
	}}
	file, err := l.openAt(end)
	if err != nil {
		t.Fatal(err)
	}
	follower.enter(file)
	defer follower.leave()
	if err := follower.drain(); !errors.Is(err, errDone) || len(follower.half) > 2*longestLine {
		t.Errorf("%d bytes are held, %v", len(follower.half), err)
	}
}

package provlog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// made is the i-th line of a log that is made up: a thousand people in turn, a line a
// second, every tenth failed, of two tenants.
func made(i int) Record {
	r := Record{
		Time: start.Add(time.Duration(i) * time.Second), Request: fmt.Sprintf("REQUEST%019d", i), Tenant: []string{"okta", "entra"}[i%2],
		Token: "a545f887073bf3ac", Address: "192.0.2.7", Method: "PATCH", Path: "/okta/scim/v2/Users/x", Operation: "patch", Status: 200, TookMS: 3.25,
		Attributes: []string{"cn", "sn", "mail"}, Attempts: 1,
	}
	person := i % 1000
	r.ID = fmt.Sprintf("0c105372-7b0c-1041-9a43-%012d", person)
	r.DN = fmt.Sprintf("uid=person%d,ou=people,dc=example,dc=org", person)
	r.Names = []string{fmt.Sprintf("person%d", person), fmt.Sprintf("Person%d@example.org", person), fmt.Sprintf("00u%d", person)}
	if i%10 == 0 {
		r.Status, r.ScimType, r.Reason = 409, "uniqueness", "the value of userName is taken"
	}
	return r
}

func open(t testing.TB, cfg Config) *Writer {
	t.Helper()
	if cfg.MaxAge == 0 {
		cfg.MaxAge = 90 * 24 * time.Hour
	}
	w := NewWriter(cfg)
	t.Cleanup(func() { _ = w.Close() })
	return w
}

// write makes a log of n lines in segments of a size, and closes it.
func write(t testing.TB, n int, size int64) Log {
	t.Helper()
	return writeAs(t, n, size, made)
}

func writeAs(t testing.TB, n int, size int64, made func(i int) Record) Log {
	t.Helper()
	path := filepath.Join(t.TempDir(), "log", "provisioning.jsonl")
	w := open(t, Config{Path: path, MaxSize: size, MaxAge: 100 * 365 * 24 * time.Hour})
	for i := range n {
		w.Record(made(i))
	}
	for !tidied(t, w) { // the writer's own look at it may be under way
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if lost, err := w.Lost(); lost != 0 || err != nil {
		t.Fatal(lost, err)
	}
	return At(path)
}

// tidied brings all indexes up to date, alone among those who do so.
func tidied(t testing.TB, w *Writer) bool {
	release, ok, err := tryLock(w.cfg.Path, indexing)
	if err != nil {
		t.Fatal(err)
	}
	if !ok {
		return false
	}
	defer release()
	all, err := segments(w.cfg.Path)
	for _, s := range all {
		err = errors.Join(err, catchUp(s, func() bool { return false }))
	}
	if err != nil {
		t.Fatal(err)
	}
	return true
}

func find(t testing.TB, l Log, q Query, limit int) Result {
	t.Helper()
	r, err := l.Find(context.Background(), q, limit)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Every kind of question finds exactly the lines that going through all of them
// finds, in a log of several segments.
func TestFindsWhatIsThere(t *testing.T) {
	const n = 4000
	l := write(t, n, 600_000)
	if all, _ := segments(l.path); len(all) < 3 {
		t.Fatalf("%d segments", len(all))
	}
	for name, c := range map[string]struct {
		q     Query
		match func(i int) bool
	}{
		"all":          {Query{}, func(int) bool { return true }},
		"tenant":       {Query{Tenant: "entra"}, func(i int) bool { return i%2 == 1 }},
		"id":           {Query{User: "0C105372-7b0c-1041-9a43-000000000007"}, func(i int) bool { return i%1000 == 7 }},
		"dn":           {Query{User: "UID=person7,ou=people,dc=example,dc=org"}, func(i int) bool { return i%1000 == 7 }},
		"name":         {Query{User: "person7"}, func(i int) bool { return i%1000 == 7 }},
		"mail":         {Query{User: " person7@EXAMPLE.org"}, func(i int) bool { return i%1000 == 7 }},
		"nobody":       {Query{User: "person"}, func(int) bool { return false }},
		"failed":       {Query{Failed: true}, func(i int) bool { return i%10 == 0 }},
		"status":       {Query{StatusFrom: 409, StatusTo: 409}, func(i int) bool { return i%10 == 0 }},
		"class":        {Query{StatusFrom: 200, StatusTo: 299}, func(i int) bool { return i%10 != 0 }},
		"operation":    {Query{Operation: "delete"}, func(int) bool { return false }},
		"request":      {Query{Request: made(1234).Request}, func(i int) bool { return i == 1234 }},
		"time":         {Query{Since: made(100).Time, Until: made(200).Time}, func(i int) bool { return i >= 100 && i < 200 }},
		"user failed":  {Query{User: "person10", Failed: true, Since: made(3000).Time}, func(i int) bool { return i%1000 == 10 && i >= 3000 }},
		"tenant since": {Query{Tenant: "okta", Since: made(3990).Time}, func(i int) bool { return i%2 == 0 && i >= 5990 }},
	} {
		t.Run(name, func(t *testing.T) {
			var want, each []string
			for i := range n {
				if c.match(i) {
					want = append(want, made(i).Request)
				}
			}
			if err := l.Each(t.Context(), c.q, func(line Line) error { each = append(each, line.Record.Request); return nil }); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(each, want) {
				t.Errorf("Each: %d lines, want %d", len(each), len(want))
			}
			const limit = 20
			r := find(t, l, c.q, limit)
			var got []string
			for _, line := range r.Lines {
				got = append(got, line.Record.Request)
			}
			if newest := want[max(0, len(want)-limit):]; !slices.Equal(got, newest) {
				t.Errorf("Find: %v, want %v", got, newest)
			}
			if more := max(0, len(want)-limit); r.More != more || r.AtLeast {
				t.Errorf("more: %d (at least: %v), want %d", r.More, r.AtLeast, more)
			}
		})
	}
}

// Whatever is done to an index, the answers are the same, and a writer mends it.
func TestIndexesAreMadeAgain(t *testing.T) {
	l := write(t, 3000, 600_000)
	q := Query{User: "person7"}
	want := find(t, l, q, 100)
	if len(want.Lines) != 3 {
		t.Fatalf("%d lines", len(want.Lines))
	}
	all, err := segments(l.path)
	if err != nil {
		t.Fatal(err)
	}
	indexes := func() string {
		text := ""
		for _, s := range all {
			b, err := os.ReadFile(indexPath(s.path))
			if err != nil {
				t.Fatal(err)
			}
			text += string(b)
		}
		return text
	}
	good := indexes()
	for name, spoil := range map[string]func(path string, text []byte) error{
		"missing": func(path string, _ []byte) error { return os.Remove(path) },
		"empty":   func(path string, _ []byte) error { return os.WriteFile(path, nil, 0o600) },
		"short":   func(path string, b []byte) error { return os.WriteFile(path, b[:len(b)-100], 0o600) },
		"header":  func(path string, b []byte) error { b[preambleBytes+8] ^= 1; return os.WriteFile(path, b, 0o600) },
		"filter": func(path string, b []byte) error {
			clear(b[preambleBytes+headerBytes : preambleBytes+entryBytes])
			return os.WriteFile(path, b, 0o600)
		},
		"another's": func(path string, b []byte) error { b[10] ^= 1; return os.WriteFile(path, b, 0o600) },
		"longer":    func(path string, b []byte) error { return os.WriteFile(path, append(b, b[preambleBytes:]...), 0o600) },
	} {
		t.Run(name, func(t *testing.T) {
			for _, s := range all {
				text, err := os.ReadFile(indexPath(s.path))
				if err != nil {
					t.Fatal(err)
				}
				if len(text) <= preambleBytes { // of the current one, which is short
					continue
				}
				if err := spoil(indexPath(s.path), text); err != nil {
					t.Fatal(err)
				}
			}
			if got := find(t, l, q, 100); len(got.Lines) != 3 {
				t.Errorf("%d lines", len(got.Lines))
			}
			w := open(t, Config{Path: l.path, MaxSize: 1e9, MaxAge: 100 * 365 * 24 * time.Hour})
			for !tidied(t, w) {
			}
			if indexes() != good {
				t.Error("the index is not as it was")
			}
		})
	}
}

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

// A follower sees every line once and in order, whatever becomes of the file.
func TestFollow(t *testing.T) {
	path := filepath.Join(t.TempDir(), "p.jsonl")
	w := open(t, Config{Path: path, MaxSize: 50_000, MaxAge: 100 * 365 * 24 * time.Hour})
	w.Record(made(0))
	const n = 1000
	done := errors.New("done")
	got := make(chan int, n+1)
	result := make(chan error, 1)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	go func() {
		i := 0
		result <- At(path).Follow(ctx, Query{}, func(l Line) error {
			if i == 0 {
				for l.Record.Request != made(i).Request {
					i++
				}
			}
			if l.Record.Request != made(i).Request {
				return fmt.Errorf("%s came, want %s", l.Record.Request, made(i).Request)
			}
			if i++; i >= n {
				return done
			}
			got <- i
			return nil
		})
	}()
	first := 1 // lines come until the follower has begun, and then all are to be seen
	for len(got) == 0 {
		if first < n/2 {
			w.Record(made(first))
			first++
		}
		time.Sleep(time.Millisecond)
		if ctx.Err() != nil {
			t.Fatal("the follower sees nothing")
		}
	}
	for i := first; i < n; i++ {
		w.Record(made(i))
	}
	if err := <-result; !errors.Is(err, done) {
		t.Error(err)
	}
}

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

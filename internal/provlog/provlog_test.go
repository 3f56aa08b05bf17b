package provlog

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
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
		"tenant since": {Query{Tenant: "okta", Since: made(3990).Time}, func(i int) bool { return i%2 == 0 && i >= 3990 }},
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

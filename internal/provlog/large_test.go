//go:build large

package provlog

import (
	"context"
	"testing"
	"time"
)

const million = 1_000_000

// The lines of one person are found in a million by reading a few of them, and so
// is everything else that is asked for by name; how long it takes is written down and
// decides nothing.
func TestAMillionLines(t *testing.T) {
	begun := time.Now()
	l := writeAs(t, million, 100e6, func(i int) Record {
		r := made(i)
		if i%50_000 == 77 { // twenty lines of one person among many others
			r.Names, r.ID, r.DN = []string{"needle"}, "", "uid=needle,ou=people,dc=example,dc=org"
		}
		return r
	})
	t.Logf("%d lines written in %v", million, time.Since(begun))
	day := made(million - 86_400).Time
	for name, c := range map[string]struct {
		q            Query
		lines, bytes int // found, and read at most
	}{
		"user of the last day": {Query{User: "needle", Since: day}, 1, 4 * blockBytes},
		"user":                 {Query{User: "needle"}, 20, 30 * blockBytes},
		"nobody":               {Query{User: "nobody"}, 0, 12 * blockBytes},
		"request":              {Query{Request: made(123_456).Request}, 1, 12 * blockBytes},
		"failed":               {Query{Failed: true}, 50, 2 * blockBytes},
		"newest":               {Query{}, 50, 2 * blockBytes},
		"one minute":           {Query{Since: made(500_000).Time, Until: made(500_060).Time}, 50, 3 * blockBytes},
	} {
		asked := time.Now()
		r, err := l.Find(context.Background(), c.q, 50)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%-20s %d lines of %d looked at, %d KiB, in %v", name, len(r.Lines), r.Work.Lines, r.Work.Bytes>>10, time.Since(asked))
		if len(r.Lines) != c.lines || r.Work.Bytes > int64(c.bytes)+blockBytes { // and what no index speaks of yet
			t.Errorf("%s: %d lines, %d bytes read; want %d, at most %d", name, len(r.Lines), r.Work.Bytes, c.lines, c.bytes)
		}
	}
}

// BenchmarkFind asks for a person of whom a thousand lines are spread over a million.
func BenchmarkFind(b *testing.B) {
	l := write(b, million, 100e6)
	since := made(million - 86_400).Time
	for b.Loop() {
		if r := find(b, l, Query{User: "person7", Since: since}, 50); len(r.Lines) != 50 {
			b.Fatal(len(r.Lines))
		}
	}
}

// BenchmarkRecord writes lines.
func BenchmarkRecord(b *testing.B) {
	w := open(b, Config{Path: b.TempDir() + "/p.jsonl", MaxSize: 100e6, MaxAge: 100 * 365 * 24 * time.Hour})
	for i := 0; b.Loop(); i++ {
		w.Record(made(i))
	}
}

package brake

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
	"pgregory.net/rapid"
)

var fifty = Limit{Changes: 50, Per: 10 * time.Minute}

// brakeAt returns a brake over a folder, whose clock a test can move, and its log.
func brakeAt(dir string, l Limit) (*Brake, *time.Time, *observer.ObservedLogs) {
	core, log := observer.New(zap.InfoLevel)
	b := New(dir, "okta", l, zap.New(core))
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	b.now = func() time.Time { return now }
	return b, &now, log
}

// takes takes n and says whether they passed; a refusal has to be alone or not.
func takes(t *testing.T, b *Brake, n int, pass, alone bool) Receipt {
	t.Helper()
	r, err := b.Take(n)
	var refused *Refused
	if pass != (err == nil) || err != nil && (!errors.As(err, &refused) || refused.Alone != alone) {
		t.Fatalf("%d changes: %v, wanted pass=%v alone=%v", n, err, pass, alone)
	}
	return r
}

// Past the limit the brake is on, also for a gateway that starts later and however
// much time goes by, until somebody releases it.
func TestTheBrakeStaysOnUntilReleased(t *testing.T) {
	dir := t.TempDir()
	b, now, log := brakeAt(dir, fifty)
	takes(t, b, 30, true, false)
	takes(t, b, 20, true, false)
	takes(t, b, 0, true, false)
	takes(t, b, 1, false, false)
	*now = now.Add(100 * time.Hour)
	takes(t, b, 1, false, false)
	later, clock, _ := brakeAt(dir, fifty)
	*clock = *now
	takes(t, later, 1, false, false)
	if s, err := Read(dir, "okta", fifty, *now); err != nil || s.Tripped.IsZero() || s.Used != 0 {
		t.Errorf("%+v %v", s, err)
	}
	if err := Release(dir, "okta", *now, 0, time.Time{}); err != nil {
		t.Fatal(err)
	}
	b.Look()
	takes(t, later, 50, true, false)
	takes(t, b, 1, false, false)
	var told []string
	for _, e := range log.All() {
		told = append(told, e.Level.String()+" "+e.Message[:min(len(e.Message), 24)])
	}
	if len(told) != 3 || told[0] != "warn the brake is on: deactiv" || told[1] != "info the brake was released" || told[2] != told[0] {
		t.Errorf("%q", told)
	}
}

// What is too much by itself is refused and does not bring the brake on: nothing
// came of it.
func TestTooMuchAtOnce(t *testing.T) {
	dir := t.TempDir()
	b, now, _ := brakeAt(dir, fifty)
	takes(t, b, 51, false, true)
	if b.Fits(51) == nil || b.Fits(50) != nil {
		t.Error("Fits says something else")
	}
	takes(t, b, 50, true, false)
	if err := Release(dir, "okta", *now, 60, now.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if b.Fits(60) != nil || b.Fits(61) == nil {
		t.Error("Fits does not know of the allowance")
	}
	takes(t, b, 61, false, true)
	r := takes(t, b, 60, true, false)
	takes(t, b, 60, false, true)
	b.GiveBack(r)
	takes(t, b, 10, true, false)
	if s := b.State(); s.Allowed != 50 || s.Used != 0 {
		t.Errorf("%+v", s)
	}
	*now = now.Add(time.Hour) // it is over
	takes(t, b, 50, true, false)
	takes(t, b, 50, false, false)
}

// What is given back can be taken again, once.
func TestGiveBack(t *testing.T) {
	b, _, _ := brakeAt(t.TempDir(), fifty)
	r := takes(t, b, 50, true, false)
	b.GiveBack(r)
	b.GiveBack(r)
	b.GiveBack(Receipt{})
	takes(t, b, 50, true, false)
	takes(t, b, 1, false, false)
}

// However many gateways count at the same time, no more than the limit pass.
func TestManyAtOnce(t *testing.T) {
	dir := t.TempDir()
	l := Limit{Changes: 40, Per: time.Hour}
	var passed atomic.Int64
	var all sync.WaitGroup
	for range 4 {
		b := New(dir, "okta", l, zap.NewNop())
		for range 8 {
			all.Go(func() {
				for range 4 {
					if _, err := b.Take(1); err == nil {
						passed.Add(1)
					}
				}
			})
		}
	}
	all.Wait()
	if passed.Load() != 40 {
		t.Errorf("%d passed, wanted 40", passed.Load())
	}
}

// A file that cannot be read stops nobody from being deactivated, and does not
// end the count either: the gateway goes on with what it knows, says so once, and
// what it counted comes into the file when it can.
func TestWithoutItsFile(t *testing.T) {
	dir := t.TempDir()
	b, now, log := brakeAt(dir, fifty)
	takes(t, b, 20, true, false)
	path := filepath.Join(dir, "brake", "okta.json")
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := takes(t, b, 10, true, false)
	b.GiveBack(r)
	takes(t, b, 20, true, false)
	takes(t, b, 11, false, false)
	takes(t, b, 1, false, false)
	if s := b.State(); s.Err == nil || s.Used != 40 || s.Tripped.IsZero() {
		t.Errorf("%+v", s)
	}
	if _, err := Read(dir, "okta", fifty, *now); err == nil {
		t.Error("the damaged file is read")
	}
	if n := log.FilterMessageSnippet("cannot be read or written").Len(); n != 1 {
		t.Errorf("%d lines say so", n)
	}
	if err := os.WriteFile(path, good, 0o600); err != nil {
		t.Fatal(err)
	}
	takes(t, b, 1, false, false)
	if s, err := Read(dir, "okta", fifty, *now); err != nil || s.Used != 40 || s.Tripped.IsZero() {
		t.Errorf("in the file: %+v %v", s, err)
	}
	*now = now.Add(time.Minute)
	if err := Release(dir, "okta", *now, 0, time.Time{}); err != nil {
		t.Fatal(err)
	}
	takes(t, b, 50, true, false)
}

// Under another limit what was counted counts, also what is in no file yet.
func TestUnderAnotherLimit(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "brake"), nil, 0o600); err != nil { // where the folder should be
		t.Fatal(err)
	}
	b, _, log := brakeAt(dir, fifty)
	takes(t, b, 40, true, false)
	b = b.Under(Limit{Changes: 45, Per: fifty.Per})
	takes(t, b, 46, false, true)
	takes(t, b, 5, true, false)
	takes(t, b.Under(fifty), 6, false, false)
	if n := log.FilterMessageSnippet("cannot be read or written").Len(); n != 1 {
		t.Errorf("%d lines say that the file cannot be used", n)
	}
	if n := log.FilterMessageSnippet("the brake is on").Len(); n != 1 {
		t.Errorf("%d lines say that it is on", n)
	}
}

// Whatever comes when, no window of the limit's time has more than the limit, and
// what is kept stays small.
func TestNoWindowHasMore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := Limit{Changes: 20, Per: time.Minute}
		type pass struct {
			at time.Time
			n  int
		}
		var passed []pass
		now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		var d document
		for range rapid.IntRange(1, 200).Draw(t, "requests") {
			now = now.Add(time.Duration(rapid.IntRange(0, 20_000).Draw(t, "ms")) * time.Millisecond)
			n := rapid.IntRange(1, 22).Draw(t, "n")
			next, v := d.take(l, now, n)
			if v == trips { // whoever released it meant the count to begin anew; here it goes on
				next.Tripped = time.Time{}
			}
			d = next
			if v == counted {
				passed = append(passed, pass{now, n})
			}
			sum := 0
			for _, p := range passed {
				if now.Sub(p.at) < l.Per {
					sum += p.n
				}
			}
			if sum > l.Changes {
				t.Fatalf("%d changes in %s", sum, l.Per)
			}
			if len(d.Counts) > parts+1 {
				t.Fatalf("%d counts are kept", len(d.Counts))
			}
			if n > l.Changes && v != alone {
				t.Fatalf("%d at once: %v", n, v)
			}
		}
	})
}

// One part after the end of the time all is free again.
func TestTheWindowSlides(t *testing.T) {
	b, now, _ := brakeAt(t.TempDir(), fifty)
	takes(t, b, 25, true, false)
	*now = now.Add(5 * time.Minute)
	takes(t, b, 25, true, false)
	*now = now.Add(5*time.Minute + fifty.Per/parts)
	takes(t, b, 25, true, false)
	if s := b.State(); s.Used != 50 {
		t.Errorf("%d used", s.Used)
	}
}

func BenchmarkTake(b *testing.B) {
	br := New(b.TempDir(), "okta", Limit{Changes: 1 << 40, Per: time.Minute}, zap.NewNop())
	for b.Loop() {
		if _, err := br.Take(1); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRefused(b *testing.B) {
	dir := b.TempDir()
	br := New(dir, "okta", Limit{Changes: 1, Per: time.Minute}, zap.NewNop())
	for range 2 {
		_, _ = br.Take(1)
	}
	for b.Loop() {
		if _, err := br.Take(1); err == nil {
			b.Fatal("it passes")
		}
	}
}

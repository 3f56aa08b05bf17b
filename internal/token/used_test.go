package token

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// used opens the last uses of a tenant with two tokens, as a gateway of its own.
func used(t *testing.T, dir string) (*Uses, *File) {
	t.Helper()
	f := Open(dir, "okta")
	return OpenUses(dir, "okta", f), f
}

func last(t *testing.T, u *Uses) map[string]time.Time {
	t.Helper()
	all, err := u.Last()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// Of gateways that share the folder the latest use of each token wins, in whatever
// order they write.
func TestTheLatestUseWins(t *testing.T) {
	dir := t.TempDir()
	a, f := used(t, dir)
	b, _ := used(t, dir)
	_, one := create(t, f, start, time.Hour, 2)
	_, two := create(t, f, start, time.Hour, 2)
	a.Note(one.ID, start.Add(2*time.Minute))
	b.Note(one.ID, start.Add(time.Minute))
	b.Note(two.ID, start.Add(3*time.Minute))
	for _, u := range []*Uses{a, b} {
		if err := u.Keep(start.Add(4 * time.Minute)); err != nil {
			t.Fatal(err)
		}
	}
	got := last(t, a)
	if len(got) != 2 || !got[one.ID].Equal(start.Add(2*time.Minute)) || !got[two.ID].Equal(start.Add(3*time.Minute)) {
		t.Errorf("kept are %v", got)
	}
	info, err := os.Stat(filepath.Join(dir, "used", "okta.json"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
}

// A thousand requests in a minute are two writes at most.
func TestUsesAreWrittenSeldom(t *testing.T) {
	u, f := used(t, t.TempDir())
	_, one := create(t, f, start, time.Hour, 2)
	writes := 0
	for second := range 1000 {
		now := start.Add(time.Duration(second) * time.Second)
		u.Note(one.ID, now)
		select {
		case <-u.Due():
			writes++
			if err := u.Keep(now); err != nil {
				t.Fatal(err)
			}
		default:
		}
	}
	if writes != 17 { // at once, and then one a minute
		t.Errorf("%d writes in 1000 seconds", writes)
	}
	if got := last(t, u)[one.ID]; !got.Equal(start.Add(960 * time.Second)) {
		t.Errorf("kept is %s", got)
	}
	if err := u.Keep(start.Add(1000 * time.Second)); err != nil { // a clean stop
		t.Fatal(err)
	}
	if got := last(t, u)[one.ID]; !got.Equal(start.Add(999 * time.Second)) {
		t.Errorf("kept is %s after the stop", got)
	}
}

// What cannot be written is kept for later, is not tried at every request, and a
// later use is not forgotten for an earlier one.
func TestUsesThatCannotBeWritten(t *testing.T) {
	dir := t.TempDir()
	u, f := used(t, dir)
	_, one := create(t, f, start, time.Hour, 2)
	inTheWay := filepath.Join(dir, "used")
	if err := os.WriteFile(inTheWay, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	u.Note(one.ID, start)
	<-u.Due()
	if err := u.Keep(start); err == nil {
		t.Fatal("it was written")
	}
	u.Note(one.ID, start.Add(time.Second))
	select {
	case <-u.Due():
		t.Error("the next request tries again")
	default:
	}
	if err := os.Remove(inTheWay); err != nil {
		t.Fatal(err)
	}
	if err := u.Keep(start.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if got := last(t, u)[one.ID]; !got.Equal(start.Add(time.Second)) {
		t.Errorf("kept is %s", got)
	}
}

// Uses of tokens that are gone are forgotten, and ids that are no token's never
// remembered.
func TestTheMemoryHasTheSizeOfTheTokenFile(t *testing.T) {
	u, f := used(t, t.TempDir())
	_, one := create(t, f, start, time.Hour, 2)
	u.Note(one.ID, start)
	u.Note("oidc:ann", start)
	if err := u.Keep(start); err != nil {
		t.Fatal(err)
	}
	if got := last(t, u); len(got) != 1 || len(u.written) != 1 {
		t.Errorf("kept are %v, remembered %v", got, u.written)
	}
	for i := range 10 * notedMost {
		u.Note(fmt.Sprint("oidc:", i), start)
	}
	if len(u.noted) != notedMost {
		t.Errorf("%d ids are noted, want %d", len(u.noted), notedMost)
	}
	if err := u.Keep(start); err != nil {
		t.Fatal(err)
	}
	if got := last(t, u); len(got) != 1 || len(u.noted) != 0 {
		t.Errorf("kept are %v, noted %v", got, u.noted)
	}
	_, fresh := create(t, f, start, time.Hour, 2)
	u.Note(fresh.ID, start) // in the moment after it was made
	if err := u.Keep(start); err != nil {
		t.Fatal(err)
	}
	if got := last(t, u); len(got) != 2 {
		t.Errorf("kept are %v", got)
	}
	if err := f.Revoke(fresh.ID); err != nil {
		t.Fatal(err)
	}
	_, two, _, err := f.Make(start, Order{Lifetime: 100 * time.Hour, Most: 1, Replace: true})
	if err != nil {
		t.Fatal(err)
	}
	other := OpenUses(filepath.Dir(filepath.Dir(u.document.Path())), "okta", f)
	for i, hour := range []int{1, 25} { // another gateway may know the first one still
		now := start.Add(time.Duration(hour) * time.Hour)
		other.Note(two.ID, now)
		if err := other.Keep(now); err != nil {
			t.Fatal(err)
		}
		if got := last(t, other); len(got) != 3-2*i {
			t.Errorf("after %d hours: %v", hour, got)
		}
	}
}

func TestNotingWhileKeeping(t *testing.T) {
	u, f := used(t, t.TempDir())
	_, one := create(t, f, start, time.Hour, 2)
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			for i := range 200 {
				u.Note(one.ID, start.Add(time.Duration(i)*time.Second))
			}
		})
	}
	wait.Go(func() {
		for i := range 20 {
			if err := u.Keep(start.Add(time.Duration(i) * time.Second)); err != nil {
				t.Error(err)
			}
		}
	})
	wait.Wait()
	if err := u.Keep(start.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if got := last(t, u)[one.ID]; !got.Equal(start.Add(199 * time.Second)) {
		t.Errorf("kept is %s", got)
	}
}

package token

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// A token that replaces the others leaves no moment with two, nor one with none: it
// is one write.
func TestATokenReplacesTheOthersInOneWrite(t *testing.T) {
	f := Open(t.TempDir(), "okta")
	first, one := create(t, f, start, time.Hour, 2)
	second, two := create(t, f, start, time.Hour, 2)
	ann, _, err := createFor(f, "ann@example.org")
	if err != nil {
		t.Fatal(err)
	}
	v := eager(f)
	text, made, replaced, err := f.Make(start, Order{Lifetime: time.Hour, Most: 1, Replace: true})
	if err != nil {
		t.Fatal(err)
	}
	if len(replaced) != 2 || replaced[0].ID != one.ID || replaced[1].ID != two.ID {
		t.Errorf("replaced are %v", replaced)
	}
	wanted(t, v, text, start, true)
	wanted(t, v, first, start, false)
	wanted(t, v, second, start, false)
	wanted(t, v, ann, start, true) // she is another subject
	all, err := f.List()
	if err != nil || len(all) != 2 || all[1].ID != made.ID {
		t.Errorf("kept are %v, %v", all, err)
	}
	// And hers replaces hers alone.
	if _, _, replaced, err = f.Make(start, Order{Subject: "ann@example.org", Lifetime: time.Hour, Most: 1, Replace: true}); err != nil || len(replaced) != 1 {
		t.Fatal(replaced, err)
	}
	wanted(t, v, text, start, true)
	wanted(t, v, ann, start, false)
}

// A token is close to its end in its last third, and not before the time that the
// tenant wants to be warned.
func TestATokenIsCloseToItsEnd(t *testing.T) {
	const day = 24 * time.Hour
	for _, tc := range []struct {
		life, age, warn time.Duration
		want            bool
	}{
		{365 * day, 300 * day, 30 * day, false},
		{365 * day, 335 * day, 30 * day, false},
		{365 * day, 335*day + 1, 30 * day, true},
		{365 * day, 364 * day, 30 * day, true},
		{365 * day, 365 * day, 30 * day, false}, // it is over
		{30 * day, 0, 30 * day, false},
		{30 * day, 19 * day, 30 * day, false},
		{30 * day, 21 * day, 30 * day, true},
		{day, time.Hour, 30 * day, false},
		{day, 20 * time.Hour, 30 * day, true},
		{day, 20 * time.Hour, time.Hour, false},
	} {
		token := Token{Created: start, Expires: start.Add(tc.life)}
		if got := token.Ending(start.Add(tc.age), tc.warn); got != tc.want {
			t.Errorf("of %s after %s with %s: %v", tc.life, tc.age, tc.warn, got)
		}
	}
}

// What is made elsewhere is read and never written.
func TestAGivenFileIsNotChanged(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "okta.json")
	text, made := create(t, At(path, "okta"), start, time.Hour, 2)
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	f := Of("elsewhere", "okta", path)
	wanted(t, eager(f), text, start, true)
	if _, _, err := f.Create(start, time.Hour, 2, ""); !errors.Is(err, ErrGiven) {
		t.Errorf("create: %v", err)
	}
	if err := f.Revoke(made.ID); !errors.Is(err, ErrGiven) {
		t.Errorf("revoke: %v", err)
	}
	after, err := os.ReadFile(path)
	if err != nil || string(after) != string(before) {
		t.Errorf("the file is now %q, error %v", after, err)
	}
}

// A secret that Kubernetes mounts is a link to a link to a folder, and the one in
// the middle is exchanged. Names, and the size of the file, stay the same.
func TestASecretThatIsExchangedIsNoticed(t *testing.T) {
	dir := t.TempDir()
	mount := func(version string) (text string) {
		folder := filepath.Join(dir, "..2026_"+version)
		text, _ = create(t, At(filepath.Join(folder, "okta.json"), "okta"), start, time.Hour, 2)
		if err := os.Chtimes(filepath.Join(folder, "okta.json"), start, start); err != nil { // as an archive would have it
			t.Fatal(err)
		}
		fresh := filepath.Join(dir, "..data_tmp")
		if err := os.Symlink("..2026_"+version, fresh); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(fresh, filepath.Join(dir, "..data")); err != nil {
			t.Fatal(err)
		}
		return text
	}
	first := mount("1")
	path := filepath.Join(dir, "okta.json")
	if err := os.Symlink("..data/okta.json", path); err != nil {
		t.Fatal(err)
	}
	v := NewVerifier(Given(path, "okta"))
	until(t, v, first, true)
	second := mount("2")
	if err := os.RemoveAll(filepath.Join(dir, "..2026_1")); err != nil {
		t.Fatal(err)
	}
	until(t, v, second, true)
	until(t, v, first, false)
}

// Whoever has just been given a token need not wait until the file is looked at.
func TestANewTokenIsGoodAtOnce(t *testing.T) {
	f := Open(t.TempDir(), "okta")
	v := NewVerifier(f)
	wanted(t, v, "x", start, false) // the file was looked at now
	text, _ := create(t, f, start, time.Hour, 2)
	wanted(t, v, text, start, true)
}

func TestLiveTokensAreListed(t *testing.T) {
	f := Open(t.TempDir(), "okta")
	create(t, f, start, time.Hour, 2)
	_, long := create(t, f, start, 3*time.Hour, 2)
	live, err := eager(f).Live(start.Add(2 * time.Hour))
	if err != nil || len(live) != 1 || live[0].ID != long.ID {
		t.Errorf("%v %v", live, err)
	}
}

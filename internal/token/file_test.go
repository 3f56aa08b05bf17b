package token

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// create makes a token that must be possible.
func create(t *testing.T, f *File, now time.Time, lifetime time.Duration, most int) (string, Token) {
	t.Helper()
	text, token, err := f.Create(now, lifetime, most, "test")
	if err != nil {
		t.Fatal(err)
	}
	return text, token
}

func TestTheTextOfATokenIsNotKept(t *testing.T) {
	dir := t.TempDir()
	text, token := create(t, Open(dir, "okta"), start, time.Hour, 2)
	if !strings.HasPrefix(text, "scimgate_"+token.ID+"_") || len(text) != len("scimgate_")+16+1+64 {
		t.Errorf("the text %q has another form", text)
	}
	kept, err := os.ReadFile(filepath.Join(dir, "tokens", "okta.json"))
	if err != nil {
		t.Fatal(err)
	}
	secret := text[strings.LastIndex(text, "_")+1:]
	if strings.Contains(string(kept), secret) {
		t.Errorf("the file holds the secret: %s", kept)
	}
	if !strings.Contains(string(kept), token.Hash) {
		t.Errorf("the file lacks the hash %s: %s", token.Hash, kept)
	}
}

func TestOnlyTheOwnerCanReadWhatIsKept(t *testing.T) {
	dir := t.TempDir()
	create(t, Open(dir, "okta"), start, time.Hour, 2)
	for name, want := range map[string]os.FileMode{
		"tokens": 0o700, "tokens/okta.json": 0o600, "tokens/okta.lock": 0o600,
	} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != want {
			t.Errorf("%s has the mode %o, wanted %o", name, info.Mode().Perm(), want)
		}
	}
}

func TestWhatRootMakesBelongsToTheServiceAccount(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give files away")
	}
	dir := t.TempDir()
	if err := os.Chown(dir, 4711, 4712); err != nil {
		t.Fatal(err)
	}
	create(t, Open(dir, "okta"), start, time.Hour, 2)
	for _, name := range []string{"tokens", "tokens/okta.json", "tokens/okta.lock"} {
		if got := owner(t, filepath.Join(dir, name)); got != "4711:4712" {
			t.Errorf("%s belongs to %s", name, got)
		}
	}
}

func TestAFullTenantGetsNoFurtherToken(t *testing.T) {
	f := Open(t.TempDir(), "okta")
	create(t, f, start, time.Hour, 2)
	_, second := create(t, f, start, 2*time.Hour, 2)
	if _, _, err := f.Create(start, time.Hour, 2, ""); !errors.Is(err, ErrTooMany) {
		t.Fatalf("error %v, wanted ErrTooMany", err)
	}
	// An expired token makes room, and so does a revoked one.
	create(t, f, start.Add(90*time.Minute), time.Hour, 2)
	if err := f.Revoke(second.ID); err != nil {
		t.Fatal(err)
	}
	create(t, f, start.Add(90*time.Minute), time.Hour, 2)
	tokens, err := f.List()
	if err != nil {
		t.Fatal(err)
	}
	if len(tokens) != 2 {
		t.Errorf("%d tokens are kept, wanted 2: %v", len(tokens), tokens)
	}
}

func TestRevokingAnUnknownTokenSaysSo(t *testing.T) {
	f := Open(t.TempDir(), "okta")
	if err := f.Revoke("00"); !errors.Is(err, ErrNotFound) {
		t.Errorf("error %v, wanted ErrNotFound", err)
	}
}

func TestALifetimeOfNothingIsRefused(t *testing.T) {
	f := Open(t.TempDir(), "okta")
	if _, _, err := f.Create(start, 0, 2, ""); err == nil {
		t.Error("a token that is never live was made")
	}
	if _, err := f.Set(start, "", time.Hour, ""); err == nil {
		t.Error("an empty token was made")
	}
}

func TestAGivenTextIsSetOnce(t *testing.T) {
	f := Open(t.TempDir(), "demo")
	first, err := f.Set(start, "s3cret", time.Hour, "demo")
	if err != nil {
		t.Fatal(err)
	}
	second, err := f.Set(start.Add(time.Minute), "s3cret", time.Hour, "demo")
	if err != nil {
		t.Fatal(err)
	}
	if first.ID != second.ID {
		t.Errorf("the ids are %s and %s", first.ID, second.ID)
	}
	tokens, err := f.List()
	if err != nil {
		t.Fatal(err)
	}
	if len(tokens) != 1 || !tokens[0].Expires.Equal(start.Add(61*time.Minute)) {
		t.Errorf("kept %v", tokens)
	}
}

func TestTokensMadeAtOnceAreAllKept(t *testing.T) {
	const makers = 16
	dir := t.TempDir()
	var wait sync.WaitGroup
	for i := range makers {
		wait.Go(func() {
			// Each its own File, as each command is its own process.
			if _, _, err := Open(dir, "okta").Create(start, time.Hour, makers, fmt.Sprint(i)); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	tokens, err := Open(dir, "okta").List()
	if err != nil {
		t.Fatal(err)
	}
	labels := map[string]bool{}
	for _, token := range tokens {
		labels[token.Label] = true
	}
	if len(labels) != makers {
		t.Errorf("%d of %d tokens are kept", len(labels), makers)
	}
}

func TestACrashInMidWriteLosesNothing(t *testing.T) {
	// A crash between writing and renaming leaves a half temporary file behind.
	dir := t.TempDir()
	f := Open(dir, "okta")
	text, _ := create(t, f, start, time.Hour, 3)
	left := filepath.Join(dir, "tokens", ".okta.json-123")
	other := filepath.Join(dir, "tokens", ".okta-2.json-123")
	for _, path := range []string{left, other} {
		if err := os.WriteFile(path, []byte(`{"tokens": [{"id": "ab`), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, ok, err := NewVerifier(f).Verify(text, start); !ok || err != nil {
		t.Errorf("the token is %v after the crash, error %v", ok, err)
	}
	create(t, f, start, time.Hour, 3)
	if _, err := os.Stat(left); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the temporary file is still there: %v", err)
	}
	if _, err := os.Stat(other); err != nil {
		t.Errorf("another tenant's temporary file is gone: %v", err)
	}
}

func TestADamagedFileIsNotOverwritten(t *testing.T) {
	for name, text := range map[string]string{
		"half":     `{"tokens": [`,
		"empty":    ``,
		"no hash":  `{"tokens": [{"id": "ab"}]}`,
		"bad hash": `{"tokens": [{"id": "ab", "sha256": "xyz"}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "tokens", "okta.json")
			write(t, path, text)
			f := Open(dir, "okta")
			if _, _, err := f.Create(start, time.Hour, 2, ""); err == nil {
				t.Error("a token was made")
			}
			if _, err := f.List(); err == nil {
				t.Error("there is a list")
			}
			got, err := os.ReadFile(path)
			if err != nil || string(got) != text {
				t.Errorf("the file is now %q, error %v", got, err)
			}
		})
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// createFor makes a token for somebody who may have one.
func createFor(f *File, subject string) (string, Token, error) {
	text, t, _, err := f.Make(start, Order{Subject: subject, Lifetime: time.Hour, Most: 1})
	return text, t, err
}

// Tokens that name people do not use up those of the identity provider, and
// each person has as many.
func TestAPersonsTokensCountByThemselves(t *testing.T) {
	f := Open(t.TempDir(), "okta")
	create(t, f, start, time.Hour, 1)
	text, ann, err := createFor(f, "ann@example.org")
	if err != nil || ann.Subject != "ann@example.org" {
		t.Fatal(ann, err)
	}
	if _, _, err := createFor(f, "bob@example.org"); err != nil {
		t.Fatal(err)
	}
	for _, subject := range []string{"", "ann@example.org"} {
		if _, _, err := createFor(f, subject); !errors.Is(err, ErrTooMany) {
			t.Errorf("a second token for %q: %v", subject, err)
		}
	}
	id, ok, err := NewVerifier(f).Verify(text, start)
	if want := (Identity{ID: ann.ID, Subject: "ann@example.org"}); id != want || !ok || err != nil {
		t.Errorf("%v %v %v, want %v", id, ok, err, want)
	}
	all, err := f.List()
	if err != nil || len(all) != 3 || all[1].Subject != "ann@example.org" {
		t.Errorf("%v %v", all, err)
	}
}

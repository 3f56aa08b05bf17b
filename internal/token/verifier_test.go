package token

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"scimgate/internal/state"
)

// owner returns user:group of a file.
func owner(t *testing.T, path string) string {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	stat := info.Sys().(*syscall.Stat_t)
	return fmt.Sprintf("%d:%d", stat.Uid, stat.Gid)
}

// eager is a verifier that looks at the file on every call.
func eager(f *File) *Verifier {
	v := NewVerifier(f)
	v.tokens = state.NewWatch(f.document, 0)
	return v
}

func wanted(t *testing.T, v *Verifier, text string, now time.Time, want bool) {
	t.Helper()
	id, ok, err := v.Verify(text, now)
	if err != nil {
		t.Error(err)
	}
	if ok != want || ok != (id.ID != "") {
		t.Errorf("the token is valid: %v with the identity %v, wanted %v", ok, id, want)
	}
}

func TestOnlyTheExactLiveTokenIsValid(t *testing.T) {
	f := Open(t.TempDir(), "okta")
	v := eager(f)
	wanted(t, v, "", start, false)
	text, token := create(t, f, start, time.Hour, 2)
	other, _ := create(t, f, start, 2*time.Hour, 2)
	for _, tc := range []struct {
		name, text string
		at         time.Time
		want       bool
	}{
		{"the token", text, start, true},
		{"the other token", other, start, true},
		{"the last moment", text, start.Add(time.Hour - 1), true},
		{"expired", text, start.Add(time.Hour), false},
		{"the other one lives longer", other, start.Add(time.Hour), true},
		{"empty", "", start, false},
		{"the id alone", token.ID, start, false},
		{"the hash", token.Hash, start, false},
		{"cut short", text[:len(text)-1], start, false},
		{"one character more", text + "0", start, false},
		{"with its scheme", "Bearer " + text, start, false},
		{"a foreign secret under a known id", "scimgate_" + token.ID + "_" + random(32), start, false},
	} {
		t.Run(tc.name, func(t *testing.T) { wanted(t, v, tc.text, tc.at, tc.want) })
	}
}

func TestATokenOfAnotherTenantIsNotValid(t *testing.T) {
	dir := t.TempDir()
	text, _ := create(t, Open(dir, "okta"), start, time.Hour, 2)
	wanted(t, eager(Open(dir, "entra")), text, start, false)
}

func TestChangesTakeEffectWithinASecond(t *testing.T) {
	// As the program has it: a running gateway, and commands beside it.
	dir := t.TempDir()
	v := NewVerifier(Open(dir, "okta"))
	wanted(t, v, "x", start, false)
	text, token := create(t, Open(dir, "okta"), start, time.Hour, 2)
	until(t, v, text, true)
	if err := Open(dir, "okta").Revoke(token.ID); err != nil {
		t.Fatal(err)
	}
	until(t, v, text, false)
}

// until polls for at most a second.
func until(t *testing.T, v *Verifier, text string, want bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if _, ok, err := v.Verify(text, start); err != nil {
			t.Fatal(err)
		} else if ok == want {
			return
		}
	}
	t.Errorf("after a second the token is not yet %v", want)
}

func TestAnUnreadableFileKeepsTheLastTokens(t *testing.T) {
	dir := t.TempDir()
	f := Open(dir, "okta")
	text, _ := create(t, f, start, time.Hour, 2)
	v := eager(f)
	wanted(t, v, text, start, true)
	write(t, f.document.Path(), `{"tokens": [{"id"`)
	if _, ok, err := v.Verify(text, start); !ok || err == nil {
		t.Errorf("with half a file the token is %v, error %v", ok, err)
	}
	if err := os.RemoveAll(filepath.Join(dir, "tokens")); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := v.Verify(text, start); !ok || err == nil {
		t.Errorf("without the folder the token is %v, error %v", ok, err)
	}
	// It recovers by itself, and a file that was removed on purpose counts.
	again, _ := create(t, f, start, time.Hour, 2)
	wanted(t, v, again, start, true)
	wanted(t, v, text, start, false)
	if err := os.Remove(f.document.Path()); err != nil {
		t.Fatal(err)
	}
	wanted(t, v, again, start, false)
}

func TestAnErrorComesOncePerLookAtTheFile(t *testing.T) {
	f := Open(t.TempDir(), "okta")
	write(t, f.document.Path(), "half")
	v := NewVerifier(f)
	v.tokens = state.NewWatch(f.document, time.Hour)
	if _, _, err := v.Verify("x", start); err == nil {
		t.Error("the first look brings no error")
	}
	if _, _, err := v.Verify("x", start); err != nil {
		t.Errorf("the second call did not look and has the error %v", err)
	}
}

func TestVerifyingWhileTokensChange(t *testing.T) {
	f := Open(t.TempDir(), "okta")
	text, _ := create(t, f, start, time.Hour, 50)
	v := eager(f)
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			for range 100 {
				wanted(t, v, text, start, true)
			}
		})
	}
	wait.Go(func() {
		for range 20 {
			if _, _, err := f.Create(start, time.Hour, 50, ""); err != nil {
				t.Error(err)
			}
		}
	})
	wait.Wait()
}

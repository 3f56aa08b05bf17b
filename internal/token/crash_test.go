package token

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// writerFolder, in the environment, makes a process of this test a writer that
// nobody but a signal ends.
const writerFolder = "SCIMGATE_TEST_WRITER"

func TestMain(m *testing.M) {
	if dir := os.Getenv(writerFolder); dir != "" {
		fmt.Fprintln(os.Stderr, writeOn(Open(dir, "okta")))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// writeOn makes and revokes tokens and says so, once each is done.
func writeOn(f *File) error {
	for {
		_, made, err := f.Create(start, time.Hour, 4, "")
		switch {
		case err == nil:
			fmt.Println("made", made.ID)
		case errors.Is(err, ErrTooMany):
			all, err := f.List()
			if err != nil {
				return err
			}
			if err := f.Revoke(all[0].ID); err != nil {
				return err
			}
			fmt.Println("revoked", all[0].ID)
		default:
			return err
		}
	}
}

// A process that is killed while it writes, again and again, leaves the tokens as
// they were before its last word or after, never anything else; who reads
// meanwhile sees whole files only, and whoever writes next need not wait.
func TestKilledWritersLoseNothing(t *testing.T) {
	const rounds = 40
	dir := t.TempDir()
	f := Open(dir, "okta")
	create(t, f, start, time.Hour, 4)
	stop := make(chan struct{})
	var reader sync.WaitGroup
	seen := 0
	reader.Go(func() { seen = readAlong(t, f.Path(), stop) })
	inMidWrite := 0
	for range rounds {
		known := idsOf(t, f)
		said := killAfter(t, dir, 1+rand.IntN(12))
		for _, line := range said {
			word, id, _ := strings.Cut(line, " ")
			if word == "made" {
				known[id] = true
			} else {
				delete(known, id)
			}
		}
		left, err := filepath.Glob(filepath.Join(dir, "tokens", ".okta.json-*"))
		if err != nil {
			t.Fatal(err)
		}
		inMidWrite += len(left)
		if got := idsOf(t, f); differences(got, known) > 1 {
			t.Fatalf("after %q the tokens are %v, wanted %v but for one", said, slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(known)))
		}
	}
	close(stop)
	reader.Wait()
	if seen < rounds {
		t.Errorf("the reader saw %d files only", seen)
	}
	t.Logf("%d files read, %d of %d crashes left a temporary file", seen, inMidWrite, rounds)
	if _, _, _, err := f.Make(start, Order{Lifetime: time.Hour, Most: 1, Replace: true}); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(filepath.Join(dir, "tokens"))
	if err != nil || len(entries) != 2 {
		t.Errorf("left are %v, %v", entries, err)
	}
}

// killAfter kills a writer after it has said so many lines, and returns all that it
// said.
func killAfter(t *testing.T, dir string, lines int) []string {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), writerFolder+"="+dir)
	var complaint strings.Builder
	cmd.Stderr = &complaint
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var said []string
	for words := bufio.NewScanner(out); words.Scan(); {
		if said = append(said, words.Text()); len(said) == lines {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = cmd.Wait() // it was killed
	if len(said) < lines {
		t.Fatalf("the writer said %q and ended: %s", said, &complaint)
	}
	return said
}

// readAlong reads the file until stop, and returns how many different ones it saw.
func readAlong(t *testing.T, path string, stop <-chan struct{}) int {
	last, seen := "", 0
	for {
		select {
		case <-stop:
			return seen
		default:
		}
		text, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			t.Error("the file was away for a moment")
			return seen
		}
		var d document
		if err == nil {
			err = json.Unmarshal(text, &d)
		}
		if err == nil {
			err = d.check()
		}
		if err != nil || len(d.Tokens) == 0 || len(d.Tokens) > 4 {
			t.Errorf("a reader saw %q: %v", text, err)
			return seen
		}
		if string(text) != last {
			last, seen = string(text), seen+1
		}
	}
}

func idsOf(t *testing.T, f *File) map[string]bool {
	t.Helper()
	all, err := f.List()
	if err != nil {
		t.Fatal(err)
	}
	ids := map[string]bool{}
	for _, token := range all {
		ids[token.ID] = true
	}
	return ids
}

// differences counts what is in one set alone.
func differences(a, b map[string]bool) int {
	n := 0
	for id := range a {
		if !b[id] {
			n++
		}
	}
	for id := range b {
		if !a[id] {
			n++
		}
	}
	return n
}

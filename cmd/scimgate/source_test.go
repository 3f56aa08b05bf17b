package main

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"scimgate/internal/config"
)

// The way to a file is all of its links and the file, or the first part that is
// missing.
func TestStepsToAFile(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{
		os.MkdirAll(filepath.Join(dir, "etc", "..turn1"), 0o700),
		os.WriteFile(filepath.Join(dir, "etc", "..turn1", "file"), nil, 0o600),
		os.Symlink("..turn1", filepath.Join(dir, "etc", "..data")),
		os.Symlink("..data/file", filepath.Join(dir, "etc", "file")),
		os.Symlink(filepath.Join(dir, "etc"), filepath.Join(dir, "link")),
		os.Symlink("round", filepath.Join(dir, "round")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for file, want := range map[string][]string{
		"etc/..turn1/file": {"etc/..turn1/file"},
		"etc/file":         {"etc/file", "etc/..data", "etc/..turn1/file"},
		"link/file":        {"link", "etc/file", "etc/..data", "etc/..turn1/file"},
		"etc/none":         {"etc/none"},
		"none/below/file":  {"none"},
	} {
		var steps []string
		for _, step := range stepsTo(filepath.Join(dir, file)) {
			steps = append(steps, strings.TrimPrefix(step, dir+"/"))
		}
		if !slices.Equal(steps, want) {
			t.Errorf("%s: %q, want %q", file, steps, want)
		}
	}
	if steps := stepsTo(filepath.Join(dir, "round")); len(steps) > mostLinks+2 {
		t.Errorf("a link to itself has %d steps", len(steps))
	}
}

// A content counts by what it is, also while the file is away; a pipe is read
// once.
func TestPrintOfFiles(t *testing.T) {
	name := filepath.Join(t.TempDir(), "file")
	missing := printOf([]string{name})
	write := func(content string) [32]byte {
		t.Helper()
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return printOf([]string{name})
	}
	empty, a := write(""), write("a")
	if missing == empty || empty == a {
		t.Error("a missing, an empty and another file are told to be the same")
	}
	if write("a") != a {
		t.Error("a file that was written again is told to be another")
	}
	if pipe(name) || !pipe(filepath.Dir(name)) {
		t.Error("a file is taken for a pipe")
	}
}

// Of the failures only a directory that may come is asked again, less and less
// often.
func TestWhenToTryAgain(t *testing.T) {
	away := &unansweredError{at: config.Fault{}}
	f := &follower{}
	for i, c := range []struct {
		err  error
		want time.Duration
	}{
		{away, againFirst}, {away, 2 * againFirst}, {away, 4 * againFirst}, {nil, 0}, {away, againFirst},
		{&unansweredError{refused: true}, 0}, {errors.New("faults"), 0},
	} {
		if f.schedule(c.err); f.again != c.want {
			t.Errorf("%d: again after %s, want %s", i, f.again, c.want)
		}
	}
	for range 10 {
		f.schedule(away)
	}
	if f.again != againLast {
		t.Errorf("again after %s in the end", f.again)
	}
}

package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"scimgate/internal/config"
)

// What is shown is what is shipped, byte for byte.
func TestProfilesAreShownAsTheyAre(t *testing.T) {
	run := func(args ...string) (string, error) {
		var out bytes.Buffer
		cmd := root()
		cmd.SetArgs(args)
		cmd.SetOut(&out)
		err := cmd.Execute()
		return out.String(), err
	}
	list, err := run("profile", "list")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("../../internal/config/profiles/*.yaml")
	if err != nil || len(files) != len(config.Profiles()) {
		t.Fatalf("%v %v", files, err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".yaml")
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := run("profile", "show", name); err != nil || got != string(want) {
			t.Errorf("%s is shown as %q: %v", name, got, err)
		}
		if !strings.Contains(list, name+" ") {
			t.Errorf("%s is not in the list: %s", name, list)
		}
	}
	for _, args := range [][]string{{"profile"}, {"profile", "show"}, {"profile", "show", "nix"}, {"demo", "--profile", "nix"}} {
		if _, err := run(args...); !errors.As(err, new(usageError)) {
			t.Errorf("%v: %v is no wrong usage", args, err)
		}
	}
}

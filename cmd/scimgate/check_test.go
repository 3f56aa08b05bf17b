//go:build ad || ds389

package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"text/template"
)

// checked runs check, and wants an exit code and a report with some pieces.
func checked(t *testing.T, code int, args []string, pieces ...string) string {
	t.Helper()
	var out bytes.Buffer
	cmd := root()
	cmd.SetArgs(append([]string{"check"}, args...))
	cmd.SetOut(&out)
	err := cmd.ExecuteContext(t.Context())
	got := 0
	switch {
	case errors.As(err, new(usageError)):
		got = exitUsage
	case err != nil:
		got = exitFailed
	}
	if got != code || err != nil && err.Error() != "" {
		t.Errorf("check %v: exit code %d (%v), want %d", args, got, err, code)
	}
	for _, piece := range pieces {
		if !strings.Contains(out.String(), piece) {
			t.Errorf("check %v: the report does not have %q", args, piece)
		}
	}
	if t.Failed() {
		t.Log(out.String())
	}
	return out.String()
}

// configured writes a configuration of testdata, and returns its file.
func configured(t *testing.T, name string, values map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	values["State"] = filepath.Join(dir, "state")
	made, err := template.New(name).Funcs(template.FuncMap{"quote": strconv.Quote}).ParseFiles(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if err := made.Execute(&text, values); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "scimgate.yaml")
	for name, content := range map[string]string{file: text.String(), filepath.Join(dir, "password"): values["Password"]} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return file
}

package scim

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func asError(err error, e **Error) bool { return errors.As(err, e) }

func mustPath(t testing.TB, s string) Path {
	t.Helper()
	p, err := ParsePath(s)
	if err != nil {
		t.Fatalf("ParsePath(%q): %v", s, err)
	}
	return p
}

func mustFilter(t testing.TB, s string) Filter {
	t.Helper()
	f, err := ParseFilter(s)
	if err != nil {
		t.Fatalf("ParseFilter(%q): %v", s, err)
	}
	return f
}

// resource reads JSON as a Resource without Decode's help.
func resource(t testing.TB, text string) Resource {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	r := Resource{}
	if err := d.Decode(&r); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return r
}

func patch(t testing.TB, operations string) Patch {
	t.Helper()
	p, err := DecodePatch([]byte(`{"Operations":[` + operations + `]}`))
	if err != nil {
		t.Fatalf("%s: %v", operations, err)
	}
	return p
}

// wantError checks that err is a 400 of the type whose detail has the words.
func wantError(t testing.TB, err error, scimType string, words ...string) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want a 400 %s", err, scimType)
	}
	if e.Status != 400 || e.Type != scimType {
		t.Errorf("got %v, want a 400 %s", e, scimType)
	}
	for _, w := range words {
		if !strings.Contains(e.Detail, w) {
			t.Errorf("detail %q lacks %q", e.Detail, w)
		}
	}
}

func wantEqual(t testing.TB, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

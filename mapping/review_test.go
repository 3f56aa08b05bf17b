package mapping

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"scimgate/internal/directory"
)

// textual is the syntax Directory String with the usual rules.
func textual(name string) directory.AttributeType {
	return directory.AttributeType{Names: []string{name}, Syntax: syntaxPrefix + "15", Equality: "caseIgnoreMatch", Substring: "caseIgnoreSubstringsMatch"}
}

// Constants of the declaration are held against the syntax of their attribute,
// before every write fails with them.
func TestConstantsAreHeldAgainstTheSyntax(t *testing.T) {
	for _, tc := range []struct {
		syntax, value string
		fits          bool
	}{
		{"15", "anything ü", true}, {"26", "ascii", true}, {"26", "Zürich", false}, {"44", "a-1 (x)", true}, {"44", "a_1", false},
		{"27", "-12", true}, {"27", "0", true}, {"27", "012", false}, {"27", "many", false}, {"7", "TRUE", true}, {"7", "true", false},
		{"24", "000001010000Z", true}, {"24", "20260102030405.5+0100", true}, {"24", "never", false},
		{"12", "cn=x,dc=example", true}, {"12", "nobody", false}, {"36", "1 2", true}, {"36", "1-2", false},
		{"38", "1.3.6", true}, {"38", "posixAccount", true}, {"38", "1..3", false}, {"6", "'01'B", true}, {"6", "01", false},
		{"27", "{{ .userName }}", true}, {"27", "", true}, {"999", "unknown syntax", true},
	} {
		h := holder{}
		h.constant("key", tc.value, directory.AttributeType{Names: []string{"a"}, Syntax: syntaxPrefix + tc.syntax})
		if got := len(h.faults) == 0; got != tc.fits {
			t.Errorf("%q of syntax %s: fits is %v, want %v", tc.value, tc.syntax, got, tc.fits)
		}
		if len(h.faults) > 0 && (h.faults[0].Key != "key" || !strings.Contains(h.faults[0].Problem, "; it takes ")) {
			t.Errorf("%q of syntax %s: %v", tc.value, tc.syntax, h.faults)
		}
	}
}

// A marker that the directory cannot search for is a fault; one that is short of
// room is a warning.
func TestTheMarkersAttributesAreHeld(t *testing.T) {
	m := compile(t, people(), "User")
	for name, tc := range map[string]struct {
		change   func(state, source *directory.AttributeType)
		held     string // key of a fault
		reviewed string // key of a warning
	}{
		"usual":              {func(_, _ *directory.AttributeType) {}, "", ""},
		"no substrings":      {func(state, _ *directory.AttributeType) { state.Substring = "" }, "marker.state", ""},
		"incomparable":       {func(state, _ *directory.AttributeType) { state.Equality, state.Substring = "", "" }, "marker.state", ""},
		"source":             {func(_, source *directory.AttributeType) { source.Equality = "" }, "marker.source", ""},
		"short":              {func(state, _ *directory.AttributeType) { state.Length = 256 }, "", "marker.state"},
		"long enough":        {func(state, _ *directory.AttributeType) { state.Length = 1024 }, "", ""},
		"short for a tenant": {func(_, source *directory.AttributeType) { source.Length = 1 }, "", "marker.source"},
	} {
		s := fits()
		state, source := textual("scimState"), textual("scimSource")
		tc.change(&state, &source)
		s.attributes["scimState"], s.attributes["scimSource"] = state, source
		if got := keysOf(m.Hold(s)); !slices.Equal(got, wanted(tc.held)) {
			t.Errorf("%s: held %v, want %q", name, got, tc.held)
		}
		if got := keysOf(m.Review(s)); !slices.Equal(got, wanted(tc.reviewed)) {
			t.Errorf("%s: reviewed %v, want %q", name, got, tc.reviewed)
		}
	}
}

func keysOf(faults []directory.Fault) []string {
	var keys []string
	for _, f := range faults {
		keys = append(keys, f.Key)
	}
	return keys
}

func wanted(key string) []string {
	if key == "" {
		return nil
	}
	return []string{key}
}

// Attributes without matching rules are worth a note each kind, not each line.
func TestMissingRulesAreNoted(t *testing.T) {
	s := fits()
	for name := range s.attributes {
		s.attributes[name] = textual(name)
	}
	for _, name := range []string{"title", "givenName"} {
		a := textual(name)
		a.Equality, a.Substring = "", ""
		s.attributes[name] = a
	}
	mail := textual("mail")
	mail.Substring = ""
	s.attributes["mail"] = mail
	found := compile(t, people(), "User").Review(s)
	got := fmt.Sprint(found)
	if len(found) != 2 || !strings.Contains(got, "no rule of equality for givenName, title:") || !strings.Contains(got, "no rule of substrings for mail:") {
		t.Errorf("noted %v", got)
	}
	for _, f := range found {
		if f.Severity != directory.SevereNote || f.Key != "attributes" {
			t.Errorf("%+v is no note about the attributes", f)
		}
	}
}

// A specimen has what the object classes demand, and no more.
func TestSpecimen(t *testing.T) {
	s := fits()
	for name := range s.attributes {
		s.attributes[name] = textual(name)
	}
	s.must = append(s.must, "manager")
	s.attributes["manager"] = directory.AttributeType{Names: []string{"manager"}, Syntax: syntaxPrefix + "12"}
	m := compile(t, people(), "User")
	made := m.Specimen(s, "x-1")
	if got := made.Names(); !slices.Equal(got, []string{"cn", "manager", "sn", "uid"}) || made.First("uid") != "x-1" || !strings.Contains(made.First("manager"), "=") {
		t.Errorf("a specimen has %v", made)
	}
	if v, ok := m.Sample(s, lock, "x"); !ok || v != lockedForever {
		t.Errorf("the lock is tried with %q", v)
	}
	var written, searched []string
	for _, p := range m.Written() {
		written = append(written, p.Attribute)
	}
	for _, p := range m.Searched() {
		searched = append(searched, p.Attribute)
	}
	for _, name := range []string{"scimState", "scimSource", "uid", "userPassword", "cn", lock} {
		if !slices.Contains(written, name) {
			t.Errorf("%s is not among what is written", name)
		}
	}
	if want := []string{"scimSource", "uid", "scimExternalId", "manager"}; !slices.Equal(searched, want) {
		t.Errorf("searched are %v, want %v", searched, want)
	}
}

package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"scimgate/internal/directory"
)

// Position is a place in a file, counted from 1; zero where there is none.
type Position struct{ Line, Column int }

// Fault is one mistake in a configuration file.
type Fault struct {
	File string
	Position
	Key     string // path from the top: tenants[0].users.rdn; "" for the whole file
	Problem string // what is wrong and what would be right
}

// String has the form file:line:column: key: problem, in one line whatever the
// file has for keys.
func (f Fault) String() string {
	var b strings.Builder
	b.WriteString(f.File)
	if f.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", f.Line, f.Column)
	}
	b.WriteString(": ")
	if f.Key != "" {
		b.WriteString(f.Key + ": ")
	}
	b.WriteString(f.Problem)
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, b.String())
}

// Warning is something that works and is unwise.
type Warning = Fault

// Report is the error of a file with faults, sorted by position.
type Report struct {
	Faults []Fault
	// Files are those that the configuration names, as far as it could be read:
	// another content of one of them may mend it.
	Files []string
}

// Error has one line for each fault and a last one that counts them.
func (r *Report) Error() string {
	var b strings.Builder
	for _, f := range r.Faults {
		b.WriteString(f.String() + "\n")
	}
	if len(r.Faults) == 1 {
		b.WriteString("1 fault")
	} else {
		fmt.Fprintf(&b, "%d faults", len(r.Faults))
	}
	return b.String()
}

// Source knows where in a file each key stands, and collects what is wrong
// with them.
type Source struct {
	file      string
	positions map[string]Position
	// fromEnv are the keys whose values have parts from the environment.
	fromEnv map[string]bool
	// broken are keys whose values could not be read, all keys below included;
	// partial are the keys right above a fault. Neither is worth a second one.
	broken, partial map[string]bool
	// filled are keys that a preset or a profile has given a value, by says which
	// profile.
	filled   map[string]bool
	by       map[string]string
	faults   []Fault
	warnings []Warning
}

func newSource(file string) *Source {
	return &Source{
		file: file, positions: map[string]Position{}, fromEnv: map[string]bool{},
		broken: map[string]bool{}, partial: map[string]bool{}, filled: map[string]bool{}, by: map[string]string{},
	}
}

// Has reports whether the file has the key.
func (s *Source) Has(key string) bool {
	_, ok := s.positions[key]
	return ok
}

// Place returns where a key stands, as file:line; the nearest key above it where
// the file does not have it.
func (s *Source) Place(key string) string {
	at := s.Locate("", directory.Fault{Key: key})
	if at.Line == 0 {
		return at.File
	}
	return fmt.Sprintf("%s:%d", at.File, at.Line)
}

// Locate gives a fault below the key prefix its place in the file: that of its
// key, or of the nearest key above it that the file has.
func (s *Source) Locate(prefix string, f directory.Fault) Fault {
	key := join(prefix, f.Key)
	at, problem := key, f.Problem
	for !s.Has(at) && at != "" {
		if by := s.by[at]; by != "" {
			problem += "; the key comes from " + by
		}
		at = parent(at)
	}
	return Fault{File: s.file, Position: s.positions[at], Key: key, Problem: problem}
}

// Fault records a fault below the key prefix, unless the key was not even
// readable, which is on record then.
func (s *Source) Fault(prefix string, f directory.Fault) {
	key := join(prefix, f.Key)
	if s.partial[key] {
		return
	}
	for k := key; ; k = parent(k) {
		if s.broken[k] {
			return
		}
		if k == "" {
			break
		}
	}
	s.faults = append(s.faults, s.Locate(prefix, f))
}

// fault is Fault for a whole key and a formatted problem.
func (s *Source) fault(key, format string, args ...any) {
	s.Fault(key, directory.Fault{Problem: fmt.Sprintf(format, args...)})
}

func (s *Source) warn(key, problem string) {
	s.warnings = append(s.warnings, s.Locate(key, directory.Fault{Problem: problem}))
}

// unreadable records a fault of the text itself, at its own position.
func (s *Source) unreadable(key string, p Position, format string, args ...any) {
	s.broken[key] = true
	if key != "" {
		s.partial[parent(key)] = true
	}
	s.faults = append(s.faults, Fault{s.file, p, key, fmt.Sprintf(format, args...)})
}

// anyBroken reports whether a value at the key or below could not be read.
func (s *Source) anyBroken(key string) bool {
	for k := range s.broken {
		if k == key || strings.HasPrefix(k, key+".") || strings.HasPrefix(k, key+"[") {
			return true
		}
	}
	return false
}

// err returns the *Report of all faults, or nil where there are none.
func (s *Source) err() error {
	if len(s.faults) == 0 {
		return nil
	}
	return &Report{Faults: sorted(s.faults)}
}

func sorted(faults []Fault) []Fault {
	out := slices.Clone(faults)
	slices.SortStableFunc(out, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Key, b.Key))
	})
	return out
}

// join puts two parts of a key path together: a.b, a[0], or one of them.
func join(prefix, key string) string {
	if prefix == "" || key == "" || key[0] == '[' {
		return prefix + key
	}
	return prefix + "." + key
}

// parent is the path of what contains the key; "" for the top.
func parent(key string) string {
	return key[:max(0, strings.LastIndexAny(key, ".["))]
}

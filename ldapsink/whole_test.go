package ldapsink

import "testing"

func TestRangesAreRead(t *testing.T) {
	for _, tc := range []struct {
		description, name string
		next              int
		ok                bool
	}{
		{"member;range=0-1499", "member", 1500, true},
		{"member;Range=1500-*", "member", -1, true},
		{"member;x-y;range=0-9", "member;x-y", 10, true},
		{"member", "", 0, false},
		{"member;binary", "", 0, false},
		{"member;range=0", "", 0, false},
		{"member;range=0-x", "", 0, false},
		{"range=0-5", "", 0, false},
	} {
		name, next, ok := ranged(tc.description)
		if name != tc.name || next != tc.next || ok != tc.ok {
			t.Errorf("%s: %q, %d, %t", tc.description, name, next, ok)
		}
	}
}

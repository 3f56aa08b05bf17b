package gateway

import (
	"errors"
	"strings"
	"testing"
	"time"

	"scimgate/internal/scim"
)

func someCursor() cursor {
	return cursor{
		issued: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), generation: 7, scope: digestOf("okta", "User"), asked: digestOf("", "", ""),
		after: place{key: "0ann", typ: 1, created: 1767323045, id: "0c105372-7b0c-1041-9a43-0ba3a85766aa"},
	}
}

// Whatever was printed is read back, by every gateway with the same key, and by
// nobody else.
func TestCursorsAreReadBack(t *testing.T) {
	key := [32]byte{1}
	old := someCursor()
	old.after = place{created: -62135596800}
	for _, c := range []cursor{someCursor(), old} {
		text := must(newSealer(key)).seal(c)
		got, err := must(newSealer(key)).open(text)
		if err != nil || got != c {
			t.Errorf("%+v, want %+v: %v", got, c, err)
		}
		if strings.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			t.Errorf("%q has characters that RFC 9865 section 2 does not allow", text)
		}
		if strings.Contains(text, "ann") || must(newSealer(key)).seal(c) == text {
			t.Errorf("%q is not sealed", text)
		}
		isStrange(t, [32]byte{2}, text)
		isStrange(t, [32]byte{}, text)
	}
}

func isStrange(t *testing.T, key [32]byte, text string) {
	t.Helper()
	_, err := must(newSealer(key)).open(text)
	var e *scim.Error
	if !errors.As(err, &e) || e.Status != 400 || e.Type != scim.TypeInvalidCursor {
		t.Errorf("%.80q: %v, want 400 invalidCursor", text, err)
	}
}

// No bit of a cursor can be changed, nothing added and nothing taken away.
func TestCursorsCannotBeTamperedWith(t *testing.T) {
	key := [32]byte{1}
	text := must(newSealer(key)).seal(someCursor())
	for i := range text {
		other := byte('A')
		if text[i] == other {
			other = 'B'
		}
		changed := text[:i] + string(other) + text[i+1:]
		isStrange(t, key, changed)
		isStrange(t, key, text[:i])
	}
	for _, garbage := range []string{"", "x", text + "A", text + text, "=", text + "=", "VZUTiyhEQJ94IR", strings.Repeat("A", 100_000), "ü", "\x00"} {
		isStrange(t, key, garbage)
	}
}

func TestDigestsTellPartsApart(t *testing.T) {
	seen := map[digest]bool{}
	for _, parts := range [][]string{{}, {""}, {"", ""}, {"a", "b"}, {"ab"}, {"ab", ""}, {"", "ab"}, {"b", "a"}, {"1:a"}} {
		if d := digestOf(parts...); seen[d] {
			t.Errorf("%q has the digest of others", parts)
		} else {
			seen[d] = true
		}
	}
}

// Whatever is inside, no cursor is the death of a gateway; and what can be read
// is what would be printed.
func FuzzCursorInside(f *testing.F) {
	f.Add(someCursor().encode())
	f.Add([]byte{})
	f.Add([]byte{cursorForm})
	f.Add(append(someCursor().encode()[:50], 0xff, 0xff, 0xff))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, ok := decodeCursor(b)
		if !ok {
			return
		}
		if again, ok := decodeCursor(c.encode()); !ok || again != c || string(c.encode()) != string(b) {
			t.Errorf("%x reads as %+v, printed as %x", b, c, c.encode())
		}
	})
}

// Text of a client is a cursor of this gateway or 400 invalidCursor.
func FuzzCursor(f *testing.F) {
	s := must(newSealer([32]byte{1}))
	f.Add(s.seal(someCursor()))
	for _, text := range []string{"", "abc", "VZUTiyhEQJ94IR", "====", strings.Repeat("A", 5000)} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := s.open(text)
		var e *scim.Error
		if err != nil && (!errors.As(err, &e) || e.Type != scim.TypeInvalidCursor) {
			t.Errorf("%q: %v", text, err)
		}
		if err == nil && c != someCursor() {
			t.Errorf("%q is read as %+v", text, c)
		}
	})
}

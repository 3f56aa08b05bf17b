package directory

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestFoldDNBringsSpellingsOfOneNameTogether(t *testing.T) {
	for _, tc := range []struct {
		name, a, b string
		same       bool
	}{
		{"case", "uid=Bob,OU=People,dc=example,dc=org", "UID=bob,ou=people,DC=example,DC=org", true},
		{"blanks around separators", "uid = bob , ou=people", "uid=bob,ou=people", true},
		{"escape styles", `uid=a\,b,ou=people`, `uid=a\2Cb,ou=people`, true},
		{"needless escape", `uid=\61b,ou=people`, `uid=ab,ou=people`, true},
		{"trailing blank is part of the value", `uid=a\20,ou=people`, `uid=a,ou=people`, false},
		{"comma inside a value", `uid=a\,ou=people`, `uid=a,ou=people`, false},
		{"equals sign inside a value", `uid=a= b,ou=people`, `uid=a=b,ou=people`, false},
		{"control character", `cn=\1bx`, "cn=\x1bx", true},
		{"hash after the beginning", `cn=a#b`, `cn=a\#b`, true},
		{"hash at the beginning", `cn=#04`, `cn=\#04`, false},
		{"equals sign escaped", `cn=a=b`, `cn=a\3Db`, true},
		{"inner blank", "cn=a b", "cn=ab", false},
		{"non-ASCII escaped", `cn=\c3\a9`, `cn=é`, true},
		{"letters of old alphabets", "uid=JÜRGEN ΟΔΌΣ ЖУК Ạ", "uid=jürgen οδόσ жук ạ", true},
		{"a Turkish i", "uid=İs", "uid=is", false},
		{"the sign of the kelvin", "uid=\u212aim", "uid=kim", false},
		{"the sign of the angstrom", "uid=\u212bs", "uid=\u00e5s", false},
		{"a large ß", "uid=\u1e9e", "uid=ß", false},
		{"a young pair", "uid=\U00010400", "uid=\U00010428", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := FoldDN(tc.a) == FoldDN(tc.b); got != tc.same {
				t.Errorf("%q folds to %q, %q to %q", tc.a, FoldDN(tc.a), tc.b, FoldDN(tc.b))
			}
		})
	}
}

func FuzzFoldDN(f *testing.F) {
	f.Add(`uid=a\2c,ou=x`)
	for _, seed := range []string{`\`, "", "=", " = , ; + ", `a=\20\20,b=\ `, "a=\x1b", `a=\1b`, "a=\x00\n", `a=\ff,b=\c3`, "a=İ", "a=#04,b=\"x\"", `a=b\`, strings.Repeat(`a=\2b+`, 2_000),
		`\`, `CN=Lee\, Ann+uid=a,ou=people,dc=x`, `uid=\#x,ou=\20y\ `, `cn="a,b",o=c`, `cn=#04024869`, `uid=ü,ou=ﬁ`,
		`uid=a;ou=b`, `=,=`, `uid=a\`, `uid = a , ou = b`, `cn=\c3\bc`, "cn=\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, dn string) {
		once := FoldDN(dn)
		if twice := FoldDN(once); twice != once {
			t.Errorf("%q folds to %q and that to %q", dn, once, twice)
		}
	})
}

// What is read as a marker is written so that it reads the same.
func FuzzParseMarker(f *testing.F) {
	f.Add("active since 1998")
	f.Add(`scimgate:inactive {"undo":{"loginShell":["/bin/sh"],"pwdAccountLockedTime":[]}}`)
	f.Add(`scimgate:deleted {"request":"r","since":"2026-01-02T03:04:05Z","key":"k"}`)
	f.Add(`scimgate:active {`)
	f.Fuzz(func(t *testing.T, value string) {
		m, found, err := ParseMarker([]string{value})
		if err != nil || found == "" {
			return
		}
		text, err := m.Text()
		if err != nil {
			return // such as a year that no timestamp can have
		}
		again, _, err := ParseMarker([]string{text})
		if err != nil {
			t.Fatalf("%q is written as %q, which cannot be read: %v", value, text, err)
		}
		if d := cmp.Diff(m, again, cmpopts.EquateEmpty()); d != "" {
			t.Errorf("%q: %s", value, d)
		}
	})
}

func TestMarkerIsReadBackAmongForeignValues(t *testing.T) {
	m := Marker{
		State: Inactive, Request: "r1", Since: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		Undo: map[string][]string{"loginShell": {"/bin/sh"}, "pwdAccountLockedTime": {}},
	}
	text, err := m.Text()
	if err != nil {
		t.Fatal(err)
	}
	got, value, err := ParseMarker([]string{"active since 1998", text})
	if err != nil {
		t.Fatal(err)
	}
	if value != text {
		t.Errorf("value %q, wanted %q", value, text)
	}
	if d := cmp.Diff(m, got); d != "" {
		t.Error(d)
	}
}

func TestMarkerThatCannotBeReadIsAnError(t *testing.T) {
	for _, v := range []string{"scimgate:", "scimgate:gone {}", "scimgate:active {", "scimgate:deleted"} {
		if _, _, err := ParseMarker([]string{v}); err == nil {
			t.Errorf("%q was read without an error", v)
		}
	}
}

func TestDiffTouchesOnlyWhatDiffers(t *testing.T) {
	old := Attributes{"mail": {"a@x", "b@x"}, "sn": {"Same"}, "title": {"Gone"}}
	want := Attributes{"mail": {"b@x", "c@x"}, "sn": {"Same"}, "ou": {"New"}}
	if d := cmp.Diff([]Mod{
		{ModDelete, "mail", []string{"a@x"}},
		{ModAdd, "mail", []string{"c@x"}},
		{ModAdd, "ou", []string{"New"}},
		{ModDelete, "title", []string{"Gone"}},
	}, Diff(old, want)); d != "" {
		t.Error(d)
	}
}

// The short form of an id is its bytes, and the way back has the dashes where
// the directory has them.
func TestCompactIDs(t *testing.T) {
	for _, id := range []string{"0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0", "0f1e2d3c-4b5a6978-8796a5b4-c3d2e1f0", "not an id", "", "0f1e"} {
		short := CompactID(id)
		if again := ExpandID(short, id); again != id || strings.Contains(id, "-") && len(short) != 22 {
			t.Errorf("%q is %q and that %q", id, short, again)
		}
	}
	if CompactID("0F1E2D3C-4b5a-6978-8796-a5b4c3d2e1f0") != CompactID("0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0") {
		t.Error("two spellings of one id differ")
	}
}

func TestParentAndBelow(t *testing.T) {
	for dn, want := range map[string]string{`uid=a\,b,ou=x,dc=y`: "ou=x,dc=y", "dc=y": "", "": "", "uid=a, ou=x": "ou=x", `uid=a\2c,ou=x`: "ou=x"} {
		if got := Parent(dn); got != want {
			t.Errorf("above %q is %q", dn, got)
		}
	}
	if !Below("uid=a,OU=x, dc=y", "ou=X,dc=y") || Below("ou=x,dc=y", "ou=x,dc=y") {
		t.Error("below is wrong")
	}
}

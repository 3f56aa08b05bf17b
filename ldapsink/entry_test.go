package ldapsink

import (
	"testing"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"

	"scimgate/internal/directory"
)

func TestEntryIsSpelledAsItWasAskedFor(t *testing.T) {
	st := &store{&Sink{flavor: flavors[openLDAP], log: zap.NewNop()}, directory.Collection{
		Source: "okta", StateAttribute: "scimState", SourceAttribute: "scimSource", Member: "member", EmptyMember: "cn=nobody",
	}}
	raw := ldap.NewEntry("uid=bob", map[string][]string{
		"entryUUID": {"id"}, "entryCSN": {"v"}, "createTimestamp": {"20260102030405Z"}, "modifyTimestamp": {"20260102030405.25Z"},
		"scimState": {`scimgate:inactive {"request":"r"}`}, "scimSource": {"Okta"},
		"cn": {"Bob"}, "cn;lang-de": {"Bübchen"}, "userCertificate;binary": {"\x30"}, "member": {"uid=a", "CN=Nobody"}, "sn": {"x"},
	})
	got := st.entry(raw, selection{names: []string{"CN", "usercertificate;BINARY", "Member", "absent"}, times: true})
	want := directory.Entry{
		ID: "id", DN: "uid=bob", Version: "v",
		Created: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Modified: time.Date(2026, 1, 2, 3, 4, 5, 250_000_000, time.UTC),
		Marker:     directory.Marker{Source: "okta", State: directory.Inactive, Request: "r"},
		Attributes: directory.Attributes{"CN": {"Bob"}, "CN;lang-de": {"Bübchen"}, "usercertificate;BINARY": {"\x30"}, "Member": {"uid=a"}},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	for name, values := range map[string]map[string][]string{
		"no marker, though the source attribute has a value": {"scimSource": {"okta"}},
		"nothing": {},
	} {
		if m := st.marker(ldap.NewEntry("x", values)); m.Source != "" {
			t.Errorf("%s: %+v", name, m)
		}
	}
	broken := st.marker(ldap.NewEntry("x", map[string][]string{"scimState": {"scimgate:gone {}"}, "scimSource": {"okta"}}))
	if broken.Source != "okta" || broken.State != "" {
		t.Errorf("broken marker: %+v", broken)
	}
}

func TestControlsAreCriticalAsTheStandardSays(t *testing.T) {
	c, err := assertion("(cn=x)")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []ldap.Control{c, postRead([]string{"cn"})} {
		packet := ber.DecodePacket(c.Encode().Bytes())
		if got := packet.Children[1].ByteValue; len(got) != 1 || got[0] != 0xff {
			t.Errorf("%s: criticality %x", c, got)
		}
	}
	if _, err := assertion("cn=x"); err == nil {
		t.Error("a filter without brackets is taken")
	}
}

func TestPostReadEntryDoesNotTrustItsServer(t *testing.T) {
	for _, value := range []string{"", "x", "\x64\x00", "\x64\x02\x04\x00", "\x64\x06\x04\x00\x30\x02\x30\x00", "\x64\x03\x04\x05x"} {
		c := ldap.NewControlString(oidPostRead, false, value)
		if got, err := postReadEntry([]ldap.Control{c}); err == nil {
			t.Errorf("%q is read as %+v", value, got)
		}
	}
	if got, err := postReadEntry(nil); got != nil || err != nil {
		t.Error(got, err)
	}
}

func TestSwapTouchesOneValue(t *testing.T) {
	mod := func(op directory.ModOp, v string) directory.Mod {
		return directory.Mod{Op: op, Attribute: "a", Values: []string{v}}
	}
	for _, tc := range []struct {
		old, want string
		mods      []directory.Mod
	}{
		{"", "", nil}, {"x", "x", nil}, {"", "y", []directory.Mod{mod(directory.ModAdd, "y")}}, {"x", "", []directory.Mod{mod(directory.ModDelete, "x")}},
		{"x", "y", []directory.Mod{mod(directory.ModDelete, "x"), mod(directory.ModAdd, "y")}},
	} {
		if d := cmp.Diff(tc.mods, swap("a", tc.old, tc.want)); d != "" {
			t.Error(d)
		}
	}
}

func TestReversedUndoes(t *testing.T) {
	old := directory.Entry{Attributes: directory.Attributes{"c": {"5", "6"}}}
	got := reversed([]directory.Mod{
		{Op: directory.ModDelete, Attribute: "a", Values: []string{"1"}},
		{Op: directory.ModAdd, Attribute: "a", Values: []string{"2"}},
		{Op: directory.ModDelete, Attribute: "c"},
		{Op: directory.ModReplace, Attribute: "d", Values: []string{"7"}},
		{Op: directory.ModReplace, Attribute: "userPassword", Values: []string{"never read"}},
	}, old, []string{"a", "c", "d"})
	want := []directory.Mod{
		{Op: directory.ModReplace, Attribute: "d"},
		{Op: directory.ModReplace, Attribute: "c", Values: []string{"5", "6"}},
		{Op: directory.ModDelete, Attribute: "a", Values: []string{"2"}},
		{Op: directory.ModAdd, Attribute: "a", Values: []string{"1"}},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestParseSchema(t *testing.T) {
	s := parseSchema([]string{
		"( 2.5.4.41 NAME 'name' DESC 'RFC4519: common (super) type' EQUALITY caseIgnoreMatch SUBSTR caseIgnoreSubstringsMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15{32768} )",
		"( 2.5.4.4 NAME ( 'sn' 'surname' ) DESC 'it\\27s $ a (name)' SUP name )",
		"( 1.1 NAME 'one' SINGLE-VALUE NO-USER-MODIFICATION USAGE directoryOperation )",
		"(1.2 NAME'tight'SUP sn)", "( 1.3 )", "", "(",
	}, []string{
		"( 2.5.6.0 NAME 'top' ABSTRACT MUST objectClass )",
		"( 2.5.6.6 NAME 'person' SUP top STRUCTURAL MUST ( surname $ cn ) MAY ( one$tight $ sn ) )",
		"( 1.9 NAME 'extensibleObject' SUP top AUXILIARY )",
	})
	if a, ok := s.Attribute("SURNAME;x-y"); !ok || a.Equality != "caseIgnoreMatch" || a.Length != 32768 || a.Names[0] != "sn" {
		t.Errorf("surname: %+v", a)
	}
	if a, _ := s.Attribute("one"); !a.Single || !a.ReadOnly || !a.Operational {
		t.Errorf("one: %+v", a)
	}
	if a, _ := s.Attribute("tight"); a.Substring != "caseIgnoreSubstringsMatch" {
		t.Errorf("tight: %+v", a)
	}
	if c, _ := s.Class("PERSON"); c.Kind != "STRUCTURAL" || len(c.Superiors) != 1 {
		t.Errorf("person: %+v", c)
	}
	must, may, any := s.Allowed([]string{"person"})
	if d := cmp.Diff([][]string{{"cn", "objectClass", "sn"}, {"one", "tight"}}, [][]string{must, may}); d != "" || any {
		t.Error(d)
	}
	if _, _, any := s.Allowed([]string{"person", "extensibleObject"}); !any {
		t.Error("extensibleObject allows everything")
	}
}

func FuzzParseDescription(f *testing.F) {
	f.Add("( 1.1 NAME ( 'a' 'b' ) SUP c MUST ( d $ e ) )")
	f.Fuzz(func(_ *testing.T, text string) { parseDescription(text) })
}

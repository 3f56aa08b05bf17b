package preview

import (
	"strings"
	"testing"

	"scimgate/internal/directory"
	"scimgate/ldapsink"
)

func TestLDIFSpellsWhatIsNotSafe(t *testing.T) {
	steps := []Step{{"User", ldapsink.Record{DN: "cn=a,o=b", Kind: ldapsink.RecordModify, Mods: []directory.Mod{
		{Op: directory.ModAdd, Attribute: "sn", Values: []string{"plain", " blank", "Änn", "two\nlines", ""}},
		{Op: directory.ModReplace, Attribute: "userPassword", Values: []string{"s3cret"}},
		{Op: directory.ModDelete, Attribute: "title"},
	}}}}
	var b strings.Builder
	err := WriteLDIF(&b, steps, func(typ, attribute string) (string, bool) {
		return typ + " " + attribute + "\nnot a line", attribute == "userPassword"
	})
	if err != nil {
		t.Fatal(err)
	}
	want := `dn: cn=a,o=b
changetype: modify
# User sn not a line
add: sn
sn: plain
# sn:  blank
sn:: IGJsYW5r
# sn: Änn
sn:: w4Rubg==
sn:: dHdvCmxpbmVz
sn: 
-
# User userPassword not a line
# replace: userPassword, with a value that is not shown
# User title not a line
delete: title
-

`
	if b.String() != want {
		t.Errorf("got\n%s", b.String())
	}
}

func TestFiltersHoldInMemory(t *testing.T) {
	e := directory.Entry{ID: "1", DN: "uid=ann, ou=p", Marker: directory.Marker{State: directory.Active},
		Attributes: directory.Attributes{"uid": {"Ann"}, "mail": {"a@x", "b@x"}}}
	for _, tc := range []struct {
		filter directory.Filter
		want   bool
	}{
		{directory.Eq("UID", "ann"), true},
		{directory.Eq("uid", "anna"), false},
		{directory.Eq(directory.AttrID, "1"), true},
		{directory.Eq(directory.AttrDN, "UID=Ann,ou=p"), true},
		{directory.Eq(directory.AttrState, string(directory.Active)), true},
		{directory.AndOf(directory.Eq("mail", "b@x"), directory.NotOf(directory.Eq("mail", "c@x"))), true},
		{directory.OrOf(), false},
		{directory.Filter{Op: directory.Prefix, Attribute: "mail", Value: "B@"}, true},
		{directory.Filter{Op: directory.Suffix, Attribute: "mail", Value: "@y"}, false},
		{directory.Filter{Op: directory.Contains, Attribute: "uid", Value: "N"}, true},
		{directory.Filter{Op: directory.Present, Attribute: "title"}, false},
	} {
		if got := matches(tc.filter, e); got != tc.want {
			t.Errorf("%+v: %t", tc.filter, got)
		}
	}
}

// Somebody who would be moved is shown with the place.
func TestLDIFOfAMove(t *testing.T) {
	var b strings.Builder
	err := WriteLDIF(&b, []Step{{"User", ldapsink.Record{DN: "uid=a,ou=p", Kind: ldapsink.RecordRename, NewRDN: "uid=a", NewSuperior: "ou=disabled"}}},
		func(string, string) (string, bool) { return "", false })
	if want := "dn: uid=a,ou=p\nchangetype: moddn\nnewrdn: uid=a\ndeleteoldrdn: 1\nnewsuperior: ou=disabled\n\n"; err != nil || b.String() != want {
		t.Errorf("%v, got\n%s", err, b.String())
	}
}

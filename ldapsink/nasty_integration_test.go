//go:build integration || ad || ds389

package ldapsink

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"

	"scimgate/internal/directory"
)

// nasty are values that some reader could take for something else.
var nasty = []string{
	" a", "a ", "  a  ", " ", "#", "##", "#0401", " #a", "+", "a+uid=b", `"`, `"a"`, `\`, `\\`, `a\`, `\20a`, `a\20`, `\,`, ",", ";", "=", "a=b,c=d",
	"<>", "*", "**", "(*)", "(a)(b)", "&", "|", "!", "/", "a/b", "..", "%00", "%s", "\x00", "a\x00b", "\n", "\r\n", "\t", "\x7f", "\x1b[31m",
	"é", "éa", "aé", "日本", "\U0001F600", "a\U0001F600", "e\u0301", "\u0301", "\u00a0a\u00a0", "\u3000a", "a\u2028b", "\u202ea", "\ufeffa", "\ufffd", "\u200b",
	"a\u00adb", "ﬁ", "İ", "ß", "ǅ", strings.Repeat("x", 150), strings.Repeat("é", 70), strings.Repeat("\\,+ ", 30),
	strings.Repeat("x", 190), strings.Repeat("x", 220), strings.Repeat("é", 95), strings.Repeat("é", 110), strings.Repeat("日", 66), strings.Repeat("日", 80),
	strings.Repeat("+", 60), strings.Repeat("+", 100), strings.Repeat("x", 300), strings.Repeat("x", 600),
	"\xff", "a\xff", "\xc3", "\xe2\x82", "\xed\xa0\x80", "\xc0\x80", strings.Repeat("x", 10_000), strings.Repeat("é\x00+", 2_500),
}

// Whatever a name or a value holds, the directory has it as it was sent, gives
// it back, and finds that entry by it; what it does not take is Invalid.
func TestNastyNamesAndValuesLive(t *testing.T) {
	_, sink := started(t)
	store, crowds := sink.Store(users()), sink.Store(crowds())
	taken := 0
	for i, value := range nasty {
		label := fmt.Sprintf("%d %.40q", i, value)
		g := add(t, crowds, crowd(fmt.Sprint("g", i)))
		e, err := store.Add(t.Context(), person(value, labHere.note, value))
		if err != nil {
			if !directory.Is(err, directory.Invalid) {
				t.Errorf("%s: %v", label, err)
			}
			continue
		}
		taken++
		if !slices.Equal(e.Attributes[labHere.naming], []string{value}) || !slices.Equal(e.Attributes[labHere.note], []string{value}) {
			t.Errorf("%s: comes back as %.40q", label, e.Attributes)
		}
		sent, given := Name(labHere.naming, value, people), e.DN
		for _, dn := range []string{sent, given} {
			parsed, err := ldap.ParseDN(dn)
			if err != nil || len(parsed.RDNs) != 4 || len(parsed.RDNs[0].Attributes) != 1 || parsed.RDNs[0].Attributes[0].Value != value {
				t.Errorf("%s: %q is parsed as %+v, %v", label, dn, parsed, err)
			}
		}
		if directory.FoldDN(sent) != directory.FoldDN(given) {
			t.Errorf("%s: %q and %q are two names", label, sent, given)
		}
		for how, filter := range map[string]directory.Filter{
			"name": directory.Eq(directory.AttrDN, sent), "name as given": directory.Eq(directory.AttrDN, given),
			"value": directory.Eq(labHere.naming, value), labHere.note: directory.Eq(labHere.note, value),
		} {
			found := search(t, store, directory.Query{Filter: directory.AndOf(filter, directory.Eq(directory.AttrID, e.ID))})
			if len(found) != 1 {
				t.Errorf("%s: not found by %s", label, how)
			}
		}
		for _, change := range []directory.MemberChange{{Add: []string{sent}}, {Add: []string{given}}} {
			if err := crowds.ChangeMembers(t.Context(), g.ID, "", change); err != nil {
				t.Errorf("%s: as a member: %v", label, err)
			}
		}
		if got := the(t, crowds, g.ID).Attributes["member"]; len(got) != 1 {
			t.Errorf("%s: members %q", label, got)
		}
		for _, name := range nasty[max(0, i-3):i] { // and by the way of a rename
			_, err := store.Update(t.Context(), e, directory.Change{Name: name, Marker: active(fmt.Sprint("n", i, e.Version))})
			if err != nil && !directory.Is(err, directory.Invalid) {
				t.Errorf("%s: rename to %.40q: %v", label, name, err)
			}
			e = the(t, store, e.ID)
		}
		renamed, err := store.Update(t.Context(), e, directory.Change{Name: fmt.Sprint("plain", i), Marker: active(fmt.Sprint("r", i))})
		if err != nil {
			t.Errorf("%s: rename: %v", label, err)
			continue
		}
		if got := the(t, crowds, g.ID).Attributes["member"]; !sameNames(got, []string{renamed.DN}) {
			t.Errorf("%s: after the rename the members are %q", label, got)
		}
		if err := crowds.ChangeMembers(t.Context(), g.ID, "", directory.MemberChange{Remove: []string{renamed.DN}}); err != nil {
			t.Errorf("%s: %v", label, err)
		}
	}
	wanted := len(nasty) * 2 / 3
	if labHere.sevenBit {
		wanted = len(nasty) / 2
	}
	if taken < wanted {
		t.Errorf("the directory takes %d of %d values", taken, len(nasty))
	}
}

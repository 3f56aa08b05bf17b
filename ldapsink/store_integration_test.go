//go:build integration || ad || ds389

package ldapsink

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.uber.org/zap"

	"scimgate/internal/directory"
)

const zaptestLevel = zap.ErrorLevel

func TestAddReturnsTheEntryAsTheDirectoryHasIt(t *testing.T) {
	_, sink := started(t)
	store := sink.Store(users())
	e := add(t, store, person("bob", "mail", "Bob@example.org", labHere.note, "one", labHere.note, "two"))
	if _, ok := flavors[labHere.flavor].form.value(e.ID); !ok || e.Version == "" || e.Created.IsZero() || e.Modified.IsZero() {
		t.Errorf("incomplete: %+v", e)
	}
	if d := cmp.Diff(active("add-bob"), e.Marker); d != "" {
		t.Error(d)
	}
	want := directory.Attributes{labHere.naming: {"bob"}, labHere.full: {"The bob"}, "sn": {"Sample"}, "mail": {"Bob@example.org"}, labHere.note: {"one", "two"}}
	if d := cmp.Diff(want, e.Attributes, cmpopts.SortSlices(func(a, b string) bool { return a < b })); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(e, the(t, store, e.ID)); d != "" {
		t.Errorf("read again: %s", d)
	}
	_, err := store.Add(t.Context(), person("BOB"))
	wantKind(t, err, directory.Exists)
}

func TestAddRefusals(t *testing.T) {
	_, sink := started(t)
	store := sink.Store(users())
	_, err := store.Add(t.Context(), person("a", labHere.broken[0], labHere.broken[1]))
	wantKind(t, err, directory.Invalid)
	if e := err.(*directory.Error); e.Attribute != labHere.broken[0] || e.Op != "add" {
		t.Errorf("blames %q in %q: %v", e.Attribute, e.Op, err)
	}
	if labHere.must != "" {
		e := person("b")
		delete(e.Attributes, labHere.must)
		_, err = store.Add(t.Context(), e)
		wantKind(t, err, directory.Invalid)
		if e := err.(*directory.Error); e.Attribute != labHere.must {
			t.Errorf("blames %q: %v", e.Attribute, err)
		}
	}
	_, err = store.Add(t.Context(), person("c", "unheardOf", "x"))
	wantKind(t, err, labHere.unheardOf)
	_, err = store.Add(t.Context(), person(""))
	wantKind(t, err, directory.Invalid)
	c := users()
	c.Base = "ou=nowhere,dc=example,dc=org"
	_, err = sink.Store(c).Add(t.Context(), person("d"))
	wantKind(t, err, directory.Internal)
	_, err = sink.Store(c).Search(t.Context(), directory.Query{})
	wantKind(t, err, directory.Internal)
}

func TestNamesThatNeedEscapingLive(t *testing.T) {
	_, sink := started(t)
	store := sink.Store(users())
	for _, name := range []string{
		"comma, and more", "plus+minus", `"quoted"`, "#hash", " leading", "trailing ", "sla/sh", "ast*risk", "(parens)",
		`back\slash`, "equal=s", "<angle>;semi", "jörg", "日本", "a  b", "nul\x00byte", "new\nline",
	} {
		if labHere.sevenBit && strings.ContainsFunc(name, func(r rune) bool { return r > 0x7f || r == 0 }) {
			_, err := store.Add(t.Context(), person(name))
			wantKind(t, err, directory.Invalid)
			continue
		}
		e := add(t, store, person(name))
		if got := search(t, store, directory.Query{Filter: directory.Eq(directory.AttrDN, e.DN)}); len(got) != 1 || got[0].ID != e.ID {
			t.Errorf("%q: %d found by name %s", name, len(got), e.DN)
		}
		if got := search(t, store, directory.Query{Filter: directory.Eq(labHere.naming, name)}); len(got) != 1 || got[0].ID != e.ID {
			t.Errorf("%q: %d found by value", name, len(got))
		}
		changed, err := store.Update(t.Context(), e, directory.Change{Name: name + " x", Marker: active("r-" + e.ID)})
		if err != nil {
			t.Errorf("%q: rename: %v", name, err)
			continue
		}
		if err := store.Remove(t.Context(), changed); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	if left := search(t, store, directory.Query{Scope: directory.Anyone}); len(left) != 0 {
		t.Errorf("%d entries are left", len(left))
	}
}

func TestSearchSeesWhatItsScopeAllows(t *testing.T) {
	server, sink := started(t)
	store := sink.Store(users())
	for uid, state := range map[string]directory.State{"a": directory.Active, "i": directory.Inactive, "d": directory.Deleting, "x": directory.Deleted} {
		e := person(uid)
		e.Marker.State = state
		add(t, store, e)
	}
	other := users()
	other.Source = "entra"
	theirs := person("o")
	theirs.Marker.Source = "entra"
	add(t, sink.Store(other), theirs)
	if err := raw(t, server).Add(bare("f")); err != nil {
		t.Fatal(err)
	}
	upper := strings.ToUpper(labHere.naming)
	for _, tc := range []struct {
		name  string
		query directory.Query
		want  []string
	}{
		{"live", directory.Query{}, []string{"a", "d", "i"}},
		{"anyone", directory.Query{Scope: directory.Anyone}, []string{"a", "d", "f", "i", "o", "x"}},
		{"by state", directory.Query{Filter: directory.Eq(directory.AttrState, "deleting")}, []string{"d"}},
		{"by other state", directory.Query{Filter: directory.NotOf(directory.Eq(directory.AttrState, "active"))}, []string{"d", "i"}},
		{"none", directory.Query{Filter: directory.Filter{Op: directory.None}}, nil},
		{"empty or", directory.Query{Filter: directory.OrOf()}, nil},
		{"empty and", directory.Query{Filter: directory.AndOf()}, []string{"a", "d", "i"}},
		{"not none", directory.Query{Filter: directory.NotOf(directory.OrOf())}, []string{"a", "d", "i"}},
		{"no id", directory.Query{Filter: directory.Eq(directory.AttrID, "nonsense")}, nil},
		{"not that id", directory.Query{Filter: directory.NotOf(directory.Eq(directory.AttrID, "nonsense"))}, []string{"a", "d", "i"}},
		{"prefix", directory.Query{Filter: directory.Filter{Op: directory.Prefix, Attribute: labHere.full, Value: "the a"}}, []string{"a"}},
		{"suffix", directory.Query{Filter: directory.Filter{Op: directory.Suffix, Attribute: labHere.full, Value: " I"}}, []string{"i"}},
		{"contains", directory.Query{Filter: directory.Filter{Op: directory.Contains, Attribute: labHere.full, Value: "he d"}}, []string{"d"}},
		{"present", directory.Query{Filter: directory.Filter{Op: directory.Present, Attribute: "mail"}}, nil},
		{"created", directory.Query{Filter: directory.Filter{Op: directory.AtLeast, Attribute: directory.AttrCreated, Value: "2020-01-01T00:00:00Z"}}, []string{"a", "d", "i"}},
		{"created later", directory.Query{Filter: directory.Filter{Op: directory.AtLeast, Attribute: directory.AttrCreated, Value: "2120-01-01T01:00:00.5+01:00"}}, nil},
		{"by names", directory.Query{Filter: directory.AnyOf(directory.AttrDN, []string{strings.ToUpper(labHere.naming) + "=a, " + people, theirDN("x"), theirDN("none"), "no name"})}, []string{"a"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.query.Attributes = []string{upper}
			var got []string
			for _, e := range search(t, store, tc.query) {
				got = append(got, e.Attributes.First(upper))
			}
			slices.Sort(got)
			if d := cmp.Diff(tc.want, got); d != "" {
				t.Error(d)
			}
		})
	}
	bare := search(t, store, directory.Query{Filter: directory.Eq(labHere.naming, "i"), Attributes: []string{}})
	if len(bare) != 1 || bare[0].ID == "" || bare[0].Version == "" || bare[0].Marker.State != directory.Inactive || len(bare[0].Attributes) != 0 {
		t.Errorf("without attributes: %+v", bare)
	}
}

func TestSearchWithVeryManyAlternatives(t *testing.T) {
	_, sink := started(t)
	store := sink.Store(users())
	var ids []string
	for i := range 20 {
		ids = append(ids, add(t, store, person(fmt.Sprint("u", i))).ID)
	}
	for i := range 3 * alternatives {
		ids = append(ids, fmt.Sprintf("00000000-0000-0000-0000-%012d", i))
	}
	ids = append(ids, ids[:20]...) // once more, in another piece
	if got := search(t, store, directory.Query{Filter: directory.AnyOf(directory.AttrID, ids)}); len(got) != 20 {
		t.Errorf("%d found, wanted 20", len(got))
	}
}

func TestUpdateIsOneCompareAndSet(t *testing.T) {
	server, sink := started(t)
	store := sink.Store(users())
	old := add(t, store, person("bob", "mail", "a@example.org", labHere.note, "foreign"))
	change := directory.Change{Mods: directory.Diff(
		directory.Attributes{"mail": {"a@example.org"}}, directory.Attributes{"mail": {"b@example.org"}, "givenName": {"Bob"}}), Marker: active("u1")}
	now, err := store.Update(t.Context(), old, change)
	if err != nil {
		t.Fatal(err)
	}
	if now.ID != old.ID || now.Version == old.Version || now.Marker.Request != "u1" || now.Attributes.First("mail") != "b@example.org" ||
		now.Attributes.First("givenName") != "Bob" || now.Attributes.First(labHere.note) != "foreign" {
		t.Errorf("got %+v", now)
	}
	if d := cmp.Diff(now, the(t, store, old.ID)); d != "" {
		t.Errorf("read again: %s", d)
	}
	change.Marker = active("u2")
	_, err = store.Update(t.Context(), old, change)
	wantKind(t, err, directory.Changed)
	if got := the(t, store, old.ID); got.Marker.Request != "u1" {
		t.Errorf("a refused update left its marker: %+v", got.Marker)
	}
	_, err = store.Update(t.Context(), now, directory.Change{Mods: []directory.Mod{{Op: directory.ModAdd, Attribute: labHere.broken[0], Values: []string{labHere.broken[1]}}}, Marker: active("u3")})
	wantKind(t, err, directory.Invalid)
	if e := err.(*directory.Error); e.Attribute != labHere.broken[0] {
		t.Errorf("blames %q: %v", e.Attribute, err)
	}
	// A value that is there already cannot be solved by reading again.
	_, err = store.Update(t.Context(), now, directory.Change{Mods: []directory.Mod{{Op: directory.ModAdd, Attribute: "mail", Values: []string{"B@example.org"}}}, Marker: active("u4")})
	wantKind(t, err, directory.Invalid)
	if err := raw(t, server).ModifyDN(ldap.NewModifyDNRequest(now.DN, labHere.naming+"=elsewhere", true, "")); err != nil {
		t.Fatal(err)
	}
	_, err = store.Update(t.Context(), now, directory.Change{Marker: active("u5")})
	wantKind(t, err, directory.Changed)
	wantKind(t, store.Remove(t.Context(), now), directory.Changed)
	now = the(t, store, now.ID)
	if err := store.Remove(t.Context(), now); err != nil {
		t.Fatal(err)
	}
	if err := store.Remove(t.Context(), now); err != nil {
		t.Errorf("removing what is gone: %v", err)
	}
	_, err = store.Update(t.Context(), now, directory.Change{Marker: active("u6")})
	wantKind(t, err, directory.NotFound)
}

func TestMarkerOfAnotherVersionOfTheGatewayIsReplaced(t *testing.T) {
	server, sink := started(t)
	c := users()
	c.StateAttribute, c.SourceAttribute = labHere.shared[0], labHere.shared[1]
	store := sink.Store(c)
	e := add(t, store, person("bob", labHere.shared[0], "a friend"))
	conn := raw(t, server)
	for i, text := range []string{`scimgate:active {"request":"old",  "future":[1]}`, "scimgate:broken {"} {
		request := ldap.NewModifyRequest(e.DN, nil)
		request.Replace(labHere.shared[0], []string{"a friend", text})
		if err := conn.Modify(request); err != nil {
			t.Fatal(err)
		}
		now, err := store.Update(t.Context(), the(t, store, e.ID), directory.Change{Marker: active("new")})
		if err != nil {
			t.Fatal(err)
		}
		got := readRaw(t, conn, e.DN, labHere.shared[0])
		if now.Marker.Request != "new" || len(got) != 2 || !slices.Contains(got, "a friend") {
			t.Errorf("%d: %+v, %q", i, now.Marker, got)
		}
	}
	released, err := store.Update(t.Context(), the(t, store, e.ID), directory.Change{})
	if err != nil {
		t.Fatal(err)
	}
	if got := readRaw(t, conn, e.DN, labHere.shared[0]); released.Marker.Source != "" || len(got) != 1 {
		t.Errorf("released: %+v, %q", released.Marker, got)
	}
	adopted, err := store.Update(t.Context(), released, directory.Change{Marker: active("adopt")})
	if err != nil || adopted.Marker.Source != "okta" {
		t.Errorf("adopted: %+v, %v", adopted.Marker, err)
	}
}

func TestKeysKeepValuesUnique(t *testing.T) {
	_, sink := started(t)
	store := sink.Store(users())
	mail := func(v string) []directory.Key { return []directory.Key{{Attribute: "mail", Value: v}} }
	first := person("a", "mail", "a@example.org")
	first.Keys = mail("a@example.org")
	a := add(t, store, first)
	second := person("b", "mail", "A@example.org")
	second.Keys = mail("A@example.org")
	_, err := store.Add(t.Context(), second)
	wantKind(t, err, directory.Exists)
	if got := search(t, store, directory.Query{Scope: directory.Anyone}); len(got) != 1 {
		t.Errorf("the loser is still there: %d entries", len(got))
	}
	// Exact keys differ in case, though the attribute's own rule ignores it.
	second.Keys = []directory.Key{{Attribute: "mail", Value: "A@example.org", Exact: true}}
	b := add(t, store, second)
	_, err = store.Update(t.Context(), b, directory.Change{
		Mods: directory.Diff(directory.Attributes{"mail": {"A@example.org"}}, directory.Attributes{"mail": {"a@example.org"}}), Marker: active("u"), Keys: mail("a@example.org")})
	wantKind(t, err, directory.Exists)
	if got := the(t, store, b.ID); got.Version != b.Version {
		t.Errorf("a refused update changed the entry: %+v", got)
	}
	// A tombstone does not hold its values.
	tomb := a.Marker
	tomb.State = directory.Deleted
	if _, err := store.Update(t.Context(), a, directory.Change{Marker: tomb}); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Update(t.Context(), b, directory.Change{
		Mods: directory.Diff(directory.Attributes{"mail": {"A@example.org"}}, directory.Attributes{"mail": {"a@example.org"}}), Marker: active("u"), Keys: mail("a@example.org")}); err != nil {
		t.Error(err)
	}
}

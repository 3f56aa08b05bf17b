//go:build integration || ad || ds389

package ldapsink

import (
	"slices"
	"sync/atomic"
	"testing"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
	"github.com/google/go-cmp/cmp"

	"scimgate/internal/directory"
)

// before runs what another writer does just before the nth request of a kind
// reaches the directory.
func before(p *proxy, op ber.Tag, nth int32, act func()) {
	var seen atomic.Int32
	p.when(func(answer bool, o ber.Tag) verdict {
		if !answer && o == op && seen.Add(1) == nth {
			act()
		}
		return pass
	})
}

// put adds an entry that nobody manages.
func put(t *testing.T, conn *ldap.Conn, uid string, attributes ...string) {
	t.Helper()
	if err := conn.Add(bare(uid, attributes...)); err != nil {
		t.Error(err)
	}
}

// An update that finds its value taken after the write puts everything back.
func TestUpdateThatLosesAValuePutsItBack(t *testing.T) {
	server, p, sink := proxied(t)
	store, conn := sink.Store(users()), raw(t, server)
	bob := add(t, store, person("bob", "mail", "old@example.org", labHere.note, "foreign"))
	before(p, ldap.ApplicationModifyRequest, 1, func() { put(t, conn, "eve", "mail", "new@example.org") })
	_, err := store.Update(t.Context(), bob, directory.Change{
		Mods: directory.Diff(directory.Attributes{"mail": {"old@example.org"}}, directory.Attributes{"mail": {"new@example.org"}, "givenName": {"B"}}),
		Keys: []directory.Key{{Attribute: "mail", Value: "new@example.org"}}, Marker: active("claim"),
	})
	wantKind(t, err, directory.Exists)
	got := the(t, store, bob.ID)
	if d := cmp.Diff(bob.Attributes, got.Attributes); d != "" || got.Marker.Request != bob.Marker.Request {
		t.Errorf("%s %+v", d, got.Marker)
	}
	// The same while somebody else writes to the entry as well: theirs stays.
	if err := conn.Del(ldap.NewDelRequest(theirDN("eve"), nil)); err != nil {
		t.Fatal(err)
	}
	var modifies atomic.Int32
	p.when(func(answer bool, op ber.Tag) verdict {
		if answer || op != ldap.ApplicationModifyRequest {
			return pass
		}
		switch modifies.Add(1) {
		case 1:
			put(t, conn, "eve", "mail", "new@example.org")
		case 2:
			request := ldap.NewModifyRequest(bob.DN, nil)
			request.Add(labHere.note, []string{"theirs"})
			if err := conn.Modify(request); err != nil {
				t.Error(err)
			}
		}
		return pass
	})
	_, err = store.Update(t.Context(), got, directory.Change{
		Mods: directory.Diff(directory.Attributes{"mail": {"old@example.org"}}, directory.Attributes{"mail": {"new@example.org"}}),
		Keys: []directory.Key{{Attribute: "mail", Value: "new@example.org"}}, Marker: active("claim again"),
	})
	wantKind(t, err, directory.Exists)
	got = the(t, store, bob.ID)
	if !slices.Equal(got.Attributes["mail"], []string{"old@example.org"}) || len(got.Attributes[labHere.note]) != 2 {
		t.Errorf("%+v", got.Attributes)
	}
}

// A rename whose name is taken at the last moment puts its first step back.
func TestRenameThatLosesItsNamePutsItBack(t *testing.T) {
	server, p, sink := proxied(t)
	store, conn := sink.Store(users()), raw(t, server)
	bob := add(t, store, person("bob"))
	before(p, ldap.ApplicationModifyDNRequest, 1, func() { put(t, conn, "robert") })
	_, err := store.Update(t.Context(), bob, directory.Change{Name: "robert", Marker: active("r"),
		Mods:   []directory.Mod{{Op: directory.ModAdd, Attribute: "givenName", Values: []string{"Robert"}}},
		Unlock: []directory.Mod{{Op: directory.ModAdd, Attribute: "mail", Values: []string{"r@example.org"}}}})
	wantKind(t, err, directory.Exists)
	got := the(t, store, bob.ID)
	if d := cmp.Diff(bob.Attributes, got.Attributes); d != "" || got.DN != bob.DN || got.Marker.From != "" {
		t.Errorf("%s %+v", d, got)
	}
}

// A write that comes between the steps of a rename does not stop it.
func TestRenameGoesOnAfterAnotherWrite(t *testing.T) {
	server, p, sink := proxied(t)
	store, conn := sink.Store(users()), raw(t, server)
	bob := add(t, store, person("bob"))
	before(p, ldap.ApplicationModifyRequest, 2, func() {
		request := ldap.NewModifyRequest(theirDN("robert"), nil)
		request.Add(labHere.note, []string{"theirs"})
		if err := conn.Modify(request); err != nil {
			t.Error(err)
		}
	})
	now, err := store.Update(t.Context(), bob, directory.Change{Name: "robert", Marker: active("r")})
	if err != nil || now.Marker.From != "" || now.Attributes.First(labHere.note) != "theirs" {
		t.Errorf("%+v, %v", now, err)
	}
}

// What refers to the old name of an interrupted rename stays where that name is
// somebody else's by now.
func TestInterruptedRenameLeavesTheNewOwnersReferences(t *testing.T) {
	server, sink := started(t)
	store, conn := sink.Store(users()).(*store), raw(t, server)
	bob := add(t, store, person("bob"))
	team := add(t, sink.Store(crowds()), crowd("team", bob.DN))
	marker := active("stopped")
	marker.From = bob.DN
	if _, err := store.apply(t.Context(), bob, &step{marker: marker}); err != nil {
		t.Fatal(err)
	}
	if err := conn.ModifyDN(ldap.NewModifyDNRequest(bob.DN, labHere.naming+"=robert", true, "")); err != nil {
		t.Fatal(err)
	}
	put(t, conn, "bob")
	now, err := store.Update(t.Context(), the(t, store, bob.ID), directory.Change{Marker: active("again")})
	if err != nil || now.Marker.From != "" {
		t.Fatalf("%+v, %v", now, err)
	}
	want := bob.DN
	if labHere.links { // they went along with him before anybody had his name
		want = now.DN
	}
	if got := readRaw(t, conn, team.DN, "member"); !sameNames(got, []string{want}) {
		t.Errorf("members %q", got)
	}
}

// A group that is renamed or replaced by another of its name while its members
// change is found again by its id.
func TestMembersFollowARenamedGroup(t *testing.T) {
	server, p, sink := proxied(t)
	store, conn := sink.Store(teams()), raw(t, server)
	g := add(t, store, crowd("g"))
	before(p, ldap.ApplicationModifyRequest, 1, func() {
		if err := conn.ModifyDN(ldap.NewModifyDNRequest(g.DN, "cn=moved", true, "")); err != nil {
			t.Error(err)
		}
		if err := conn.Add(bareGroup("g")); err != nil {
			t.Error(err)
		}
	})
	if err := store.ChangeMembers(t.Context(), g.ID, "", directory.MemberChange{Add: names([]int{1})}); err != nil {
		t.Fatal(err)
	}
	if got := the(t, store, g.ID); len(got.Attributes["member"]) != 1 || rdnOf(got.DN) != "cn=moved" {
		t.Errorf("%+v", got)
	}
	if got := readRaw(t, conn, g.DN, "member"); len(got) != 0 {
		t.Errorf("the other group got %q", got)
	}
}

// A server that keeps values unique itself says the same as the gateway would.
func TestServersOwnUniquenessIsExists(t *testing.T) {
	_, sink := started(t, "unique")
	store := sink.Store(users())
	add(t, store, person("a", labHere.unique, "same@example.org"))
	_, err := store.Add(t.Context(), person("b", labHere.unique, "same@example.org"))
	wantKind(t, err, directory.Exists)
	b := add(t, store, person("b"))
	_, err = store.Update(t.Context(), b, directory.Change{Marker: active("u"),
		Mods: []directory.Mod{{Op: directory.ModAdd, Attribute: labHere.unique, Values: []string{"same@example.org"}}}})
	wantKind(t, err, directory.Exists)
	now, err := store.Update(t.Context(), b, directory.Change{Marker: active("u"), Name: "c",
		Mods: []directory.Mod{{Op: directory.ModAdd, Attribute: labHere.unique, Values: []string{"other@example.org"}}}})
	if err != nil || now.Attributes.First(labHere.unique) != "other@example.org" || rdnOf(now.DN) != labHere.naming+"=c" {
		t.Errorf("%+v, %v", now, err)
	}
	_, err = store.Update(t.Context(), b, directory.Change{Marker: active("u"),
		Mods: []directory.Mod{{Op: directory.ModAdd, Attribute: labHere.unique, Values: []string{"third@example.org"}}}})
	wantKind(t, err, directory.Changed)
}

// Keys of both kinds at once: each is held against its own rule.
func TestExactAndLooseKeysTogether(t *testing.T) {
	_, sink := started(t)
	store := sink.Store(users())
	add(t, store, person("a", "mail", "X@example.org", "givenName", "One"))
	e := person("b", "mail", "x@example.org", "givenName", "Two")
	e.Keys = []directory.Key{{Attribute: "mail", Value: "x@example.org", Exact: true}, {Attribute: "givenName", Value: "Two"}}
	add(t, store, e) // differs in case where that counts
	e = person("c", "mail", "y@example.org", "givenName", "one")
	e.Keys = []directory.Key{{Attribute: "mail", Value: "y@example.org", Exact: true}, {Attribute: "givenName", Value: "one"}}
	_, err := store.Add(t.Context(), e)
	wantKind(t, err, directory.Exists)
}

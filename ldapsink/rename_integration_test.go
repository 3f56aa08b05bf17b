//go:build integration || ad || ds389

package ldapsink

import (
	"fmt"
	"slices"
	"testing"

	"github.com/go-ldap/ldap/v3"
	"github.com/google/go-cmp/cmp"

	"scimgate/internal/directory"
)

// Renaming a member of 200 groups keeps every membership, whether or not the
// directory follows references of its own accord.
func TestRenameKeepsMemberships(t *testing.T) {
	for _, overlays := range [][]string{nil, {"refint"}} {
		t.Run(fmt.Sprint(overlays), func(t *testing.T) {
			server, sink := started(t, overlays...)
			store, conn := sink.Store(users()), raw(t, server)
			bob, eve := add(t, store, person("bob")), add(t, store, person("eve"))
			manage := ldap.NewModifyRequest(eve.DN, nil)
			manage.Add("manager", []string{bob.DN})
			if err := conn.Modify(manage); err != nil {
				t.Fatal(err)
			}
			for i := range 200 {
				g := bareGroup(fmt.Sprintf("g%d", i), bob.DN, eve.DN)
				if i%10 == 0 && labHere.strangers {
					g = ldap.NewAddRequest(g.DN, nil)
					g.Attribute("objectClass", []string{"groupOfUniqueNames"})
					g.Attribute("cn", []string{fmt.Sprintf("g%d", i)})
					g.Attribute("uniqueMember", []string{bob.DN, eve.DN})
				}
				if err := conn.Add(g); err != nil {
					t.Fatal(err)
				}
			}
			now, err := store.Update(t.Context(), bob, directory.Change{
				Name: "Robert, jr.", Marker: active("rename"),
				Mods:   []directory.Mod{{Op: directory.ModAdd, Attribute: "givenName", Values: []string{"Robert"}}},
				Unlock: []directory.Mod{{Op: directory.ModAdd, Attribute: "mail", Values: []string{"r@example.org"}}},
			})
			if err != nil {
				t.Fatal(err)
			}
			if now.ID != bob.ID || now.Marker.From != "" || now.Attributes.First("mail") == "" || now.Attributes.First("givenName") == "" ||
				!slices.Equal(now.Attributes[labHere.naming], []string{"Robert, jr."}) {
				t.Errorf("renamed: %+v", now)
			}
			eventually(t, "the directory is done with its own part", func() bool { return referring(t, conn, bob.DN) == 0 })
			if n := referring(t, conn, now.DN); n != 201 {
				t.Errorf("%d references to the new name, wanted 201", n)
			}
			if n := referring(t, conn, eve.DN); n != 200 {
				t.Errorf("%d references to somebody else, wanted 200", n)
			}
		})
	}
}

// referring counts the references to a name.
func referring(t *testing.T, conn *ldap.Conn, dn string) int {
	t.Helper()
	f := renderer{}
	filter, err := f.render(directory.OrOf(directory.Eq("member", dn), directory.Eq("uniqueMember", dn), directory.Eq("manager", dn)))
	if err != nil {
		t.Fatal(err)
	}
	found, err := conn.Search(ldap.NewSearchRequest("dc=example,dc=org", ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, 0, false, filter, []string{"1.1"}, nil))
	if err != nil {
		t.Fatal(err)
	}
	return len(found.Entries)
}

func TestRenameToATakenNameChangesNothing(t *testing.T) {
	_, sink := started(t)
	store := sink.Store(users())
	bob := add(t, store, person("bob"))
	add(t, store, person("eve"))
	_, err := store.Update(t.Context(), bob, directory.Change{Name: "EVE", Marker: active("r"),
		Mods: []directory.Mod{{Op: directory.ModAdd, Attribute: "mail", Values: []string{"r@example.org"}}}})
	wantKind(t, err, directory.Exists)
	if got := the(t, store, bob.ID); got.Version != bob.Version {
		t.Errorf("changed: %+v", got)
	}
}

func TestRenameOfSpellingOnly(t *testing.T) {
	_, sink := started(t)
	store := sink.Store(users())
	bob := add(t, store, person("bob smith"))
	for _, name := range []string{"Bob Smith", "Bob  Smith", "bob smith"} {
		now, err := store.Update(t.Context(), bob, directory.Change{Name: name, Marker: active("to " + name)})
		if err != nil {
			t.Fatalf("%q: %v", name, err)
		}
		if now.ID != bob.ID || now.Marker.From != "" || !slices.Equal(now.Attributes[labHere.naming], []string{name}) {
			t.Errorf("%q: %+v", name, now)
		}
		bob = now
	}
}

// A rename that stopped at any of its steps is completed by the next update.
func TestInterruptedRenameIsCompleted(t *testing.T) {
	server, sink := started(t)
	people, conn := sink.Store(users()), raw(t, server)
	bob := add(t, people, person("bob"))
	team := add(t, sink.Store(crowds()), crowd("team", bob.DN))
	marker := active("stopped")
	marker.From = bob.DN
	inner := sink.Store(users()).(*store)
	begun, err := inner.apply(t.Context(), bob, &step{marker: marker})
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.ModifyDN(ldap.NewModifyDNRequest(begun.DN, labHere.naming+"=robert", true, "")); err != nil {
		t.Fatal(err)
	}
	now, err := people.Update(t.Context(), the(t, people, bob.ID), directory.Change{Marker: active("again")})
	if err != nil {
		t.Fatal(err)
	}
	if got := readRaw(t, conn, team.DN, "member"); now.Marker.From != "" || !sameNames(got, []string{now.DN}) {
		t.Errorf("%+v, member %q", now.Marker, got)
	}
	// Stopped before the name was given: the next update has nothing to bring along.
	marker = active("stopped again")
	marker.From = now.DN
	begun, err = inner.apply(t.Context(), now, &step{marker: marker})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := people.Update(t.Context(), begun, directory.Change{Name: "rob", Marker: active("again")}); err != nil {
		t.Fatal(err)
	}
	if n := referring(t, conn, theirDN("rob")); n != 1 {
		t.Errorf("%d references, wanted 1", n)
	}
}

// A rename whose password is refused is taken back, with whatever referred to
// the entry.
func TestRenameWithARefusedPasswordIsTakenBack(t *testing.T) {
	server, sink := started(t)
	store, conn := sink.Store(users()), raw(t, server)
	bob := add(t, store, person("bob", labHere.note, "first"))
	team := add(t, sink.Store(crowds()), crowd("team", bob.DN))
	_, err := store.Update(t.Context(), bob, directory.Change{Name: "robert", Marker: active("r"), Mods: describe("second"),
		Unlock: []directory.Mod{{Op: directory.ModAdd, Attribute: labHere.broken[0], Values: []string{labHere.broken[1]}}}})
	wantKind(t, err, directory.Invalid)
	now := the(t, store, bob.ID)
	if d := cmp.Diff(bob.Attributes, now.Attributes); d != "" || now.DN != bob.DN || now.Marker.From != "" || now.Marker.Request != bob.Marker.Request {
		t.Errorf("%s %+v", d, now)
	}
	if got := readRaw(t, conn, team.DN, "member"); !sameNames(got, []string{bob.DN}) {
		t.Errorf("members %q", got)
	}
}

//go:build integration || ad || ds389

package ldapsink

import (
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	"scimgate/internal/directory"
)

// What directories do by themselves (references that follow, memberOf, values
// kept unique) stands in the way of no write, and nothing is doubled or lost.
func TestWritesBesideWhatTheDirectoryDoes(t *testing.T) {
	s, sink := started(t, "memberof", "refint", "unique")
	people, groups, conn := sink.Store(users()), sink.Store(teams()), raw(t, s)
	ctx := within(t, time.Minute)
	bob := add(t, people, person("bob", labHere.unique, "b@example.org"))
	g, h := add(t, groups, crowd("g")), add(t, groups, crowd("h"))
	for _, id := range []string{g.ID, h.ID} {
		if err := groups.ChangeMembers(ctx, id, "", directory.MemberChange{Add: []string{bob.DN}}); err != nil {
			t.Fatal(err)
		}
	}
	manage := ldap.NewModifyRequest(bob.DN, nil)
	manage.Add("manager", []string{bob.DN})
	if err := conn.Modify(manage); err != nil {
		t.Fatal(err)
	}
	now, err := people.Update(ctx, the(t, people, bob.ID), directory.Change{Name: "robert", Marker: active("rename"),
		Mods:   directory.Diff(directory.Attributes{labHere.unique: {"b@example.org"}}, directory.Attributes{labHere.unique: {"r@example.org"}}),
		Unlock: describe("unlocked")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := groups.Update(ctx, the(t, groups, g.ID), directory.Change{Name: "g2", Marker: active("rename")}); err != nil {
		t.Fatal(err)
	}
	g = the(t, groups, g.ID)
	for _, group := range []directory.Entry{g, h} {
		if got := readRaw(t, conn, group.DN, "member"); !sameNames(got, []string{now.DN}) {
			t.Errorf("%s: members %q", group.DN, got)
		}
	}
	if got := readRaw(t, conn, now.DN, "manager"); !sameNames(got, []string{now.DN}) {
		t.Errorf("manager %q", got)
	}
	if got := readRaw(t, conn, now.DN, "memberOf"); labHere.flavor != openLDAP && !sameNames(got, []string{g.DN, h.DN}) { // OpenLDAP's lags behind names
		t.Errorf("member of %q", got)
	}
	// A PUT with members that were read before one of them had another name.
	stale := the(t, groups, g.ID)
	if _, err := people.Update(ctx, the(t, people, bob.ID), directory.Change{Name: "rob", Marker: active("again")}); err != nil {
		t.Fatal(err)
	}
	change := directory.Change{Marker: active("put"), Mods: directory.Diff(directory.Attributes{"member": stale.Attributes["member"]}, nil)}
	if _, err = groups.Update(ctx, stale, change); err == nil {
		t.Error("a member was removed under a name that was not theirs any more")
	}
	wantKind(t, err, directory.Changed)
	stale = the(t, groups, g.ID)
	change.Mods = directory.Diff(directory.Attributes{"member": stale.Attributes["member"]}, nil)
	if _, err := groups.Update(ctx, stale, change); err != nil {
		t.Error(err)
	}
	for _, err := range []error{people.Remove(ctx, the(t, people, bob.ID)), groups.Remove(ctx, the(t, groups, g.ID))} {
		if err != nil {
			t.Error(err)
		}
	}
	if labHere.flavor != openLDAP { // whose refint takes its time, and groups of a kind that may be empty
		if got := readRaw(t, conn, h.DN, "member"); len(got) > 0 {
			t.Errorf("members that are nobody: %q", got)
		}
	}
}

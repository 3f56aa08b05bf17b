//go:build integration || ad || ds389

package ldapsink

import (
	"testing"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"

	"scimgate/internal/directory"
)

// Between a look and the write that goes by it others come. These tests put
// somebody there, whether or not the server holds writes against a version.

// Another gateway's update that comes at the last moment is not lost, and the
// one that it came before says so and has written nothing.
func TestUpdateOfAnotherGatewayComesBetween(t *testing.T) {
	s, p, sink := proxied(t)
	other := open(t, configured(s)).Store(users())
	store := sink.Store(users())
	bob := add(t, store, person("bob", "mail", "old@example.org"))
	before(p, ldap.ApplicationModifyRequest, 1, func() {
		if _, err := other.Update(within(t, time.Minute), the(t, other, bob.ID), directory.Change{Marker: active("theirs"), Mods: describe("theirs")}); err != nil {
			t.Error(err)
		}
	})
	_, err := store.Update(within(t, time.Minute), bob, directory.Change{Marker: active("mine"),
		Mods: []directory.Mod{{Op: directory.ModAdd, Attribute: "givenName", Values: []string{"Mine"}}}})
	wantKind(t, err, directory.Changed)
	if now := the(t, store, bob.ID); now.Marker.Request != "theirs" || now.Attributes.First(labHere.note) != "theirs" || now.Attributes.First("givenName") != "" {
		t.Errorf("%+v", now)
	}
	// The same marker again is no way round: it has to be there still.
	bob = the(t, store, bob.ID)
	before(p, ldap.ApplicationModifyRequest, 1, func() {
		if _, err := other.Update(within(t, time.Minute), the(t, other, bob.ID), directory.Change{Marker: active("theirs again"), Mods: describe("theirs again")}); err != nil {
			t.Error(err)
		}
	})
	_, err = store.Update(within(t, time.Minute), bob, directory.Change{Marker: bob.Marker,
		Mods: []directory.Mod{{Op: directory.ModAdd, Attribute: "givenName", Values: []string{"Mine"}}}})
	wantKind(t, err, directory.Changed)
	if now := the(t, store, bob.ID); now.Marker.Request != "theirs again" || now.Attributes.First("givenName") != "" {
		t.Errorf("%+v", now)
	}
}

// A stranger's change of the value that an update changes makes it fail, and one
// of another value survives it.
func TestStrangersChangeComesBetween(t *testing.T) {
	s, p, sink := proxied(t)
	strangersChange(t, s, p, sink.Store(users()))
}

func strangersChange(t *testing.T, s server, p *proxy, store directory.Store) {
	t.Helper()
	conn := raw(t, s)
	bob := add(t, store, person("bob", "mail", "old@example.org"))
	theirs := func(attribute, value string) {
		request := ldap.NewModifyRequest(bob.DN, nil)
		request.Replace(attribute, []string{value})
		if err := conn.Modify(request); err != nil {
			t.Error(err)
		}
	}
	mine := directory.Change{Marker: active("mine"), Mods: directory.Diff(
		directory.Attributes{"mail": {"old@example.org"}}, directory.Attributes{"mail": {"mine@example.org"}})}
	before(p, ldap.ApplicationModifyRequest, 1, func() { theirs("mail", "theirs@example.org") })
	_, err := store.Update(within(t, time.Minute), bob, mine)
	wantKind(t, err, directory.Changed)
	if now := the(t, store, bob.ID); now.Attributes.First("mail") != "theirs@example.org" || now.Marker.Request != bob.Marker.Request {
		t.Errorf("%+v", now)
	}
	theirs("mail", "old@example.org")
	bob = the(t, store, bob.ID)
	before(p, ldap.ApplicationModifyRequest, 1, func() { theirs("givenName", "Theirs") })
	_, err = store.Update(within(t, time.Minute), bob, mine)
	if err != nil && !directory.Is(err, directory.Changed) {
		t.Fatal(err)
	}
	if now := the(t, store, bob.ID); now.Attributes.First("givenName") != "Theirs" || (err == nil) != (now.Attributes.First("mail") == "mine@example.org") {
		t.Errorf("%v: %+v", err, now)
	}
}

// Somebody who takes the name of an entry at the last moment is not given what
// was meant for it: not its attributes, not its new name, not its members. (Not
// shown for Remove, which 389 DS has no way to hold.)
func TestAnotherEntryTakesTheName(t *testing.T) {
	s, p, sink := proxied(t)
	store, conn := sink.Store(users()), raw(t, s)
	for _, tc := range []struct {
		name   string
		op     ber.Tag
		change directory.Change
	}{
		{"modify", ldap.ApplicationModifyRequest, directory.Change{Mods: describe("mine")}},
		{"rename", ldap.ApplicationModifyDNRequest, directory.Change{Name: "mine", Mods: describe("mine")}},
	} {
		bob := add(t, store, person("bob "+tc.name))
		before(p, tc.op, 1, func() {
			if err := conn.ModifyDN(ldap.NewModifyDNRequest(bob.DN, labHere.naming+"=moved "+tc.name, true, "")); err != nil {
				t.Error(err)
			}
			if err := conn.Add(bare("bob " + tc.name)); err != nil {
				t.Error(err)
			}
		})
		tc.change.Marker = active(tc.name)
		_, err := store.Update(within(t, time.Minute), bob, tc.change)
		p.when(nil)
		if err == nil && tc.op == ldap.ApplicationModifyRequest && flavors[labHere.flavor].namesByID {
			err = &directory.Error{Kind: directory.Changed} // it was the right one, under whatever name
		}
		wantKind(t, err, directory.Changed)
		if got := readRaw(t, conn, bob.DN, labHere.note); len(got) > 0 {
			t.Errorf("%s: the other entry got %q", tc.name, got)
		}
		if now := the(t, store, bob.ID); rdnOf(now.DN) != labHere.naming+"=moved "+tc.name {
			t.Errorf("%s: %+v", tc.name, now)
		}
	}
}

// Two who change the members of one version are not both right.
func TestMembersOfOneVersionChangeOnce(t *testing.T) {
	s, p, sink := proxied(t)
	other := open(t, configured(s)).Store(teams())
	store := sink.Store(teams())
	g := add(t, store, crowd("g"))
	before(p, ldap.ApplicationModifyRequest, 1, func() {
		if err := other.ChangeMembers(within(t, time.Minute), g.ID, the(t, other, g.ID).Version, directory.MemberChange{Add: names([]int{1})}); err != nil {
			t.Error(err)
		}
	})
	err := store.ChangeMembers(within(t, time.Minute), g.ID, g.Version, directory.MemberChange{Add: names([]int{2})})
	wantKind(t, err, directory.Changed)
	now := the(t, store, g.ID)
	if !sameNames(now.Attributes["member"], names([]int{1})) || now.Version == g.Version {
		t.Errorf("%+v", now)
	}
}

// A version is another after every write, within one second too.
func TestVersionsOfOneSecondDiffer(t *testing.T) {
	_, sink := started(t)
	store := sink.Store(users())
	e := add(t, store, person("bob"))
	seen := map[string]bool{e.Version: true}
	for i := range 40 {
		now, err := store.Update(within(t, time.Minute), e, directory.Change{Marker: active(string(rune('A' + i)))})
		if err != nil {
			t.Fatal(err)
		}
		if now.Version == "" || seen[now.Version] {
			t.Fatalf("write %d has the version %q again", i, now.Version)
		}
		seen[now.Version] = true
		e = now
	}
}

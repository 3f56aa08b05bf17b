//go:build integration

package ldapsink

import (
	"slices"
	"sync/atomic"
	"testing"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
	"github.com/google/go-cmp/cmp"

	"scimgate/internal/directory"
	"scimgate/internal/slapd"
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
	request := ldap.NewAddRequest("uid="+uid+","+people, nil)
	request.Attribute("objectClass", []string{"inetOrgPerson"})
	request.Attribute("cn", []string{uid})
	request.Attribute("sn", []string{uid})
	for i := 0; i < len(attributes); i += 2 {
		request.Attribute(attributes[i], []string{attributes[i+1]})
	}
	if err := conn.Add(request); err != nil {
		t.Error(err)
	}
}

// An update that finds its value taken after the write puts everything back.
func TestUpdateThatLosesAValuePutsItBack(t *testing.T) {
	server, p, sink := proxied(t)
	store, conn := sink.Store(users()), raw(t, server)
	bob := add(t, store, person("bob", "mail", "old@example.org", "description", "foreign"))
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
	if err := conn.Del(ldap.NewDelRequest("uid=eve,"+people, nil)); err != nil {
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
			request.Add("description", []string{"theirs"})
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
	if !slices.Equal(got.Attributes["mail"], []string{"old@example.org"}) || len(got.Attributes["description"]) != 2 {
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
		request := ldap.NewModifyRequest("uid=robert,"+people, nil)
		request.Add("description", []string{"theirs"})
		if err := conn.Modify(request); err != nil {
			t.Error(err)
		}
	})
	now, err := store.Update(t.Context(), bob, directory.Change{Name: "robert", Marker: active("r")})
	if err != nil || now.Marker.From != "" || now.Attributes.First("description") != "theirs" {
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
	if err := conn.ModifyDN(ldap.NewModifyDNRequest(bob.DN, "uid=robert", true, "")); err != nil {
		t.Fatal(err)
	}
	put(t, conn, "bob")
	now, err := store.Update(t.Context(), the(t, store, bob.ID), directory.Change{Marker: active("again")})
	if err != nil || now.Marker.From != "" {
		t.Fatalf("%+v, %v", now, err)
	}
	if got := readRaw(t, conn, team.DN, "member"); !slices.Equal(got, []string{bob.DN}) {
		t.Errorf("members %q", got)
	}
}

// A member that comes while the last one goes leaves no placeholder beside it.
func TestPlaceholderDoesNotStayBesideAMember(t *testing.T) {
	server, p, sink := proxied(t)
	store, conn := sink.Store(crowds()), raw(t, server)
	g := add(t, store, crowd("g", memberDN(1)))
	before(p, ldap.ApplicationModifyRequest, 2, func() { // the one that brings the placeholder
		request := ldap.NewModifyRequest(g.DN, nil)
		request.Add("member", []string{memberDN(2)})
		if err := conn.Modify(request); err != nil {
			t.Error(err)
		}
	})
	if err := store.ChangeMembers(t.Context(), g.ID, "", directory.MemberChange{Remove: names([]int{1})}); err != nil {
		t.Fatal(err)
	}
	if got := readRaw(t, conn, g.DN, "member"); !slices.Equal(got, names([]int{2})) {
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
		imposter := ldap.NewAddRequest(g.DN, nil)
		imposter.Attribute("objectClass", []string{"groupOfMembers"})
		imposter.Attribute("cn", []string{"g"})
		if err := conn.Add(imposter); err != nil {
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
	add(t, store, person("a", "mail", "same@example.org"))
	_, err := store.Add(t.Context(), person("b", "mail", "same@example.org"))
	wantKind(t, err, directory.Exists)
	b := add(t, store, person("b"))
	_, err = store.Update(t.Context(), b, directory.Change{Marker: active("u"),
		Mods: []directory.Mod{{Op: directory.ModAdd, Attribute: "mail", Values: []string{"same@example.org"}}}})
	wantKind(t, err, directory.Exists)
	now, err := store.Update(t.Context(), b, directory.Change{Marker: active("u"), Name: "c",
		Mods: []directory.Mod{{Op: directory.ModAdd, Attribute: "mail", Values: []string{"other@example.org"}}}})
	if err != nil || now.Attributes.First("mail") != "other@example.org" || rdnOf(now.DN) != "uid=c" {
		t.Errorf("%+v, %v", now, err)
	}
	_, err = store.Update(t.Context(), b, directory.Change{Marker: active("u"),
		Mods: []directory.Mod{{Op: directory.ModAdd, Attribute: "mail", Values: []string{"third@example.org"}}}})
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

// A search that exceeds the directory's limit says so instead of returning less.
func TestSizeLimitIsTooMany(t *testing.T) {
	server := serve(t, slapd.Config{
		Access:       []string{"to * by * write"},
		Entries:      "dn: cn=limited,dc=example,dc=org\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\ncn: limited\nuserPassword: limited\n\n",
		DatabaseConf: []string{`limits dn.exact="cn=limited,dc=example,dc=org" size=3`},
	})
	cfg := configured(server)
	cfg.Bind = Bind{"cn=limited,dc=example,dc=org", "limited"}
	store := open(t, cfg).Store(users())
	for _, uid := range []string{"a", "b", "c", "d"} {
		add(t, store, person(uid))
	}
	_, err := store.Search(t.Context(), directory.Query{})
	wantKind(t, err, directory.TooMany)
}

// The overlays that directories commonly have do not stand in the way of any write.
func TestEveryWriteWorksWithOverlays(t *testing.T) {
	server, sink := started(t, "ppolicy", "memberof", "refint", "unique")
	people, groups, conn := sink.Store(users()), sink.Store(crowds()), raw(t, server)
	bob := add(t, people, person("bob", "mail", "b@example.org", "userPassword", "first secret"))
	g := add(t, groups, crowd("g"))
	if err := groups.ChangeMembers(t.Context(), g.ID, "", directory.MemberChange{Add: []string{bob.DN}}); err != nil {
		t.Fatal(err)
	}
	now, err := people.Update(t.Context(), the(t, people, bob.ID), directory.Change{Marker: active("lock"), Mods: []directory.Mod{
		{Op: directory.ModReplace, Attribute: "userPassword", Values: []string{"second secret"}},
		{Op: directory.ModReplace, Attribute: "pwdAccountLockedTime", Values: []string{"000001010000Z"}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	now, err = people.Update(t.Context(), now, directory.Change{Name: "robert", Marker: active("rename"),
		Mods:   directory.Diff(directory.Attributes{"mail": {"b@example.org"}}, directory.Attributes{"mail": {"r@example.org"}}),
		Unlock: []directory.Mod{{Op: directory.ModDelete, Attribute: "pwdAccountLockedTime"}}})
	if err != nil {
		t.Fatal(err)
	}
	if got := readRaw(t, conn, g.DN, "member"); !slices.Equal(got, []string{now.DN}) {
		t.Errorf("members %q", got)
	}
	if got := readRaw(t, conn, now.DN, "memberOf"); !slices.Equal(got, []string{g.DN}) {
		t.Errorf("member of %q", got)
	}
	group, err := groups.Update(t.Context(), the(t, groups, g.ID), directory.Change{Name: "g2", Marker: active("rename")})
	if err != nil {
		t.Fatal(err)
	}
	if err := groups.ChangeMembers(t.Context(), g.ID, group.Version, directory.MemberChange{Remove: []string{now.DN}}); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{people.Remove(t.Context(), the(t, people, bob.ID)), groups.Remove(t.Context(), the(t, groups, g.ID))} {
		if err != nil {
			t.Error(err)
		}
	}
}

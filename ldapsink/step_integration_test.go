//go:build integration || ad || ds389

package ldapsink

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"scimgate/internal/directory"
)

// small reads a group without its members.
func small(t testing.TB, s directory.Store, id string) directory.Entry {
	t.Helper()
	found := search(t, s, directory.Query{Filter: directory.Eq(directory.AttrID, id), Attributes: []string{"cn", labHere.note}})
	if len(found) != 1 {
		t.Fatalf("%d entries with the id %s", len(found), id)
	}
	return found[0]
}

func describe(text string) []directory.Mod {
	return []directory.Mod{{Op: directory.ModReplace, Attribute: labHere.note, Values: []string{text}}}
}

// counted counts the requests of a kind that reach the directory.
func counted(p *proxy, op ber.Tag) *atomic.Int32 {
	var n atomic.Int32
	p.when(func(answer bool, o ber.Tag) verdict {
		if !answer && o == op {
			n.Add(1)
		}
		return pass
	})
	return &n
}

// A change of members that is so already leaves the entry as it was, version
// and all.
func TestMembersThatAreSoAlreadyKeepTheVersion(t *testing.T) {
	server, sink := started(t)
	conn := raw(t, server)
	f := flavors[labHere.flavor]
	for _, kind := range kindsOfGroups() {
		c := kind.c
		store := sink.Store(c)
		for i, has := range [][]int{nil, {1}, {1, 2, 3}} {
			g := add(t, store, crowd(fmt.Sprint("so already ", c.ObjectClasses[1], i), names(has)...))
			before := readRaw(t, conn, g.DN, f.version)[0] + readRaw(t, conn, g.DN, f.modified)[0]
			for _, change := range []directory.MemberChange{
				{Add: names(has)}, {Remove: names([]int{7, 8})}, {Add: names(has), Remove: names([]int{7})}, {},
			} {
				for _, version := range []string{"", g.Version} {
					if err := store.ChangeMembers(within(t, time.Minute), g.ID, version, change); err != nil {
						t.Fatal(err)
					}
				}
			}
			if after := readRaw(t, conn, g.DN, f.version)[0] + readRaw(t, conn, g.DN, f.modified)[0]; after != before {
				t.Errorf("%s of %d: %s became %s", c.ObjectClasses[1], len(has), before, after)
			}
		}
	}
}

// An update takes members along in the one Modify that it makes, whatever of
// them is so already, and reads no others.
func TestUpdateCarriesMembers(t *testing.T) {
	server, p, sink := proxied(t)
	conn := raw(t, server)
	for _, kind := range kindsOfGroups() {
		store := sink.Store(kind.c)
		for i, tc := range []struct {
			name                  string
			has, add, rem, then   []int
			crowdTries, teamTries int32 // Modifies on the wire
		}{
			{"first comes", nil, []int{1}, nil, []int{1}, 1, 1},
			{"two for one", []int{1}, []int{2, 3}, []int{1}, []int{2, 3}, 1, 1},
			{"one goes", []int{1, 2}, nil, []int{1}, []int{2}, 1, 1},
			{"last goes", []int{1}, nil, []int{1}, nil, 2, 1},
			{"one is there", []int{1, 2}, []int{1, 3}, []int{2}, []int{1, 3}, 2, 2},
			{"one is gone", []int{1, 2}, []int{3}, []int{2, 4}, []int{1, 3}, 2, 2},
			{"all is so", []int{1, 2}, []int{1}, []int{3}, []int{1, 2}, 2, 2},
			{"absent and last go", []int{1}, nil, []int{1, 3}, nil, 3, 2},
			{"comes twice and goes", []int{1}, []int{2, 2}, []int{2}, []int{1, 2}, 1, 1},
			{"absent one goes from nobody", nil, nil, []int{3}, nil, 2, 2},
		} {
			t.Run(kind.c.ObjectClasses[1]+"/"+tc.name, func(t *testing.T) {
				g := add(t, store, crowd(fmt.Sprint(kind.c.ObjectClasses[1], i), names(tc.has)...))
				old := small(t, store, g.ID)
				tries := counted(p, ldap.ApplicationModifyRequest)
				now, err := store.Update(within(t, time.Minute), old, directory.Change{Marker: active(tc.name), Mods: describe(tc.name),
					Members: directory.MemberChange{Add: names(tc.add), Remove: names(tc.rem)}})
				if err != nil {
					t.Fatal(err)
				}
				wanted := tc.teamTries
				if kind.c.EmptyMember != "" {
					wanted = tc.crowdTries
				}
				if n := tries.Load(); n != wanted {
					t.Errorf("%d Modifies, wanted %d", n, wanted)
				}
				if now.Attributes.First(labHere.note) != tc.name || now.Marker.Request != tc.name || now.Attributes["member"] != nil {
					t.Errorf("%+v", now)
				}
				want := names(tc.then)
				if len(want) == 0 {
					want = kind.empty
				}
				if d := cmp.Diff(foldAll(want), foldAll(readRaw(t, conn, g.DN, "member"))); d != "" {
					t.Errorf("in the directory: %s", d)
				}
			})
		}
	}
}

// An update of attributes and members is made whole or not at all.
func TestUpdateWithMembersIsAllOrNothing(t *testing.T) {
	_, sink := started(t)
	store := sink.Store(crowds())
	add(t, store, crowd("taken"))
	g := add(t, store, crowd("g", memberDN(1), memberDN(2)))
	members := directory.MemberChange{Add: names([]int{3}), Remove: names([]int{1, 9})}
	for name, tc := range map[string]struct {
		change directory.Change
		kind   directory.Kind
	}{
		"attribute value": {directory.Change{Mods: describe(""), Members: members}, directory.Invalid},
		"attribute": {directory.Change{Members: members,
			Mods: []directory.Mod{{Op: directory.ModAdd, Attribute: "sn", Values: []string{"x"}}}}, directory.Invalid},
		"value that is not there": {directory.Change{Members: members,
			Mods: []directory.Mod{{Op: directory.ModDelete, Attribute: labHere.note, Values: []string{"x"}}}}, directory.Invalid},
		"value that is there": {directory.Change{Members: members,
			Mods: []directory.Mod{{Op: directory.ModAdd, Attribute: "cn", Values: []string{"g"}}}}, directory.Invalid},
		"member": {directory.Change{Mods: describe("x"), Members: directory.MemberChange{Add: []string{memberDN(3), "no name"}}}, directory.Invalid},
		"name":   {directory.Change{Name: "taken", Mods: describe("x"), Members: members}, directory.Exists},
	} {
		tc.change.Marker = active(name)
		_, err := store.Update(within(t, time.Minute), small(t, store, g.ID), tc.change)
		if !directory.Is(err, tc.kind) {
			t.Errorf("%s: %v", name, err)
		}
		if now := the(t, store, g.ID); now.Version != g.Version {
			t.Errorf("%s: something was written: %+v", name, now)
		}
	}
}

// A group that is another by now is Changed, whether its members are what
// changed or not, and so it is while an update with members looks why it was refused.
func TestUpdateWithMembersOfAnotherVersion(t *testing.T) {
	server, p, sink := proxied(t)
	store, conn := sink.Store(crowds()), raw(t, server)
	g := add(t, store, crowd("g", memberDN(1)))
	old := small(t, store, g.ID)
	change := directory.Change{Mods: describe("x"), Members: directory.MemberChange{Add: names([]int{1, 2})}, Marker: active("u")}
	before(p, ldap.ApplicationModifyRequest, 2, func() { // after the look, before the second attempt
		request := ldap.NewModifyRequest(g.DN, nil)
		request.Add("member", []string{memberDN(2)})
		if err := conn.Modify(request); err != nil {
			t.Error(err)
		}
	})
	_, err := store.Update(within(t, time.Minute), old, change)
	wantKind(t, err, directory.Changed)
	p.when(nil)
	_, err = store.Update(within(t, time.Minute), old, change)
	wantKind(t, err, directory.Changed)
	now, err := store.Update(within(t, time.Minute), small(t, store, g.ID), change)
	if err != nil || now.Attributes.First(labHere.note) != "x" {
		t.Errorf("%+v, %v", now, err)
	}
	if got := readRaw(t, conn, g.DN, "member"); len(got) != 2 {
		t.Errorf("members %q", got)
	}
}

// A marker that another version of the gateway has written in another form and
// members that are partly so are refused by one code, and both are found out.
func TestUpdateWithMembersAndAnOldMarker(t *testing.T) {
	server, sink := started(t)
	store, conn := sink.Store(crowds()), raw(t, server)
	g := add(t, store, crowd("g", memberDN(1)))
	text := readRaw(t, conn, g.DN, labHere.state)[0]
	request := ldap.NewModifyRequest(g.DN, nil)
	request.Replace(labHere.state, []string{strings.Replace(text, "{", `{"unheardOf":1, `, 1)})
	if err := conn.Modify(request); err != nil {
		t.Fatal(err)
	}
	now, err := store.Update(within(t, time.Minute), small(t, store, g.ID), directory.Change{Mods: describe("x"), Marker: active("u"),
		Members: directory.MemberChange{Add: names([]int{1, 2}), Remove: names([]int{3})}})
	if err != nil || now.Attributes.First(labHere.note) != "x" || now.Marker.Request != "u" {
		t.Fatalf("%+v, %v", now, err)
	}
	if got := readRaw(t, conn, g.DN, labHere.state); len(got) != 1 || strings.Contains(got[0], "unheardOf") {
		t.Errorf("state %q", got)
	}
	if d := cmp.Diff(foldAll(names([]int{1, 2})), foldAll(readRaw(t, conn, g.DN, "member"))); d != "" {
		t.Error(d)
	}
}

// With a new name, who goes goes first and who comes comes last; a rename that
// is refused puts back whom it took out, and nobody else.
func TestRenameCarriesMembers(t *testing.T) {
	server, p, sink := proxied(t)
	store, conn := sink.Store(crowds()), raw(t, server)
	g := add(t, store, crowd("g", memberDN(1), memberDN(2)))
	change := directory.Change{Name: "h", Mods: describe("x"), Marker: active("r"),
		Members: directory.MemberChange{Add: names([]int{2, 3}), Remove: names([]int{1, 9})}}
	before(p, ldap.ApplicationModifyDNRequest, 1, func() {
		if got := readRaw(t, conn, g.DN, "member"); cmp.Diff(foldAll(names([]int{2})), foldAll(got)) != "" {
			t.Errorf("before the rename the members are %q", got)
		}
		if err := conn.Add(bareGroup("h")); err != nil {
			t.Error(err)
		}
	})
	_, err := store.Update(within(t, time.Minute), small(t, store, g.ID), change)
	wantKind(t, err, directory.Exists)
	if d := cmp.Diff(foldAll(names([]int{1, 2})), foldAll(readRaw(t, conn, g.DN, "member"))); d != "" {
		t.Errorf("after the refusal: %s", d)
	}
	p.when(nil)
	if err := conn.Del(ldap.NewDelRequest("cn=h,"+groups, nil)); err != nil {
		t.Fatal(err)
	}
	now, err := store.Update(within(t, time.Minute), small(t, store, g.ID), change)
	if err != nil || rdnOf(now.DN) != "cn=h" || now.Attributes.First(labHere.note) != "x" {
		t.Fatalf("%+v, %v", now, err)
	}
	if d := cmp.Diff(foldAll(names([]int{2, 3})), foldAll(readRaw(t, conn, now.DN, "member"))); d != "" {
		t.Error(d)
	}
}

// An answer that is lost, or a request, leaves an update with members made once.
func TestLostUpdateWithMembers(t *testing.T) {
	server, p, sink := proxied(t)
	store, conn := sink.Store(crowds()), raw(t, server)
	for _, loss := range []bool{false, true} {
		op := ber.Tag(ldap.ApplicationModifyRequest)
		if loss {
			op = ldap.ApplicationModifyResponse
		}
		g := add(t, store, crowd(fmt.Sprint("lost ", loss), memberDN(1), memberDN(2)))
		p.when(once(loss, op, cut))
		now, err := store.Update(within(t, time.Minute), small(t, store, g.ID), directory.Change{Mods: describe("x"), Marker: active(fmt.Sprint(loss)),
			Members: directory.MemberChange{Add: names([]int{3}), Remove: names([]int{1})}})
		if err != nil || now.Attributes.First(labHere.note) != "x" {
			t.Fatalf("%+v, %v", now, err)
		}
		if d := cmp.Diff(foldAll(names([]int{2, 3})), foldAll(readRaw(t, conn, g.DN, "member"))); d != "" {
			t.Error(d)
		}
	}
}

// Many members at once, half of them so already, from several sides: all end as
// they should.
func TestManyMembersHalfOfThemThere(t *testing.T) {
	server, sink := startedWith(t, wish{members: 2800})
	other := open(t, configured(server)) // another replica
	for _, kind := range kindsOfGroups() {
		c := kind.c
		g := add(t, sink.Store(c), crowd("many "+c.ObjectClasses[1]))
		batch := func(from, to int) []string {
			var dns []string
			for i := from; i < to; i++ {
				dns = append(dns, memberDN(i))
			}
			return dns
		}
		ctx := within(t, 5*time.Minute)
		if err := sink.Store(c).ChangeMembers(ctx, g.ID, "", directory.MemberChange{Add: batch(0, 500)}); err != nil {
			t.Fatal(err)
		}
		if err := sink.Store(c).ChangeMembers(ctx, g.ID, "", directory.MemberChange{Add: batch(0, 1000), Remove: batch(1000, 1500)}); err != nil {
			t.Fatal(err)
		}
		var work errgroup.Group
		for i := range 8 {
			store := []directory.Store{sink.Store(c), other.Store(c)}[i%2]
			work.Go(func() error { // each has a hundred of its own among others' and common ones
				change := directory.MemberChange{Add: append(batch(900, 1000), batch(2000+100*i, 2100+100*i)...), Remove: batch(500, 900)}
				if i < 4 {
					return store.ChangeMembers(ctx, g.ID, "", change)
				}
				for {
					found, err := store.Search(ctx, directory.Query{Filter: directory.Eq(directory.AttrID, g.ID), Attributes: []string{"cn", labHere.note}})
					if err != nil || len(found) != 1 {
						return errors.Join(err, fmt.Errorf("%d found", len(found)))
					}
					_, err = store.Update(ctx, found[0], directory.Change{Marker: active(fmt.Sprint("u", i)), Members: change,
						Mods: []directory.Mod{{Op: directory.ModAdd, Attribute: labHere.note, Values: []string{fmt.Sprint(i)}}}})
					if !directory.Is(err, directory.Changed) {
						return err
					}
				}
			})
		}
		if err := work.Wait(); err != nil {
			t.Fatal(err)
		}
		now := the(t, sink.Store(c), g.ID)
		want := append(append(batch(0, 500), batch(900, 1000)...), batch(2000, 2800)...)
		if d := cmp.Diff(foldAll(want), foldAll(now.Attributes["member"])); d != "" {
			t.Error(d)
		}
		if len(now.Attributes[labHere.note]) != 4 {
			t.Errorf("descriptions %q", now.Attributes[labHere.note])
		}
	}
}

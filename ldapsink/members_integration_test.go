//go:build integration || ad || ds389

package ldapsink

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"scimgate/internal/directory"
)

// memberSets are a group's members before and after a change.
func TestChangeMembers(t *testing.T) {
	server, sink := started(t)
	conn := raw(t, server)
	for _, kind := range kindsOfGroups() {
		store := sink.Store(kind.c)
		for i, tc := range []struct {
			name                string
			has, add, rem, has2 []int
		}{
			{"first comes", nil, []int{1}, nil, []int{1}},
			{"another comes", []int{1}, []int{2}, nil, []int{1, 2}},
			{"one comes twice", []int{1}, []int{1, 2, 2}, nil, []int{1, 2}},
			{"one goes", []int{1, 2}, nil, []int{1}, []int{2}},
			{"last goes", []int{1}, nil, []int{1}, nil},
			{"all go", []int{1, 2, 3}, nil, []int{3, 2, 1}, nil},
			{"absent one goes", []int{1}, nil, []int{2}, []int{1}},
			{"absent one goes from nobody", nil, nil, []int{2}, nil},
			{"absent and present go", []int{1, 2}, nil, []int{2, 3}, []int{1}},
			{"absent and last go", []int{1}, nil, []int{1, 3}, nil},
			{"one for another", []int{1}, []int{2}, []int{1}, []int{2}},
			{"one for an absent other", []int{1}, []int{2}, []int{3}, []int{1, 2}},
			{"comes and goes", []int{1}, []int{1}, []int{1}, []int{1}},
			{"comes and goes to nobody", nil, []int{1}, []int{1}, []int{1}},
			{"nothing", []int{1}, nil, nil, []int{1}},
		} {
			t.Run(kind.name+"/"+tc.name, func(t *testing.T) {
				g := add(t, store, crowd(fmt.Sprintf("%s %d", kind.name, i), names(tc.has)...))
				err := store.ChangeMembers(within(t, time.Minute), g.ID, "", directory.MemberChange{Add: names(tc.add), Remove: names(tc.rem)})
				if err != nil {
					t.Fatal(err)
				}
				want := names(tc.has2)
				got := the(t, store, g.ID).Attributes["member"]
				if d := cmp.Diff(foldAll(want), foldAll(got)); d != "" {
					t.Error(d)
				}
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

func names(numbers []int) []string {
	var dns []string
	for _, n := range numbers {
		dns = append(dns, memberDN(n))
	}
	return dns
}

func TestChangeMembersRefusals(t *testing.T) {
	_, sink := started(t)
	store := sink.Store(crowds())
	g := add(t, store, crowd("g"))
	change := directory.MemberChange{Add: names([]int{1})}
	wantKind(t, store.ChangeMembers(t.Context(), "no id", "", change), directory.NotFound)
	wantKind(t, store.ChangeMembers(t.Context(), "00000000-0000-0000-0000-000000000000", "", change), directory.NotFound)
	wantKind(t, store.ChangeMembers(t.Context(), g.ID, "stale", change), directory.Changed)
	wantKind(t, store.ChangeMembers(t.Context(), g.ID, "stale", directory.MemberChange{}), directory.Changed)
	wantKind(t, store.ChangeMembers(t.Context(), g.ID, "", directory.MemberChange{Add: []string{"no name"}}), directory.Invalid)
	if err := store.ChangeMembers(t.Context(), g.ID, g.Version, change); err != nil {
		t.Fatal(err)
	}
	wantKind(t, store.ChangeMembers(t.Context(), g.ID, g.Version, change), directory.Changed)
	dead := the(t, store, g.ID)
	dead.Marker.State = directory.Deleted
	if _, err := store.Update(t.Context(), the(t, store, g.ID), directory.Change{Marker: dead.Marker}); err != nil {
		t.Fatal(err)
	}
	wantKind(t, store.ChangeMembers(t.Context(), g.ID, "", change), directory.NotFound)
}

// Members that are added at the same time, to an empty group too, all get in;
// nothing that goes on beside it makes an addition fail or fall out.
func TestConcurrentMemberChanges(t *testing.T) {
	server, sink := started(t)
	for _, kind := range kindsOfGroups() {
		c := kind.c
		t.Run(c.ObjectClasses[1], func(t *testing.T) {
			store := sink.Store(c)
			g := add(t, store, crowd("additions to "+c.ObjectClasses[1]))
			var group errgroup.Group
			for i := range 32 {
				group.Go(func() error {
					return store.ChangeMembers(t.Context(), g.ID, "", directory.MemberChange{Add: []string{memberDN(i)}})
				})
			}
			if err := group.Wait(); err != nil {
				t.Fatal(err)
			}
			if got := the(t, store, g.ID).Attributes["member"]; len(got) != 32 {
				t.Errorf("%d members, wanted 32", len(got))
			}
			for i := range 16 { // each comes and goes for itself; the group is empty again and again
				dn := memberDN(100 + i)
				group.Go(func() error {
					for range 20 {
						for _, m := range []directory.MemberChange{{Add: []string{dn}}, {Remove: []string{dn}}} {
							if err := store.ChangeMembers(t.Context(), g.ID, "", m); err != nil {
								return err
							}
						}
					}
					return store.ChangeMembers(t.Context(), g.ID, "", directory.MemberChange{Add: []string{dn}})
				})
				group.Go(func() error {
					return store.ChangeMembers(t.Context(), g.ID, "", directory.MemberChange{Remove: names([]int{2 * i, 2*i + 1})})
				})
			}
			if err := group.Wait(); err != nil {
				t.Fatal(err)
			}
			got := foldAll(the(t, store, g.ID).Attributes["member"])
			if len(got) != 16 {
				t.Errorf("%d members, wanted 16", len(got))
			}
			for i := range 16 {
				if !got[directory.FoldDN(memberDN(100+i))] {
					t.Errorf("member %d is lost", 100+i)
				}
			}
			in := readRaw(t, raw(t, server), g.DN, "member")
			if slices.Contains(in, nobody) {
				t.Error("the placeholder is left among members")
			}
		})
	}
}

// Emptying and filling a group at the same time never fails and never loses who came.
func TestLastMemberGoesWhileTheFirstComes(t *testing.T) {
	_, sink := startedWith(t, wish{members: 201})
	store := sink.Store(crowds())
	g := add(t, store, crowd("g", memberDN(0)))
	for i := range 200 {
		var group errgroup.Group
		group.Go(func() error {
			return store.ChangeMembers(t.Context(), g.ID, "", directory.MemberChange{Remove: names([]int{i})})
		})
		group.Go(func() error {
			return store.ChangeMembers(t.Context(), g.ID, "", directory.MemberChange{Add: names([]int{i + 1})})
		})
		if err := group.Wait(); err != nil {
			t.Fatalf("round %d: %v", i, err)
		}
		if d := cmp.Diff(foldAll(names([]int{i + 1})), foldAll(the(t, store, g.ID).Attributes["member"])); d != "" {
			t.Fatalf("round %d: %s", i, d)
		}
	}
}

// One member of a large group costs one member on the wire.
func TestOneMemberOfManyIsCheap(t *testing.T) {
	server := begin(t, wish{members: 2*labHere.many + 1})
	p := between(t, server)
	cfg := configured(server)
	cfg.URLs, cfg.Connections = []string{p.url()}, 1
	sink := open(t, cfg)
	many := labHere.many
	for _, kind := range kindsOfGroups() {
		c := kind.c
		store := sink.Store(c)
		members := make([]string, many)
		for i := range members {
			members[i] = memberDN(i)
		}
		g := add(t, store, crowd("many "+c.ObjectClasses[1], members...))
		for name, change := range map[string]directory.MemberChange{
			"add": {Add: []string{memberDN(many)}}, "remove": {Remove: []string{memberDN(17)}}, "remove what is not there": {Remove: []string{memberDN(2 * many)}},
		} {
			before := p.up.Load() + p.down.Load()
			if err := store.ChangeMembers(t.Context(), g.ID, "", change); err != nil {
				t.Fatal(err)
			}
			if n := p.up.Load() + p.down.Load() - before; n > 4096 {
				t.Errorf("%s, %s: %d bytes", c.ObjectClasses[1], name, n)
			} else {
				t.Logf("%s, %s: %d bytes", c.ObjectClasses[1], name, n)
			}
		}
		small := search(t, store, directory.Query{Filter: directory.Eq(directory.AttrID, g.ID), Attributes: []string{"cn"}})
		before := p.up.Load() + p.down.Load()
		if _, err := store.Update(t.Context(), small[0], directory.Change{Mods: []directory.Mod{{Op: directory.ModAdd, Attribute: labHere.note, Values: []string{"x"}}}, Marker: active("u")}); err != nil {
			t.Fatal(err)
		}
		if n := p.up.Load() + p.down.Load() - before; n > 4096 {
			t.Errorf("update of another attribute: %d bytes", n)
		}
	}
}

func TestConcurrentAddsOfOneNameKeepOne(t *testing.T) {
	server, sink := started(t)
	second := open(t, configured(server)) // another replica
	for _, tc := range []struct {
		name  string
		entry func(i int) directory.NewEntry
		base  directory.Filter
	}{
		{"same name", func(i int) directory.NewEntry { return person("same", labHere.note, fmt.Sprint(i)) }, directory.Eq(labHere.naming, "same")},
		{"same mail", func(i int) directory.NewEntry {
			e := person(fmt.Sprintf("other%d", i), "mail", "same@example.org")
			e.Keys = []directory.Key{{Attribute: "mail", Value: "same@example.org"}}
			return e
		}, directory.Eq("mail", "same@example.org")},
	} {
		t.Run(tc.name, func(t *testing.T) {
			done := make(chan error, 32)
			for i := range 32 {
				store := []directory.Store{sink.Store(users()), second.Store(users())}[i%2]
				e := tc.entry(i)
				e.Marker.Request = fmt.Sprint(tc.name, i)
				go func() {
					_, err := store.Add(context.WithoutCancel(t.Context()), e)
					done <- err
				}()
			}
			won := 0
			for range 32 {
				switch err := <-done; {
				case err == nil:
					won++
				case !directory.Is(err, directory.Exists):
					t.Error(err)
				}
			}
			left := search(t, sink.Store(users()), directory.Query{Filter: tc.base, Scope: directory.Anyone})
			if won != 1 || len(left) != 1 {
				t.Errorf("%d won and %d are left, wanted 1 and 1", won, len(left))
			}
		})
	}
}

func TestConcurrentUpdatesLoseNone(t *testing.T) {
	_, sink := started(t)
	store := sink.Store(users())
	e := add(t, store, person("bob"))
	var group errgroup.Group
	for i := range 32 {
		group.Go(func() error {
			for {
				found, err := store.Search(t.Context(), directory.Query{Filter: directory.Eq(directory.AttrID, e.ID)})
				if err != nil || len(found) != 1 {
					return errors.Join(err, fmt.Errorf("%d found", len(found)))
				}
				_, err = store.Update(t.Context(), found[0], directory.Change{Marker: active(fmt.Sprint("u", i)),
					Mods: []directory.Mod{{Op: directory.ModAdd, Attribute: labHere.note, Values: []string{fmt.Sprint(i)}}}})
				if !directory.Is(err, directory.Changed) {
					return err
				}
			}
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	if got := the(t, store, e.ID).Attributes[labHere.note]; len(got) != 32 {
		t.Errorf("%d values, wanted 32", len(got))
	}
}

//go:build integration && !ad && !ds389

package ldapsink

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"scimgate/internal/directory"
)

// anyServer is how a server is reached of which nothing is known, and that can do
// nothing but what every server can.
func anyServer(s server) Config {
	cfg := configured(s)
	cfg.Flavor, cfg.Controls = generic, Controls{Assertion: controlNever, PostRead: controlNever}
	return cfg
}

// Of a server that has neither an attribute for an entry's version or name nor
// the assertion control, everything is as of others.
func TestAServerOfWhichNothingIsKnown(t *testing.T) {
	s := begin(t, wish{})
	store, other := open(t, anyServer(s)).Store(users()), open(t, anyServer(s)).Store(users())
	e := add(t, store, person("bob", "mail", "bob@example.org"))
	add(t, store, person("eve"))
	if e.Version == "" {
		t.Fatalf("no version: %+v", e)
	}
	now, err := store.Update(t.Context(), e, directory.Change{Marker: active("u1"), Mods: describe("one")})
	if err != nil || now.Version == e.Version {
		t.Fatalf("%+v, %v", now, err)
	}
	_, err = other.Update(t.Context(), e, directory.Change{Marker: active("u2"), Mods: describe("two")})
	wantKind(t, err, directory.Changed)
	wantKind(t, other.Remove(t.Context(), e), directory.Changed)

	dn := directory.Eq(directory.AttrDN, e.DN)
	for _, tc := range []struct {
		name  string
		f     directory.Filter
		found int
	}{
		{"name", dn, 1}, {"nobody's name", directory.Eq(directory.AttrDN, theirDN("nobody")), 0}, {"no name", directory.Eq(directory.AttrDN, "x"), 0},
		{"not the name", directory.NotOf(dn), 1}, {"name and value", directory.AndOf(dn, directory.Eq("mail", "bob@example.org")), 1},
		{"name and another value", directory.AndOf(dn, directory.Eq("mail", "eve@example.org")), 0},
		{"name or value", directory.OrOf(dn, directory.Eq("uid", "eve")), 2}, {"name or its value", directory.OrOf(dn, directory.Eq("uid", "bob")), 1},
		{"names", directory.AnyOf(directory.AttrDN, []string{e.DN, theirDN("eve"), theirDN("nobody")}), 2},
		{"neither", directory.NotOf(directory.OrOf(dn, directory.Eq("uid", "eve"))), 0}, {"the base", directory.Eq(directory.AttrDN, people), 0},
	} {
		if got := search(t, store, directory.Query{Filter: tc.f}); len(got) != tc.found {
			t.Errorf("%s: %d found, wanted %d", tc.name, len(got), tc.found)
		}
	}
	if _, err := store.Update(t.Context(), now, directory.Change{Name: "robert", Marker: active("u3")}); err != nil {
		t.Error(err)
	}
	if err := store.Remove(t.Context(), the(t, store, e.ID)); err != nil {
		t.Error(err)
	}
}

// Without the assertion control the marker keeps two gateways' updates apart.
func TestConcurrentUpdatesWithoutAssertion(t *testing.T) {
	s := begin(t, wish{})
	sinks := []*Sink{open(t, anyServer(s)), open(t, anyServer(s))}
	g := add(t, sinks[0].Store(teams()), crowd("g"))
	var group errgroup.Group
	ctx := within(t, time.Minute)
	for i := range 32 {
		store := sinks[i%2].Store(teams())
		group.Go(func() error {
			for {
				found, err := store.Search(ctx, directory.Query{Filter: directory.Eq(directory.AttrID, g.ID)})
				if err != nil || len(found) != 1 {
					return errors.Join(err, fmt.Errorf("%d found", len(found)))
				}
				_, err = store.Update(ctx, found[0], directory.Change{Marker: active(fmt.Sprint("u", i)), Members: directory.MemberChange{Add: names([]int{i})},
					Mods: []directory.Mod{{Op: directory.ModAdd, Attribute: labHere.note, Values: []string{fmt.Sprint(i)}}}})
				if !directory.Is(err, directory.Changed) {
					return err
				}
			}
		})
		group.Go(func() error {
			return store.ChangeMembers(ctx, g.ID, "", directory.MemberChange{Add: names([]int{100 + i})})
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	now := the(t, sinks[0].Store(teams()), g.ID)
	if len(now.Attributes[labHere.note]) != 32 || len(now.Attributes["member"]) != 64 {
		t.Errorf("%d values and %d members", len(now.Attributes[labHere.note]), len(now.Attributes["member"]))
	}
}

// A stranger's change is seen though it is of the second of the last read.
func TestStrangersChangeOfOneSecond(t *testing.T) {
	s := begin(t, wish{})
	p := between(t, s)
	cfg := anyServer(s)
	cfg.URLs = []string{p.url()}
	strangersChange(t, s, p, open(t, cfg).Store(users()))
}

// What the configuration says in the flavor's place is what is read, and a
// control that is never to be used is not sent.
func TestOverridesAreObeyed(t *testing.T) {
	s := begin(t, wish{})
	cfg := configured(s)
	cfg.Flavor, cfg.Attributes = generic, Attributes{Version: "entryCSN", DN: "entryDN"}
	e := add(t, open(t, cfg).Store(users()), person("bob"))
	if want := readRaw(t, raw(t, s), e.DN, "entryCSN"); e.Version != want[0] {
		t.Errorf("version %q, wanted %q", e.Version, want)
	}
	p := between(t, s)
	cfg = anyServer(s)
	cfg.URLs = []string{p.url()}
	if does, err := open(t, cfg).Store(users()).(*store).asserts(t.Context(), e.Version); does || err != nil {
		t.Errorf("asserts: %v, %v", does, err)
	}
}

package mapping

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"scimgate/internal/directory"
	"scimgate/internal/scim"
)

// computed gives an entry what the demo's templates would make of it.
func computed(e directory.Entry) directory.Entry {
	if _, ok := e.Attributes["sn"]; ok {
		e.Attributes["cn"] = []string{e.Attributes.First("uid")}
		if name := e.Attributes.First("displayName"); name != "" {
			e.Attributes["cn"] = []string{name}
		}
	}
	return e
}

// What an entry shows, sent back as it is, changes nothing: not the values that
// show, not the hidden and foreign ones, not the lock.
func TestWhatIsShownAndSentBackChangesNothing(t *testing.T) {
	for typ, c := range map[string]Config{"User": people(), "Group": groups()} {
		t.Run(typ, func(t *testing.T) {
			m := compile(t, c, typ)
			rapid.Check(t, func(t *rapid.T) {
				e := computed(drawEntry(t, c, 3))
				res := m.Resource(e, known)
				want, err := m.Want(res, known.Names())
				if err != nil {
					t.Fatal(err)
				}
				if change := m.Change(e, known, want, stamp); !change.Empty() || len(change.Keys) > 0 || change.Marker.State != e.Marker.State {
					t.Fatalf("%v shows as %v and comes back as %+v", e.Attributes, res, change)
				}
			})
		})
	}
}

// The same through JSON, as a client reads and sends it: Decode has to take
// what the gateway shows.
func TestWhatIsShownCanBeDecoded(t *testing.T) {
	for typ, c := range map[string]Config{"User": people(), "Group": groups()} {
		t.Run(typ, func(t *testing.T) {
			m := compile(t, c, typ)
			rapid.Check(t, func(t *rapid.T) {
				e := computed(drawEntry(t, c, 3))
				text, err := json.Marshal(m.Resource(e, known))
				if err != nil {
					t.Fatal(err)
				}
				res, err := scim.Decode(text, m.Definition())
				if err != nil {
					t.Fatalf("%s: %v", text, err)
				}
				want, err := m.Want(res, known.Names())
				if err != nil {
					t.Fatalf("%s: %v", text, err)
				}
				if change := m.Change(e, known, want, stamp); !change.Empty() {
					t.Fatalf("%s comes back as %+v", text, change)
				}
			})
		})
	}
}

// After a write the entry shows what was asked for, and asking again is nothing.
// The old entry has no hidden values: where the one that shows is taken away,
// the next one comes to light.
func TestWriteThenShowThenWriteIsStable(t *testing.T) {
	c := people()
	m := compile(t, c, "User")
	rapid.Check(t, func(t *rapid.T) {
		old, other := computed(drawEntry(t, c, 1)), computed(drawEntry(t, c, 2))
		res := m.Resource(other, known)
		want, err := m.Want(res, known.Names())
		if err != nil {
			t.Fatal(err)
		}
		changed := applied(t, old, m.Change(old, known, want, stamp))
		again := m.Change(changed, known, want, stamp)
		if !again.Empty() || len(again.Keys) > 0 {
			t.Fatalf("%v became %v, and the same request changes it again: %+v", old.Attributes, changed.Attributes, again)
		}
		if shown := m.Resource(changed, known); shown["active"] != res["active"] {
			t.Fatalf("active is %v, wanted %v", shown["active"], res["active"])
		}
	})
}

// What Create makes and what Change makes of somebody else's entry ask for the
// same attributes; both show the same.
func TestWantIsStable(t *testing.T) {
	c := people()
	m := compile(t, c, "User")
	rapid.Check(t, func(t *rapid.T) {
		e := computed(drawEntry(t, c, 3))
		first, err := m.Want(m.Resource(e, known), known.Names())
		if err != nil {
			t.Fatal(err)
		}
		made := m.Create(first, stamp)
		shown := m.Resource(directory.Entry{ID: e.ID, Attributes: made.Attributes, Marker: made.Marker}, known)
		second, err := m.Want(shown, known.Names())
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(first, second, cmpopts.EquateEmpty()); d != "" {
			t.Fatalf("-first +second:\n%s", d)
		}
	})
}

// applied does to an entry what a directory would, and fails where one would:
// a value that is not there cannot be deleted, one that is cannot be added.
func applied(t *rapid.T, e directory.Entry, c directory.Change) directory.Entry {
	attributes := e.Attributes.Clone()
	if c.Name != "" {
		attributes["uid"] = []string{c.Name}
	}
	for _, m := range slices.Concat(c.Mods, c.Unlock) {
		for _, v := range m.Values {
			i := slices.IndexFunc(attributes[m.Attribute], func(there string) bool {
				return meets(directory.Eq(m.Attribute, v), there)
			})
			switch {
			case m.Op == directory.ModAdd && i < 0:
				attributes[m.Attribute] = append(attributes[m.Attribute], v)
			case m.Op == directory.ModDelete && i >= 0:
				attributes[m.Attribute] = slices.Delete(attributes[m.Attribute], i, i+1)
			default:
				t.Fatalf("%v refuses %+v", e.Attributes, m)
			}
		}
		if len(attributes[m.Attribute]) == 0 {
			delete(attributes, m.Attribute)
		}
	}
	e.Attributes, e.Marker = attributes, c.Marker
	return e
}

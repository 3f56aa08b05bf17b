package mapping

import (
	"testing"

	"scimgate/internal/directory"
)

// A delete locks first, on the way to Deleting, and then only marks the entry
// as Deleted; each step can be done again.
func TestLockTowardsATombstone(t *testing.T) {
	m := compile(t, people(), "User")
	locked := []string{lockedForever}
	for _, tc := range []struct {
		name        string
		state, to   directory.State
		locks       []string
		undo        map[string][]string
		mods        []directory.Mod
		wantUndo    map[string][]string
		sinceStayed bool
	}{
		{"active", directory.Active, directory.Deleting, nil, nil, []directory.Mod{add(lock, lockedForever)}, undoes(), false},
		{"inactive", directory.Inactive, directory.Deleting, locked, undoes(), nil, undoes(), false},
		{"locked by hand", directory.Active, directory.Deleting, locked, nil, nil, nil, false},
		{"locked by policy", directory.Active, directory.Deleting, []string{timed}, nil,
			[]directory.Mod{del(lock, timed), add(lock, lockedForever)}, undoes(timed), false},
		{"interrupted", directory.Deleting, directory.Deleting, locked, undoes(), nil, undoes(), true},
		{"second step", directory.Deleting, directory.Deleted, locked, undoes(), nil, undoes(), false},
		{"second step, lock lifted", directory.Deleting, directory.Deleted, nil, undoes(), []directory.Mod{add(lock, lockedForever)}, undoes(), false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			old := entry(tc.state, directory.Attributes{lock: tc.locks, "title": {"Boss"}})
			old.Marker.Undo = tc.undo
			wanted := directory.Marker{Source: "okta", State: tc.to, Request: "r2", Since: stamp.Now, Undo: tc.wantUndo}
			if tc.sinceStayed {
				wanted.Since = earlier
			}
			same(t, m.Lock(old, tc.to, stamp), directory.Change{Mods: tc.mods, Marker: wanted})
		})
	}
}

// tombstone is ann after a delete.
func tombstone(state directory.State, undo map[string][]string) directory.Entry {
	e := entry(state, directory.Attributes{lock: {lockedForever}, "mail": {"a@x"}, "title": {"Boss"}})
	e.Marker.Undo = undo
	return e
}

// A change that does not speak of active wakes nobody, not even somebody whose
// delete was interrupted.
func TestChangeWithoutActiveWakesNobody(t *testing.T) {
	m := compile(t, people(), "User")
	for _, from := range []directory.State{directory.Inactive, directory.Deleting, directory.Deleted} {
		c := m.Change(tombstone(from, undoes()), nil, mustWant(t, m, body(``)), stamp)
		if c.Marker.State != from || len(c.Unlock) > 0 {
			t.Errorf("%s became %s, unlocked by %v", from, c.Marker.State, c.Unlock)
		}
	}
}

// A revival is a change like any other, from a tombstone: what the body leaves
// out goes, and every key is claimed anew.
func TestRevival(t *testing.T) {
	m := compile(t, people(), "User")
	keys := []directory.Key{{Attribute: "uid", Value: "ann"}, {Attribute: "scimExternalId", Value: "00u1", Exact: true}}
	for _, tc := range []struct {
		name   string
		in     string
		undo   map[string][]string
		state  directory.State
		unlock []directory.Mod
		kept   map[string][]string
	}{
		{"active", `"active":true`, undoes(), directory.Active, []directory.Mod{del(lock, lockedForever)}, nil},
		{"inactive", `"active":false`, undoes(), directory.Inactive, nil, undoes()},
		{"locked by hand", `"active":true`, nil, directory.Active, nil, nil},
		{"locked by policy", `"active":true`, undoes(timed), directory.Active, []directory.Mod{del(lock, lockedForever), add(lock, timed)}, nil},
	} {
		for _, from := range []directory.State{directory.Deleted, directory.Deleting} {
			t.Run(tc.name+" from "+string(from), func(t *testing.T) {
				c := m.Change(tombstone(from, tc.undo), nil, mustWant(t, m, body(tc.in)), stamp)
				same(t, c, directory.Change{
					Mods: []directory.Mod{del("mail", "a@x"), del("title", "Boss")}, Unlock: tc.unlock, Keys: keys,
					Marker: directory.Marker{Source: "okta", State: tc.state, Request: "r2", Since: stamp.Now, Undo: tc.kept},
				})
			})
		}
	}
}

// A tombstone gives up its name and its unique values but not its stable key,
// and gets them back when it is revived.
func TestAsideAndBack(t *testing.T) {
	c := people()
	for i := range c.Attributes {
		c.Attributes[i].Unique = c.Attributes[i].Unique || c.Attributes[i].LDAP == "mail"
	}
	m := compile(t, c, "User")
	old := tombstone(directory.Deleted, undoes())
	aside := m.Aside(old, stamp)
	marker := old.Marker
	marker.Request, marker.Aside = "r2", map[string][]string{"uid": {"ann"}, "mail": {"a@x"}}
	same(t, aside, directory.Change{Name: "deleted-id-ann", Vacates: true, Mods: []directory.Mod{del("mail", "a@x")}, Marker: marker})

	// Interrupted between the rename and the rest, or done twice: what was
	// noted first holds.
	renamed := tombstone(directory.Deleted, undoes())
	renamed.Attributes["uid"], renamed.Marker.Aside = []string{"deleted-id-ann"}, marker.Aside
	same(t, m.Aside(renamed, stamp).Marker.Aside, marker.Aside)
	delete(renamed.Attributes, "mail")
	same(t, m.Aside(renamed, stamp).Marker.Aside, marker.Aside)
	same(t, m.Aside(renamed, stamp).Mods, []directory.Mod(nil))

	back := m.Change(renamed, nil, mustWant(t, m, body(`"active":true,"title":"Boss","emails":[{"type":"work","value":"a@x"}]`)), stamp)
	same(t, back.Name, "ann")
	same(t, back.Mods, []directory.Mod{add("mail", "a@x")})
	same(t, back.Marker.Aside, map[string][]string(nil))
	same(t, back.Marker.State, directory.Active)
}

// What an attribute was adopted with, and a rename that is not finished, are
// none of a change's business.
func TestMarkerKeepsWhatAChangeDoesNotKnow(t *testing.T) {
	m := compile(t, people(), "User")
	old := entry(directory.Active, nil)
	old.Marker.Adopted, old.Marker.From = true, "uid=old,ou=people,dc=example,dc=org"
	c := m.Change(old, nil, mustWant(t, m, body(`"active":false`)), stamp)
	if !c.Marker.Adopted || c.Marker.From != old.Marker.From {
		t.Errorf("%+v", c.Marker)
	}
	if l := m.Lock(old, directory.Deleting, stamp); !l.Marker.Adopted || l.Marker.From != old.Marker.From {
		t.Errorf("%+v", l.Marker)
	}
}

//go:build (integration || ds389) && !ad

package ldapsink

import (
	"testing"
	"time"

	"scimgate/internal/directory"
)

// members marks the attributes that hold members as what they are.
func members(c directory.Collection) directory.Collection {
	for i := range c.Referrers {
		r := &c.Referrers[i]
		if r.Attribute == "member" {
			r.Member, r.EmptyMember, r.SourceAttribute = true, nobody, c.SourceAttribute
		}
	}
	return c
}

// A tenant without groups of its own gives nobody a name that others' groups
// still list.
func TestATenantWithoutGroupsGivesNoListedName(t *testing.T) {
	_, sink := started(t)
	ctx := within(t, time.Minute)
	alone := users()
	alone.Referrers = nil
	others := crowds()
	others.Source = "others"
	entry := crowd("vpn", Name(labHere.naming, "ghost", alone.Base))
	entry.Marker.Source = "others"
	if _, err := sink.Store(others).Add(ctx, entry); err != nil {
		t.Fatal(err)
	}
	_, err := sink.Store(alone).Add(ctx, person("ghost"))
	wantKind(t, err, directory.Exists)
}

// Who was renamed keeps the memberships by the old name, though the rename was
// interrupted, or is a tombstone that was being put aside: they follow when
// somebody else gets the name, who does not get them.
func TestANameLeftByAnUnfinishedRename(t *testing.T) {
	_, sink := started(t)
	ctx := within(t, time.Minute)
	people, crowds := sink.Store(members(users())), sink.Store(members(crowds()))
	for _, state := range []directory.State{directory.Active, directory.Deleted} {
		name := "ann-" + string(state)
		was := Name(labHere.naming, name, users().Base)
		moved := person("moved-" + name)
		moved.Marker.From, moved.Marker.State = was, state
		ann := add(t, people, moved)
		add(t, crowds, crowd("team-"+name, was))
		newcomer, err := people.Add(ctx, person(name))
		if err != nil {
			t.Fatalf("%s: %v", state, err)
		}
		for dn, want := range map[string]int{ann.DN: 1, newcomer.DN: 0} {
			found, err := crowds.Search(ctx, directory.Query{Filter: directory.Eq("member", dn)})
			if err != nil || len(found) != want {
				t.Errorf("%s is a member of %d groups, want %d (%v)", dn, len(found), want, err)
			}
		}
	}
}

//go:build integration

package ldapsink

import (
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	"scimgate/internal/directory"
	"scimgate/internal/slapd"
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

// An account that may see no more than the tenant's own places can still add
// people, and still nobody inherits a membership there.
func TestAnAccountThatSeesOnlyItsOwnPlaces(t *testing.T) {
	const account = "cn=service,dc=example,dc=org"
	server := serve(t, slapd.Config{
		Entries: "dn: " + account + "\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\ncn: service\nuserPassword: secret\n",
		Access: []string{
			`to attrs=userPassword by anonymous auth by * none`,
			`to dn.subtree="` + people + `" by dn.exact="` + account + `" write by * none`,
			`to dn.subtree="` + groups + `" by dn.exact="` + account + `" write by * none`,
			`to * by anonymous auth by * none`,
		},
	})
	cfg := configured(server)
	cfg.Bind = Bind{DN: account, Password: "secret"}
	sink := open(t, cfg)
	ctx := within(t, time.Minute)
	people, crowds := sink.Store(members(users())), sink.Store(members(crowds()))
	ann, err := people.Add(ctx, person("ann"))
	if err != nil {
		t.Fatal(err)
	}
	ghost := Name("uid", "ghost", users().Base)
	for _, name := range []string{"alone", "pair"} {
		e := crowd(name, ghost)
		if name == "pair" {
			e = crowd(name, ghost, ann.DN)
		}
		if _, err := crowds.Add(ctx, e); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := people.Add(ctx, person("ghost")); err != nil {
		t.Fatal(err)
	}
	found, err := crowds.Search(ctx, directory.Query{Filter: directory.Eq("member", ghost)})
	if err != nil || len(found) > 0 {
		t.Errorf("the newcomer is in %v, %v", found, err)
	}
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
	entry := crowd("vpn", Name("uid", "ghost", alone.Base))
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
		was := Name("uid", name, users().Base)
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

// While a person is being renamed and reactivated at once, the marker says what
// is true until access is given: who comes after a cut still knows the lock.
func TestRenameWithReactivationKeepsTheUndo(t *testing.T) {
	server, p, sink := proxied(t)
	store, conn := sink.Store(users()), raw(t, server)
	locked := person("bob", "description", "locked")
	locked.Marker.State, locked.Marker.Undo = directory.Inactive, map[string][]string{"description": {}}
	bob := add(t, store, locked)
	var between directory.Marker
	before(p, ldap.ApplicationModifyDNRequest, 1, func() {
		var err error
		if between, _, err = directory.ParseMarker(readRaw(t, conn, bob.DN, "scimState")); err != nil {
			t.Error(err)
		}
	})
	now, err := store.Update(within(t, time.Minute), bob, directory.Change{Name: "robert", Marker: active("r"),
		Unlock: []directory.Mod{{Op: directory.ModDelete, Attribute: "description", Values: []string{"locked"}}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, known := between.Undo["description"]; between.State != directory.Inactive || !known || between.From != bob.DN {
		t.Errorf("between the steps the marker says %+v", between)
	}
	if now.Marker.State != directory.Active || len(now.Marker.Undo) > 0 || now.Marker.From != "" {
		t.Errorf("at the end the marker says %+v", now.Marker)
	}
}

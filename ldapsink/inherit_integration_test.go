//go:build integration

package ldapsink

import (
	"testing"
	"time"

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

// A name that an interrupted rename has left is not free as long as somebody is
// a member by it: nobody else gets it, and the membership stays theirs.
func TestANameLeftByAnUnfinishedRenameIsNotFree(t *testing.T) {
	server, sink := started(t)
	ctx := within(t, time.Minute)
	people, crowds := sink.Store(members(users())), sink.Store(members(crowds()))
	was := Name("uid", "ann", users().Base)
	moved := person("ann2")
	moved.Marker.From = was
	ann, err := people.Add(ctx, moved)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := crowds.Add(ctx, crowd("team", was)); err != nil {
		t.Fatal(err)
	}
	_, err = people.Add(ctx, person("ann"))
	wantKind(t, err, directory.Exists)

	if _, err := people.Update(ctx, ann, directory.Change{Marker: active("finish")}); err != nil {
		t.Fatal(err)
	}
	found, err := crowds.Search(ctx, directory.Query{Filter: directory.Eq("member", ann.DN)})
	if err != nil || len(found) != 1 {
		t.Errorf("the membership did not follow: %v, %v", found, err)
	}
	if _, err := people.Add(ctx, person("ann")); err != nil {
		t.Errorf("the name is not free afterwards: %v (%s)", err, server.URL())
	}
}

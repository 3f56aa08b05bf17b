//go:build integration || ad || ds389

package ldapsink

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"
	"go.uber.org/zap/zaptest"

	"scimgate/internal/directory"
)

var (
	people = labHere.people
	groups = labHere.groups
)

const nobody = "cn=nobody,dc=example,dc=org"

// configured returns the configuration with which a test reaches a directory.
func configured(s server) Config {
	return Config{
		Flavor: labHere.flavor,
		URLs:   []string{s.URL()},
		Bind:   Bind{DN: s.AdminDN(), Password: s.AdminPassword()},
	}
}

// open returns a Sink that ends with the test.
func open(t testing.TB, cfg Config) *Sink {
	t.Helper()
	sink, err := New(cfg, zaptest.NewLogger(t, zaptest.Level(zaptestLevel)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sink.Close)
	return sink
}

// started returns a Sink on a directory of its own.
func started(t testing.TB, overlays ...string) (server, *Sink) {
	t.Helper()
	return startedWith(t, wish{overlays: overlays})
}

// users is a tenant's collection of people.
func users() directory.Collection {
	l := labHere
	c := directory.Collection{
		Source: "okta", Base: people, Naming: l.naming, ObjectClasses: l.person,
		StateAttribute: l.state, SourceAttribute: l.source,
		Attributes: distinctNames([]string{l.naming, l.full, "sn", "givenName", "mail", l.note, l.unique}, nil),
		Referrers:  referred(),
	}
	return withMarkerClass(c)
}

// withMarkerClass adds the class that allows the marker, where it takes one.
func withMarkerClass(c directory.Collection) directory.Collection {
	if c.StateAttribute == "scimState" {
		c.ObjectClasses = append(slices.Clone(c.ObjectClasses), "scimgateObject")
	}
	return c
}

// crowds is a tenant's collection of groups, which may not be empty where there
// is such a class.
func crowds() directory.Collection {
	c := teams()
	if labHere.placeholder {
		c.ObjectClasses = []string{"top", "groupOfNames", "scimgateObject"}
		c.EmptyMember = nobody
	}
	return c
}

// teams is a tenant's collection of groups that may be empty.
func teams() directory.Collection {
	return withMarkerClass(directory.Collection{
		Source: "okta", Base: groups, Naming: "cn", ObjectClasses: labHere.group,
		StateAttribute: labHere.state, SourceAttribute: labHere.source,
		Attributes: []string{"cn", labHere.note, "member"},
		Member:     "member",
		Referrers:  []directory.Referrer{{Base: groups, Attribute: "member"}},
	})
}

// active returns the marker of a write.
func active(request string) directory.Marker {
	return directory.Marker{Source: "okta", State: directory.Active, Request: request, Since: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
}

// person returns a user to be added.
func person(uid string, attributes ...string) directory.NewEntry {
	e := directory.NewEntry{Name: uid, Marker: active("add-" + uid), Attributes: directory.Attributes{
		labHere.naming: {uid}, labHere.full: {"The " + uid}, "sn": {"Sample"},
	}}
	for i := 0; i < len(attributes); i += 2 {
		e.Attributes[attributes[i]] = append(e.Attributes[attributes[i]], attributes[i+1])
	}
	return e
}

// crowd returns a group to be added.
func crowd(cn string, members ...string) directory.NewEntry {
	return directory.NewEntry{Name: cn, Marker: active("add-" + cn), Attributes: directory.Attributes{"cn": {cn}, "member": members}}
}

func add(t testing.TB, s directory.Store, e directory.NewEntry) directory.Entry {
	t.Helper()
	entry, err := s.Add(context.WithoutCancel(t.Context()), e)
	if err != nil {
		t.Fatalf("add %s: %v", e.Name, err)
	}
	return entry
}

func search(t testing.TB, s directory.Store, q directory.Query) []directory.Entry {
	t.Helper()
	entries, err := s.Search(context.WithoutCancel(t.Context()), q)
	if err != nil {
		t.Fatalf("search: %v", err)
	}
	return entries
}

// the returns the one entry with an id.
func the(t testing.TB, s directory.Store, id string) directory.Entry {
	t.Helper()
	found := search(t, s, directory.Query{Filter: directory.Eq(directory.AttrID, id), Scope: directory.Anyone})
	if len(found) != 1 {
		t.Fatalf("%d entries with the id %s", len(found), id)
	}
	return found[0]
}

// wantKind fails the test unless err is an error of the kind.
func wantKind(t testing.TB, err error, kind directory.Kind) {
	t.Helper()
	if !directory.Is(err, kind) {
		t.Fatalf("error %v, wanted kind %q", err, kind)
	}
}

// raw is a connection beside the Sink, for what others do to the directory.
func raw(t testing.TB, s server) *ldap.Conn {
	t.Helper()
	conn, err := ldap.DialURL(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.Bind(s.AdminDN(), s.AdminPassword()); err != nil {
		t.Fatal(err)
	}
	return conn
}

// readRaw returns an attribute as the directory has it.
func readRaw(t testing.TB, conn *ldap.Conn, dn, attribute string) []string {
	t.Helper()
	found, err := conn.Search(ldap.NewSearchRequest(dn, ldap.ScopeBaseObject, ldap.NeverDerefAliases, 0, 0, false, matchAll, []string{attribute}, nil))
	if err != nil {
		t.Fatal(err)
	}
	return found.Entries[0].GetEqualFoldAttributeValues(attribute)
}

// within returns a context that ends in time for the test to say why.
func within(t testing.TB, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

// eventually polls until a condition holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}

// memberDN is the name of somebody who can be a member.
func memberDN(i int) string { return fmt.Sprintf("%s=m%d,%s", labNaming, i, labMembers) }

// theirDN is the name of a person.
func theirDN(name string) string { return Name(labHere.naming, name, people) }

func foldAll(names []string) map[string]bool {
	folded := map[string]bool{}
	for _, n := range names {
		folded[directory.FoldDN(n)] = true
	}
	return folded
}

func rdnOf(dn string) string { first, _ := splitName(dn); return strings.ToLower(first) }

//go:build integration

package ldapsink

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"
	"go.uber.org/zap/zaptest"

	"scimgate/internal/directory"
	"scimgate/internal/slapd"
)

const (
	people = "ou=people,dc=example,dc=org"
	groups = "ou=groups,dc=example,dc=org"
	nobody = "cn=nobody,dc=example,dc=org"
)

// serve starts a directory that ends with the test.
func serve(t testing.TB, cfg slapd.Config) *slapd.Server {
	t.Helper()
	cfg.Dir = t.TempDir()
	cfg.GroupSchema = true
	cfg.DatabaseConf = append(cfg.DatabaseConf, "dbnosync") // these tests kill processes, not machines
	server, err := slapd.Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	return server
}

// configured returns the configuration with which a test reaches a directory.
func configured(server *slapd.Server) Config {
	return Config{
		URLs: []string{server.URL()},
		Bind: Bind{DN: server.AdminDN(), Password: server.AdminPassword()},
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
func started(t testing.TB, overlays ...string) (*slapd.Server, *Sink) {
	t.Helper()
	server := serve(t, slapd.Config{Overlays: overlays})
	return server, open(t, configured(server))
}

// users is a tenant's collection of people.
func users() directory.Collection {
	return directory.Collection{
		Source: "okta", Base: people, Naming: "uid",
		ObjectClasses:  []string{"top", "person", "organizationalPerson", "inetOrgPerson", "scimgateObject"},
		StateAttribute: "scimState", SourceAttribute: "scimSource",
		Attributes: []string{"uid", "cn", "sn", "givenName", "mail", "description", "scimExternalId"},
		Referrers:  []directory.Referrer{{Base: groups, Attribute: "member"}, {Base: groups, Attribute: "uniqueMember"}, {Base: people, Attribute: "manager"}},
	}
}

// crowds is a tenant's collection of groups that may not be empty.
func crowds() directory.Collection {
	return directory.Collection{
		Source: "okta", Base: groups, Naming: "cn",
		ObjectClasses:  []string{"top", "groupOfNames", "scimgateObject"},
		StateAttribute: "scimState", SourceAttribute: "scimSource",
		Attributes: []string{"cn", "description", "scimExternalId", "member"},
		Member:     "member", EmptyMember: nobody,
		Referrers: []directory.Referrer{{Base: groups, Attribute: "member"}},
	}
}

// teams is crowds with a class whose groups may be empty.
func teams() directory.Collection {
	c := crowds()
	c.ObjectClasses = []string{"top", "groupOfMembers", "scimgateObject"}
	c.EmptyMember = ""
	return c
}

// active returns the marker of a write.
func active(request string) directory.Marker {
	return directory.Marker{Source: "okta", State: directory.Active, Request: request, Since: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
}

// person returns a user to be added.
func person(uid string, attributes ...string) directory.NewEntry {
	e := directory.NewEntry{Name: uid, Marker: active("add-" + uid), Attributes: directory.Attributes{
		"uid": {uid}, "cn": {"The " + uid}, "sn": {"Sample"},
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
func raw(t testing.TB, server *slapd.Server) *ldap.Conn {
	t.Helper()
	conn, err := ldap.DialURL(server.URL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.Bind(server.AdminDN(), server.AdminPassword()); err != nil {
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

func memberDN(i int) string { return fmt.Sprintf("uid=m%d,%s", i, people) }

func foldAll(names []string) map[string]bool {
	folded := map[string]bool{}
	for _, n := range names {
		folded[directory.FoldDN(n)] = true
	}
	return folded
}

func rdnOf(dn string) string { first, _ := splitName(dn); return strings.ToLower(first) }

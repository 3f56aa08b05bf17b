//go:build integration || ad || ds389

package ldapsink

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"testing"

	"github.com/go-ldap/ldap/v3"

	"scimgate/internal/directory"
)

// server is a directory that a test can do things to.
type server interface {
	URL() string
	AdminDN() string
	AdminPassword() string
	Kill() error
	Restart(ctx context.Context) error
	Stop() error
}

// wish is what a test wants of its directory.
type wish struct {
	// overlays are what OpenLDAP calls them: refint, memberof, unique (of the
	// lab's attribute), whatever they are elsewhere.
	overlays []string
	// own says that nobody else may use it: the test stops it, say.
	own bool
	// members is how many entries memberDN can name, where members have to be somebody.
	members int
}

// lab is what differs between the directories that the tests of the store run
// against. Each is a file of its own, chosen by its build tag, with labHere.
type lab struct {
	flavor string
	begin  func(ctx context.Context, dir string, w wish) (server, error)
	slow   bool // to start: tests share one that has nothing special
	// The attribute of a person's name and one that a person must have; one with
	// several values that is free; one that the directory can keep unique; one of
	// the marker's, and two shared with others.
	naming, full, note, unique string
	state, source              string
	shared                     [2]string
	person, group              []string // object classes
	placeholder                bool     // there are groups that may not be empty
	strangers                  bool     // a member can be nobody
	links                      bool     // references follow and go by themselves
	people, groups             string   // bases
	// What a refusal of a value of an unknown attribute is, a value in two
	// spellings that are one to the directory, and a value that note cannot have.
	unheardOf directory.Kind
	broken    [2]string // an attribute and a value that it does not take
	must      string    // an attribute that a person cannot do without; "" where there is none
	longest   int       // bytes of a name that a test may try
	many      int       // members of a large group
	unlimited bool      // the size limit of a search is ignored
	sevenBit  bool      // names are ASCII
}

// begin starts a directory that ends with the test.
func begin(t testing.TB, w wish) server {
	t.Helper()
	if labHere.slow && !w.own && w.members == 0 && len(w.overlays) == 0 {
		return common(t)
	}
	s, err := labHere.begin(t.Context(), t.TempDir(), w)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// shared is the directory that tests use one after the other, nil until one has.
var shared server

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "scimgate-lab-")
	if err != nil {
		panic(err)
	}
	sharedDir = dir
	code := m.Run()
	if shared != nil {
		err = shared.Stop()
	}
	if err = errors.Join(err, os.RemoveAll(dir)); err != nil {
		fmt.Fprintln(os.Stderr, "end the shared directory:", err)
		code = max(code, 1)
	}
	os.Exit(code)
}

var sharedDir string

// common returns the shared directory, without what the last test left there.
func common(t testing.TB) server {
	t.Helper()
	if shared == nil {
		s, err := labHere.begin(context.WithoutCancel(t.Context()), sharedDir, wish{})
		if err != nil {
			t.Fatal(err)
		}
		shared = s
	}
	conn := raw(t, shared)
	for _, base := range []string{people, groups} {
		left, err := conn.Search(ldap.NewSearchRequest(base, ldap.ScopeSingleLevel, ldap.NeverDerefAliases, 0, 0, false, matchAll, []string{"1.1"}, nil))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range left.Entries {
			if err := conn.Del(ldap.NewDelRequest(e.DN, nil)); err != nil {
				t.Fatalf("clear %s: %v", e.DN, err)
			}
		}
	}
	return shared
}

// startedWith returns a Sink on a directory of its own.
func startedWith(t testing.TB, w wish) (server, *Sink) {
	t.Helper()
	s := begin(t, w)
	return s, open(t, configured(s))
}

// addr is where a directory listens.
func addr(t testing.TB, s server) string {
	t.Helper()
	u, err := url.Parse(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	return hostPort(u)
}

// referred are the places where the tests' people are referred to.
func referred() []directory.Referrer {
	all := []directory.Referrer{{Base: groups, Attribute: "member"}, {Base: people, Attribute: "manager"}}
	if labHere.strangers {
		all = append(all, directory.Referrer{Base: groups, Attribute: "uniqueMember"})
	}
	return all
}

// bare is the request to add a person whom nobody manages.
func bare(name string, attributes ...string) *ldap.AddRequest {
	request := ldap.NewAddRequest(Name(labHere.naming, name, people), nil)
	request.Attribute("objectClass", labHere.person)
	request.Attribute(labHere.naming, []string{name})
	request.Attribute(labHere.full, []string{name})
	request.Attribute("sn", []string{name})
	for i := 0; i < len(attributes); i += 2 {
		request.Attribute(attributes[i], []string{attributes[i+1]})
	}
	return request
}

// bareGroup is the request to add a group whom nobody manages.
func bareGroup(name string, members ...string) *ldap.AddRequest {
	request := ldap.NewAddRequest(Name("cn", name, groups), nil)
	request.Attribute("objectClass", labHere.group)
	request.Attribute("cn", []string{name})
	if len(members) > 0 {
		request.Attribute("member", members)
	}
	return request
}

// kindOfGroups is a collection of groups with what stands in an empty one.
type kindOfGroups struct {
	name  string
	c     directory.Collection
	empty []string
}

// kindsOfGroups are those that a directory can have.
func kindsOfGroups() []kindOfGroups {
	kinds := []kindOfGroups{{"team", teams(), nil}}
	if labHere.placeholder {
		kinds = append(kinds, kindOfGroups{"crowd", crowds(), []string{nobody}})
	}
	return kinds
}

// sameNames reports whether two lists hold the same names, spelled as they may.
func sameNames(a, b []string) bool {
	x, y := foldAll(a), foldAll(b)
	if len(a) != len(b) || len(x) != len(y) {
		return false
	}
	for name := range x {
		if !y[name] {
			return false
		}
	}
	return true
}

//go:build integration

package integration

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"
)

// server is a directory that runs.
type server interface {
	URL() string // where its administrator reaches it
	Suffix() string
	AdminDN() string
	AdminPassword() string
	Kill() error
	Restart(ctx context.Context) error
	Stop() error
}

// flavour is what differs between the directories that the tests run against, as
// data. Each has a file of its own, chosen by its build tag, with here. The tests
// speak of attributes as OpenLDAP calls them, and none asks which directory it is.
type flavour struct {
	name   string
	find   func() error // says so if it is not installed
	begin  func(ctx context.Context, s site, dir string) (server, error)
	serve  string // the configuration of the gateway before it, in testdata
	demo   bool   // it is the one that the demo brings along
	linked bool   // references follow and go by themselves, whatever is asked for
	// What it calls the attributes that the tests name otherwise, and those that
	// have to be asked for by name.
	words  map[string]string
	hidden []string
	// id is an id of entries that nobody has, idOf how one is shown.
	id   string
	idOf func(raw []byte) string
	rdn  string // of people

	groups    []groupKind // each kind of group that it has; the first is the usual one
	strangers []string    // names of nobody that a group takes for members
	note      string      // an attribute of people with room for several notes
	teamNote  string      // one of groups
	home      string      // that of RFC 2307's home directory
	marked    []string    // object classes of somebody with a marker

	lock        lock
	refusals    []refusal
	setPassword func(conn *ldap.Conn, dn, password string) error

	secret    string   // the attribute of passwords, for those who may read it; "" where nobody may
	longest   int      // characters of any value that the tests try; 0 where there is no bound
	timeout   string   // of a request, where one takes longer than usual
	bulk      int      // creates that it does in a few seconds
	filters   int      // generated filters that it answers in a minute, on the slower side
	malformed []object // what a person cannot have
	bytewise  bool     // letters beyond ASCII have to be sent as they are stored to be found
	badNames  string   // pattern of user names that are refused; "" where none is
	badGroups string   // the same of groups
	unnamed   bool     // people are not called by their user name
	blanks    bool     // runs of blanks in a name stand for one
	touched   bool     // getting into a group changes a person's version

	// person and crowd write the LDIF of a person and of a group that were made earlier.
	person func(b *strings.Builder, name, marker string)
	crowd  func(b *strings.Builder, name, marker string, members []string)

	// absent are the tests that are not for this directory, beside those of
	// ofOpenLDAP: what it lacks. Parts of tests are named as -run names them.
	absent map[string]string
}

// lock is how an administrator locks somebody.
type lock struct {
	attribute string
	open      []string // when somebody is not locked
	ways      []string
}

// groupKind is a kind of group: an object class, its attribute for members and
// what is there when there are none; "" where it may be empty.
type groupKind struct{ class, member, empty string }

// refusal is how a bind is refused.
type refusal struct {
	code uint16
	text string // a piece of what the server says; "" where it says nothing
}

func (f flavour) refuses(err error) bool {
	return slices.ContainsFunc(f.refusals, func(r refusal) bool {
		return ldap.IsErrorWithCode(err, r.code) && strings.Contains(err.Error(), r.text)
	})
}

// word returns what the directory calls an attribute.
func (f flavour) word(attribute string) string {
	if w, ok := f.words[attribute]; ok {
		return w
	}
	return attribute
}

var inFilter = regexp.MustCompile(`\(([A-Za-z0-9-]+)=`)

// filter puts the directory's words into a filter of the tests'.
func (f flavour) filter(text string) string {
	return inFilter.ReplaceAllStringFunc(text, func(part string) string { return "(" + f.word(part[1:len(part)-1]) + "=" })
}

// entry puts the tests' words into an entry. What the directory itself calls by
// such a word, and means something else, is not seen.
func (f flavour) entry(e *ldap.Entry) {
	words := map[string]string{}
	for word, name := range f.words {
		words[strings.ToLower(name)] = word
	}
	kept := e.Attributes[:0]
	for _, a := range e.Attributes {
		if word, ok := words[strings.ToLower(a.Name)]; ok {
			a.Name = word
		} else if f.word(a.Name) != a.Name {
			continue
		}
		if a.Name == "entryUUID" && f.idOf != nil {
			a.Values = []string{f.idOf(a.ByteValues[0])}
		}
		kept = append(kept, a)
	}
	e.Attributes = kept
}

// notHere are the tests that are not for this directory, and why.
func notHere() map[string]string {
	all := map[string]string{}
	for name, why := range here.absent {
		all[name] = why
	}
	if here.demo {
		return all
	}
	for why, names := range ofOpenLDAP {
		for _, name := range names {
			all[name] = why
		}
	}
	return all
}

// skipping is the -skip that leaves out what is not for this directory.
func skipping() string {
	var patterns []string
	for name := range notHere() {
		parts := strings.Split(name, "/")
		for i := range parts {
			parts[i] = "^" + regexp.QuoteMeta(parts[i]) + "$"
		}
		patterns = append(patterns, strings.Join(parts, "/"))
	}
	slices.Sort(patterns)
	return strings.Join(patterns, "|")
}

// ruled is a gateway whose tenant has a rule set: the demo, or one that carries as
// much of it as the directory has room for.
func ruled(t *testing.T, profile string) *gate {
	t.Helper()
	if here.demo {
		return demo(t, "--profile", profile)
	}
	s := usual()
	s.Profile = profile
	return serve(t, s).gate
}

// fresh is a gateway before a directory of its own that carries all that shared does.
func fresh(t *testing.T) *gate {
	t.Helper()
	if here.demo {
		return demo(t)
	}
	return serve(t, usual()).gate
}

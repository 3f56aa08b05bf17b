//go:build integration && !ad && !ds389

package ldapsink

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"

	"scimgate/internal/directory"
	"scimgate/internal/slapd"
)

const counterDN = "cn=uidNext,dc=example,dc=org"

// accounts is a tenant's collection of people who may sign in to systems.
func accounts() directory.Collection {
	c := users()
	c.ObjectClasses = append(c.ObjectClasses, "posixAccount")
	c.Attributes = append(c.Attributes, "uidNumber")
	return c
}

func account(uid string, n directory.Number) directory.NewEntry {
	e := person(uid, "gidNumber", "100", "homeDirectory", "/home/"+uid)
	e.Numbers = []directory.Number{n}
	return e
}

// byCounter is a number that an entry counts, and byRange one of a range.
func byCounter() directory.Number {
	return directory.Number{Attribute: "uidNumber", Min: 10000, Max: 10999, Counter: counterDN, CounterAttribute: "uidNumber"}
}

func byRange() directory.Number {
	return directory.Number{Attribute: "uidNumber", Min: 10000, Max: 10999}
}

// counting starts a directory with an entry that counts.
func counting(t *testing.T, next int) *slapd.Server {
	t.Helper()
	server := serve(t, slapd.Config{Entries: fmt.Sprintf("dn: %s\nobjectClass: device\nobjectClass: extensibleObject\ncn: uidNext\nuidNumber: %d\n", counterDN, next)})
	return server
}

// putAccount adds an account with a number of its own.
func putAccount(t *testing.T, conn *ldap.Conn, number int) {
	t.Helper()
	name := fmt.Sprint("old", number)
	request := ldap.NewAddRequest("uid="+name+",dc=example,dc=org", nil)
	request.Attribute("objectClass", []string{"account", "posixAccount"})
	for attribute, value := range map[string]string{"uid": name, "cn": name, "uidNumber": strconv.Itoa(number), "gidNumber": "100", "homeDirectory": "/"} {
		request.Attribute(attribute, []string{value})
	}
	if err := conn.Add(request); err != nil {
		t.Fatal(err)
	}
}

// numberOf returns the number of an entry.
func numberOf(t *testing.T, e directory.Entry) int {
	t.Helper()
	n, err := strconv.Atoi(e.Attributes.First("uidNumber"))
	if err != nil {
		t.Fatalf("%s: %v", e.DN, err)
	}
	return n
}

// withoutIncrement makes a Sink of one connection whose server cannot add to a
// number.
func withoutIncrement(t *testing.T, server *slapd.Server) *Sink {
	t.Helper()
	cfg := configured(server)
	cfg.Connections = 1
	sink := open(t, cfg)
	l, err := sink.pool.get(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !l.supports(oidIncrement) {
		t.Error("this server announces no modify-increment")
	}
	delete(l.controls, oidIncrement)
	return sink
}

// Nobody gets a number that somebody else has, however many are made at once and
// by whom, and those that are in use are left out.
func TestNumbersAreGivenOnce(t *testing.T) {
	for name, tc := range map[string]struct {
		number func() directory.Number
		sinks  func(*testing.T, *slapd.Server) []*Sink
	}{
		"increments": {byCounter, func(t *testing.T, s *slapd.Server) []*Sink {
			return []*Sink{open(t, configured(s)), open(t, configured(s))}
		}},
		"compare and set": {byCounter, func(t *testing.T, s *slapd.Server) []*Sink {
			return []*Sink{withoutIncrement(t, s), withoutIncrement(t, s)}
		}},
		"both": {byCounter, func(t *testing.T, s *slapd.Server) []*Sink {
			return []*Sink{withoutIncrement(t, s), open(t, configured(s))}
		}},
		"range": {byRange, func(t *testing.T, s *slapd.Server) []*Sink {
			return []*Sink{open(t, configured(s)), open(t, configured(s))}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			server := counting(t, 9000)
			conn := raw(t, server)
			for i := 10003; i < 10050; i++ { // made by somebody who does not count
				putAccount(t, conn, i)
			}
			const each = 30
			sinks := tc.sinks(t, server)
			var mu sync.Mutex
			given := map[int]bool{}
			var work sync.WaitGroup
			for i, sink := range sinks {
				store := sink.Store(accounts())
				for j := range each {
					work.Go(func() {
						e, err := store.Add(context.WithoutCancel(t.Context()), account(fmt.Sprintf("p%d-%d", i, j), tc.number()))
						mu.Lock()
						defer mu.Unlock()
						if err != nil {
							t.Error(err)
							return
						}
						given[numberOf(t, e)] = true
					})
				}
			}
			work.Wait()
			if len(given) != each*len(sinks) {
				t.Errorf("%d numbers for %d people", len(given), each*len(sinks))
			}
			for n := range given {
				if n < 10000 || n >= 10003 && n < 10050 || n > 10999 {
					t.Errorf("%d was given", n)
				}
			}
			if tc.number().Counter != "" {
				if next := readRaw(t, conn, counterDN, "uidNumber"); next[0] != strconv.Itoa(slices.Max(slices.Collect(maps.Keys(given)))+1) {
					t.Errorf("the counter is at %v", next)
				}
			}
		})
	}
}

// A number is given up with its entry only where the entry is left to say so; a
// counter gives none again.
func TestNumbersAreNotGivenAgain(t *testing.T) {
	server := counting(t, 10000)
	sink := open(t, configured(server))
	store := sink.Store(accounts())
	first := add(t, store, account("first", byCounter()))
	if err := store.Remove(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	if second := add(t, store, account("first", byCounter())); numberOf(t, second) <= numberOf(t, first) {
		t.Errorf("%d after %d", numberOf(t, second), numberOf(t, first))
	}
	// A range counts on within one process, and above what is there in another.
	third := add(t, store, account("third", byRange()))
	if err := store.Remove(t.Context(), third); err != nil {
		t.Fatal(err)
	}
	fourth := add(t, store, account("fourth", byRange()))
	if numberOf(t, fourth) != numberOf(t, third)+1 {
		t.Errorf("%d after %d", numberOf(t, fourth), numberOf(t, third))
	}
	other := open(t, configured(server)).Store(accounts())
	if fifth := add(t, other, account("fifth", byRange())); numberOf(t, fifth) != numberOf(t, fourth)+1 {
		t.Errorf("%d after %d", numberOf(t, fifth), numberOf(t, fourth))
	}
}

// An Add that is refused and made again under another name keeps its number.
func TestOneNumberForOneCreate(t *testing.T) {
	server := counting(t, 10000)
	store := open(t, configured(server)).Store(accounts())
	add(t, store, account("ann", byCounter()))
	again := account("ann", byCounter())
	_, err := store.Add(t.Context(), again)
	wantKind(t, err, directory.Exists)
	again.Name, again.Attributes["uid"] = "ann2", []string{"ann2"}
	if e := add(t, store, again); numberOf(t, e) != 10001 {
		t.Errorf("%d", numberOf(t, e))
	}
	if next := readRaw(t, raw(t, server), counterDN, "uidNumber"); next[0] != "10002" {
		t.Errorf("the counter is at %v", next)
	}
}

// Where no number is left, nothing is written and nothing counted.
func TestNoNumberIsLeft(t *testing.T) {
	server := counting(t, 10000)
	sink := open(t, configured(server))
	store, conn := sink.Store(accounts()), raw(t, server)
	for _, n := range []directory.Number{byCounter(), byRange()} {
		n.Max = 10001
		if n.Counter == "" {
			n.Min, n.Max = 20000, 20001
		}
		for i := range 2 {
			add(t, store, account(fmt.Sprint("last", n.Min, i), n))
		}
		for range 2 {
			_, err := store.Add(t.Context(), account("late", n))
			wantKind(t, err, directory.Exhausted)
		}
	}
	if next := readRaw(t, conn, counterDN, "uidNumber"); next[0] != "10002" {
		t.Errorf("the counter is at %v", next)
	}
	gone := byCounter()
	gone.Counter = "cn=nowhere,dc=example,dc=org"
	_, err := store.Add(t.Context(), account("late", gone))
	wantKind(t, err, directory.Internal)
}

// Numbers are skipped and never given twice if the answer of the counter is lost.
func TestLostAnswerOfTheCounter(t *testing.T) {
	for _, increments := range []bool{true, false} {
		for _, answer := range []bool{true, false} {
			server := counting(t, 10000)
			p := between(t, server)
			cfg := configured(server)
			cfg.URLs, cfg.Connections = []string{p.url()}, 1
			sink := open(t, cfg)
			if !increments { // after a cut the link is another, which increments
				l, err := sink.pool.get(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				delete(l.controls, oidIncrement)
			}
			store := sink.Store(accounts())
			var lost atomic.Bool
			p.when(func(isAnswer bool, op ber.Tag) verdict {
				wanted := ber.Tag(ldap.ApplicationModifyRequest)
				if answer {
					wanted = ldap.ApplicationModifyResponse
				}
				if isAnswer == answer && op == wanted && lost.CompareAndSwap(false, true) {
					return cut
				}
				return pass
			})
			first := add(t, store, account("first", byCounter()))
			second := add(t, store, account("second", byCounter()))
			want := []int{10000, 10001}
			if answer {
				want = []int{10001, 10002}
			}
			if got := []int{numberOf(t, first), numberOf(t, second)}; !slices.Equal(got, want) || !lost.Load() {
				t.Errorf("increments %v, answer lost %v: %v, want %v", increments, answer, got, want)
			}
		}
	}
}

// An account that may see no more than the people and the counter finds out what
// is in use among the people, and moves the counter on.
func TestNumbersWithFewRights(t *testing.T) {
	const me = "cn=gateway,dc=example,dc=org"
	server := serve(t, slapd.Config{
		Entries: "dn: " + counterDN + "\nobjectClass: device\nobjectClass: extensibleObject\ncn: uidNext\nuidNumber: 10000\n\n" +
			"dn: " + me + "\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\ncn: gateway\nuserPassword: secret\n",
		Access: []string{
			"to attrs=userPassword by anonymous auth by * none",
			`to dn.subtree="` + people + `" by dn.exact="` + me + `" write by * none`,
			`to dn.base="` + counterDN + `" attrs=uidNumber by dn.exact="` + me + `" write by * none`,
			`to dn.base="` + counterDN + `" by dn.exact="` + me + `" read by * none`,
			`to dn.base="` + groups + `" by dn.exact="` + me + `" search by * none`,
			`to dn.base="" by * read`, `to dn.subtree="cn=Subschema" by * read`,
			"to * by * none",
		},
	})
	putAccount(t, raw(t, server), 10000) // which cannot be seen
	cfg := configured(server)
	cfg.Bind = Bind{DN: me, Password: "secret"}
	store := open(t, cfg).Store(accounts())
	first := add(t, store, account("first", byCounter()))
	second := add(t, store, account("second", byRange()))
	if a, b := numberOf(t, first), numberOf(t, second); a != 10000 || b != 10001 {
		t.Errorf("%d and %d", a, b)
	}
	third := add(t, store, account("third", byCounter()))
	if numberOf(t, third) != 10002 {
		t.Errorf("%d, though 10001 is in use", numberOf(t, third))
	}
	conn := raw(t, server)
	request := ldap.NewModifyRequest(counterDN, nil)
	request.Replace("uidNumber", nil)
	if err := conn.Modify(request); err != nil {
		t.Fatal(err)
	}
	_, err := store.Add(t.Context(), account("fourth", byCounter()))
	wantKind(t, err, directory.Internal)
	if !strings.Contains(err.Error(), "0 values") {
		t.Error(err)
	}
}

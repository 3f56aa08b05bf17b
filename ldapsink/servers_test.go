package ldapsink

import (
	"net"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"
	"github.com/google/go-cmp/cmp"

	"scimgate/internal/directory"
)

func TestOrderOfServers(t *testing.T) {
	now := time.Now()
	s := servers{list: []string{"a", "b", "c", "d"}, known: map[string]*standing{}, pause: 10 * time.Second}
	want := func(what string, got []string, want ...string) {
		t.Helper()
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: %s", what, d)
		}
	}
	want("all well", s.order("", now), "a", "b", "c", "d")
	want("one in use", s.order("c", now), "c", "a", "b", "d")
	want("better", s.better("c", now), "a", "b")
	s.fail("a", now)
	want("a failed", s.order("", now), "b", "c", "d", "a")
	want("a is left alone", s.better("c", now), "b")
	want("and then not", s.better("c", now.Add(11*time.Second)), "a", "b")
	s.of("b").refused = now
	want("b takes no writes", s.order("", now), "c", "d", "a", "b")
	want("b is not come back to", s.better("c", now.Add(time.Hour)), "a")
	want("anything that takes writes is better", s.better("b", now), "a", "c", "d")
	want("of those that left the list all are", s.better("gone", now), "c", "d")
}

// A server that fails soon after it was come back to is left alone for longer
// and longer, and one that was well for long is not.
func TestServerThatFailsAgain(t *testing.T) {
	now := time.Now()
	s := servers{list: []string{"a", "b"}, known: map[string]*standing{}, pause: time.Second}
	var waits []time.Duration
	for range 8 {
		s.of("a").since = now
		s.fail("a", now)
		s.fail("a", now) // a look that finds it so still is no new failure
		waits = append(waits, s.of("a").until.Sub(now))
	}
	if d := cmp.Diff([]time.Duration{1e9, 2e9, 4e9, 8e9, 16e9, 16e9, 16e9, 16e9}, waits); d != "" {
		t.Error(d)
	}
	s.of("a").since = now
	s.fail("a", now.Add(time.Hour))
	if wait := s.of("a").until.Sub(now.Add(time.Hour)); wait != time.Second {
		t.Errorf("it is left alone for %s", wait)
	}
}

func TestServersOfRecords(t *testing.T) {
	record := func(target string, priority, weight uint16) *net.SRV {
		return &net.SRV{Target: target, Port: 389, Priority: priority, Weight: weight}
	}
	records := []*net.SRV{record("C.example.org.", 10, 1), record("a.example.org.", 0, 0), record("b.example.org.", 0, 65535)}
	for text, want := range map[string][]string{
		"ldaps+srv://example.org":      {"ldaps://b.example.org:636", "ldaps://a.example.org:636", "ldaps://c.example.org:636"},
		"ldap+srv://example.org":       {"ldap://b.example.org:389", "ldap://a.example.org:389", "ldap://c.example.org:389"},
		"ldaps+srv://example.org:1636": {"ldaps://b.example.org:1636", "ldaps://a.example.org:1636", "ldaps://c.example.org:1636"},
	} {
		u, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		for range 3 { // in whatever order they come
			records = append(records[1:], records[0])
			if d := cmp.Diff(want, serversOf(u, records)); d != "" {
				t.Error(d)
			}
		}
	}
	for host, want := range map[string]string{
		"example.org": "_ldap._tcp.dc._msdcs.example.org", "_ldap._tcp.site._sites.example.org": "_ldap._tcp.site._sites.example.org",
	} {
		if got := serviceName(host, flavors[activeDirectory].srv); got != want {
			t.Errorf("%s is looked up as %s", host, got)
		}
	}
}

// Among servers of one priority each comes first as often as its weight says,
// over many domains.
func TestWeightsOfRecords(t *testing.T) {
	firsts := 0
	for i := range 2000 {
		u := &url.URL{Scheme: "ldaps+srv", Host: "domain" + string(rune('a'+i%26)) + string(rune('a'+i/26%26)) + string(rune('a'+i/676)) + ".org"}
		list := serversOf(u, []*net.SRV{{Target: "one.", Weight: 30}, {Target: "two.", Weight: 10}})
		if list[0] == "ldaps://one:636" {
			firsts++
		}
	}
	if firsts < 1400 || firsts > 1600 {
		t.Errorf("three quarters of 2000 were to be %d", firsts)
	}
}

// What a search on another server could miss or show differently concerns it,
// and nothing else does.
func TestWhatAWriteConcerns(t *testing.T) {
	made := &written{id: "1", dn: "uid=ann,dc=x", made: true}
	made.touch("uid", "Ann")
	made.touch("scimSource", "okta")
	made.touch("scimState")
	changed := &written{id: "2", dn: "uid=bob,dc=x"}
	changed.touch("title", "Boss")
	doubtful := &written{dn: "uid=eve,dc=x", doubt: true, made: true}
	doubtful.touch("uid", "eve")
	live := func(f directory.Filter) directory.Filter {
		return directory.AndOf(f, directory.Eq("scimSource", "okta"), directory.AnyOf(directory.AttrState, live))
	}
	for name, tc := range map[string]struct {
		f                       directory.Filter
		made, changed, doubtful bool
	}{
		"everybody":         {directory.Filter{}, true, false, false},
		"live ones":         {live(directory.Filter{}), true, false, false},
		"its id":            {live(directory.Eq(directory.AttrID, "1")), true, false, false},
		"ids":               {directory.AnyOf(directory.AttrID, []string{"7", "2"}), false, true, false},
		"its name":          {live(directory.Eq("UID", "ann")), true, false, false},
		"another name":      {directory.Eq("uid", "carl"), false, false, false},
		"keys":              {directory.OrOf(directory.Eq("uid", "eve"), directory.Eq("mail", "x")), false, false, true},
		"its DN":            {directory.Eq(directory.AttrDN, "UID=eve, dc=x"), false, false, true},
		"what has changed":  {directory.Eq("title", "boss"), false, true, false},
		"what it has not":   {directory.Eq("title", "clerk"), false, false, false},
		"presence":          {directory.Filter{Op: directory.Present, Attribute: "title"}, true, true, false},
		"both":              {directory.AndOf(directory.Eq("title", "boss"), directory.Eq("l", "Rome")), false, true, false},
		"one that it isn't": {directory.AndOf(directory.Eq("title", "boss"), directory.Eq(directory.AttrID, "9")), false, false, false},
	} {
		for which, is := range map[*written]bool{made: tc.made, changed: tc.changed, doubtful: tc.doubtful} {
			if got := which.concerns(tc.f); got != is {
				t.Errorf("%s concerns %s: %v", name, which.dn, got)
			}
		}
	}
}

// Who has very many values is kept in little space, and is not missed for it.
func TestManyValuesAreNotKept(t *testing.T) {
	w := &written{id: "1"}
	var members []string
	for i := range 10 * keptValues {
		members = append(members, string(rune(i+1000)))
	}
	w.touch("member", members...)
	if len(w.values) > 0 || !w.concerns(directory.Eq("member", members[7])) {
		t.Errorf("%d values are kept", len(w.values))
	}
	next := &written{id: "1"}
	for i, m := range members {
		again := &written{id: "1"}
		again.touch("member", m)
		again.add(next)
		if next = again; len(next.values) > 2*keptValues || !next.concerns(directory.Eq("member", members[i/2])) {
			t.Fatalf("after %d writes %d values are kept", i, len(next.values))
		}
	}
}

func TestRecentWrites(t *testing.T) {
	r := newRecent(time.Hour)
	note := func(id, server, version string) {
		w := &written{id: id, server: server, version: version}
		w.touch("uid")
		r.note(w)
	}
	ids := func(server string) []string {
		var all []string
		for _, w := range r.elsewhere(server) {
			all = append(all, w.id)
		}
		return all
	}
	note("1", "a", "v1")
	note("2", "a", "v1")
	note("3", "b", "v1")
	if got := ids("b"); !slices.Equal(got, []string{"2", "1"}) {
		t.Errorf("b may miss %v", got)
	}
	stale := r.elsewhere("b")[1]
	note("1", "a", "v2")
	r.has("b", stale) // the one before the last
	r.has("b", r.elsewhere("b")[1])
	if got := ids("b"); !slices.Equal(got, []string{"1"}) {
		t.Errorf("b may miss %v", got)
	}
	w := r.elsewhere("b")[0]
	for version, shows := range map[string]bool{"v1": false, "v2": true, "v3": true} {
		if w.shows(version, "", true, true) != shows {
			t.Errorf("version %s", version)
		}
	}
	for i := range 2 * remembered {
		note(string(rune(i+1000)), "a", "")
	}
	if n := len(r.elsewhere("b")); n != remembered || r.order.Len() != n || len(r.byKey) != n {
		t.Errorf("%d writes are remembered", n)
	}
	short := newRecent(-1)
	short.note(&written{id: "1", server: "a"})
	if len(short.elsewhere("b")) > 0 || len(short.byServer) > 0 {
		t.Error("what is over is not forgotten")
	}
}

// A version of one server is never that of another by accident.
func TestVersionsOfServers(t *testing.T) {
	f := flavors[activeDirectory]
	a, b := &link{tag: shortFor("CN=DC1")}, &link{tag: shortFor("CN=DC2")}
	entry := func() *ldap.Entry {
		return &ldap.Entry{Attributes: []*ldap.EntryAttribute{{Name: "usnchanged", Values: []string{"17"}}}}
	}
	onA, onB := first(a.tagged(entry(), f), f.version), first(b.tagged(entry(), f), f.version)
	if onA == onB {
		t.Errorf("both are %s", onA)
	}
	if own, ok := a.untagged(onA); own != "17" || !ok {
		t.Errorf("%s is %q, %v", onA, own, ok)
	}
	if _, ok := b.untagged(onA); ok {
		t.Error("one server's version passes for another's")
	}
	if same := (&link{}).tagged(entry(), flavors[openLDAP]); first(same, f.version) != "17" {
		t.Error("a version that is the same everywhere changes")
	}
	s := &store{Sink: &Sink{flavor: f}}
	b.controls = map[string]bool{oidAssertion: true}
	if _, err := s.still(t.Context(), b, "cn=x", "6ba7b810-9dad-11d1-80b4-00c04fd430c8", onA); !directory.Is(err, directory.Changed) {
		t.Errorf("a write with another server's version: %v", err)
	}
}

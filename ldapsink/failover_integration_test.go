//go:build integration && !ad && !ds389

package ldapsink

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"scimgate/internal/directory"
)

// has says whether there is an entry of the name.
func has(conn *ldap.Conn, dn string) bool {
	_, err := conn.Search(ldap.NewSearchRequest(dn, ldap.ScopeBaseObject, ldap.NeverDerefAliases, 0, 0, false, matchAll, []string{"1.1"}, nil))
	return err == nil
}

// byID looks an entry up as a GET does.
func byID(s directory.Store, id string) ([]directory.Entry, error) {
	return s.Search(context.Background(), directory.Query{Filter: directory.Eq(directory.AttrID, id)})
}

// uses says whether a server is the one in use.
func uses(s *Sink, url string) bool { server, _ := s.Server(); return server == url }

// logged returns a Sink and what it says.
func logged(t *testing.T, cfg Config) (*Sink, *observer.ObservedLogs) {
	t.Helper()
	core, logs := observer.New(zapcore.InfoLevel)
	sink, err := New(cfg, zap.New(core))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sink.Close)
	return sink, logs
}

// The preferred server dies under load: the next one takes over, and once the
// first is back and has caught up everything goes to it again. What was confirmed
// is there, once, and was never missing in between.
func TestServerDiesAndIsComeBackTo(t *testing.T) {
	t.Parallel()
	r := mirrored(t)
	cfg := r.config(r.a.URL(), r.b.URL())
	cfg.ComeBack = 200 * time.Millisecond
	cfg.Lag = time.Minute // so that nothing is forgotten before the servers agree
	sink, logs := logged(t, cfg)
	l := &load{store: sink.Store(users()), made: map[string]string{}, titles: map[string]string{}}
	var workers sync.WaitGroup
	for w := range 4 {
		workers.Go(func() { l.work(w) })
	}
	flows := func(what string) {
		t.Helper()
		n := l.done.Load()
		eventually(t, what, func() bool { return l.done.Load() > n+20 })
	}
	flows("work is done")
	if err := r.a.Kill(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the second server is used", func() bool { return uses(sink, r.b.URL()) })
	flows("work is done on the second server")
	if err := r.a.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the first server is used again", func() bool { return uses(sink, r.a.URL()) })
	flows("work is done on the first server again")
	l.stop.Store(true)
	workers.Wait()
	for i, f := range l.faults {
		if t.Error(f); i == 10 {
			t.Fatalf("and %d more", len(l.faults)-i)
		}
	}
	if n := logs.FilterMessage("another server of the directory is used from now on").Len(); n != 2 {
		t.Errorf("%d moves, wanted there and back", n)
	}
	for name, conn := range map[string]*ldap.Conn{"first": raw(t, r.a), "second": raw(t, r.b)} {
		eventually(t, "the "+name+" server has all", func() bool { return l.complete(conn) == "" })
		if missing := l.complete(conn); missing != "" {
			t.Errorf("%s server: %s", name, missing)
		}
	}
	t.Logf("%d people", len(l.made))
}

// A create is confirmed, its server dies, and the next one does not have it yet:
// that is not "not found", no second create, and no list without it.
func TestWhatIsNotReplicatedYetIsNotMissing(t *testing.T) {
	t.Parallel()
	r := mirrored(t)
	cfg := r.config(r.a.URL(), r.b.URL())
	cfg.ComeBack = time.Hour
	cfg.Retry = Retry{Attempts: 3, Base: 5 * time.Millisecond, Cap: 20 * time.Millisecond}
	cfg.Lag = time.Hour
	store := open(t, cfg).Store(users())
	old := add(t, store, person("old", "mail", "old@example.org"))
	eventually(t, "the second server has the first person", func() bool { return has(raw(t, r.b), old.DN) })
	r.toA.frozen.Store(true)
	p := person("new", "scimExternalId", "42")
	p.Keys = []directory.Key{{Attribute: "uid", Value: "new"}, {Attribute: "scimExternalId", Value: "42", Exact: true}}
	made := add(t, store, p)
	changed, err := store.Update(t.Context(), old, directory.Change{Marker: active("change"),
		Mods: []directory.Mod{{Op: directory.ModReplace, Attribute: "description", Values: []string{"changed"}}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.a.Kill(); err != nil {
		t.Fatal(err)
	}
	for what, q := range map[string]directory.Filter{
		"by id":           directory.Eq(directory.AttrID, made.ID),
		"by name":         directory.Eq("uid", "NEW"),
		"by key":          directory.OrOf(directory.Eq("uid", "x"), directory.Eq("scimExternalId", "42")),
		"by DN":           directory.Eq(directory.AttrDN, made.DN),
		"a list":          {},
		"changed, by id":  directory.Eq(directory.AttrID, old.ID),
		"by what changed": directory.Eq("description", "changed"),
	} {
		if found, err := store.Search(t.Context(), directory.Query{Filter: q}); !directory.Is(err, directory.Unavailable) {
			t.Errorf("%s: %d entries, %v", what, len(found), err)
		}
	}
	_, err = store.Add(t.Context(), p)
	wantKind(t, err, directory.Unavailable)
	_, err = store.Update(t.Context(), made, directory.Change{Marker: active("again"),
		Mods: []directory.Mod{{Op: directory.ModReplace, Attribute: "description", Values: []string{"again"}}}})
	wantKind(t, err, directory.Unavailable)
	// What has nothing to do with it goes on.
	if found := search(t, store, directory.Query{Filter: directory.Eq("uid", "other")}); len(found) != 0 {
		t.Errorf("found %v", found)
	}
	add(t, store, person("other"))
	r.toA.frozen.Store(false)
	eventually(t, "the second server has it", func() bool { found, err := byID(store, made.ID); return err == nil && len(found) == 1 })
	if got := the(t, store, old.ID); got.Version != changed.Version {
		t.Errorf("got version %s, wanted %s", got.Version, changed.Version)
	}
	if got := search(t, store, directory.Query{}); len(got) != 3 {
		t.Errorf("%d entries, wanted 3", len(got))
	}
	_, err = store.Add(t.Context(), p)
	wantKind(t, err, directory.Exists)
}

// A server that is back and has not caught up is not used yet.
func TestServerThatIsBehindIsNotComeBackTo(t *testing.T) {
	t.Parallel()
	r := mirrored(t)
	cfg := r.config(r.a.URL(), r.b.URL())
	cfg.ComeBack, cfg.Lag = 20*time.Millisecond, time.Hour
	sink, logs := logged(t, cfg)
	store := sink.Store(users())
	add(t, store, person("first"))
	if err := r.a.Kill(); err != nil {
		t.Fatal(err)
	}
	r.toB.frozen.Store(true)
	add(t, store, person("second"))
	if err := r.a.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the first server is looked at", func() bool {
		return logs.FilterMessageSnippet("it has to catch up first").Len() > 1
	})
	if !uses(sink, r.b.URL()) {
		t.Error("it is used though it is behind")
	}
	r.toB.frozen.Store(false)
	eventually(t, "the first server is used", func() bool { return uses(sink, r.a.URL()) })
	if got := search(t, store, directory.Query{}); len(got) != 2 {
		t.Errorf("%d entries, wanted 2", len(got))
	}
}

// The first server takes no writes: they go to the one that does, wherever its
// referral points, and reads go on where none does.
func TestServerThatTakesNoWrites(t *testing.T) {
	t.Parallel()
	for name, lines := range map[string][]string{
		"refers to the provider": {"updateref"},
		"refers to a stranger":   {"updateref ldap://stranger.example.org"},
		"refers nowhere":         nil,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := consumer(t, lines...)
			cfg := r.config(r.b.URL(), r.a.URL())
			cfg.ComeBack = 20 * time.Millisecond
			cfg.Retry = Retry{Attempts: 3, Base: 5 * time.Millisecond, Cap: 20 * time.Millisecond}
			sink, logs := logged(t, cfg)
			store := sink.Store(users())
			search(t, store, directory.Query{})
			if !uses(sink, r.b.URL()) {
				t.Error("the first server is not used for reads")
			}
			e := add(t, store, person("bob"))
			if !uses(sink, r.a.URL()) {
				t.Error("the provider is not used")
			}
			teams := sink.Store(crowds())
			if err := teams.ChangeMembers(t.Context(), add(t, teams, crowd("g")).ID, "", directory.MemberChange{Add: []string{e.DN}}); err != nil {
				t.Error(err)
			}
			if strange := logs.FilterMessageSnippet("a referral is not followed").Len(); (strange > 0) != strings.Contains(name, "stranger") {
				t.Errorf("%d refused referrals in the log", strange)
			}
			eventually(t, "the consumer has it all", func() bool { return has(raw(t, r.b), "cn=g,"+groups) })
			if err := r.a.Kill(); err != nil {
				t.Fatal(err)
			}
			eventually(t, "reads go on", func() bool { found, err := byID(store, e.ID); return err == nil && len(found) == 1 })
			_, err := store.Add(t.Context(), person("carol"))
			wantKind(t, err, directory.Unavailable)
			if logs.FilterMessageSnippet("no server of the directory takes writes").Len() == 0 {
				t.Error("the log does not say why")
			}
			if server, writable := sink.Server(); server != r.b.URL() || writable {
				t.Errorf("uses %s, writable %v", server, writable)
			}
			if err := r.a.Restart(t.Context()); err != nil {
				t.Fatal(err)
			}
			eventually(t, "writes go on", func() bool { _, err := store.Add(t.Context(), person("carol")); return err == nil })
		})
	}
}

// A server that is busy with everything, or takes connections and says nothing,
// is left; one that is slow with one request is not.
func TestServerThatIsNotWell(t *testing.T) {
	t.Parallel()
	r := mirrored(t)
	p := between(t, r.a)
	cfg := r.config(p.url(), r.b.URL())
	cfg.ComeBack, cfg.Timeout = 50*time.Millisecond, 500*time.Millisecond
	sink, logs := logged(t, cfg)
	store := sink.Store(users())
	add(t, store, person("bob"))
	p.when(once(true, ldap.ApplicationSearchResultDone, hold))
	search(t, store, directory.Query{})
	if logs.FilterMessageSnippet("is not well").Len() > 0 {
		t.Error("one silence moves everybody")
	}
	p.when(func(answer bool, op ber.Tag) verdict {
		if answer && op == ldap.ApplicationSearchResultDone {
			return overload
		}
		return pass
	})
	search(t, store, directory.Query{})
	if !uses(sink, r.b.URL()) {
		t.Error("a busy server is not left")
	}
	p.when(nil)
	eventually(t, "it is come back to", func() bool { return uses(sink, p.url()) })
	p.frozen.Store(true)
	eventually(t, "a server that says nothing is left", func() bool {
		return sink.Ping(within(t, time.Minute)) == nil && uses(sink, r.b.URL())
	})
	p.frozen.Store(false)
	eventually(t, "it is come back to", func() bool { return uses(sink, p.url()) })
}

// A change of server drops nothing: what is under way is finished where it began.
func TestMoveLetsRequestsFinish(t *testing.T) {
	t.Parallel()
	r := mirrored(t)
	slow := between(t, r.b)
	cfg := r.config(r.a.URL(), slow.url())
	cfg.ComeBack, cfg.Connections = 20*time.Millisecond, 1
	sink := open(t, cfg)
	store := sink.Store(users())
	e := add(t, store, person("bob"))
	if err := r.a.Kill(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the second server is used", func() bool { the(t, store, e.ID); return uses(sink, slow.url()) })
	held := make(chan struct{})
	var again atomic.Bool
	slow.when(func(answer bool, op ber.Tag) verdict {
		if op == ldap.ApplicationBindRequest && !answer {
			again.Store(true) // the change was cut off, and somebody asks what became of it
		}
		if answer && op == ldap.ApplicationModifyResponse {
			<-held // everything waits here
		}
		return pass
	})
	done := make(chan error, 1)
	go func() {
		_, err := store.Update(context.Background(), e, directory.Change{Marker: active("slow"),
			Mods: []directory.Mod{{Op: directory.ModAdd, Attribute: "description", Values: []string{"slow"}}}})
		done <- err
	}()
	eventually(t, "the change is made", func() bool {
		return len(readRaw(t, raw(t, r.b), e.DN, "description")) > 0
	})
	if err := r.a.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the first server is used", func() bool { return uses(sink, r.a.URL()) })
	close(held)
	if err := <-done; err != nil {
		t.Errorf("a change that was under way: %v", err)
	}
	if again.Load() {
		t.Error("a change that was under way was cut off")
	}
	eventually(t, "it is seen", func() bool {
		found, err := byID(store, e.ID)
		return err == nil && found[0].Attributes.First("description") == "slow"
	})
}

// Who was moved out of the base on one server is not missing on another that has
// the move.
func TestServerIsComeBackToThoughSomebodyWasMoved(t *testing.T) {
	t.Parallel()
	r := mirrored(t)
	cfg := r.config(r.a.URL(), r.b.URL())
	cfg.ComeBack, cfg.Lag = 20*time.Millisecond, time.Hour
	sink, _ := logged(t, cfg)
	c := users()
	c.Places = []string{groups}
	store := sink.Store(c)
	ann := add(t, store, person("ann"))
	eventually(t, "the second server has her", func() bool { return has(raw(t, r.b), ann.DN) })
	if err := r.a.Kill(); err != nil {
		t.Fatal(err)
	}
	moved, err := store.Update(t.Context(), ann, directory.Change{Move: groups, Marker: active("move")})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.a.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the first server is used", func() bool { return uses(sink, r.a.URL()) })
	if got := the(t, store, ann.ID); got.DN != moved.DN {
		t.Errorf("she is %s, wanted %s", got.DN, moved.DN)
	}
}

// For whom a group waits is in the marker: a server that does not have the last
// note yet is not asked for it.
func TestNotesThatAreNotReplicatedYetAreNotMissing(t *testing.T) {
	t.Parallel()
	r := mirrored(t)
	cfg := r.config(r.a.URL(), r.b.URL())
	cfg.ComeBack, cfg.Lag = time.Hour, time.Hour
	cfg.Retry = Retry{Attempts: 3, Base: 5 * time.Millisecond, Cap: 20 * time.Millisecond}
	store := open(t, cfg).Store(users())
	ann := add(t, store, person("ann"))
	eventually(t, "the second server has her", func() bool { return has(raw(t, r.b), ann.DN) })
	r.toA.frozen.Store(true)
	m := active("note")
	m.Left = []string{directory.CompactID(ann.ID)}
	if _, err := store.Update(t.Context(), ann, directory.Change{Marker: m}); err != nil {
		t.Fatal(err)
	}
	waits := directory.Query{Filter: directory.Eq(directory.AttrLeft, ann.ID)}
	if found := search(t, store, waits); len(found) != 1 {
		t.Fatalf("found %v", found)
	}
	if err := r.a.Kill(); err != nil {
		t.Fatal(err)
	}
	found, err := store.Search(t.Context(), waits)
	if !directory.Is(err, directory.Unavailable) {
		t.Errorf("%d entries, %v", len(found), err)
	}
}

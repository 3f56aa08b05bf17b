//go:build integration || ad || ds389

package ldapsink

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"

	"scimgate/internal/directory"
)

// once returns a judge that gives one message of a kind a verdict and lets all
// others pass.
func once(answer bool, op ber.Tag, v verdict) func(bool, ber.Tag) verdict {
	var done atomic.Bool
	return func(a bool, o ber.Tag) verdict {
		if a == answer && o == op && done.CompareAndSwap(false, true) {
			return v
		}
		return pass
	}
}

// proxied returns a Sink that reaches its directory through a proxy.
func proxied(t *testing.T) (server, *proxy, *Sink) {
	t.Helper()
	s := begin(t, wish{})
	p := between(t, s)
	cfg := configured(s)
	cfg.URLs, cfg.Connections, cfg.Timeout = []string{p.url()}, 2, time.Second
	return s, p, open(t, cfg)
}

// A write whose request or answer is lost is made once, and says so.
func TestLostAnswersAreLookedUp(t *testing.T) {
	_, p, sink := proxied(t)
	store := sink.Store(users())
	for _, loss := range []struct {
		name   string
		answer bool
		v      verdict
	}{{"request", false, cut}, {"half request", false, half}, {"answer", true, cut}, {"half answer", true, half}, {"answer never comes", true, hold}} {
		t.Run(loss.name, func(t *testing.T) {
			op := func(request, response ber.Tag) ber.Tag {
				if loss.answer {
					return response
				}
				return request
			}
			lose := func(request, response ber.Tag) { p.when(once(loss.answer, op(request, response), loss.v)) }
			name := "user of " + loss.name
			lose(ldap.ApplicationAddRequest, ldap.ApplicationAddResponse)
			e := add(t, store, person(name))
			if e.Marker.Request != "add-"+name {
				t.Errorf("added: %+v", e.Marker)
			}
			lose(ldap.ApplicationModifyRequest, ldap.ApplicationModifyResponse)
			ctx, trail := directory.WithTrail(t.Context())
			now, err := store.Update(ctx, e, directory.Change{Marker: active("lost"),
				Mods: []directory.Mod{{Op: directory.ModAdd, Attribute: labHere.note, Values: []string{"once"}}}})
			if err != nil {
				t.Fatal(err)
			}
			if n := trail.Attempts(); n != 2 {
				t.Errorf("%d attempts", n)
			}
			if got := now.Attributes[labHere.note]; len(got) != 1 || now.Marker.Request != "lost" {
				t.Errorf("updated: %+v", now)
			}
			lose(ldap.ApplicationModifyDNRequest, ldap.ApplicationModifyDNResponse)
			renamed, err := store.Update(t.Context(), now, directory.Change{Name: name + " renamed", Marker: active("renamed")})
			if err != nil {
				t.Fatal(err)
			}
			if rdnOf(renamed.DN) != labHere.naming+"="+name+" renamed" || renamed.ID != e.ID {
				t.Errorf("renamed: %+v", renamed)
			}
			g := add(t, sink.Store(crowds()), crowd("group of "+loss.name))
			for _, m := range []directory.MemberChange{{Add: names([]int{1})}, {Remove: names([]int{1})}} {
				lose(ldap.ApplicationModifyRequest, ldap.ApplicationModifyResponse)
				version := the(t, sink.Store(crowds()), g.ID).Version
				if err := sink.Store(crowds()).ChangeMembers(t.Context(), g.ID, version, m); err != nil {
					t.Fatal(err)
				}
			}
			lose(ldap.ApplicationDelRequest, ldap.ApplicationDelResponse)
			if err := store.Remove(t.Context(), renamed); err != nil {
				t.Fatal(err)
			}
			p.when(nil)
			if left := search(t, store, directory.Query{Filter: directory.Eq(directory.AttrID, e.ID)}); len(left) != 0 {
				t.Error("still there")
			}
			p.cutAll()
		})
	}
}

// A name that somebody else takes while an answer is lost is theirs.
func TestLostAddThatSomebodyElseMade(t *testing.T) {
	server, p, sink := proxied(t)
	conn := raw(t, server)
	p.when(func(answer bool, op ber.Tag) verdict {
		if answer || op != ldap.ApplicationAddRequest {
			return pass
		}
		if err := conn.Add(bare("bob")); err != nil {
			t.Error(err)
		}
		return cut
	})
	_, err := sink.Store(users()).Add(t.Context(), person("bob"))
	wantKind(t, err, directory.Exists)
}

// A peer that stops reading, or never answers, costs the configured time.
func TestPeerThatStopsReading(t *testing.T) {
	_, p, sink := proxied(t)
	store := sink.Store(crowds())
	g := add(t, store, crowd("g"))
	p.when(func(answer bool, op ber.Tag) verdict {
		if answer && op == ldap.ApplicationSearchResultDone {
			p.frozen.Store(true)
		}
		return pass
	})
	huge := make([]string, 200_000) // more than the buffers on the way hold
	for i := range huge {
		huge[i] = memberDN(i)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	wantKind(t, store.ChangeMembers(ctx, g.ID, "", directory.MemberChange{Add: huge}), directory.Unavailable)
	p.when(nil)
	p.frozen.Store(false)
	eventually(t, "it works again", func() bool {
		return store.ChangeMembers(within(t, time.Minute), g.ID, "", directory.MemberChange{Add: names([]int{1})}) == nil
	})
}

// While the directory is away requests fail at once; when it is back they work,
// without anybody's help; nothing is left behind.
func TestDirectoryAwayAndBack(t *testing.T) {
	server := begin(t, wish{own: true})
	goroutines, files := runtime.NumGoroutine(), descriptors(t)
	cfg := configured(server)
	cfg.Retry = Retry{Attempts: 3, Base: time.Millisecond, Cap: 5 * time.Millisecond}
	sink := open(t, cfg)
	store := sink.Store(users())
	e := add(t, store, person("bob"))
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is noticed", func() bool { return directory.Is(sink.Ping(t.Context()), directory.Unavailable) })
	for range 100 { // no context: each would wait for its own attempts otherwise
		_, err := store.Search(t.Context(), directory.Query{})
		wantKind(t, err, directory.Unavailable)
		wantKind(t, store.Remove(t.Context(), e), directory.Unavailable)
	}
	if err := server.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it works again", func() bool { return sink.Ping(t.Context()) == nil })
	if got := the(t, store, e.ID); got.Version != e.Version {
		t.Errorf("got %+v", got)
	}
	sink.Close()
	wantKind(t, sink.Ping(t.Context()), directory.Unavailable)
	eventually(t, "all goroutines end", func() bool { return runtime.NumGoroutine() <= goroutines })
	eventually(t, "all descriptors are closed", func() bool { return descriptors(t) <= files })
}

func descriptors(t *testing.T) int {
	t.Helper()
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(open)
}

// A directory that dies under load loses nothing that it said was done.
func TestNoSuccessIsLostWhenTheDirectoryDies(t *testing.T) {
	server := begin(t, wish{own: true})
	cfg := configured(server)
	cfg.Retry = Retry{Attempts: 4, Base: 5 * time.Millisecond, Cap: 50 * time.Millisecond}
	store := open(t, cfg).Store(users())
	var mu sync.Mutex
	done := map[string]bool{}
	var writers sync.WaitGroup
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	for w := range 16 {
		writers.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				name := fmt.Sprintf("u%d-%d", w, i)
				e, err := store.Add(t.Context(), person(name))
				if err == nil {
					_, err = store.Update(t.Context(), e, directory.Change{Marker: active("up-" + name),
						Mods: []directory.Mod{{Op: directory.ModAdd, Attribute: "givenName", Values: []string{name}}}})
				}
				switch {
				case err == nil:
					mu.Lock()
					done[name] = true
					mu.Unlock()
				case !directory.Is(err, directory.Unavailable):
					t.Errorf("%s: %v", name, err)
				}
			}
		})
	}
	successes := func() int { mu.Lock(); defer mu.Unlock(); return len(done) }
	for range 3 {
		before := successes()
		eventually(t, "work is done", func() bool { return successes() > before+50 })
		if err := server.Kill(); err != nil {
			t.Error(err)
		}
		if err := server.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	before := successes()
	eventually(t, "work is done after the last return", func() bool { return successes() > before+50 })
	stop()
	writers.Wait()
	there := map[string]string{}
	for _, e := range search(t, store, directory.Query{}) {
		there[e.Attributes.First(labHere.naming)] = e.Attributes.First("givenName")
	}
	for name := range done {
		if there[name] != name {
			t.Errorf("%s was reported as written and is not there", name)
		}
	}
	t.Logf("%d writes were reported as done", len(done))
}

// A directory that lets the gateway not in is away: nothing was done, and the
// same request is right once the password is.
func TestWrongPasswordIsLikeADirectoryThatIsAway(t *testing.T) {
	server := begin(t, wish{own: true})
	cfg := configured(server)
	cfg.Bind.Password = "wrong"
	err := open(t, cfg).Ping(within(t, time.Minute))
	wantKind(t, err, directory.Unavailable)
}

// A caller who leaves in the middle is free at once, and what was begun is
// brought to its end.
func TestCallerLeavesInTheMiddle(t *testing.T) {
	_, p, sink := proxied(t)
	store := sink.Store(users())
	first := person("a", "mail", "same@example.org")
	add(t, store, first)
	ctx, leave := context.WithCancel(t.Context())
	p.when(func(answer bool, op ber.Tag) verdict {
		if answer && op == ldap.ApplicationAddResponse {
			leave()
		}
		return pass
	})
	loser := person("b", "mail", "same@example.org")
	loser.Keys = []directory.Key{{Attribute: "mail", Value: "same@example.org"}}
	_, err := store.Add(ctx, loser)
	if err == nil {
		t.Error("two claim one value")
	}
	p.when(nil)
	eventually(t, "the loser goes", func() bool {
		return len(search(t, store, directory.Query{Scope: directory.Anyone})) == 1
	})
}

// Requests that wait for a server that takes connections and says nothing end
// with their context, and the others after it fail at once.
func TestServerThatAcceptsAndSaysNothing(t *testing.T) {
	_, p, sink := proxied(t)
	p.frozen.Store(true)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	wantKind(t, sink.Ping(ctx), directory.Unavailable)
	for range 50 {
		wantKind(t, sink.Ping(t.Context()), directory.Unavailable)
	}
	p.frozen.Store(false)
	eventually(t, "it works", func() bool { return sink.Ping(t.Context()) == nil })
}

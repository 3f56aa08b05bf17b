package ldapsink

import (
	"context"
	"testing"
	"time"

	"go.uber.org/zap"

	"scimgate/internal/directory"
)

// A Sink that follows another has its own connections and knows what that one
// knows: who writes a value, which numbers were given, what was written where.
func TestSinkFollows(t *testing.T) {
	cfg := Config{URLs: []string{"ldap://127.0.0.1:1", "ldap://127.0.0.1:2"}, Bind: Bind{"cn=gateway", "secret"}}
	first, err := New(cfg, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	defer first.Finish()
	first.recent.note(&written{id: "1", server: "ldap://127.0.0.1:2"})
	first.ranges.Store("range", int64(7))
	cfg.URLs = cfg.URLs[:1] // one server, which may lack what was written on the other
	next, err := first.Follow(cfg, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	defer next.Finish()
	if got := next.recent.elsewhere("ldap://127.0.0.1:1"); len(got) != 1 || got[0].id != "1" {
		t.Errorf("the first server may miss %v", got)
	}
	if last, _ := next.ranges.Load("range"); last != int64(7) {
		t.Errorf("the last number is %v", last)
	}
	keys := []directory.Key{{Attribute: "mail", Value: "ann@example.org"}}
	release, _, err := first.locks.Acquire(t.Context(), keyLocks(keys)...)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, _, err := next.locks.Acquire(ctx, keyLocks(keys)...); err == nil {
		t.Error("two writers have one value")
	}
	release()
}

// A store that is made for a configuration which is not taken in the end leaves
// no trace: the bases are those that were said last.
func TestBasesAreThoseInForce(t *testing.T) {
	s, err := New(Config{URLs: []string{"ldap://127.0.0.1:1"}, Bind: Bind{"cn=gateway", "secret"}}, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	s.Store(directory.Collection{Base: "ou=people"})
	s.Rely([]string{"ou=people"})
	s.Store(directory.Collection{Base: "ou=nobody"})
	if len(s.bases) != 1 {
		t.Errorf("the bases are %q", s.bases)
	}
}

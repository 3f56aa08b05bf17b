//go:build integration && !ad && !ds389

package ldapsink

import (
	"testing"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"

	"scimgate/internal/directory"
)

// losesAdds loses the answer to every Add and what else comes over its connection.
func losesAdds(answer bool, op ber.Tag) verdict {
	if answer && op == ldap.ApplicationAddResponse {
		return cut
	}
	return pass
}

// A create whose answer was lost, at a server that is out of reach since, is not
// made a second time at the next one when it is sent again.
func TestCreateInDoubtIsNotRepeatedElsewhere(t *testing.T) {
	t.Parallel()
	for _, flavor := range []string{openLDAP, generic} { // generic has no attribute for an entry's name
		t.Run(flavor, func(t *testing.T) {
			t.Parallel()
			createInDoubt(t, flavor)
		})
	}
}

func createInDoubt(t *testing.T, flavor string) {
	r := mirrored(t)
	p := between(t, r.a)
	cfg := r.config(p.url(), r.b.URL())
	cfg.Flavor = flavor
	cfg.ComeBack, cfg.Lag, cfg.Connections = time.Hour, time.Hour, 1
	cfg.Retry = Retry{Attempts: 3, Base: 5 * time.Millisecond, Cap: 20 * time.Millisecond}
	store := open(t, cfg).Store(users())
	search(t, store, directory.Query{})
	r.toA.frozen.Store(true)
	p.when(func(answer bool, op ber.Tag) verdict {
		v := losesAdds(answer, op)
		if v == cut {
			_ = p.listener.Close() // nobody comes back here
		}
		return v
	})
	bob := person("bob")
	bob.Keys = []directory.Key{{Attribute: "uid", Value: "bob"}}
	for range 2 {
		_, err := store.Add(t.Context(), bob)
		wantKind(t, err, directory.Unavailable)
	}
	conn := raw(t, r.b)
	if has(conn, "uid=bob,"+people) {
		t.Error("it was made again")
	}
	if got := search(t, store, directory.Query{}); len(got) != 0 {
		t.Errorf("a list shows %v", got)
	}
	r.toA.frozen.Store(false)
	eventually(t, "it is known", func() bool {
		_, err := store.Add(t.Context(), bob)
		return directory.Is(err, directory.Exists)
	})
}

// A write in doubt is settled at the server that may have done it, also when
// another one is in use by then.
func TestWriteInDoubtIsSettledWhereItWasMade(t *testing.T) {
	t.Parallel()
	r := mirrored(t)
	p := between(t, r.a)
	cfg := r.config(p.url(), r.b.URL())
	cfg.ComeBack = time.Hour
	sink := open(t, cfg)
	store := sink.Store(users())
	search(t, store, directory.Query{})
	p.when(func(answer bool, op ber.Tag) verdict {
		v := losesAdds(answer, op)
		if v == cut {
			sink.pool.leave(p.url(), errNoAnswer) // as if others had found it not to be well
			if _, err := store.Search(t.Context(), directory.Query{Filter: directory.Eq("uid", "nobody")}); err != nil {
				t.Error(err)
			}
		}
		return v
	})
	e := add(t, store, person("bob"))
	if !uses(sink, r.b.URL()) {
		t.Error("the second server is not used")
	}
	if got := the(t, store, e.ID); got.DN != e.DN {
		t.Errorf("got %+v", got)
	}
}

//go:build integration

package ldapsink

import (
	"fmt"
	"sync/atomic"
	"testing"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"

	"scimgate/internal/directory"
	"scimgate/internal/slapd"
)

// A search returns as many entries as its limit, and none where there are more,
// however many searches it is sent as; the base counts for nobody.
func TestSearchKeepsItsLimit(t *testing.T) {
	server, sink := started(t)
	store := sink.Store(users())
	const n = 12
	var ids, padding []string
	for i := range n {
		ids = append(ids, add(t, store, person(fmt.Sprintf("u%02d", i), "mail", "same@example.org")).ID)
	}
	for i := range alternatives {
		padding = append(padding, fmt.Sprintf("nobody%d", i))
	}
	mail := directory.Eq("mail", "same@example.org")
	either := func(parts ...directory.Filter) directory.Filter {
		var flat []directory.Filter
		for _, part := range parts {
			if part.Op == directory.Or {
				flat = append(flat, part.Filters...)
			} else {
				flat = append(flat, part)
			}
		}
		return directory.OrOf(flat...)
	}
	// Three searches, of which the first finds all and the last half of them again.
	overlapping := either(mail, directory.AnyOf("uid", padding), directory.AnyOf("uid", padding), directory.AnyOf(directory.AttrID, ids[:n/2]))
	// Two searches that find different ones, each fewer than are too many.
	halves := either(directory.AnyOf(directory.AttrID, ids[:n/2]), directory.AnyOf("uid", padding[n/2:]), directory.AnyOf(directory.AttrID, ids[n/2:]))
	if len(pieces(overlapping)) != 3 || len(pieces(halves)) != 2 {
		t.Fatalf("%d and %d searches", len(pieces(overlapping)), len(pieces(halves)))
	}
	for name, filter := range map[string]directory.Filter{
		"all": {}, "by value": mail, "by id": directory.AnyOf(directory.AttrID, ids),
		"several searches": overlapping, "halves": halves,
	} {
		for _, scope := range []directory.Scope{directory.Live, directory.Anyone} {
			for limit, all := range map[int]bool{0: true, 1: false, n / 2: false, n - 1: false, n: true, n + 1: true, 1000: true} {
				found, err := store.Search(t.Context(), directory.Query{Filter: filter, Scope: scope, Limit: limit, Attributes: []string{}})
				switch {
				case all && (err != nil || len(found) != n):
					t.Errorf("%s, scope %d, limit %d: %d entries, %v", name, scope, limit, len(found), err)
				case !all && (!directory.Is(err, directory.TooMany) || found != nil):
					t.Errorf("%s, scope %d, limit %d: %d entries, %v", name, scope, limit, len(found), err)
				}
			}
		}
	}
	// What is too many does not cross the wire: a connection of its own, so that
	// nothing else does either.
	p := between(t, server)
	cfg := configured(server)
	cfg.URLs, cfg.Connections = []string{p.url()}, 1
	alone := open(t, cfg).Store(users())
	if _, err := alone.Search(t.Context(), directory.Query{Filter: directory.Filter{Op: directory.None}}); err != nil {
		t.Fatal(err)
	}
	var sent atomic.Int32
	p.when(func(answer bool, op ber.Tag) verdict {
		if answer && op == ldap.ApplicationSearchResultEntry {
			sent.Add(1)
		}
		return pass
	})
	_, err := alone.Search(t.Context(), directory.Query{Limit: 3})
	wantKind(t, err, directory.TooMany)
	if got := sent.Load(); got > 4 {
		t.Errorf("%d entries came for a limit of 3", got)
	}
}

// A search that is told how many are too many gets no more, and a server whose
// own limit is lower is no obstacle to a search that finds few.
func TestSearchLimits(t *testing.T) {
	const account = "cn=service,dc=example,dc=org"
	server := serve(t, slapd.Config{
		Entries:      "dn: " + account + "\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\ncn: service\nuserPassword: secret\n",
		Access:       []string{"to attrs=userPassword by * auth", `to * by dn.exact="` + account + `" read`},
		DatabaseConf: []string{`limits dn.exact="` + account + `" size.soft=3 size.hard=6`},
	})
	admin := open(t, configured(server)).Store(users())
	for i := range 8 {
		if _, err := admin.Add(t.Context(), person(fmt.Sprintf("p%d", i), "description", fmt.Sprint(i/2))); err != nil {
			t.Fatal(err)
		}
	}
	cfg := configured(server)
	cfg.Bind = Bind{DN: account, Password: "secret"}
	st := open(t, cfg).Store(users())
	two := directory.Eq("description", "1")
	six := directory.NotOf(directory.Eq("description", "3"))
	for _, tc := range []struct {
		name  string
		store directory.Store
		f     directory.Filter
		limit int
		want  int // -1 = TooMany
	}{
		{"within", admin, two, 2, 2}, {"no limit", admin, directory.Filter{}, 0, 8}, {"exactly", admin, directory.Filter{}, 8, 8}, {"one too many", admin, directory.Filter{}, 7, -1},
		{"few, below the server's limit", st, two, 5, 2}, {"few, with a limit above the server's", st, two, 50_000, 2}, {"few, without a limit", st, two, 0, 2},
		{"more than the server gives by itself, page by page", st, six, 0, 6}, {"as many as it gives if asked", st, six, 6, 6}, {"more than it ever gives", st, directory.Filter{}, 50_000, -1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := tc.store.Search(t.Context(), directory.Query{Filter: tc.f, Limit: tc.limit, Attributes: []string{}})
			if tc.want < 0 && !directory.Is(err, directory.TooMany) || tc.want >= 0 && (err != nil || len(got) != tc.want) {
				t.Errorf("%d entries, %v; want %d", len(got), err, tc.want)
			}
		})
	}
}

// A place in a list takes the id and the time of creation and nothing else.
func TestSearchForPlaces(t *testing.T) {
	_, sink := started(t)
	st := sink.Store(users())
	made, err := st.Add(t.Context(), person("ann", "mail", "ann@example.org"))
	if err != nil {
		t.Fatal(err)
	}
	for _, attributes := range [][]string{{}, {"mail"}} {
		got, err := st.Search(t.Context(), directory.Query{Attributes: attributes, Places: true})
		if err != nil || len(got) != 1 {
			t.Fatal(got, err)
		}
		e := got[0]
		if e.ID != made.ID || e.DN != made.DN || e.Created.IsZero() || !e.Created.Equal(made.Created) || len(e.Attributes) != len(attributes) {
			t.Errorf("%+v, want the place of %+v", e, made)
		}
		if e.Version != "" || e.Marker.State != "" || !e.Modified.IsZero() {
			t.Errorf("more was read than a place takes: %+v", e)
		}
	}
}

//go:build integration || ad || ds389

package ldapsink

import (
	"fmt"
	"sync/atomic"
	"testing"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"

	"scimgate/internal/directory"
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
	overlapping := either(mail, directory.AnyOf(labHere.naming, padding), directory.AnyOf(labHere.naming, padding), directory.AnyOf(directory.AttrID, ids[:n/2]))
	// Two searches that find different ones, each fewer than are too many.
	halves := either(directory.AnyOf(directory.AttrID, ids[:n/2]), directory.AnyOf(labHere.naming, padding[n/2:]), directory.AnyOf(directory.AttrID, ids[n/2:]))
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
	if got := sent.Load(); got > 4 && !labHere.unlimited {
		t.Errorf("%d entries came for a limit of 3", got)
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

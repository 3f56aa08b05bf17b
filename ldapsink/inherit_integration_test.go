//go:build integration || ad || ds389

package ldapsink

import (
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	"scimgate/internal/directory"
)

// While a person is being renamed and reactivated at once, the marker says what
// is true until access is given: who comes after a cut still knows the lock.
func TestRenameWithReactivationKeepsTheUndo(t *testing.T) {
	server, p, sink := proxied(t)
	store, conn := sink.Store(users()), raw(t, server)
	locked := person("bob", labHere.note, "locked")
	locked.Marker.State, locked.Marker.Undo = directory.Inactive, map[string][]string{labHere.note: {}}
	bob := add(t, store, locked)
	var between directory.Marker
	before(p, ldap.ApplicationModifyDNRequest, 1, func() {
		var err error
		if between, _, err = directory.ParseMarker(readRaw(t, conn, bob.DN, labHere.state)); err != nil {
			t.Error(err)
		}
	})
	now, err := store.Update(within(t, time.Minute), bob, directory.Change{Name: "robert", Marker: active("r"),
		Unlock: []directory.Mod{{Op: directory.ModDelete, Attribute: labHere.note, Values: []string{"locked"}}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, known := between.Undo[labHere.note]; between.State != directory.Inactive || !known || between.From != bob.DN {
		t.Errorf("between the steps the marker says %+v", between)
	}
	if now.Marker.State != directory.Active || len(now.Marker.Undo) > 0 || now.Marker.From != "" {
		t.Errorf("at the end the marker says %+v", now.Marker)
	}
}

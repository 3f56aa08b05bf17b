//go:build ds389

package ldapsink

import (
	"fmt"
	"testing"
	"time"

	"scimgate/internal/directory"
)

// A 389 DS as it is installed numbers no changes. Versions differ all the same,
// and lost races are seen.
func TestVersionsWithoutThePluginUSN(t *testing.T) {
	_, sink := startedWith(t, wish{overlays: []string{"noUSN"}})
	store := sink.Store(users())
	old := add(t, store, person("bob"))
	seen := map[string]bool{old.Version: true}
	now := old
	for i := range 20 {
		var err error
		if now, err = store.Update(within(t, time.Minute), now, directory.Change{Marker: active(fmt.Sprint(i)), Mods: describe(fmt.Sprint(i))}); err != nil {
			t.Fatal(err)
		}
		if seen[now.Version] {
			t.Fatalf("write %d has the version %q again", i, now.Version)
		}
		seen[now.Version] = true
	}
	_, err := store.Update(within(t, time.Minute), old, directory.Change{Marker: active("stale"), Mods: describe("stale")})
	wantKind(t, err, directory.Changed)
	wantKind(t, store.Remove(within(t, time.Minute), old), directory.Changed)
	if err := store.Remove(within(t, time.Minute), now); err != nil {
		t.Error(err)
	}
}

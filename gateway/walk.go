package gateway

import (
	"context"
	"slices"
	"sync"
	"time"

	"scimgate/internal/directory"
)

// How many walks through lists a gateway remembers, how many entries they have
// in all (some 100 bytes each, a sort key beside), and for how long. A walk that
// was forgotten starts from the directory again, in the same order.
const (
	walksKept  = 256
	placesKept = 500_000
	walkFresh  = 30 * time.Second
)

// walkKey tells walks apart. Cursors carry the generation of theirs, so that a
// gateway which does not know it never takes an older walk for it. A page by
// index carries nothing: each token has one walk through a list, the newest.
type walkKey struct {
	list       listKey
	edition    uint64 // of the tenant's mappings
	generation uint64 // of a walk by cursor; 0 by index
	token      string // whose walk by index it is
}

// walk is a list as the directory had it at some time since the walk began.
type walk struct {
	key    walkKey
	places []place
	until  time.Time
}

// walks remembers the lists that are being walked, so that a later page costs
// what the page costs. Nothing that is written relies on it.
type walks struct {
	mu   sync.Mutex
	kept []*walk // the one that was used last comes last
	held int     // places in all
	room int     // for so many
}

func newWalks(room int) *walks { return &walks{room: room} }

// get returns the places of a walk that is still fresh, and keeps it so.
func (w *walks) get(key walkKey, now time.Time) ([]place, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.forget(func(k *walk) bool { return now.After(k.until) })
	i := slices.IndexFunc(w.kept, func(k *walk) bool { return k.key == key })
	if i < 0 {
		return nil, false
	}
	found := w.kept[i]
	found.until = now.Add(walkFresh)
	w.kept = append(slices.Delete(w.kept, i, i+1), found)
	return found.places, true
}

// put remembers a list, in the place of what was remembered of the walk. What
// was not used for the longest time makes room; a list that is too long alone is
// kept alone.
func (w *walks) put(key walkKey, places []place, now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.forget(func(k *walk) bool { return now.After(k.until) || k.key == key })
	for len(w.kept) > 0 && (len(w.kept) >= walksKept || w.held+len(places) > w.room) {
		w.drop(0)
	}
	w.kept = append(w.kept, &walk{key: key, places: places, until: now.Add(walkFresh)})
	w.held += len(places)
}

// forget drops the walks that are of no more use.
func (w *walks) forget(useless func(*walk) bool) {
	for i := len(w.kept) - 1; i >= 0; i-- {
		if useless(w.kept[i]) {
			w.drop(i)
		}
	}
}

func (w *walks) drop(i int) {
	w.held -= len(w.kept[i].places)
	w.kept = slices.Delete(w.kept, i, i+1)
}

// page reads the entries with the ids. Those that are gone since are missing.
func (t *resourceType) page(ctx context.Context, ids, attributes []string) ([]directory.Entry, error) {
	return t.store.Search(ctx, directory.Query{Filter: directory.AnyOf(directory.AttrID, ids), Attributes: attributes})
}

package gateway

import (
	"context"
	"math/rand/v2"
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

// walk is a list as the directory had it when the walk began.
type walk struct {
	list       listKey
	generation uint64 // tells walks through one list apart
	born       int    // and which is the newer
	byCursor   bool   // each walk by cursor has its own, walks by index share one
	places     []place
	until      time.Time
}

// walks remembers the lists that are being walked, so that a later page costs
// what the page costs. Nothing that is written relies on it.
type walks struct {
	mu   sync.Mutex
	kept []*walk // the one that was used last comes last
	held int     // places in all
	born int     // walks so far
	room int     // for so many
}

func newWalks(room int) *walks { return &walks{room: room} }

// get returns the places of a walk that is still fresh, and keeps it so: the
// one of the generation, or the newest through the list.
func (w *walks) get(list listKey, generation uint64, now time.Time) (walk, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.forget(func(k *walk) bool { return now.After(k.until) })
	best := -1
	for i, k := range w.kept {
		if k.list != list {
			continue
		}
		if k.generation == generation {
			best = i
			break
		}
		if best < 0 || k.born > w.kept[best].born {
			best = i
		}
	}
	if best < 0 {
		return walk{}, false
	}
	found := w.kept[best]
	found.until = now.Add(walkFresh)
	w.kept = append(slices.Delete(w.kept, best, best+1), found)
	return *found, true
}

// put remembers a list as a new walk and returns it. What was not used for the
// longest time makes room; a list that is too long alone is kept alone.
func (w *walks) put(list listKey, byCursor bool, places []place, now time.Time) walk {
	made := &walk{list: list, generation: rand.Uint64(), byCursor: byCursor, places: places, until: now.Add(walkFresh)}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.forget(func(k *walk) bool { return now.After(k.until) || !byCursor && !k.byCursor && k.list == list })
	for len(w.kept) > 0 && (len(w.kept) >= walksKept || w.held+len(places) > w.room) {
		w.drop(0)
	}
	w.born++
	made.born = w.born
	w.kept = append(w.kept, made)
	w.held += len(places)
	return *made
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

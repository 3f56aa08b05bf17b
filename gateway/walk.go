package gateway

import (
	"context"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"scimgate/internal/directory"
)

// How many walks through a list are remembered for each resource type, and for
// how long. A walk that was forgotten starts from the directory again, in the
// same order.
const (
	walksKept = 32
	walkFresh = 30 * time.Second
)

// walks remembers the ids of lists that are being walked, so that a later page
// costs what the page costs. Nothing that is written relies on it.
type walks struct {
	lists *lru.Cache[string, walk]
}

type walk struct {
	ids   []string
	until time.Time
}

func newWalks() *walks {
	lists, err := lru.New[string, walk](walksKept)
	if err != nil {
		panic(err) // only for a size that is not positive
	}
	return &walks{lists: lists}
}

// get returns the ids of a walk that is still fresh, and keeps it so.
func (w *walks) get(key string, now time.Time) ([]string, bool) {
	found, ok := w.lists.Get(key)
	if !ok || now.After(found.until) {
		return nil, false
	}
	w.put(key, found.ids, now)
	return found.ids, true
}

func (w *walks) put(key string, ids []string, now time.Time) {
	w.lists.Add(key, walk{ids: ids, until: now.Add(walkFresh)})
}

// page reads the entries with the ids, in the order of the ids. Those that are
// gone since are left out.
func (t *resourceType) page(ctx context.Context, ids, attributes []string) ([]directory.Entry, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	hits, err := t.store.Search(ctx, directory.Query{Filter: directory.AnyOf(directory.AttrID, ids), Attributes: attributes})
	if err != nil {
		return nil, err
	}
	byID := make(map[string]directory.Entry, len(hits))
	for _, e := range hits {
		byID[e.ID] = e
	}
	entries := make([]directory.Entry, 0, len(hits))
	for _, id := range ids {
		if e, ok := byID[id]; ok {
			entries = append(entries, e)
		}
	}
	return entries, nil
}

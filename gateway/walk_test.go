package gateway

import (
	"fmt"
	"testing"
	"time"
)

func walkOf(name string, generation uint64) walkKey {
	return walkKey{list: listKey{scope: digestOf(name)}, generation: generation}
}

func placesOf(n int) []place {
	places := make([]place, n)
	for i := range places {
		places[i] = place{id: fmt.Sprint(i)}
	}
	return places
}

// A walk lives as long as pages are asked for, and half a minute longer.
func TestWalksAreForgotten(t *testing.T) {
	w, begin := newWalks(1000), time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	if _, ok := w.get(walkOf("k", 1), begin); ok {
		t.Error("a walk that nobody began")
	}
	w.put(walkOf("k", 1), placesOf(2), begin)
	for _, now := range []time.Time{begin.Add(walkFresh), begin.Add(2 * walkFresh)} { // each look keeps it fresh
		if got, ok := w.get(walkOf("k", 1), now); !ok || len(got) != 2 {
			t.Errorf("after %s: %v %v", now.Sub(begin), got, ok)
		}
	}
	if _, ok := w.get(walkOf("K", 1), begin); ok {
		t.Error("another list's walk")
	}
	if _, ok := w.get(walkOf("k", 1), begin.Add(3*walkFresh+time.Nanosecond)); ok || w.held != 0 {
		t.Errorf("an expired walk, %d places held", w.held)
	}
}

// All walks together have a bounded number of entries; what was not used for
// the longest time goes first, and a list that is too long is kept alone.
func TestWalksAreBoundedInAll(t *testing.T) {
	w, now := newWalks(100), time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	has := func(name string) bool { _, ok := w.get(walkOf(name, 1), now); return ok }
	w.put(walkOf("a", 1), placesOf(40), now)
	w.put(walkOf("b", 1), placesOf(40), now)
	if !has("a") { // used last now
		t.Error("a is gone though there is room")
	}
	w.put(walkOf("c", 1), placesOf(40), now)
	if !has("a") || has("b") || !has("c") || w.held != 80 {
		t.Errorf("not the oldest went: %d held", w.held)
	}
	w.put(walkOf("long", 1), placesOf(500), now)
	if has("a") || has("c") || !has("long") || w.held != 500 {
		t.Errorf("%d held", w.held)
	}
	w.put(walkOf("d", 1), placesOf(1), now)
	if has("long") || !has("d") || w.held != 1 {
		t.Errorf("%d held", w.held)
	}
	for i := range 2 * walksKept {
		w.put(walkOf(fmt.Sprint(i), 1), nil, now)
	}
	if len(w.kept) != walksKept {
		t.Errorf("%d walks are kept", len(w.kept))
	}
}

// A walk is found by what it is and by nothing else: no other one through the
// same list stands in for it. What is put again takes its own place.
func TestWalksAreTheirOwn(t *testing.T) {
	w, now := newWalks(1000), time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	index, other := walkOf("k", 0), walkOf("k", 0)
	other.token = "t2"
	w.put(walkOf("k", 1), placesOf(1), now)
	w.put(walkOf("k", 2), placesOf(2), now)
	w.put(index, placesOf(3), now)
	w.put(index, placesOf(4), now)
	for key, want := range map[walkKey]int{walkOf("k", 1): 1, walkOf("k", 2): 2, walkOf("k", 3): 0, index: 4, other: 0} {
		if got, _ := w.get(key, now); len(got) != want {
			t.Errorf("a walk of %d, want %d", len(got), want)
		}
	}
	if w.held != 7 {
		t.Errorf("%d places held", w.held)
	}
}

package gateway

import (
	"fmt"
	"testing"
	"time"
)

func listOf(name string) listKey { return listKey{scope: digestOf(name)} }

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
	if _, ok := w.get(listOf("k"), 0, begin); ok {
		t.Error("a walk that nobody began")
	}
	made := w.put(listOf("k"), true, placesOf(2), begin)
	for _, now := range []time.Time{begin.Add(walkFresh), begin.Add(2 * walkFresh)} { // each look keeps it fresh
		if got, ok := w.get(listOf("k"), made.generation, now); !ok || len(got.places) != 2 {
			t.Errorf("after %s: %v %v", now.Sub(begin), got, ok)
		}
	}
	if _, ok := w.get(listOf("K"), made.generation, begin); ok {
		t.Error("another list's walk")
	}
	if _, ok := w.get(listOf("k"), made.generation, begin.Add(3*walkFresh+time.Nanosecond)); ok || w.held != 0 {
		t.Errorf("an expired walk, %d places held", w.held)
	}
}

// All walks together have a bounded number of entries; what was not used for
// the longest time goes first, and a list that is too long is kept alone.
func TestWalksAreBoundedInAll(t *testing.T) {
	w, now := newWalks(100), time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	has := func(name string) bool { _, ok := w.get(listOf(name), 0, now); return ok }
	w.put(listOf("a"), true, placesOf(40), now)
	w.put(listOf("b"), true, placesOf(40), now)
	if !has("a") { // used last now
		t.Error("a is gone though there is room")
	}
	w.put(listOf("c"), true, placesOf(40), now)
	if !has("a") || has("b") || !has("c") || w.held != 80 {
		t.Errorf("not the oldest went: %d held", w.held)
	}
	w.put(listOf("long"), true, placesOf(500), now)
	if has("a") || has("c") || !has("long") || w.held != 500 {
		t.Errorf("%d held", w.held)
	}
	w.put(listOf("d"), true, placesOf(1), now)
	if has("long") || !has("d") || w.held != 1 {
		t.Errorf("%d held", w.held)
	}
	for i := range 2 * walksKept {
		w.put(listOf(fmt.Sprint(i)), true, nil, now)
	}
	if len(w.kept) != walksKept {
		t.Errorf("%d walks are kept", len(w.kept))
	}
}

// Each walk by cursor has what it began with; walks by index share the newest.
func TestWalksByCursorAreTheirOwn(t *testing.T) {
	w, now := newWalks(1000), time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	list := listOf("k")
	first := w.put(list, true, placesOf(1), now)
	second := w.put(list, true, placesOf(2), now)
	third := w.put(list, false, placesOf(3), now)
	fourth := w.put(list, false, placesOf(4), now) // in the place of the third
	for generation, want := range map[uint64]int{first.generation: 1, second.generation: 2, fourth.generation: 4, third.generation: 4, 0: 4} {
		if got, ok := w.get(list, generation, now); !ok || len(got.places) != want {
			t.Errorf("a walk of %d, want %d", len(got.places), want)
		}
	}
	if w.held != 7 {
		t.Errorf("%d places held", w.held)
	}
}

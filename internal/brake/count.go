package brake

import (
	"errors"
	"slices"
	"time"
)

// Limit is how many changes may come within a time.
type Limit struct {
	Changes int
	Per     time.Duration
}

// parts is how many counts the time of a limit is kept as: what is counted drops
// out of the window later than it should by one part at most, never sooner.
const parts = 20

// document is the form of the file.
type document struct {
	Counts []count `json:"counts,omitempty"` // oldest first
	// Tripped is when the brake came on; it is off where this is zero.
	Tripped time.Time `json:"tripped,omitzero"`
	// Allowed are changes that somebody has let through until then, beside the
	// limit.
	Allowed int       `json:"allowed,omitempty"`
	Until   time.Time `json:"until,omitzero"`
	// Released is when somebody released the brake last.
	Released time.Time `json:"released,omitzero"`
}

// count is what came in a part of the window.
type count struct {
	From    time.Time `json:"from"`
	To      time.Time `json:"to"` // of the last one
	Changes int       `json:"changes"`
}

// check finds what cannot have been counted.
func (d document) check() error {
	for _, c := range d.Counts {
		if c.Changes < 0 || c.To.Before(c.From) {
			return errors.New("a count is negative, or ends before it begins")
		}
	}
	if d.Allowed < 0 {
		return errors.New("allowed is negative")
	}
	return nil
}

// used is how many changes are in the window.
func (d document) used(l Limit, now time.Time) int {
	n := 0
	for _, c := range d.Counts {
		if now.Sub(c.To) < l.Per {
			n += c.Changes
		}
	}
	return n
}

// allowance is how many changes are let through beside the limit.
func (d document) allowance(now time.Time) int {
	if now.Before(d.Until) {
		return d.Allowed
	}
	return 0
}

// verdict is what becomes of changes.
type verdict int

const (
	counted verdict = iota
	allowed         // by somebody's leave, and not counted
	alone           // refused: they are too many by themselves
	trips           // refused, and from now on all are
	stopped         // refused, as the brake is on
)

// take decides about n changes, and returns the document with what follows.
func (d document) take(l Limit, now time.Time, n int) (document, verdict) {
	switch {
	case d.allowance(now) >= n:
		d.Allowed -= n
		return d, allowed
	case n > l.Changes:
		return d, alone
	case !d.Tripped.IsZero():
		return d, stopped
	case d.used(l, now)+n > l.Changes:
		d.Tripped = now
		return d, trips
	}
	return d.add(l, count{now, now, n}), counted
}

// add counts, and forgets what is no longer in the window.
func (d document) add(l Limit, more count) document {
	kept := slices.DeleteFunc(slices.Clone(d.Counts), func(c count) bool { return more.To.Sub(c.To) >= l.Per })
	last := len(kept) - 1
	// A clock that was set back must not make the list grow, so what does not
	// follow on the last part joins it.
	if last >= 0 && more.From.Sub(kept[last].From) < l.Per/parts {
		kept[last].To = latest(kept[last].To, more.To)
		kept[last].Changes += more.Changes
	} else {
		kept = append(kept, more)
	}
	d.Counts = kept
	return d
}

// giveBack takes n changes that were counted at a time out of the count again.
func (d document) giveBack(at time.Time, n int) document {
	d.Counts = slices.Clone(d.Counts)
	for i, c := range d.Counts {
		if !at.Before(c.From) && !at.After(c.To) && c.Changes >= n {
			d.Counts[i].Changes -= n
			break
		}
	}
	return d
}

// empty reports whether nothing was counted.
func (d document) empty() bool { return len(d.Counts) == 0 && d.Tripped.IsZero() }

// with adds what was counted elsewhere, unless somebody has released it since.
func (d document) with(l Limit, other document) document {
	for _, c := range other.Counts {
		if c.To.After(d.Released) {
			d = d.add(l, c)
		}
	}
	if d.Tripped.IsZero() && other.Tripped.After(d.Released) {
		d.Tripped = other.Tripped
	}
	return d
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

package ldapsink

import (
	"cmp"
	"slices"
	"time"
)

// When a server counts as not well, beside not letting the gateway in at all.
const (
	// strikesOut is how many requests in a row, whoever's, have to be answered
	// busy or unavailable. One answer of another kind begins anew.
	strikesOut = 3
	// failedWaits bounds how many times longer than usual a server that fails
	// again and again is left alone.
	failedWaits = 16
)

// servers are those of a directory, in order of preference, and what is known of
// each by its URL. Its pool's mutex guards it.
type servers struct {
	list  []string
	known map[string]*standing
	pause time.Duration // how long a server that failed once is left alone
}

// standing is what is known of a server.
type standing struct {
	strikes  int
	failures int       // how often it failed when it was in use, and was not well for long between
	until    time.Time // not chosen before, if another will do
	since    time.Time // in use from then on; zero while it is not
	refused  time.Time // when it last refused a write; zero where it takes them for all that is known
}

func (s *servers) of(server string) *standing {
	if s.known[server] == nil {
		s.known[server] = &standing{}
	}
	return s.known[server]
}

// fail notes that a server is not well. One that was in use again and failed
// again is left alone twice as long.
func (s *servers) fail(server string, now time.Time) {
	st := s.of(server)
	if !st.since.IsZero() {
		if now.Sub(st.since) > s.wait(st.failures) {
			st.failures = 0
		}
		st.failures++
		st.since = time.Time{}
	}
	st.strikes = 0
	st.until = now.Add(s.wait(st.failures))
}

// wait is how long a server is left alone.
func (s *servers) wait(failures int) time.Duration {
	return s.pause * time.Duration(min(1<<min(max(failures-1, 0), 10), failedWaits))
}

// order returns all servers as they are to be tried: the one in use, then those
// that take writes before those that do not, those that were well before those
// that were not, and the preferred ones first.
func (s *servers) order(inUse string, now time.Time) []string {
	rank := func(server string) int {
		st := s.of(server)
		switch {
		case server == inUse:
			return 0
		case !st.refused.IsZero():
			return 3
		case now.Before(st.until):
			return 2
		}
		return 1
	}
	list := slices.Clone(s.list)
	slices.SortStableFunc(list, func(a, b string) int { return cmp.Compare(rank(a), rank(b)) })
	return list
}

// better returns the servers that ought to be in use instead of the one that is:
// those before it, or any that takes writes where it does not.
func (s *servers) better(inUse string, now time.Time) []string {
	refuses := !s.of(inUse).refused.IsZero()
	var list []string
	for _, server := range s.list {
		st := s.of(server)
		switch {
		case server == inUse:
			if !refuses {
				return list
			}
		case st.refused.IsZero() && (refuses || !now.Before(st.until)):
			list = append(list, server)
		}
	}
	return list
}

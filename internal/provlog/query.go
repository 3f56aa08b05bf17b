package provlog

import (
	"bytes"
	"strings"
	"time"
)

// Query says which lines are wanted; what is not set is not asked.
type Query struct {
	Tenant, Operation string
	Request           string // of a request; of a Bulk its operations too
	// User is the id, the DN or a name of a resource: what it was called by itself
	// or in the request.
	User         string
	Since, Until time.Time // Until is not included
	// Status is a status, or a class of them, as 400 and 499.
	StatusFrom, StatusTo int
	Failed               bool
}

// search is a query ready to be asked of a log.
type search struct {
	Query
	user string     // folded
	who  string     // and hashed
	need [][]uint64 // in each list is one that a line has
	has  [][]byte   // each is in the text of a line
}

// prepare makes a search of a query. key may be nil; names find nothing then.
func (q Query) prepare(key []byte) search {
	s := search{Query: q, user: folded(q.User)}
	demand := func(kind byte, value string, also ...uint64) {
		if value != "" {
			s.need = append(s.need, append(also, term(kind, value)))
		}
	}
	demand(kindTenant, q.Tenant)
	demand(kindOperation, q.Operation)
	demand(kindRequest, q.Request)
	var names []uint64
	if s.user != "" && key != nil {
		s.who = hashed(key, s.user)
		names = append(names, term(kindWho, s.who))
	}
	demand(kindUser, s.user, names...)
	if q.StatusFrom > 0 && q.StatusFrom == q.StatusTo {
		demand(kindStatus, statusText(q.StatusFrom))
	}
	if q.Failed {
		s.need = append(s.need, []uint64{term(kindFailed, "")})
	}
	for _, text := range []string{q.Tenant, q.Operation, q.Request} {
		if text != "" && plain(text) {
			s.has = append(s.has, []byte(text))
		}
	}
	return s
}

// plain reports whether a text stands in JSON as it is.
func plain(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' || r == '"' || r == '\\' })
}

// counts reports whether the lines of a block that is wanted can be counted without
// reading them, and how many there are then.
func (s search) counts(b block) (int, bool) {
	if !s.whole(b) || s.Tenant != "" || s.Operation != "" || s.Request != "" || s.user != "" || s.StatusFrom > 0 {
		return 0, false
	}
	if s.Failed {
		return b.failed, true
	}
	return b.lines, true
}

// whole reports whether a block is of the time that is asked for altogether, and
// meets whether some of it is.
func (s search) whole(b block) bool { return !b.first.Before(s.Since) && s.before(b.last) }
func (s search) meets(b block) bool { return !b.last.Before(s.Since) && s.before(b.first) }

func (s search) before(t time.Time) bool { return s.Until.IsZero() || t.Before(s.Until) }

// may reports whether a block can have a line that is wanted.
func (s search) may(bloom *[bloomBytes]byte) bool {
	for _, alternatives := range s.need {
		some := false
		for _, t := range alternatives {
			some = some || may(bloom, t)
		}
		if !some {
			return false
		}
	}
	return true
}

// worth reports whether a line is worth being parsed.
func (s search) worth(line []byte) bool {
	for _, text := range s.has {
		if !bytes.Contains(line, text) {
			return false
		}
	}
	return true
}

// matches reports whether a line is wanted.
func (s search) matches(r *Record) bool {
	switch {
	case r.Time.Before(s.Since), !s.before(r.Time),
		s.Tenant != "" && r.Tenant != s.Tenant,
		s.Operation != "" && r.Operation != s.Operation,
		s.Request != "" && r.Request != s.Request && r.Bulk != s.Request,
		s.StatusFrom > 0 && (r.Status < s.StatusFrom || r.Status > s.StatusTo),
		s.Failed && !r.Failed():
		return false
	}
	return s.user == "" || s.named(r)
}

func (s search) named(r *Record) bool {
	for _, name := range []string{r.ID, r.DN, r.From} {
		if name != "" && folded(name) == s.user {
			return true
		}
	}
	for _, hash := range r.Who {
		if s.who != "" && hash == s.who {
			return true
		}
	}
	return false
}

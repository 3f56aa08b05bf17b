package ldapsink

import (
	"container/list"
	"hash/fnv"
	"maps"
	"strings"
	"sync"
	"time"

	"scimgate/internal/directory"
)

// remembered is how many writes a Sink remembers at most, the last ones.
const remembered = 5000

// keptValues is how many values of an entry are kept at most. Of what has more
// any value is taken for one that it has.
const keptValues = 200

// written is an entry that the gateway has written a short time ago.
type written struct {
	id, dn string   // dn is folded; either may be unknown
	trees  []string // of the collection: a move may take the entry from one to another
	state  string   // its attribute
	server string   // which took the write, or was seen to have it
	at     time.Time

	version, request string // what the entry has since; "" where that is unknown
	made             bool   // it is new: values are all that it has
	gone             bool   // it was removed
	doubt            bool   // it may have been made: nobody was told that it was
	moved            bool   // its state is another
	waited           bool   // the groups that wait for it are others
	members          bool   // members came or went, which leaves the marker as it was
	touched          map[string]bool
	values           map[uint64]bool // hashes of attribute and value
	many             map[string]bool // attributes of which there are too many values to keep
}

// recent remembers the last writes of a Sink, so that a server which does not
// have them yet is not believed when it says that there is no such entry. It is
// a memory, and only that: it is lost with the process.
type recent struct {
	lag time.Duration
	off bool // there is only one server
	*writes
}

// writes are what is remembered, by a Sink and those that follow it.
type writes struct {
	mu       sync.Mutex
	order    *list.List // of *written, the oldest first
	byKey    map[string]*list.Element
	byServer map[string]int // how many
}

func newRecent(lag time.Duration) *recent {
	return &recent{lag: lag, writes: newWrites()}
}

func newWrites() *writes {
	return &writes{order: list.New(), byKey: map[string]*list.Element{}, byServer: map[string]int{}}
}

// none reports whether nothing is remembered.
func (w *writes) none() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.order.Len() == 0
}

// key is what an entry is known by.
func (w *written) key() string {
	if w.id != "" {
		return strings.ToLower(w.id)
	}
	return w.dn
}

// note remembers a write. What is remembered of the entry already stays known
// of it.
func (r *recent) note(w *written) {
	r.mu.Lock()
	defer r.mu.Unlock()
	w.at = time.Now()
	if w.id != "" && w.dn != "" {
		r.forget(r.byKey[w.dn]) // a doubt about the name
	}
	if before := r.byKey[w.key()]; before != nil {
		w.add(before.Value.(*written))
		r.forget(before)
	}
	r.byKey[w.key()] = r.order.PushBack(w)
	r.byServer[w.server]++
	for e := r.order.Front(); e != nil && (r.order.Len() > remembered || time.Since(e.Value.(*written).at) > r.lag); e = r.order.Front() {
		r.forget(e)
	}
}

// add takes over what is known of the entry from an earlier write.
func (w *written) add(before *written) {
	if w.doubt || before.doubt {
		return
	}
	w.made = w.made || before.made && !w.gone
	w.moved = w.moved || before.moved
	w.waited = w.waited || before.waited
	if w.dn == "" {
		w.dn = before.dn
	}
	if w.version == "" && !w.gone {
		w.version = before.version // or a later one
	}
	if w.members {
		w.request = before.request
	}
	for name := range before.touched {
		w.touch(name)
	}
	maps.Copy(w.values, before.values)
	maps.Copy(w.many, before.many)
	if len(w.values) > keptValues {
		maps.Copy(w.many, w.touched)
		clear(w.values)
	}
}

// forget drops a write. The caller holds the mutex.
func (r *recent) forget(e *list.Element) {
	if e == nil {
		return
	}
	w := r.order.Remove(e).(*written)
	delete(r.byKey, w.key())
	if r.byServer[w.server]--; r.byServer[w.server] == 0 {
		delete(r.byServer, w.server)
	}
}

// elsewhere returns the writes that a server is not known to have, the newest first.
func (r *recent) elsewhere(server string) []written {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.off || r.byServer[server] == r.order.Len() {
		return nil
	}
	var some []written
	for e := r.order.Back(); e != nil; e = e.Prev() {
		w := e.Value.(*written)
		if time.Since(w.at) > r.lag {
			break
		}
		if w.server != server {
			some = append(some, *w)
		}
	}
	return some
}

// has notes that a server has a write.
func (r *recent) has(server string, w written) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e := r.byKey[w.key()]
	if e == nil || e.Value.(*written).at != w.at {
		return // another write came since
	}
	now := e.Value.(*written)
	if r.byServer[now.server]--; r.byServer[now.server] == 0 {
		delete(r.byServer, now.server)
	}
	now.server = server
	r.byServer[server]++
}

// shows reports whether an entry as a server has it, nil where it has none, is
// as the write left it or later.
func (w *written) shows(version, request string, there, ordered bool) bool {
	switch {
	case w.gone || !there:
		return w.gone != there
	case w.doubt:
		return true
	case !ordered:
		return w.request == "" || request == w.request
	}
	return version >= w.version
}

// touch notes that a write was about an attribute.
func (w *written) touch(attribute string, values ...string) {
	if w.touched == nil {
		w.touched, w.values, w.many = map[string]bool{}, map[uint64]bool{}, map[string]bool{}
	}
	w.touched[folded(attribute)] = true
	if len(values) > keptValues {
		w.many[folded(attribute)] = true
		return
	}
	for _, v := range values {
		w.values[valueHash(attribute, v)] = true
	}
}

func folded(attribute string) string {
	base, _, _ := strings.Cut(attribute, ";")
	return strings.ToLower(base)
}

func valueHash(attribute, value string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(folded(attribute) + "\x00" + directory.FoldValue(value))) // it never fails
	return h.Sum64()
}

// concerns reports whether a search might find the entry once the write is
// there, or might no longer: then its absence means nothing yet.
func (w *written) concerns(f directory.Filter) bool {
	return !w.gone && (w.made || w.asked(f)) && w.matches(f)
}

// asked reports whether a filter asks for anything that the write has changed,
// or for the entry itself.
func (w *written) asked(f directory.Filter) bool {
	switch f.Op {
	case directory.And, directory.Or, directory.Not:
		for _, part := range f.Filters {
			if w.asked(part) {
				return true
			}
		}
		return false
	case directory.All, directory.None:
		return false
	}
	switch f.Attribute {
	case directory.AttrID:
		return strings.EqualFold(f.Value, w.id)
	case directory.AttrDN:
		return w.dn != "" && directory.FoldDN(f.Value) == w.dn
	case directory.AttrState:
		return w.moved
	case directory.AttrLeft:
		return w.waited
	}
	return w.touched[folded(f.Attribute)]
}

// matches reports whether the entry may match a filter as the write left it.
func (w *written) matches(f directory.Filter) bool {
	switch f.Op {
	case directory.None:
		return false
	case directory.And:
		for _, part := range f.Filters {
			if !w.matches(part) {
				return false
			}
		}
		return true
	case directory.Or:
		for _, part := range f.Filters {
			if w.matches(part) {
				return true
			}
		}
		return false
	case directory.Equal:
		return w.equals(f)
	}
	return !w.doubt
}

// equals is matches for a comparison.
func (w *written) equals(f directory.Filter) bool {
	switch f.Attribute {
	case directory.AttrID:
		return strings.EqualFold(f.Value, w.id)
	case directory.AttrDN:
		return w.dn == "" && !w.doubt || directory.FoldDN(f.Value) == w.dn
	case directory.AttrCreated, directory.AttrModified, directory.AttrState, directory.AttrLeft:
		return true
	}
	if !w.made && !w.doubt && !w.touched[folded(f.Attribute)] {
		return true // whatever it has of this
	}
	return w.many[folded(f.Attribute)] || w.values[valueHash(f.Attribute, f.Value)]
}

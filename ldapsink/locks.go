package ldapsink

import (
	"context"
	"slices"
	"strings"
	"sync"

	"scimgate/internal/directory"
)

// locks are mutexes by name: one for each entry that is being written and one
// for each value that has to be unique. A name exists only while somebody holds
// it or waits for it.
type locks struct {
	mu    sync.Mutex
	names map[string]*lock
}

type lock struct {
	held chan struct{} // holds one token
	uses int           // holders and waiters; guarded by locks.mu
}

func newLocks() *locks { return &locks{names: map[string]*lock{}} }

// acquire takes all the locks, in one order for everybody so that no two
// requests wait for each other. waited says that somebody else had one of them:
// what the caller knew before may no longer hold.
func (ls *locks) acquire(ctx context.Context, names ...string) (release func(), waited bool, err error) {
	names = slices.Clone(names)
	slices.Sort(names)
	names = slices.Compact(names)
	for i, name := range names {
		contended, err := ls.take(ctx, name)
		if err != nil {
			ls.releaseAll(names[:i])
			return nil, false, fail(directory.Unavailable, err)
		}
		waited = waited || contended
	}
	return func() { ls.releaseAll(names) }, waited, nil
}

// take takes one lock.
func (ls *locks) take(ctx context.Context, name string) (contended bool, err error) {
	ls.mu.Lock()
	l := ls.names[name]
	if l == nil {
		l = &lock{held: make(chan struct{}, 1)}
		ls.names[name] = l
	}
	l.uses++
	contended = l.uses > 1
	ls.mu.Unlock()
	select {
	case l.held <- struct{}{}:
		return contended, nil
	case <-ctx.Done():
		ls.leave(name)
		return contended, context.Cause(ctx)
	}
}

func (ls *locks) releaseAll(names []string) {
	for _, name := range names {
		ls.mu.Lock()
		l := ls.names[name]
		ls.mu.Unlock()
		<-l.held
		ls.leave(name)
	}
}

// leave forgets a lock that nobody wants any more.
func (ls *locks) leave(name string) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	l := ls.names[name]
	if l.uses--; l.uses == 0 {
		delete(ls.names, name)
	}
}

// entryLock names the lock of an entry.
func entryLock(id string) string { return "entry\x00" + strings.ToLower(id) }

// keyLocks name the locks of unique values. Values that a directory may hold
// equal share a lock; that others share it too costs nothing but a wait.
func keyLocks(keys []directory.Key) []string {
	names := make([]string, len(keys))
	for i, k := range keys {
		names[i] = "value\x00" + strings.ToLower(k.Attribute) + "\x00" + foldValue(k.Value)
	}
	return names
}

// foldValue brings together what common equality rules hold equal: case, and
// blanks at the ends and in a row.
func foldValue(v string) string { return strings.ToLower(strings.Join(strings.Fields(v), " ")) }

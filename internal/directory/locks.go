package directory

import (
	"context"
	"slices"
	"sync"
)

// Locks are mutexes by name: for an entry that is being changed, or a value
// that has to be unique. A name takes memory only while somebody holds it or
// waits for it.
type Locks struct {
	mu    sync.Mutex
	names map[string]*lock
}

type lock struct {
	held chan struct{} // holds one token
	uses int           // holders and waiters; guarded by Locks.mu
}

// NewLocks returns locks that nobody holds.
func NewLocks() *Locks { return &Locks{names: map[string]*lock{}} }

// Acquire takes all the locks, in one order for everybody so that no two
// requests wait for each other. waited says that somebody else had one of them:
// what the caller knew before may no longer hold. It fails only when the
// context ends, with an Error of the kind Unavailable.
func (ls *Locks) Acquire(ctx context.Context, names ...string) (release func(), waited bool, err error) {
	names = slices.Clone(names)
	slices.Sort(names)
	names = slices.Compact(names)
	for i, name := range names {
		contended, err := ls.take(ctx, name)
		if err != nil {
			ls.release(names[:i])
			return nil, false, &Error{Op: "wait", Kind: Unavailable, Err: err}
		}
		waited = waited || contended
	}
	return func() { ls.release(names) }, waited, nil
}

func (ls *Locks) take(ctx context.Context, name string) (contended bool, err error) {
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

func (ls *Locks) release(names []string) {
	for _, name := range names {
		ls.mu.Lock()
		l := ls.names[name]
		ls.mu.Unlock()
		<-l.held
		ls.leave(name)
	}
}

// leave forgets a lock that nobody wants any more.
func (ls *Locks) leave(name string) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	l := ls.names[name]
	if l.uses--; l.uses == 0 {
		delete(ls.names, name)
	}
}

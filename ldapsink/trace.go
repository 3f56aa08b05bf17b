package ldapsink

import (
	"context"
	"sync"
)

// trace tells on which servers an operation was done: what a search of another
// server does not show may only not have come there yet. It goes along in the
// operation's context.
type trace struct {
	mu    sync.Mutex
	read  string // where the last answer to a read came from
	wrote string // where the last write was made
	doubt string // where a write may have been made
}

type traceKey struct{}

// traced returns a context with a trace of its own.
func traced(ctx context.Context) (context.Context, *trace) {
	t := &trace{}
	return context.WithValue(ctx, traceKey{}, t), t
}

// traceOf returns the trace of a context. One that nobody asked for is lost.
func traceOf(ctx context.Context) *trace {
	if t, ok := ctx.Value(traceKey{}).(*trace); ok {
		return t
	}
	return &trace{}
}

func (t *trace) asked(server string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.read = server
}

func (t *trace) settled(server string, done bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.doubt = ""
	if done {
		t.wrote = server
	}
}

func (t *trace) doubts(server string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.doubt = server
}

// seen returns what the trace tells.
func (t *trace) seen() (read, wrote, doubt string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.read, t.wrote, t.doubt
}

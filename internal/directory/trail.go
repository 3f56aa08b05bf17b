package directory

import (
	"context"
	"sync"
)

// Trail is what a Store tells about its work beside the answers: for the log. It goes
// along in the context of a request, whose operations may run side by side.
type Trail struct {
	mu       sync.Mutex
	attempts int
	name     string
}

type trailKey struct{}

// WithTrail returns a context with a trail of its own.
func WithTrail(ctx context.Context) (context.Context, *Trail) {
	t := &Trail{}
	return context.WithValue(ctx, trailKey{}, t), t
}

// TrailOf returns the trail of a context. One that nobody asked for is lost.
func TrailOf(ctx context.Context) *Trail {
	if t, ok := ctx.Value(trailKey{}).(*Trail); ok {
		return t
	}
	return &Trail{}
}

// Tried notes that a write was tried so often.
func (t *Trail) Tried(attempts int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.attempts = max(t.attempts, attempts)
}

// Found notes the name of an entry that was only known by its id.
func (t *Trail) Found(dn string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.name == "" {
		t.name = dn
	}
}

// Attempts returns how often the write was tried that was tried most, 0 where nothing
// was to be written.
func (t *Trail) Attempts() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.attempts
}

// Name returns the first name that was found, or "".
func (t *Trail) Name() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.name
}

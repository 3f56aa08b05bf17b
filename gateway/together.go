package gateway

import (
	"context"

	"golang.org/x/sync/errgroup"
)

// sideBySide is how many look-ups one request has under way.
const sideBySide = 4

// together does n things, some of them side by side.
func together(ctx context.Context, n int, do func(ctx context.Context, i int) error) error {
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(sideBySide)
	for i := range n {
		work.Go(func() error { return do(ctx, i) })
	}
	return work.Wait()
}

package directory

import (
	"context"
	"sync"
	"testing"
)

func TestLocksExcludeAndLeaveNothing(t *testing.T) {
	ls := NewLocks()
	holders := map[string]int{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for i := range 64 {
		names := []string{string(rune('a' + i%3)), string(rune('a' + (i+1)%3)), string(rune('a' + i%3))}
		wg.Go(func() {
			release, _, err := ls.Acquire(context.Background(), names...)
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			for _, n := range names[:2] {
				if holders[n]++; holders[n] != 1 {
					t.Errorf("%d hold %q", holders[n], n)
				}
			}
			mu.Unlock()
			mu.Lock()
			for _, n := range names[:2] {
				holders[n]--
			}
			mu.Unlock()
			release()
		})
	}
	wg.Wait()
	if len(ls.names) != 0 {
		t.Errorf("%d locks are left", len(ls.names))
	}
}

func TestWaitingForALockEndsWithTheContext(t *testing.T) {
	ls := NewLocks()
	release, waited, err := ls.Acquire(context.Background(), "b")
	if err != nil || waited {
		t.Fatal(waited, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() {
		_, _, err := ls.Acquire(ctx, "a", "b")
		done <- err
	}()
	cancel()
	if err := <-done; !Is(err, Unavailable) {
		t.Errorf("got %v", err)
	}
	if again, _, err := ls.Acquire(context.Background(), "a"); err != nil {
		t.Error("the first of two locks was kept")
	} else {
		again()
	}
	release()
	if len(ls.names) != 0 {
		t.Errorf("%d locks are left", len(ls.names))
	}
}

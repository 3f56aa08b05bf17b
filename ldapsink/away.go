package ldapsink

import (
	"fmt"
	"time"

	"go.uber.org/zap"
)

// redialCap bounds the wait between two attempts to reach a directory that is
// away. It is how long after its return the first request is served at worst.
const redialCap = 250 * time.Millisecond

// awayError says that the directory is known to be out of reach.
type awayError struct{ err error }

func (e *awayError) Error() string { return fmt.Sprintf("the directory is away: %v", e.err) }

func (e *awayError) Unwrap() error { return e.err }

// giveUp records that the directory is out of reach. Requests fail from now on
// without trying, and one goroutine looks for its return.
func (p *pool) giveUp(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.away != nil || p.ctx.Err() != nil {
		return
	}
	for _, l := range p.links {
		if l != nil && l.alive() {
			return // another request has got through meanwhile
		}
	}
	p.away = err
	close(p.gone)
	p.log.Warn("directory is away", zap.Error(err))
	gone := p.gone
	p.running.Go(func() { p.redial(gone) })
}

// lost returns a channel that is closed while the directory is away.
func (p *pool) lost() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.gone
}

// redial dials until the directory is back, by whoever's doing, or the pool is
// closed. gone is the absence it was started for.
func (p *pool) redial(gone <-chan struct{}) {
	waits := Retry{Base: p.cfg.Retry.Base, Cap: min(redialCap, p.cfg.Retry.Cap)}.endless()
	for p.lost() == gone {
		wait, _ := waits.Next()
		select {
		case <-p.ctx.Done():
			return
		case <-time.After(wait):
			p.tryBack()
		}
	}
}

// tryBack tries once to reach the directory. One that answers and refuses is
// back too: requests should say so, and nobody should go on knocking.
func (p *pool) tryBack() {
	select {
	case p.dialing <- struct{}{}:
		defer func() { <-p.dialing }()
	case <-p.ctx.Done():
		return
	}
	l, err := p.dial(p.ctx, 0)
	if err == nil {
		p.release(l)
	} else if classify(err) == permanent {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.cameBack()
	}
}

package ldapsink

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"
)

// redialCap bounds the wait between two attempts to reach a directory that is
// away. It is how long after its return the first request is served at worst.
const redialCap = 250 * time.Millisecond

var errClosed = errors.New("the connection to the directory was closed by its owner")

// awayError says that the directory is known to be out of reach.
type awayError struct{ err error }

func (e *awayError) Error() string { return fmt.Sprintf("the directory is away: %v", e.err) }

func (e *awayError) Unwrap() error { return e.err }

// pool keeps the links of a Sink: a few bound connections that all requests
// share, opened when first needed, all to one server. A write and the search
// after it, and the searches by which writers of different requests see each
// other, are only right on one server: replication comes later.
type pool struct {
	connector
	log *zap.Logger

	ctx     context.Context // ends with the pool
	stop    context.CancelFunc
	running sync.WaitGroup // the redialing goroutine
	dialing chan struct{}  // holds one token: a dial may decide which server is used

	mu     sync.Mutex
	links  []*link
	next   int
	server int           // index of the URL in use
	away   error         // why the directory is out of reach; nil while it is not
	gone   chan struct{} // closed while the directory is out of reach
}

func newPool(c connector, log *zap.Logger) *pool {
	ctx, stop := context.WithCancel(context.Background())
	return &pool{
		connector: c, log: log, ctx: ctx, stop: stop,
		dialing: make(chan struct{}, 1), links: make([]*link, c.cfg.Connections), gone: make(chan struct{}),
	}
}

// get returns a link, opening one where the next place is empty. While the
// directory is away it fails at once.
func (p *pool) get(ctx context.Context) (*link, error) {
	place, l, err := p.pick()
	if l != nil || err != nil {
		return l, err
	}
	select {
	case p.dialing <- struct{}{}:
		defer func() { <-p.dialing }()
	case <-ctx.Done():
		return nil, &dialError{p.cfg.URLs[0], context.Cause(ctx)}
	}
	if l, err := p.at(place); l != nil || err != nil {
		return l, err // somebody else was faster
	}
	l, err = p.dial(ctx, place)
	if err != nil {
		if other := p.any(); other != nil {
			return other, nil
		}
		return nil, err
	}
	return l, nil
}

// pick returns the next place and the link there, if it has one.
func (p *pool) pick() (int, *link, error) {
	p.mu.Lock()
	place := p.next % len(p.links)
	p.next++
	p.mu.Unlock()
	l, err := p.at(place)
	return place, l, err
}

func (p *pool) at(place int) (*link, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ctx.Err() != nil {
		return nil, errClosed
	}
	if p.away != nil {
		return nil, &awayError{p.away}
	}
	if l := p.links[place]; l != nil && l.alive() {
		return l, nil
	}
	return nil, nil
}

// any returns some living link.
func (p *pool) any() *link {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, l := range p.links {
		if l != nil && l.alive() {
			return l
		}
	}
	return nil
}

// dial opens a link for a place: to the server in use, and if that does not
// answer and no other link to it lives, to the next one that does. The caller
// holds the dialing token.
func (p *pool) dial(ctx context.Context, place int) (*link, error) {
	p.mu.Lock()
	first := p.server
	p.mu.Unlock()
	var errs []error
	for i := range p.cfg.URLs {
		server := (first + i) % len(p.cfg.URLs)
		l, err := p.connect(ctx, server)
		if err == nil {
			return l, p.put(l, place)
		}
		p.log.Warn("directory does not answer", zap.String("url", p.cfg.URLs[server]), zap.Error(err))
		errs = append(errs, err)
		if ctx.Err() != nil || p.any() != nil {
			break
		}
	}
	return nil, worst(errs)
}

// worst returns the error that leaves the most hope: a server that may come
// back before one that refuses.
func worst(errs []error) error {
	for _, err := range errs {
		if classify(err) == transient {
			return err
		}
	}
	return errs[0]
}

// put makes a new link the one at a place. Links to another server are closed.
func (p *pool) put(l *link, place int) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ctx.Err() != nil {
		l.close()
		return errClosed
	}
	if l.server != p.server {
		p.log.Warn("another server of the directory is used from now on", zap.String("url", p.cfg.URLs[l.server]))
	}
	p.server = l.server
	for i, other := range p.links {
		if other != nil && (i == place || other.server != l.server) {
			other.close()
			p.links[i] = nil
		}
	}
	p.links[place] = l
	p.log.Debug("connected to the directory", zap.String("url", p.cfg.URLs[l.server]), zap.Int("place", place))
	p.cameBack()
	return nil
}

// cameBack ends the time in which requests fail without trying. The caller
// holds the mutex.
func (p *pool) cameBack() {
	if p.away != nil {
		p.away = nil
		p.gone = make(chan struct{})
		p.log.Warn("directory is back")
	}
}

// drop forgets a link whose connection is lost or in doubt.
func (p *pool) drop(l *link, why error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, other := range p.links {
		if other == l {
			p.links[i] = nil
			p.log.Warn("connection to the directory lost", zap.String("url", p.cfg.URLs[l.server]), zap.Error(why))
		}
	}
	l.close()
}

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
	if _, err := p.dial(p.ctx, 0); err != nil && classify(err) == permanent {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.cameBack()
	}
}

// close ends all links and what runs on them.
func (p *pool) close() {
	p.stop()
	p.mu.Lock()
	for i, l := range p.links {
		if l != nil {
			l.close()
			p.links[i] = nil
		}
	}
	p.mu.Unlock()
	p.running.Wait()
}

package ldapsink

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"
)

var (
	errClosed   = errors.New("the connection to the directory was closed by its owner")
	errNoServer = errors.New("the server in use was left, and there is no other at the moment")
)

// pool keeps the links of a Sink: a few bound connections that all requests
// share, opened when first needed, all to one server. A write and the search
// after it, and the searches by which writers of different requests see each
// other, are only right on one server: replication comes later. comeback.go has
// when it is another.
type pool struct {
	connector
	log   *zap.Logger
	names *discovery
	// prove makes sure that a server holds the directory; behind is an error where
	// it has not what was written elsewhere.
	prove, behind func(ctx context.Context, l *link) error

	ctx     context.Context // ends with the pool
	stop    context.CancelFunc
	running sync.WaitGroup // what goes on beside the requests
	dialing chan struct{}  // holds one token: a dial may decide which server is used
	hurry   chan struct{}  // wakes the watch

	mu        sync.Mutex
	links     []*link
	next      int
	servers   servers
	server    string        // the one in use; "" while none is
	last      string        // the one that was used last
	suspected bool          // somebody is looking whether the server is well
	away      error         // why the directory is out of reach; nil while it is not
	gone      chan struct{} // closed while the directory is out of reach
}

func newPool(c connector, log *zap.Logger) *pool {
	ctx, stop := context.WithCancel(context.Background())
	p := &pool{
		connector: c, log: log, names: newDiscovery(c), ctx: ctx, stop: stop,
		dialing: make(chan struct{}, 1), hurry: make(chan struct{}, 1),
		links: make([]*link, c.cfg.Connections), gone: make(chan struct{}),
		servers: servers{known: map[string]*standing{}, pause: c.cfg.ComeBack},
	}
	p.servers.list = p.names.static()
	return p
}

// begin starts the watch, where there is something to watch.
func (p *pool) begin() {
	if p.several() {
		p.running.Go(p.watch)
	}
}

// several reports whether there may be more than one server.
func (p *pool) several() bool { return len(p.cfg.URLs) > 1 || p.names.looks() }

// serving returns the server in use and whether it takes writes.
func (p *pool) serving() (server string, writable bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.server == "" || p.away != nil {
		return "", false
	}
	return p.server, p.servers.of(p.server).refused.IsZero()
}

// get returns a link, opening one where the next place is empty. While the
// directory is away it fails at once. Who gets a link gives it back: release.
func (p *pool) get(ctx context.Context) (*link, error) {
	place, l, err := p.pick()
	if l != nil || err != nil {
		return l, err
	}
	select {
	case p.dialing <- struct{}{}:
	default:
		// Whoever dials may have to wait for a server; others need not.
		if other := p.any(); other != nil {
			return other, nil
		}
		select {
		case p.dialing <- struct{}{}:
		case <-ctx.Done():
			return nil, &dialError{p.cfg.URLs[0], context.Cause(ctx)}
		}
	}
	defer func() { <-p.dialing }()
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

// getOn returns a link to one server, in use or not.
func (p *pool) getOn(ctx context.Context, server string) (*link, error) {
	if p.inUse() == server {
		if l, err := p.get(ctx); err != nil || l.server == server {
			return l, err
		} else {
			p.release(l)
		}
	}
	l, err := p.connect(ctx, server)
	if err != nil {
		return nil, err
	}
	l.users, l.retired = 1, true
	return l, nil
}

// release gives a link back. One to a server that is no longer in use is closed
// when nobody needs it any more.
func (p *pool) release(l *link) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l.users--
	if l.retired && l.users <= 0 {
		l.close()
	}
}

// inUse returns the server in use, "" while there is none.
func (p *pool) inUse() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.server
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
		l.users++
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
			l.users++
			return l
		}
	}
	return nil
}

// living reports whether some link lives.
func (p *pool) living() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.ContainsFunc(p.links, func(l *link) bool { return l != nil && l.alive() })
}

// dial opens a link for a place: to the server in use, and if that does not
// answer and no other link to it lives, to the next one that does. The caller
// holds the dialing token.
func (p *pool) dial(ctx context.Context, place int) (*link, error) {
	list, err := p.candidates(ctx)
	if err != nil {
		return nil, err
	}
	inUse := p.inUse()
	errs := []error{}
	for _, server := range list {
		l, err := p.connect(ctx, server)
		if err == nil && server == inUse && p.inUse() != inUse {
			l.close() // it was left meanwhile, because it is not well
			continue
		}
		if err == nil {
			return l, p.put(l, place)
		}
		p.log.Warn("directory does not answer", zap.String("url", server), zap.Error(err))
		errs = append(errs, err)
		if ctx.Err() != nil || p.living() {
			break
		}
		p.failed(server)
	}
	return nil, worst(errs)
}

// worst returns the error that leaves the most hope: a server that may come
// back before one that refuses.
func worst(errs []error) error {
	if len(errs) == 0 {
		return &elsewhereError{errNoServer}
	}
	for _, err := range errs {
		if classify(err) == transient {
			return err
		}
	}
	return errs[0]
}

// put makes a new link the one at a place, and its server the one in use. The
// caller holds the dialing token, and has the link in hand.
func (p *pool) put(l *link, place int) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ctx.Err() != nil {
		l.close()
		return errClosed
	}
	if l.server != p.server {
		p.moved(l.server)
	}
	if old := p.links[place]; old != nil {
		old.close()
	}
	l.users++
	p.links[place] = l
	if l.readOnly && p.servers.of(l.server).refused.IsZero() {
		p.servers.of(l.server).refused = time.Now()
		p.wake()
	}
	p.log.Debug("connected to the directory", zap.String("url", l.server), zap.Int("place", place))
	p.cameBack()
	return nil
}

// moved makes another server the one in use. What is under way on the old one is
// finished there. The caller holds the mutex.
func (p *pool) moved(to string) {
	now := time.Now()
	switch {
	case p.last != "" && p.last != to:
		p.log.Warn("another server of the directory is used from now on", zap.String("url", to), zap.String("before", p.last))
	case p.last == "" && len(p.servers.list) > 0 && to != p.servers.list[0]:
		p.log.Warn("another server of the directory is used from now on", zap.String("url", to))
	case p.last == "":
		p.log.Info("a server of the directory is used", zap.String("url", to))
	}
	if p.server != "" {
		p.servers.of(p.server).since = time.Time{}
	}
	p.retire()
	p.server, p.last = to, to
	st := p.servers.of(to)
	st.since, st.strikes = now, 0
	if !st.refused.IsZero() {
		p.log.Warn("no server of the directory takes writes: the one in use does not, and no other is well", zap.String("url", to))
		p.wake()
	}
}

// retire takes all links out of use. The caller holds the mutex.
func (p *pool) retire() {
	for i, l := range p.links {
		if l == nil {
			continue
		}
		p.links[i] = nil
		l.retired = true
		if l.users <= 0 {
			l.close()
		}
	}
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
			p.log.Warn("connection to the directory lost", zap.String("url", l.server), zap.Error(why))
		}
	}
	l.close()
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

package ldapsink

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/go-ldap/ldap/v3"
	"go.uber.org/zap"
)

// candidates returns the servers as they are to be tried.
func (p *pool) candidates(ctx context.Context) ([]string, error) {
	if err := p.lookUp(ctx, false); err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.servers.order(p.server, time.Now()), nil
}

// lookUp brings the list of servers up to date, where names are looked up: when
// there is none, when a server of it was lost, and when asked to.
func (p *pool) lookUp(ctx context.Context, again bool) error {
	if !p.names.looks() {
		return nil
	}
	list, err := p.names.list(ctx, again, p.log)
	if err != nil {
		return &dialError{p.cfg.URLs[0], err}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.servers.list = list
	return nil
}

// failed notes that a server does not let the gateway in. It is tried last for
// a while.
func (p *pool) failed(server string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.servers.fail(server, time.Now())
	if p.server == server && len(p.servers.list) > 1 {
		p.server = "" // nothing lives there any more
	}
	p.names.lost()
}

// leave gives a server up that answers and is not well. The next request opens a
// link to the next one; what is under way here is finished.
func (p *pool) leave(server string, why error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.server != server || len(p.servers.list) < 2 {
		return
	}
	p.log.Warn("server of the directory is not well", zap.String("url", server), zap.Error(why))
	p.servers.fail(server, time.Now())
	p.names.lost()
	p.retire()
	p.server = ""
}

// judge looks at the outcome of a try for what it says about the server: several
// answers in a row that it is busy or unavailable are enough to leave it; after
// a silence, or a search that it is unwilling to do, it is looked at, because
// that may be the request's fault.
func (p *pool) judge(l *link, err error, writing bool) {
	switch {
	case busy(err):
		p.mu.Lock()
		st := p.servers.of(l.server)
		st.strikes++
		out := st.strikes >= strikesOut
		p.mu.Unlock()
		if out {
			p.leave(l.server, err)
		}
	case errors.Is(err, errNoAnswer), !writing && ldap.IsErrorWithCode(err, ldap.LDAPResultUnwillingToPerform):
		p.suspect(l.server)
	case classify(err) != unknown:
		p.mu.Lock()
		defer p.mu.Unlock()
		p.servers.of(l.server).strikes = 0
	}
}

// suspect looks beside all requests whether a server is well, and leaves it if
// it is not.
func (p *pool) suspect(server string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.suspected || p.server != server || len(p.servers.list) < 2 || p.ctx.Err() != nil {
		return
	}
	p.suspected = true
	p.running.Go(func() {
		l, err := p.examine(server)
		if err != nil {
			p.leave(server, err)
		} else {
			l.close()
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		p.suspected = false
	})
}

// examine opens a link to a server that is not in use by it, and returns it if
// the server holds the directory.
func (p *pool) examine(server string) (*link, error) {
	l, err := p.connect(p.ctx, server)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(p.ctx, p.cfg.Timeout, errNoAnswer)
	defer cancel()
	if err := p.prove(ctx, l); err != nil {
		l.close()
		return nil, err
	}
	return l, nil
}

// watch looks from time to time whether a better server than the one in use is
// well, for as long as the pool lives.
func (p *pool) watch() {
	for {
		timer := time.NewTimer(p.untilLook())
		select {
		case <-p.ctx.Done():
			timer.Stop()
			return
		case <-p.hurry:
			timer.Stop()
		case <-timer.C:
			p.look()
		}
	}
}

// untilLook is how long to wait for the next look, with jitter so that many
// gateways do not move at the same instant. Where no server takes writes there
// is no time to lose.
func (p *pool) untilLook() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	wait := p.cfg.ComeBack
	if p.server != "" && !p.servers.of(p.server).refused.IsZero() {
		wait = min(wait, redialCap)
	}
	return wait*3/4 + rand.N(wait/2+1)
}

// wake makes the watch think again about how long it waits.
func (p *pool) wake() {
	select {
	case p.hurry <- struct{}{}:
	default:
	}
}

// look tries the servers that are better than the one in use, if there are any.
func (p *pool) look() {
	if p.names.due() {
		if err := p.lookUp(p.ctx, true); err != nil {
			p.log.Warn("servers of the directory cannot be looked up", zap.Error(err))
		}
	}
	p.mu.Lock()
	inUse := p.server
	var better []string
	if inUse != "" && p.away == nil {
		better = p.servers.better(inUse, time.Now())
	}
	p.mu.Unlock()
	for _, server := range better {
		if p.moveTo(server, inUse) {
			return
		}
	}
}

// moveTo changes to a server if it is well and has what was written here.
func (p *pool) moveTo(server, inUse string) bool {
	l, err := p.examine(server)
	if err != nil {
		p.log.Debug("a better server of the directory is not well yet", zap.String("url", server), zap.Error(err))
		p.failed(server)
		return false
	}
	ctx, cancel := context.WithTimeoutCause(p.ctx, p.cfg.Timeout, errNoAnswer)
	defer cancel()
	p.mu.Lock()
	writable := p.servers.of(inUse).refused.IsZero()
	p.mu.Unlock()
	if err := p.behind(ctx, l); err != nil && writable {
		p.log.Info("a better server of the directory is back, and behind; it has to catch up first",
			zap.String("url", server), zap.Error(err))
		l.close()
		return false
	}
	select {
	case p.dialing <- struct{}{}: // so that no dial to the old server ends after this
		defer func() { <-p.dialing }()
	case <-p.ctx.Done():
		l.close()
		return false
	}
	if l.readOnly {
		p.mu.Lock()
		p.servers.of(server).refused = time.Now()
		p.mu.Unlock()
	}
	if p.inUse() != inUse || l.readOnly {
		l.close()
		return false
	}
	if err := p.put(l, 0); err != nil {
		return false
	}
	p.release(l)
	return true
}

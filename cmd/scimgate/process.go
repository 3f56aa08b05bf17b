package main

import (
	"context"
	"crypto/rand"
	"net/http"
	"sync"
	"time"

	"go.uber.org/zap"

	"scimgate/gateway"
	"scimgate/internal/config"
	"scimgate/internal/metrics"
	"scimgate/internal/provlog"
	"scimgate/internal/state"
	"scimgate/ldapsink"
)

// process is what lasts longer than a configuration: the memory of the gateways
// that follow each other, and which service answers requests now. A service is
// replaced whole; the one before finishes what it has begun and ends then.
type process struct {
	log       *zap.Logger
	memory    *gateway.Memory
	cursorKey [32]byte
	started   *config.Config // whose listeners and state folder are used to the end
	reloads   reloads
	switches  *switches
	tokens    *tokenKeeper
	metrics   *metrics.Metrics
	records   *provlog.Writer // nil where there is no provisioning log
	rest      func()          // ends what is done as long as the process lives

	mu      sync.Mutex
	now     *service
	patient time.Duration          // the longest that a request may take, of all services since the start
	uses    map[*ldapsink.Sink]int // by how many services
	ending  sync.WaitGroup         // of services that were replaced
}

// begin puts the first configuration in force.
func begin(ctx context.Context, cfg *config.Config, log *zap.Logger) (*process, error) {
	p := &process{
		log: log, memory: gateway.NewMemory(), cursorKey: cursorKey(cfg.StateDir, log), started: cfg,
		switches: newSwitches(cfg.StateDir, log), tokens: newTokenKeeper(cfg.StateDir, log),
		records: openLog(cfg, log), uses: map[*ldapsink.Sink]int{},
	}
	p.metrics = newMetrics(p)
	first, err := p.assemble(ctx, cfg, nil)
	if err != nil {
		closeLog(p.records, log)
		return nil, err
	}
	p.install(ctx, first)
	p.rest = p.tokens.run()
	return p, nil
}

// end ends all services. There must be no more requests.
func (p *process) end() {
	p.replace(nil)
	p.ending.Wait()
	p.rest()
	closeLog(p.records, p.log)
}

// cursorKey returns the key that replicas share. A gateway that cannot have it
// serves all the same, with a key of its own.
func cursorKey(stateDir string, log *zap.Logger) [32]byte {
	key, err := state.CursorKey(stateDir)
	if err != nil {
		log.Warn("the key of cursors cannot be shared; cursors of lists are good at this gateway until it ends", zap.Error(err))
		_, _ = rand.Read(key[:]) // never fails: it ends the program instead
	}
	return key
}

// install makes a service the one that answers requests from now on.
func (p *process) install(ctx context.Context, s *service) {
	for name, sink := range s.sinks {
		sink.Rely(s.bases(name))
	}
	p.tokens.serve(s.cfg)
	s.announceBrakes(p.current())
	s.start(ctx)
	p.replace(s)
}

// replace puts a service in the place of the one before, which ends with its
// last request.
func (p *process) replace(s *service) {
	p.mu.Lock()
	before := p.now
	if s != nil { // else the last one stays, for who is still at the door
		p.now = s
		p.patient = max(p.patient, s.cfg.Server.Limits.RequestTimeout)
	}
	idle := false
	if before != nil {
		p.ending.Add(1)
		before.replaced, idle = true, before.requests == 0
		before.ended = idle
	}
	p.mu.Unlock()
	if idle {
		p.finish(before)
	}
}

// enter returns the service that answers a request; leave has to follow.
func (p *process) enter() *service {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now.requests++
	return p.now
}

func (p *process) leave(s *service) {
	p.mu.Lock()
	s.requests--
	last := s.replaced && s.requests == 0 && !s.ended
	s.ended = s.ended || last
	p.mu.Unlock()
	if last {
		go p.finish(s)
	}
}

// finish ends a service that was replaced and has no more requests.
func (p *process) finish(s *service) {
	defer p.ending.Done()
	s.stop()
	s.running.Wait()
	p.release(s)
}

// release closes the directories of a service that no other uses.
func (p *process) release(s *service) {
	for _, sink := range s.sinks {
		p.mu.Lock()
		p.uses[sink]--
		last := p.uses[sink] == 0
		if last {
			delete(p.uses, sink)
		}
		p.mu.Unlock()
		if last {
			sink.Finish()
		}
	}
}

// ServeHTTP answers one request, from its beginning to its end by one service.
func (p *process) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s := p.enter()
	defer p.leave(s)
	if limit := s.cfg.Server.Limits.RequestTimeout; limit != p.started.Server.Limits.RequestTimeout {
		p.bound(w, limit)
	}
	s.gateway.ServeHTTP(w, r)
}

// bound does for one request what the listener was told at the start to do for
// all. Connections that cannot be bound so stay under the old bound.
func (p *process) bound(w http.ResponseWriter, limit time.Duration) {
	connection := http.NewResponseController(w)
	_ = connection.SetReadDeadline(time.Now().Add(limit))
	_ = connection.SetWriteDeadline(time.Now().Add(writing(limit)))
}

// writing is how long a client may take to send a request and read the answer.
func writing(limit time.Duration) time.Duration { return 3 * limit }

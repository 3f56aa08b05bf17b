package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"os"
	"reflect"
	"slices"
	"sync"

	"go.uber.org/zap"

	"scimgate/gateway"
	"scimgate/internal/config"
	"scimgate/ldapsink"
)

// service is one configuration at work. It is assembled whole, before anything of
// it is used, and what did not change since the service before it is taken over.
type service struct {
	cfg     *config.Config
	sinks   map[string]*ldapsink.Sink
	made    map[string]declared // what the sinks were made of
	issuers map[string]issuer   // by tenant
	tenants []gateway.Tenant
	gateway *gateway.Gateway
	tls     *tls.Config // nil where the listener speaks plain HTTP
	unknown []string    // directories whose schema could not be read

	// beside is what is done beside the requests, from when the service is in force
	// until its last request ended.
	beside  []func(context.Context)
	running sync.WaitGroup
	stop    context.CancelFunc

	// Guarded by process.mu.
	requests int  // under way
	replaced bool // by a later service
	ended    bool // its last request has
}

// declared is all that a directory's connections depend on.
type declared struct {
	config ldapsink.Config
	roots  []byte // the content of its file of authorities
}

func (d declared) same(other declared) bool {
	return reflect.DeepEqual(d.config, other.config) && bytes.Equal(d.roots, other.roots)
}

// assemble makes a service of a configuration, without putting it in force; before
// is the one that is, nil at the start. After an error nothing is left of it.
func (p *process) assemble(ctx context.Context, cfg *config.Config, before *service) (*service, error) {
	s := &service{cfg: cfg, sinks: map[string]*ldapsink.Sink{}, made: map[string]declared{}, issuers: map[string]issuer{}, stop: func() {}}
	if err := p.build(ctx, s, before); err != nil {
		p.release(s)
		return nil, err
	}
	return s, nil
}

// build does the work of assemble, in reading order.
func (p *process) build(ctx context.Context, s, before *service) error {
	cfg := s.cfg
	for name, d := range cfg.Directories {
		if err := p.open(s, before, name, d); err != nil {
			return err
		}
	}
	for i, t := range cfg.Tenants {
		tenant, err := newTenant(cfg, i, s.sinks[t.Directory])
		if err != nil {
			return err
		}
		tenant.Tokens = p.tokens.of(t.Name, tokenFile(cfg, t))
		tenant.Switch = p.switches.of(t.Name)
		tenant.Brake = p.brake(before, t)
		if err := s.identify(before, i, &tenant); err != nil {
			return err
		}
		s.tenants = append(s.tenants, tenant)
	}
	s.inherit(before)
	var err error
	if s.tls, err = s.listening(before); err != nil {
		return err
	}
	if s.unknown, err = s.holder(p.log).atStart(ctx); err != nil {
		return err
	}
	if err := s.takesOver(ctx, before); err != nil {
		return err
	}
	for _, name := range s.unknown {
		s.beside = append(s.beside, func(ctx context.Context) { s.holder(p.log).later(ctx, name) })
	}
	s.beside = append(s.beside, func(ctx context.Context) { p.switches.watch(ctx, s.tenants) })
	s.gateway, err = gateway.New(gateway.Config{
		ExternalURL:    cfg.Server.ExternalURL,
		BodyBytes:      int64(cfg.Server.Limits.BodyBytes),
		PageSize:       cfg.Server.Limits.PageSize,
		BulkOperations: cfg.Server.Limits.BulkOperations,
		RequestTimeout: cfg.Server.Limits.RequestTimeout,
		FilterEntries:  cfg.Server.Limits.FilterEntries,
		CursorKey:      p.cursorKey,
		TrustedProxies: cfg.Server.Proxies(),
		FailedAttempts: cfg.Server.Limits.FailedAttempts,
		Memory:         p.memory,
		Recorders:      append(recorders(p.records), observed{p.metrics}),
	}, s.tenants, p.log)
	return err
}

// open gives the service a directory: the connections that there are, if nothing
// changed that they depend on, or else new ones that go on from what the old ones
// know.
func (p *process) open(s, before *service, name string, d config.Directory) error {
	made := declared{config: d.Sink()}
	if file := made.config.TLS.CAFile; file != "" {
		made.roots, _ = os.ReadFile(file) // what is wrong with it ldapsink tells
	}
	log := p.log.With(zap.String("directory", name))
	was, sink := before.kin(name, made)
	var err error
	switch {
	case sink == nil:
		sink, err = ldapsink.New(made.config, log)
	case was != name || !made.same(before.made[name]):
		sink, err = sink.Follow(made.config, log)
	}
	if err != nil {
		return usageError{err}
	}
	s.sinks[name], s.made[name] = sink, made
	p.mu.Lock()
	defer p.mu.Unlock()
	p.uses[sink]++
	return nil
}

// kin returns the directory of a service that another declaration may be about:
// that of the name, or else one with a server in common.
func (s *service) kin(name string, of declared) (string, *ldapsink.Sink) {
	if s == nil {
		return "", nil
	}
	if sink, ok := s.sinks[name]; ok {
		return name, sink
	}
	for other, made := range s.made {
		if slices.ContainsFunc(made.config.URLs, func(url string) bool { return slices.Contains(of.config.URLs, url) }) {
			return other, s.sinks[other]
		}
	}
	return "", nil
}

// bases are the names below which the tenants' entries in a directory are.
func (s *service) bases(directory string) []string {
	var all []string
	for i, t := range s.cfg.Tenants {
		if t.Directory != directory {
			continue
		}
		for _, typ := range s.tenants[i].Types {
			all = append(all, typ.Mapping.Collection().Base)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// inherit takes over mappings of the service before that are the same over the same
// directory: they know its schema.
func (s *service) inherit(before *service) {
	if before == nil {
		return
	}
	for i, t := range s.cfg.Tenants {
		j := slices.IndexFunc(before.cfg.Tenants, func(other config.Tenant) bool { return other.Name == t.Name })
		if j < 0 {
			continue
		}
		old := before.cfg.Tenants[j]
		if s.sinks[t.Directory] != before.sinks[old.Directory] {
			continue
		}
		known := parts(j, old)
		for k, now := range parts(i, t) {
			same := func(o part) bool { return o.name == now.name && reflect.DeepEqual(o.config, now.config) }
			if at := slices.IndexFunc(known, same); at >= 0 {
				s.tenants[i].Types[k].Mapping = before.tenants[j].Types[at].Mapping
			}
		}
	}
}

func (s *service) holder(log *zap.Logger) holder { return holder{s.cfg, s.sinks, s.tenants, log} }

// start begins what is done beside the requests.
func (s *service) start(ctx context.Context) {
	ctx, s.stop = context.WithCancel(context.WithoutCancel(ctx))
	for _, do := range s.beside {
		s.running.Go(func() { do(ctx) })
	}
}

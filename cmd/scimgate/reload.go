package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"scimgate/internal/config"
	"scimgate/internal/directory"
	"scimgate/ldapsink"
)

// reload puts another configuration in force. After an error everything is as it
// was before.
func (p *process) reload(ctx context.Context, cfg *config.Config) error {
	before := p.current()
	late := keepFixed(cfg, before)
	next, err := p.assemble(ctx, cfg, before)
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil { // the gateway ends: what it found out about directories is no more than that
		p.release(next)
		return err
	}
	for _, f := range late {
		p.log.Warn("this key takes effect when the gateway is started again; the rest of the configuration is in force", zap.Stringer("key", f))
	}
	p.tellMoved(before.cfg, cfg)
	p.install(ctx, next)
	return nil
}

// keepFixed takes over what cannot change while the gateway runs, and returns
// what the file says instead.
func keepFixed(cfg *config.Config, before *service) []config.Fault {
	var late []config.Fault
	keep := func(key string, now *string, was string) {
		if *now != was {
			late = append(late, cfg.Source().Locate(key, directory.Fault{Problem: fmt.Sprintf("it stays %q until then, not %q", was, *now)}))
			*now = was
		}
	}
	keep("server.listen", &cfg.Server.Listen, before.cfg.Server.Listen)
	keep("admin.listen", &cfg.Admin.Listen, before.cfg.Admin.Listen)
	keep("stateDir", &cfg.StateDir, before.cfg.StateDir)
	keep("log.provisioning", &cfg.Log.Provisioning, before.cfg.Log.Provisioning)
	if cfg.Log.MaxSize != before.cfg.Log.MaxSize || cfg.Log.MaxAge != before.cfg.Log.MaxAge {
		late = append(late, cfg.Source().Locate("log", directory.Fault{Problem: "maxSize and maxAge stay what they are until then"}))
		cfg.Log.MaxSize, cfg.Log.MaxAge = before.cfg.Log.MaxSize, before.cfg.Log.MaxAge
	}
	if (cfg.Server.TLS.CertFile == "") != (before.tls == nil) {
		what := "the listener speaks TLS until then"
		if before.tls == nil {
			what = "the listener speaks plain HTTP until then"
		}
		late = append(late, cfg.Source().Locate("server.tls", directory.Fault{Problem: what}))
	}
	return late
}

// tellMoved says which tenants answer elsewhere than before: their identity
// providers have to be told. A tenant without a basePath has another one as soon
// as it is not alone.
func (p *process) tellMoved(before, now *config.Config) {
	for _, t := range now.Tenants {
		i := slices.IndexFunc(before.Tenants, func(other config.Tenant) bool { return other.Name == t.Name })
		if i >= 0 && !slices.Equal(t.BasePaths(), before.Tenants[i].BasePaths()) {
			p.log.Warn("a tenant answers at another path than before; its identity provider has to be told, or give it the old one as its basePath",
				zap.String("tenant", t.Name), zap.Strings("before", before.Tenants[i].BasePaths()), zap.Strings("now", t.BasePaths()))
		}
	}
}

// unansweredError is a directory whose declaration has changed and that does not
// answer under the new one, while it does under the old one.
type unansweredError struct {
	at      config.Fault
	refused bool // it answers, and does not let the gateway in
}

func (e *unansweredError) Error() string { return e.at.String() }

// takesOver makes sure that directories answer before they take the place of
// ones that do. A directory that does not answer either way, or is new, is served
// as at the start: as soon as it answers.
func (s *service) takesOver(ctx context.Context, before *service) error {
	if before == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	for _, name := range s.unknown {
		old := before.sinks[name]
		if old == nil || old == s.sinks[name] {
			continue
		}
		err := s.sinks[name].Ping(ctx)
		if err == nil || old.Ping(ctx) != nil {
			continue
		}
		return &unansweredError{s.cfg.Source().Locate("directories", directory.Fault{
			Key: name, Problem: fmt.Sprintf("does not answer under what is declared now, and does under what was before: %v", err),
		}), ldapsink.Refused(err)}
	}
	return nil
}

// reloads keeps how the last reload went, for whoever watches the gateway.
type reloads struct {
	mu    sync.Mutex
	state reloadState
}

// reloadState is the outcome of the reloads so far.
type reloadState struct {
	At      time.Time // of the last one; zero before the first
	Good    bool      // whether it was put in force
	Since   time.Time // when the configuration in force was; zero: since the start
	Applied int       // how many were put in force
	Refused int       // and how many were not
}

func (r *reloads) last() reloadState {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.state
}

func (r *reloads) note(now time.Time, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.state.At, r.state.Good = now, err == nil
	if err != nil {
		r.state.Refused++
		return
	}
	r.state.Since = now
	r.state.Applied++
}

// line says it in a sentence, "" before the first reload. Why a file was refused
// is in the log.
func (s reloadState) line() string {
	switch {
	case s.At.IsZero():
		return ""
	case s.Good:
		return fmt.Sprintf("configuration: in force since %s\n", s.At.UTC().Format(time.RFC3339))
	}
	return fmt.Sprintf("configuration: the file was refused at %s, see the log; the one before is in force\n", s.At.UTC().Format(time.RFC3339))
}

// faultsOf are the lines of an error of a configuration.
func faultsOf(err error) []string {
	var report *config.Report
	if !errors.As(err, &report) {
		return []string{err.Error()}
	}
	var lines []string
	for _, f := range report.Faults {
		lines = append(lines, f.String())
	}
	return lines
}

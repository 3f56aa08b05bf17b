package main

import (
	"context"
	"sync"
	"time"

	"go.uber.org/zap"

	"scimgate/gateway"
	"scimgate/internal/check"
	"scimgate/internal/config"
	"scimgate/internal/directory"
	"scimgate/ldapsink"
)

// How long the start waits for the directories, and how often they are asked
// after that: one that is away, and one that does not show its schema.
const (
	startPatience = 3 * time.Second
	askAway       = 500 * time.Millisecond
	askMute       = time.Minute
)

// holder holds the mappings against the schemas of their directories, by which
// they learn how each directory compares.
type holder struct {
	cfg     *config.Config
	sinks   map[string]*ldapsink.Sink
	tenants []gateway.Tenant
	log     *zap.Logger
}

// atStart holds what can be held now. A fault is a reason not to start; a
// directory that does not answer is none, and is returned.
func (h holder) atStart(ctx context.Context) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	var mu sync.Mutex
	var asking sync.WaitGroup
	var unknown []string
	var report config.Report
	for name := range h.sinks { // side by side, or one that is silent takes the time of all
		asking.Go(func() {
			faults, err := h.hold(ctx, name)
			if err != nil {
				h.log.Warn("the mappings cannot be held against the directory's schema now; it is asked again until it answers",
					zap.String("directory", name), zap.Error(err))
			}
			mu.Lock()
			defer mu.Unlock()
			report.Faults = append(report.Faults, faults...)
			if err != nil {
				unknown = append(unknown, name)
			}
		})
	}
	asking.Wait()
	if len(report.Faults) > 0 {
		return nil, usageError{&report}
	}
	return unknown, nil
}

// later holds the mappings of one directory as soon as it answers. What does not
// hold is too late to refuse: the gateway serves what it can, and says so.
func (h holder) later(ctx context.Context, name string) {
	log := h.log.With(zap.String("directory", name))
	for pause := askAway; ; {
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		faults, err := h.hold(ctx, name)
		switch {
		case err == nil:
			for _, f := range faults {
				log.Error("the configuration does not fit the directory, which answered only after the start; mend it, or requests will fail", zap.Stringer("fault", f))
			}
			log.Info("the directory's schema is known now", zap.Int("faults", len(faults)))
			return
		case ldapsink.Refused(err): // every attempt counts against the account
			pause = askMute
		case directory.Is(err, directory.Unavailable):
			pause = askAway
		default:
			log.Debug("the directory does not show its schema", zap.Error(err))
			pause = askMute
		}
	}
}

// hold holds the mappings of one directory against its schema.
func (h holder) hold(ctx context.Context, name string) ([]config.Fault, error) {
	schema, err := h.sinks[name].Schema(ctx)
	if err != nil {
		return nil, err
	}
	var faults []config.Fault
	for i, t := range h.cfg.Tenants {
		if t.Directory != name {
			continue
		}
		h.warnOfIdleLocks(ctx, t)
		faults = append(faults, holdTenant(ctx, h.cfg, i, h.tenants[i], h.sinks[name], schema)...)
	}
	return faults, nil
}

// holdTenant holds the mappings of one tenant against its directory.
func holdTenant(ctx context.Context, cfg *config.Config, index int, tenant gateway.Tenant, sink *ldapsink.Sink, schema *ldapsink.Schema) []config.Fault {
	var faults []config.Fault
	for j, part := range parts(index, cfg.Tenants[index]) {
		typ := tenant.Types[j]
		for _, f := range check.Hold(ctx, sink, schema, typ.Mapping, typ.Store) {
			faults = append(faults, cfg.Source().Locate(part.key, f))
		}
	}
	return faults
}

// warnOfIdleLocks tells of deactivation steps after which people could still
// sign in. It is a warning because a policy may be out of the gateway's sight.
func (h holder) warnOfIdleLocks(ctx context.Context, t config.Tenant) {
	_, attributes := check.IdleLocks(ctx, h.sinks[t.Directory], t)
	for _, attribute := range attributes {
		h.log.Warn("no password policy with pwdLockout TRUE can be seen: deactivated people may still sign in; see docs/conformance.md, Deactivation",
			zap.String("tenant", t.Name), zap.String("attribute", attribute))
	}
}

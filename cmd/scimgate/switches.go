package main

import (
	"context"
	"sync"
	"time"

	"go.uber.org/zap"

	"scimgate/gateway"
	"scimgate/internal/config"
	"scimgate/internal/shutoff"
	"scimgate/internal/state"
)

// switches are those of all tenants that were served since the start: one that
// comes back with a later configuration is not told of as if it had been moved.
type switches struct {
	stateDir string
	log      *zap.Logger

	mu  sync.Mutex
	all map[string]*shutoff.Switch // by tenant
}

func newSwitches(stateDir string, log *zap.Logger) *switches {
	return &switches{stateDir: stateDir, log: log, all: map[string]*shutoff.Switch{}}
}

// of returns the switch of a tenant, and watches it from now on. The log has one
// line for each time that it is found in another position.
func (s *switches) of(tenant string) *shutoff.Switch {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all[tenant] != nil {
		return s.all[tenant]
	}
	log := s.log.With(zap.String("tenant", tenant))
	s.all[tenant] = shutoff.Watch(shutoff.Open(s.stateDir, tenant), func(p shutoff.Position, err error) {
		switch {
		case err != nil && p.Off:
			log.Error("the switch of the tenant cannot be read; it is taken for off until it can be", zap.Error(err))
		case err != nil:
			log.Error("the switch of the tenant cannot be read; it is taken for on, as it was", zap.Error(err))
		case p.Off:
			log.Warn("provisioning is switched off", zap.String("by", p.By), zap.Time("since", p.Since), zap.String("reason", p.Reason))
		default:
			log.Info("provisioning is switched on", zap.String("by", p.By), zap.Time("since", p.Since))
		}
	})
	return s.all[tenant]
}

// watch looks at the switches of the tenants until ctx ends, so that the log has a
// change also where no request comes.
func (s *switches) watch(ctx context.Context, tenants []gateway.Tenant) {
	again := time.NewTicker(2 * state.Fresh)
	defer again.Stop()
	for {
		for _, t := range tenants {
			t.Switch.Off()
		}
		select {
		case <-ctx.Done():
			return
		case <-again.C:
		}
	}
}

// limits are those of a tenant as the gateway takes them.
func limits(l config.TenantLimits) gateway.Limits {
	return gateway.Limits{
		BodyBytes: int64(l.BodyBytes), PageSize: l.PageSize, BulkOperations: l.BulkOperations,
		FilterEntries: l.FilterEntries, RequestTimeout: l.RequestTimeout,
	}
}

package main

import (
	"context"
	"time"

	"go.uber.org/zap"

	"scimgate/gateway"
	"scimgate/internal/config"
	"scimgate/internal/shutoff"
	"scimgate/internal/state"
)

// switches are those of all tenants, by name.
type switches map[string]*shutoff.Switch

// newSwitches watches the switches of a configuration's tenants. The log has one
// line for each time that one is found in another position.
func newSwitches(cfg *config.Config, log *zap.Logger) switches {
	all := switches{}
	for _, t := range cfg.Tenants {
		log := log.With(zap.String("tenant", t.Name))
		all[t.Name] = shutoff.Watch(shutoff.Open(cfg.StateDir, t.Name), func(p shutoff.Position, err error) {
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
	}
	return all
}

// install gives the tenants their switches.
func (all switches) install(tenants []gateway.Tenant) {
	for i := range tenants {
		tenants[i].Switch = all[tenants[i].Name]
	}
}

// watch looks at the switches until ctx ends, so that the log has a change also
// where no request comes.
func (all switches) watch(ctx context.Context) {
	again := time.NewTicker(2 * state.Fresh)
	defer again.Stop()
	for {
		all.off()
		select {
		case <-ctx.Done():
			return
		case <-again.C:
		}
	}
}

// off says of each tenant whether it is switched off, for metrics.
func (all switches) off() map[string]bool {
	off := make(map[string]bool, len(all))
	for name, s := range all {
		off[name] = s.Off()
	}
	return off
}

// limits are those of a tenant as the gateway takes them.
func limits(l config.TenantLimits) gateway.Limits {
	return gateway.Limits{
		BodyBytes: int64(l.BodyBytes), PageSize: l.PageSize, BulkOperations: l.BulkOperations,
		FilterEntries: l.FilterEntries, RequestTimeout: l.RequestTimeout,
	}
}

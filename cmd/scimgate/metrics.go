package main

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"scimgate/gateway"
	"scimgate/internal/metrics"
	"scimgate/internal/provlog"
)

// scrapePing is how long a scrape waits for the directories.
const scrapePing = 3 * time.Second

// newMetrics shows how a process does, with the service that is in force at a
// scrape.
func newMetrics(p *process) *metrics.Metrics {
	return metrics.New(buildVersion(), metrics.Sources{
		Brakes:      func() []metrics.Brake { return brakesNow(p.current().tenants) },
		Switches:    func() map[string]bool { return switchesNow(p.current().tenants) },
		Tokens:      func(now time.Time) []metrics.Tokens { return tokensNow(p.current().tenants, p.tokens.live(now)) },
		Directories: p.directoriesNow,
		Reload: func() metrics.Reload {
			last := p.reloads.last()
			return metrics.Reload{At: last.At, Good: last.Good}
		},
	})
}

// observed counts requests.
type observed struct{ by *metrics.Metrics }

func (o observed) Record(r provlog.Record) {
	o.by.Request(r.Tenant, r.Operation, r.Status, time.Duration(r.TookMS*float64(time.Millisecond)))
}

// switchesNow says which tenants are switched off.
func switchesNow(tenants []gateway.Tenant) map[string]bool {
	off := make(map[string]bool, len(tenants))
	for _, t := range tenants {
		off[t.Name] = t.Switch.Off()
	}
	return off
}

func brakesNow(tenants []gateway.Tenant) []metrics.Brake {
	var all []metrics.Brake
	for _, t := range tenants {
		if t.Brake != nil {
			s := t.Brake.State()
			all = append(all, metrics.Brake{Tenant: t.Name, On: !s.Tripped.IsZero(), Used: s.Used, Limit: t.Brake.Limit().Changes, Allowed: s.Allowed})
		}
	}
	return all
}

// tokensNow are the live tokens of each tenant. Tokens that name people are as many
// as there are people, and are left out.
func tokensNow(tenants []gateway.Tenant, live []liveToken) []metrics.Tokens {
	all := make([]metrics.Tokens, len(tenants))
	for i, t := range tenants {
		all[i] = metrics.Tokens{Tenant: t.Name, Expires: map[string]time.Time{}}
		for _, one := range live {
			if one.tenant == t.Name && one.Subject == "" {
				all[i].Expires[one.ID] = one.Expires
			}
		}
	}
	return all
}

// directoriesNow asks all directories at the same time.
func (p *process) directoriesNow() []metrics.Directory {
	s := p.enter()
	defer p.leave(s)
	sinks := s.sinks
	ctx, cancel := context.WithTimeout(context.Background(), scrapePing)
	defer cancel()
	names := slices.Sorted(maps.Keys(sinks))
	found := make([]metrics.Directory, len(names))
	var asking sync.WaitGroup
	for i, name := range names {
		asking.Go(func() {
			d := metrics.Directory{Name: name, Answers: sinks[name].Ping(ctx) == nil}
			server, writable := sinks[name].Server()
			if d.Answers {
				d.Server, d.Open = server, writable
			}
			found[i] = d
		})
	}
	asking.Wait()
	return found
}

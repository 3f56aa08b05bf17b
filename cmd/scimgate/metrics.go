package main

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"scimgate/gateway"
	"scimgate/internal/config"
	"scimgate/internal/metrics"
	"scimgate/internal/token"
	"scimgate/ldapsink"
)

// scrapePing is how long a scrape waits for the directories.
const scrapePing = 3 * time.Second

// newMetrics shows how a configuration at work does.
func newMetrics(cfg *config.Config, sinks map[string]*ldapsink.Sink, tenants []gateway.Tenant) *metrics.Metrics {
	return metrics.New(buildVersion(), metrics.Sources{
		Brakes:      func() []metrics.Brake { return brakesNow(tenants) },
		Tokens:      func(now time.Time) []metrics.Tokens { return tokensNow(cfg, now) },
		Directories: func() []metrics.Directory { return directoriesNow(sinks) },
	})
}

// withMetrics adds metrics to what the administrator's listener answers.
func withMetrics(admin http.Handler, m *metrics.Metrics) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", admin)
	mux.Handle("GET /metrics", m)
	return mux
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

// tokensNow are the live tokens of each tenant whose file can be read. Tokens that
// name people are as many as there are people, and are left out.
func tokensNow(cfg *config.Config, now time.Time) []metrics.Tokens {
	var all []metrics.Tokens
	for _, t := range cfg.Tenants {
		list, err := token.Open(cfg.StateDir, t.Name).List()
		if err != nil {
			continue // requests log it
		}
		live := metrics.Tokens{Tenant: t.Name, Expires: map[string]time.Time{}}
		for _, one := range list {
			if one.Subject == "" && one.Live(now) {
				live.Expires[one.ID] = one.Expires
			}
		}
		all = append(all, live)
	}
	return all
}

// directoriesNow asks all directories at the same time.
func directoriesNow(sinks map[string]*ldapsink.Sink) []metrics.Directory {
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

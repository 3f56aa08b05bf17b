package ldapsink

import (
	"cmp"
	"context"
	"fmt"
	"hash/fnv"
	"math"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
)

// srvScheme is what a URL's scheme ends with whose host is a domain: its servers
// are looked up in the DNS (RFC 2782).
const srvScheme = "+srv"

// lookUpEvery is how often names are looked up while nothing asks for it.
const lookUpEvery = time.Minute

// discovery knows the servers that the configured URLs stand for. Most are
// servers themselves; ldaps+srv://example.org is looked up.
type discovery struct {
	urls     []string
	prefix   string
	resolver *net.Resolver // nil is the system's
	timeout  time.Duration
	every    time.Duration

	mu    sync.Mutex
	found map[string][]string // by URL: what the last look-up that did not fail has found
	asked time.Time

	stale atomic.Bool
}

func newDiscovery(c connector) *discovery {
	prefix := c.flavor.srv
	if prefix == "" {
		prefix = "_ldap._tcp."
	}
	return &discovery{urls: c.cfg.URLs, prefix: prefix, resolver: c.resolver, timeout: c.cfg.Timeout, every: lookUpEvery, found: map[string][]string{}}
}

// looks reports whether there is anything to be looked up.
func (d *discovery) looks() bool { return slices.ContainsFunc(d.urls, isDomain) }

func isDomain(text string) bool {
	scheme, _, _ := strings.Cut(text, "://")
	return strings.HasSuffix(strings.ToLower(scheme), srvScheme)
}

// static returns the URLs that are servers.
func (d *discovery) static() []string {
	return slices.DeleteFunc(slices.Clone(d.urls), isDomain)
}

// lost says that a server was lost: the next request for the list looks again.
func (d *discovery) lost() { d.stale.Store(true) }

// due reports whether the last look-up is long ago.
func (d *discovery) due() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.looks() && time.Since(d.asked) > d.every
}

// list returns all servers in order of preference. What cannot be looked up is
// what it was.
func (d *discovery) list(ctx context.Context, again bool, log *zap.Logger) ([]string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	const often = time.Second
	if len(d.found) == 0 || again || d.stale.Load() && time.Since(d.asked) > often {
		d.asked = time.Now()
		d.stale.Store(false)
		if err := d.lookUp(ctx, log); err != nil && len(d.found) == 0 && len(d.static()) == 0 {
			return nil, err
		}
	}
	var list []string
	for _, text := range d.urls {
		servers := []string{text}
		if isDomain(text) {
			servers = d.found[text]
		}
		for _, s := range servers {
			if !slices.Contains(list, s) {
				list = append(list, s)
			}
		}
	}
	return list, nil
}

// lookUp asks for the servers of every domain.
func (d *discovery) lookUp(ctx context.Context, log *zap.Logger) error {
	patience := d.timeout
	if len(d.found) > 0 { // others may wait for a server that is known already
		patience = min(patience, time.Second)
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var failed error
	for _, text := range d.urls {
		if !isDomain(text) {
			continue
		}
		u, err := url.Parse(text)
		if err != nil {
			return err
		}
		name := serviceName(u.Hostname(), d.prefix)
		resolver := net.DefaultResolver
		if d.resolver != nil {
			resolver = d.resolver
		}
		_, records, err := resolver.LookupSRV(ctx, "", "", name)
		records = slices.DeleteFunc(records, func(r *net.SRV) bool { return r.Target == "." }) // RFC 2782: not offered
		if err == nil && len(records) == 0 {
			err = fmt.Errorf("the DNS has no server under %s", name)
		}
		if err != nil {
			failed = err
			log.Warn("servers of the directory cannot be looked up; those found last are used", zap.String("url", text), zap.Error(err))
			continue
		}
		servers := serversOf(u, records)
		if !slices.Equal(servers, d.found[text]) {
			log.Info("servers of the directory were looked up", zap.String("url", text), zap.Strings("servers", servers))
		}
		d.found[text] = servers
	}
	return failed
}

// serviceName is the name that is looked up. One that begins with an underscore
// is complete.
func serviceName(host, prefix string) string {
	if strings.HasPrefix(host, "_") {
		return host
	}
	return prefix + host
}

// serversOf returns the URLs of the servers that records name, best first: by
// priority, and among equals so that a server comes first as often as its weight
// says. Chance has no part in it: the order hangs on the name of the server and the
// domain, so that it is the same after every look-up and at every gateway, because
// all writes of a directory go to one server.
func serversOf(u *url.URL, records []*net.SRV) []string {
	scheme := strings.TrimSuffix(strings.ToLower(u.Scheme), srvScheme)
	rank := func(r *net.SRV) float64 {
		h := fnv.New64a()
		_, _ = h.Write([]byte(strings.ToLower(r.Target + " " + u.Hostname()))) // it never fails
		draw := (float64(mix(h.Sum64())>>11) + 1) / (1 << 53)                  // in (0, 1]
		return -math.Log(draw) / max(float64(r.Weight), 0.01)
	}
	records = slices.Clone(records)
	slices.SortStableFunc(records, func(a, b *net.SRV) int {
		return cmp.Or(cmp.Compare(a.Priority, b.Priority), cmp.Compare(rank(a), rank(b)),
			cmp.Compare(a.Target, b.Target), cmp.Compare(a.Port, b.Port))
	})
	var list []string
	for _, r := range records {
		port := u.Port()
		switch {
		case port != "":
		case scheme == "ldaps":
			port = "636" // the records are those of ldap, whatever port they say
		default:
			port = strconv.Itoa(int(r.Port))
		}
		server := scheme + "://" + net.JoinHostPort(strings.TrimSuffix(strings.ToLower(r.Target), "."), port)
		if !slices.Contains(list, server) {
			list = append(list, server)
		}
	}
	return list
}

// mix spreads a hash over all its bits (the finalizer of MurmurHash3): those of
// names that differ in a digit lie close together.
func mix(h uint64) uint64 {
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}

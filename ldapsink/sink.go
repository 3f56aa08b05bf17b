// Package ldapsink is the gateway's way into an LDAP directory: it implements
// directory.Store, and it alone speaks the protocol. It knows nothing of SCIM.
//
// What it promises its callers, beyond the contract of directory.Store:
//
//   - Every request ends, with its context or after the configured time, also
//     when the server stops reading or answers half a sentence (conn.go).
//   - A result that can pass by itself is tried again, a write only after the
//     directory was asked whether the first attempt was carried out (retry.go).
//     The request id in an entry's marker tells one's own write from others'.
//   - All requests go to one server while it is well, so that a search sees what a
//     write before it did (pool.go), and come back to the first one (comeback.go).
//     What another server does not have yet is not taken for missing (lag.go).
//   - A directory out of reach is known to be so: requests fail at once instead of
//     each waiting for itself, until one goroutine has seen it come back.
//   - Names and filters become text in one place (render.go), which escapes once.
//
// Read sink.go, search.go, add.go and modify.go in this order; one operation a
// file after that.
package ldapsink

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-ldap/ldap/v3"
	"go.uber.org/zap"

	"scimgate/internal/directory"
)

// Sink is one directory. It is safe for concurrent use.
type Sink struct {
	flavor flavor
	pool   *pool
	lanes  *lanes
	locks  *directory.Locks
	recent *recent
	ranges *sync.Map // the last number taken of each range: see allocate.go
	log    *zap.Logger
	ending sync.WaitGroup // writes that may outlive their requests: see complete
	// protected is what the configuration adds to the flavor's; self is who the
	// gateway is in the directory, once that is known.
	protected Protected
	self      *atomic.Pointer[own]

	mu    sync.Mutex
	bases []string // of the stores, or what rely says
	fixed bool     // rely has said it
}

// New returns a Sink. It opens no connection: the directory may be away when
// the gateway starts.
func New(cfg Config, log *zap.Logger) (*Sink, error) {
	return newSink(cfg, log, nil, lookUpEvery, newMemory())
}

// newSink is New with the DNS that is asked, and how often, and with a memory.
func newSink(cfg Config, log *zap.Logger, resolver *net.Resolver, every time.Duration, known memory) (*Sink, error) {
	if faults := cfg.Validate(); len(faults) > 0 {
		return nil, fmt.Errorf("directory: %w", faults[0])
	}
	cfg = cfg.withDefaults()
	roots, err := cfg.roots()
	if err != nil {
		return nil, fmt.Errorf("directory: %w", err)
	}
	f := cfg.ofFlavor()
	secure := &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	s := &Sink{
		flavor: f,
		pool:   newPool(connector{cfg: cfg, flavor: f, tls: secure, resolver: resolver}, log),
		lanes:  newLanes(),
		locks:  known.locks,
		recent: &recent{lag: cfg.Lag, writes: known.writes},
		ranges: known.ranges,
		log:    log,

		protected: cfg.Protected, self: &atomic.Pointer[own]{},
	}
	s.pool.prove, s.pool.behind = s.holds, s.hasRecent
	s.pool.names.every = every
	s.recent.off = !s.pool.several() && known.writes.none()
	s.pool.begin()
	return s, nil
}

// Close ends all connections. Requests that are under way fail.
func (s *Sink) Close() {
	s.lanes.close()
	s.pool.close()
}

// Store returns the store of one collection in this directory.
func (s *Sink) Store(c directory.Collection) directory.Store {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.fixed && !slices.Contains(s.bases, c.Base) {
		s.bases = append(s.bases, c.Base)
	}
	if c.MemberBy.Attribute != "" {
		return byValue{&store{s, c}}
	}
	if c.Member != "" && s.flavor.primary != nil {
		return withPrimary{&store{s, c}}
	}
	return &store{s, c}
}

// Server returns the URL of the server in use, "" while there is none, and
// whether it takes writes.
func (s *Sink) Server() (server string, writable bool) { return s.pool.serving() }

// holds makes sure that a server has all bases.
func (s *Sink) holds(ctx context.Context, l *link) error {
	s.mu.Lock()
	bases := slices.Clone(s.bases)
	s.mu.Unlock()
	for _, base := range bases {
		entry, err := s.baseOn(ctx, l, base, []string{"1.1"})
		if err != nil {
			return err
		}
		if entry == nil {
			return fmt.Errorf("it does not have the base %q", base)
		}
	}
	return nil
}

// Ping reports whether the directory answers.
func (s *Sink) Ping(ctx context.Context) error {
	_, err := s.base(ctx, "", []string{"1.1"})
	return wrap("ping", err)
}

// base reads one entry by its name; a missing one is nil without an error.
func (s *Sink) base(ctx context.Context, dn string, attributes []string) (*ldap.Entry, error) {
	var entry *ldap.Entry
	err := s.read(ctx, func(ctx context.Context, l *link) error {
		var err error
		entry, err = s.baseOn(ctx, l, dn, attributes)
		return err
	})
	return entry, err
}

// Spelled returns an entry's name as the directory writes it, "" where there is
// none: attributes have other names and numbers, and who compares names as text
// must not take one entry for two.
func (s *Sink) Spelled(ctx context.Context, dn string) (string, error) {
	entry, err := s.base(ctx, dn, []string{"1.1"})
	if err != nil || entry == nil {
		return "", wrap("search", err)
	}
	return entry.DN, nil
}

// baseOn is base on one link, without another attempt.
func (s *Sink) baseOn(ctx context.Context, l *link, dn string, attributes []string) (*ldap.Entry, error) {
	return s.matchOn(ctx, l, dn, matchAll, attributes)
}

// matchOn is baseOn for an entry that a filter matches.
func (s *Sink) matchOn(ctx context.Context, l *link, dn, filter string, attributes []string) (*ldap.Entry, error) {
	request := ldap.NewSearchRequest(dn, ldap.ScopeBaseObject, ldap.NeverDerefAliases, 0, 0, false, filter, attributes, nil)
	found, err := ask(ctx, s.pool, l, true, func(conn *ldap.Conn) (*ldap.SearchResult, error) {
		return conn.Search(request)
	})
	switch {
	case ldap.IsErrorWithCode(err, ldap.LDAPResultNoSuchObject):
		return nil, nil
	case err != nil:
		return nil, err
	case len(found.Entries) == 0:
		return nil, nil
	case inParts(found.Entries[0]):
		full, err := s.whole(ctx, l, found.Entries[0])
		return l.tagged(full, s.flavor), err
	}
	return l.tagged(found.Entries[0], s.flavor), nil
}

// store is a Sink seen from one collection.
type store struct {
	*Sink
	c directory.Collection
}

var _, _ directory.Store = (*store)(nil), byValue{}
var _ directory.Store = withPrimary{}

// complete runs a write of several steps to its end though its caller may
// leave: somebody who hangs up in the middle must not leave half of it behind.
// The caller is free at once; what is left may take the configured time of one
// answer longer.
func complete[T any](ctx context.Context, s *Sink, write func(context.Context) (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	work, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		time.AfterFunc(s.pool.cfg.Timeout, func() { cancel(context.Cause(ctx)) })
	})
	s.ending.Go(func() {
		value, err := guard(func() (T, error) { return write(work) })
		stop()
		cancel(nil)
		done <- result{value, err}
	})
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		var none T
		return none, fail(directory.Unavailable, context.Cause(ctx))
	}
}

package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"scimgate/gateway"
	"scimgate/internal/config"
	"scimgate/internal/directory"
	"scimgate/internal/state"
	"scimgate/internal/token"
	"scimgate/ldapsink"
	"scimgate/mapping"
)

// addresses are where the gateway really listens, which matters for port 0.
type addresses struct{ SCIM, Admin string }

// run wires the gateway and serves until ctx ends. Then it takes no more
// requests and finishes those that it began. It calls ready once it listens.
func run(ctx context.Context, cfg *config.Config, log *zap.Logger, ready func(addresses)) error {
	sinks := map[string]*ldapsink.Sink{}
	for name, d := range cfg.Directories {
		sink, err := ldapsink.New(d.Sink(), log.With(zap.String("directory", name)))
		if err != nil {
			return usageError{err}
		}
		defer sink.Close()
		sinks[name] = sink
	}
	var tenants []gateway.Tenant
	for i, t := range cfg.Tenants {
		tenant, err := newTenant(cfg, i, sinks[t.Directory])
		if err != nil {
			return err
		}
		brakeOf(&tenant, cfg, t, log)
		tenants = append(tenants, tenant)
	}
	h := holder{cfg, sinks, tenants, log}
	unknown, err := h.atStart(ctx)
	if err != nil {
		return err
	}
	var learning sync.WaitGroup
	defer learning.Wait() // before the directories are closed
	whileServing, served := context.WithCancel(ctx)
	defer served()
	for _, name := range unknown {
		learning.Go(func() { h.later(whileServing, name) })
	}
	shown := newMetrics(cfg, sinks, tenants)
	g, err := gateway.New(gateway.Config{
		Observer:       shown,
		ExternalURL:    cfg.Server.ExternalURL,
		BodyBytes:      int64(cfg.Server.Limits.BodyBytes),
		PageSize:       cfg.Server.Limits.PageSize,
		BulkOperations: cfg.Server.Limits.BulkOperations,
		RequestTimeout: cfg.Server.Limits.RequestTimeout,
		FilterEntries:  cfg.Server.Limits.FilterEntries,
		CursorKey:      cursorKey(cfg.StateDir, log),
	}, tenants, log)
	if err != nil {
		return err
	}
	return serve(ctx, cfg, g, withMetrics(adminHandler(sinks), shown), log, ready)
}

// cursorKey returns the key that replicas share. A gateway that cannot have it
// serves all the same, with a key of its own.
func cursorKey(stateDir string, log *zap.Logger) [32]byte {
	key, err := state.CursorKey(stateDir)
	if err != nil {
		log.Warn("the key of cursors cannot be shared; cursors of lists are good at this gateway until it ends", zap.Error(err))
		return [32]byte{}
	}
	return key
}

// newTenant compiles the mappings of a tenant and binds them to its directory.
func newTenant(cfg *config.Config, index int, sink *ldapsink.Sink) (gateway.Tenant, error) {
	t := cfg.Tenants[index]
	tenant := gateway.Tenant{
		Name:      t.Name,
		BasePaths: t.BasePaths(),
		Tokens:    token.NewVerifier(token.Open(cfg.StateDir, t.Name)),
	}
	if t.Me != nil {
		tenant.Me = &gateway.Me{Methods: t.Me.Methods}
	}
	for _, part := range parts(index, t) {
		m, faults := mapping.Compile(*part.config, part.name, t.Name)
		if len(faults) > 0 { // config.Load found none, so this is no user's fault
			return tenant, fmt.Errorf("%s.%w", part.key, faults[0])
		}
		tenant.Types = append(tenant.Types, gateway.Type{Mapping: m})
	}
	for i := range tenant.Types {
		tenant.Types[i].Store = sink.Store(collection(tenant, i))
	}
	return tenant, nil
}

// collection is the part of a directory that a type of a tenant is in, with what
// of it the other types know.
func collection(tenant gateway.Tenant, index int) directory.Collection {
	c := tenant.Types[index].Mapping.Collection()
	c.MemberBy.Bases = tenant.Types[0].Mapping.Collection().Trees()
	for _, t := range tenant.Types {
		c.Referrers = append(c.Referrers, t.Mapping.Referrers()...)
	}
	return c
}

// part is the declaration of one resource type.
type part struct {
	name   string // the resource type
	key    string // where it stands in the file
	config *mapping.Config
}

// parts are the resource types of a tenant, in the order of gateway.Tenant.Types.
func parts(index int, t config.Tenant) []part {
	key := fmt.Sprintf("tenants[%d].", index)
	all := []part{{"User", key + "users", t.Users}}
	if t.Groups != nil {
		all = append(all, part{"Group", key + "groups", t.Groups})
	}
	for i := range t.ResourceTypes {
		rt := &t.ResourceTypes[i]
		all = append(all, part{rt.Name, fmt.Sprintf("%sresourceTypes[%d]", key, i), &rt.Config})
	}
	return all
}

// serve listens until ctx ends.
func serve(ctx context.Context, cfg *config.Config, scim, admin http.Handler, log *zap.Logger, ready func(addresses)) error {
	listener, err := listen(cfg.Server.Listen, cfg.Server.TLS)
	if err != nil {
		return err
	}
	adminListener, err := net.Listen("tcp", cfg.Admin.Listen)
	if err != nil {
		return errors.Join(fmt.Errorf("admin: %w", err), listener.Close())
	}
	errorLog := zap.NewStdLog(log)
	servers := []*http.Server{
		// A client that does not read its answer is given up some time after.
		{Handler: scim, ReadTimeout: cfg.Server.Limits.RequestTimeout, WriteTimeout: 3 * cfg.Server.Limits.RequestTimeout,
			IdleTimeout: 2 * time.Minute, ErrorLog: errorLog},
		{Handler: admin, ReadTimeout: 10 * time.Second, ErrorLog: errorLog},
	}
	work, ended := errgroup.WithContext(ctx)
	for i, l := range []net.Listener{listener, adminListener} {
		work.Go(func() error {
			if err := servers[i].Serve(l); !errors.Is(err, http.ErrServerClosed) {
				return err
			}
			return nil
		})
	}
	work.Go(func() error {
		<-ended.Done()
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), cfg.Server.Limits.RequestTimeout+time.Second)
		defer cancel()
		return errors.Join(servers[0].Shutdown(grace), servers[1].Shutdown(grace))
	})
	ready(addresses{SCIM: listener.Addr().String(), Admin: adminListener.Addr().String()})
	return work.Wait()
}

// listen opens the listener of the identity providers.
func listen(address string, files config.ServerTLS) (net.Listener, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil || files.CertFile == "" {
		return listener, err
	}
	certificate, err := tls.LoadX509KeyPair(files.CertFile, files.KeyFile)
	if err != nil {
		return nil, errors.Join(usageError{fmt.Errorf("server.tls: %w", err)}, listener.Close())
	}
	return tls.NewListener(listener, &tls.Config{
		Certificates: []tls.Certificate{certificate},
		MinVersion:   tls.VersionTLS12,
		NextProtos:   []string{"http/1.1"},
	}), nil
}

// adminHandler answers health checks: healthz says that the process runs,
// readyz that every directory answers, and which server of it is in use.
func adminHandler(sinks map[string]*ldapsink.Sink) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		answer := "ok\n"
		for _, name := range slices.Sorted(maps.Keys(sinks)) {
			if err := sinks[name].Ping(r.Context()); err != nil {
				http.Error(w, "directory "+name+" does not answer", http.StatusServiceUnavailable)
				return
			}
			server, writable := sinks[name].Server()
			answer += "directory " + name + ": " + server
			if !writable {
				answer += ", read only"
			}
			answer += "\n"
		}
		fmt.Fprint(w, answer)
	})
	return mux
}

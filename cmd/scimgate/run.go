package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"scimgate/gateway"
	"scimgate/internal/config"
	"scimgate/internal/directory"
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
		tenants = append(tenants, tenant)
	}
	if err := hold(ctx, cfg, sinks, tenants, log); err != nil {
		return err
	}
	g := gateway.New(gateway.Config{
		ExternalURL:    cfg.Server.ExternalURL,
		BodyBytes:      int64(cfg.Server.Limits.BodyBytes),
		PageSize:       cfg.Server.Limits.PageSize,
		BulkOperations: cfg.Server.Limits.BulkOperations,
		RequestTimeout: cfg.Server.Limits.RequestTimeout,
		FilterEntries:  cfg.Server.Limits.FilterEntries,
		CursorKey:      cursorKey(cfg.StateDir, log),
	}, tenants, log)
	return serve(ctx, cfg, g, adminHandler(sinks), log, ready)
}

// cursorKey returns the key that replicas share. A gateway that cannot have it
// serves all the same, with a key of its own.
func cursorKey(stateDir string, log *zap.Logger) [32]byte {
	key, err := token.CursorKey(stateDir)
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
		Tokens:    verifier{token.NewVerifier(token.Open(cfg.StateDir, t.Name))},
	}
	if t.Me != nil {
		tenant.Me = &gateway.Me{Methods: t.Me.Methods}
	}
	var referrers []directory.Referrer
	for _, part := range parts(index, t) {
		m, faults := mapping.Compile(*part.config, part.name, t.Name)
		if len(faults) > 0 { // config.Load found none, so this is no user's fault
			return tenant, fmt.Errorf("%s.%w", part.key, faults[0])
		}
		tenant.Types = append(tenant.Types, gateway.Type{Mapping: m})
		referrers = append(referrers, m.Referrers()...)
	}
	for i := range tenant.Types {
		c := tenant.Types[i].Mapping.Collection()
		c.Referrers = referrers
		tenant.Types[i].Store = sink.Store(c)
	}
	return tenant, nil
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

// hold holds every mapping against the schema of its directory. A directory
// that does not answer now is no reason not to start.
func hold(ctx context.Context, cfg *config.Config, sinks map[string]*ldapsink.Sink, tenants []gateway.Tenant, log *zap.Logger) error {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	schemas := map[string]directory.Schema{}
	for name, sink := range sinks {
		schema, err := sink.Schema(ctx)
		if err != nil {
			log.Warn("the mappings cannot be held against the directory's schema now", zap.String("directory", name), zap.Error(err))
			continue
		}
		schemas[name] = schema
	}
	warnOfIdleLocks(ctx, cfg, sinks, log)
	var report config.Report
	for i, t := range cfg.Tenants {
		schema, ok := schemas[t.Directory]
		if !ok {
			continue
		}
		for j, part := range parts(i, t) {
			typ := tenants[i].Types[j]
			for _, f := range append(typ.Mapping.Hold(schema), base(ctx, sinks[t.Directory], typ)...) {
				report.Faults = append(report.Faults, cfg.Source().Locate(part.key, f))
			}
		}
	}
	if len(report.Faults) > 0 {
		return usageError{&report}
	}
	return nil
}

// warnOfIdleLocks tells of deactivation steps after which people could still
// sign in. It is a warning because a policy may be out of the gateway's sight.
func warnOfIdleLocks(ctx context.Context, cfg *config.Config, sinks map[string]*ldapsink.Sink, log *zap.Logger) {
	for _, t := range cfg.Tenants {
		for _, step := range t.Users.Deactivate {
			if idle, err := sinks[t.Directory].Idle(ctx, step.Set.LDAP, t.Users.Base); err == nil && idle {
				log.Warn("no password policy with pwdLockout TRUE can be seen: deactivated people may still sign in; see docs/conformance.md, Deactivation",
					zap.String("tenant", t.Name), zap.String("attribute", step.Set.LDAP))
			}
		}
	}
}

// base looks whether entries of a type have a place to be, and whether the file
// names it as the directory does: bases are told apart by their text.
func base(ctx context.Context, sink *ldapsink.Sink, typ gateway.Type) []directory.Fault {
	_, err := typ.Store.Search(ctx, directory.Query{Filter: directory.Filter{Op: directory.None}, Attributes: []string{}})
	if err != nil {
		if directory.Is(err, directory.Unavailable) {
			return nil
		}
		return []directory.Fault{{Key: "base", Problem: fmt.Sprintf("cannot be searched in the directory: %v", err)}}
	}
	given := typ.Mapping.Collection().Base
	if name, err := sink.Spelled(ctx, given); err == nil && name != "" && directory.FoldDN(name) != directory.FoldDN(given) {
		return []directory.Fault{{Key: "base", Problem: fmt.Sprintf("the directory returns %q as %q; use that name", given, name)}}
	}
	return nil
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
// readyz that every directory answers.
func adminHandler(sinks map[string]*ldapsink.Sink) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		for name, sink := range sinks {
			if err := sink.Ping(r.Context()); err != nil {
				http.Error(w, "directory "+name+" does not answer", http.StatusServiceUnavailable)
				return
			}
		}
		fmt.Fprintln(w, "ok")
	})
	return mux
}

// verifier hands the identities of tokens to the gateway, which knows no files.
type verifier struct{ *token.Verifier }

func (v verifier) Verify(text string, now time.Time) (gateway.Identity, bool, error) {
	id, ok, err := v.Verifier.Verify(text, now)
	return gateway.Identity(id), ok, err
}

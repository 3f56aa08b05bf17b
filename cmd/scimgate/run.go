package main

import (
	"context"
	"fmt"
	"os"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"scimgate/gateway"
	"scimgate/internal/config"
	"scimgate/internal/directory"
	"scimgate/ldapsink"
	"scimgate/mapping"
)

// addresses are where the gateway really listens, which matters for port 0.
type addresses struct{ SCIM, Admin string }

// run wires the gateway and serves until ctx ends. Then it takes no more
// requests and finishes those that it began. It calls ready once it listens.
func run(ctx context.Context, cfg *config.Config, log *zap.Logger, ready func(addresses)) error {
	p, err := begin(ctx, cfg, log)
	if err != nil {
		return err
	}
	defer p.end()
	return p.serve(ctx, ready)
}

// runFile is run with the configuration of a file, and again with what the file
// becomes: when it changes, or one that it names, and when somebody hangs up.
func runFile(ctx context.Context, file *source, cfg *config.Config, hangUp <-chan os.Signal, log *zap.Logger, ready func(addresses)) error {
	p, err := begin(ctx, cfg, log)
	if err != nil {
		return err
	}
	defer p.end()
	return p.serveFile(ctx, file, hangUp, ready)
}

// serveFile is serve with what a file becomes meanwhile.
func (p *process) serveFile(ctx context.Context, file *source, hangUp <-chan os.Signal, ready func(addresses)) error {
	follows := newFollower(p, file)
	defer follows.end()
	work, ctx := errgroup.WithContext(ctx)
	work.Go(func() error { return p.serve(ctx, ready) })
	work.Go(func() error {
		follows.run(ctx, hangUp)
		return nil
	})
	return work.Wait()
}

// newTenant compiles the mappings of a tenant and binds them to its directory. Whom
// it lets in is left open.
func newTenant(cfg *config.Config, index int, sink *ldapsink.Sink) (gateway.Tenant, error) {
	t := cfg.Tenants[index]
	tenant := gateway.Tenant{
		Name:      t.Name,
		BasePaths: t.BasePaths(),
		Limits:    limits(t.Limits),
		Keep:      keepOf(cfg, t),
	}
	tenant.Policy = policyOf(t.Protocol)
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

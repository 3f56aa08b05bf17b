package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"scimgate/gateway"
	"scimgate/internal/config"
	"scimgate/ldapsink"
)

// opened is one tenant of a configuration, held against its directory.
type opened struct {
	cfg    *config.Config
	index  int
	sink   *ldapsink.Sink // to be closed
	tenant gateway.Tenant
}

// openTenant reads a configuration and opens the directory of one of its tenants,
// for commands that look and write nothing.
func openTenant(ctx context.Context, cmd *cobra.Command, file, name string) (*opened, error) {
	cfg, err := load(file, cmd.ErrOrStderr())
	if err != nil {
		return nil, err
	}
	t, err := tenantNamed(cfg, name)
	if err != nil {
		return nil, err
	}
	o := &opened{cfg: cfg, index: slices.IndexFunc(cfg.Tenants, func(other config.Tenant) bool { return other.Name == t.Name })}
	if o.sink, err = ldapsink.New(cfg.Directories[t.Directory].Sink(), zap.NewNop()); err != nil {
		return nil, usageError{err}
	}
	if err := o.hold(ctx, cmd.CommandPath()); err != nil {
		o.sink.Close()
		return nil, err
	}
	return o, nil
}

// hold compiles the tenant's mappings and holds them against the directory.
func (o *opened) hold(ctx context.Context, command string) error {
	var err error
	if o.tenant, err = newTenant(o.cfg, o.index, o.sink); err != nil {
		return err
	}
	schema, err := o.sink.Schema(ctx)
	if err != nil {
		return fmt.Errorf("%s: the directory %s: %w", command, o.cfg.Tenants[o.index].Directory, err)
	}
	if faults := holdTenant(ctx, o.cfg, o.index, o.tenant, o.sink, schema); len(faults) > 0 {
		return usageError{&config.Report{Faults: faults}}
	}
	return nil
}

package main

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"scimgate/internal/check"
	"scimgate/internal/config"
	"scimgate/ldapsink"
)

// checkOptions are the flags of check.
type checkOptions struct {
	config      string
	json, write bool
}

// errFound ends a check that found errors, which its report has shown.
var errFound = errors.New("")

func checkCommand() *cobra.Command {
	var o checkOptions
	cmd := &cobra.Command{
		Use:   "check --config FILE",
		Short: "Report everything that is wrong with a configuration and the directories it names",
		Long: `Report, by line of the file, everything that can be found wrong before traffic
arrives: the file, certificates, tokens and addresses, each server of each
directory, the mappings against its live schema, the marker, indexes, and the
rights of the bind account. Nothing is written unless --write-test is given.

The exit code is 0 where nothing worse than warnings was found, 1 where
directories or this machine have errors, 2 where the file itself is faulty.`,
		Args: usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return checkAll(cmd.Context(), o, cmd.OutOrStdout())
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.config, "config", "scimgate.yaml", "configuration file")
	f.BoolVar(&o.json, "json", false, "print the report as JSON")
	f.BoolVar(&o.write, "write-test", false, "try the account's rights: below each base add, change, rename and remove one entry named scimgate-check-<random>")
	return cmd
}

// checkAll prints the report and returns the error that has its exit code.
func checkAll(ctx context.Context, o checkOptions, stdout io.Writer) error {
	cfg, warnings, err := config.Load(o.config)
	var refused *config.Report
	if errors.As(err, &refused) {
		return errors.Join(o.show(stdout, check.Unloaded(refused, warnings)), usageError{errFound})
	}
	if err != nil {
		return usageError{err}
	}
	options := check.Options{Config: cfg, Warnings: warnings, Sinks: map[string]*ldapsink.Sink{}, Write: o.write, Now: time.Now()}
	for name, d := range cfg.Directories {
		sink, err := ldapsink.New(d.Sink(), zap.NewNop())
		if err != nil {
			return usageError{err}
		}
		defer sink.Close()
		options.Sinks[name] = sink
	}
	for i, t := range cfg.Tenants {
		tenant, err := newTenant(cfg, i, options.Sinks[t.Directory])
		if err != nil {
			return err
		}
		checked := check.Tenant{Config: t}
		for j, part := range parts(i, t) {
			typ := tenant.Types[j]
			checked.Types = append(checked.Types, check.Type{Key: part.key, Config: part.config, Mapping: typ.Mapping, Store: typ.Store})
		}
		options.Tenants = append(options.Tenants, checked)
	}
	report := check.Run(ctx, options)
	if err := o.show(stdout, report); err != nil {
		return err
	}
	if report.Summary.Errors > 0 {
		return errFound
	}
	return nil
}

func (o checkOptions) show(w io.Writer, report check.Report) error {
	if o.json {
		return report.JSON(w)
	}
	return report.Text(w)
}

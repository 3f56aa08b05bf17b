package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"scimgate/internal/brake"
	"scimgate/internal/config"
)

// brake returns that of a tenant as it is declared now, nil where it is not. It goes
// on from what the one before has counted: while the state folder cannot be
// written, that is nowhere else.
func (p *process) brake(before *service, t config.Tenant) *brake.Brake {
	if t.Brake == nil {
		return nil
	}
	known := before.brake(t.Name)
	switch {
	case known == nil:
		return brake.New(p.started.StateDir, t.Name, t.Brake.Limit(), p.log)
	case known.Limit() != t.Brake.Limit():
		return known.Under(t.Brake.Limit())
	}
	return known
}

// brake returns that of a tenant, nil where there is none.
func (s *service) brake(tenant string) *brake.Brake {
	if s == nil {
		return nil
	}
	for _, t := range s.tenants {
		if t.Name == tenant {
			return t.Brake
		}
	}
	return nil
}

// announceBrakes puts into the log how brakes stand that were not there before, or
// under another limit.
func (s *service) announceBrakes(before *service) {
	for _, t := range s.tenants {
		if t.Brake != nil && t.Brake != before.brake(t.Name) {
			t.Brake.Announce()
		}
	}
}

func brakeCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "brake", Short: "Look at the brake on mass changes of a tenant, or release it", Args: usageArgs(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			return usageError{errors.New("scimgate brake: a command is missing; see scimgate brake --help")}
		}}
	cmd.AddCommand(brakeStatusCommand(), brakeReleaseCommand())
	return cmd
}

// brakeStatus is what status shows as JSON.
type brakeStatus struct {
	Tenant       string    `json:"tenant"`
	Set          bool      `json:"set"` // the tenant has a brake
	On           bool      `json:"on"`  // and it stops what would be counted
	Since        time.Time `json:"since,omitzero"`
	Used         int       `json:"used"`
	Changes      int       `json:"changes"`
	Per          string    `json:"per,omitempty"`
	Allowed      int       `json:"allowed,omitempty"`
	AllowedUntil time.Time `json:"allowedUntil,omitzero"`
}

func (s brakeStatus) text(w io.Writer) error {
	if !s.Set {
		_, err := fmt.Fprintf(w, "%s: no brake is set\n", s.Tenant)
		return err
	}
	stands := "off"
	if s.On {
		stands = "ON since " + s.Since.UTC().Format(time.RFC3339) + ", until it is released"
	}
	fmt.Fprintf(w, "%s: %s; %d of %d changes within %s\n", s.Tenant, stands, s.Used, s.Changes, s.Per)
	if s.Allowed > 0 {
		fmt.Fprintf(w, "%s: %d more are let through until %s\n", s.Tenant, s.Allowed, s.AllowedUntil.UTC().Format(time.RFC3339))
	}
	return nil
}

func brakeStatusCommand() *cobra.Command {
	var file string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "status TENANT --config FILE",
		Short: "Show how the brake of a tenant stands; the name may be left out where there is one tenant",
		Args:  usageArgs(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, t, err := tenantOf(cmd, file, args)
			if err != nil {
				return err
			}
			s := brakeStatus{Tenant: t.Name, Set: t.Brake != nil}
			if s.Set {
				now, err := brake.Read(cfg.StateDir, t.Name, t.Brake.Limit(), time.Now())
				if err != nil {
					return fmt.Errorf("scimgate: %w", err)
				}
				s.On, s.Since, s.Used, s.Allowed, s.AllowedUntil = !now.Tripped.IsZero(), now.Tripped, now.Used, now.Allowed, now.Until
				s.Changes, s.Per = t.Brake.Changes, t.Brake.Per.String()
			}
			if !asJSON {
				return s.text(cmd.OutOrStdout())
			}
			e := json.NewEncoder(cmd.OutOrStdout())
			e.SetIndent("", "  ")
			return e.Encode(s)
		},
	}
	cmd.Flags().StringVar(&file, "config", "scimgate.yaml", "configuration file")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print it as JSON")
	return cmd
}

func brakeReleaseCommand() *cobra.Command {
	var file string
	var changes int
	var within time.Duration
	cmd := &cobra.Command{
		Use:   "release TENANT --config FILE",
		Short: "Release the brake of a tenant: the count begins anew",
		Long: `Release the brake of a tenant: what was refused may come again, and the count
begins anew. A mass change that is meant would bring the brake on again at once, so
--changes lets as many through beside the limit, until --for is over. An allowance
of before ends with each release. Running gateways that share the state folder
obey at once.`,
		Args: usageArgs(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			flags := cmd.Flags()
			if flags.Changed("for") && !flags.Changed("changes") || flags.Changed("changes") && changes <= 0 || within <= 0 {
				return usageError{errors.New("scimgate: --changes and --for have to be above zero, and --for needs --changes: how many are let through")}
			}
			cfg, t, err := tenantOf(cmd, file, args)
			if err != nil {
				return err
			}
			if t.Brake == nil {
				return usageError{fmt.Errorf("scimgate: the tenant %s has no brake in the configuration", t.Name)}
			}
			until := time.Now().Add(within)
			if err := brake.Release(cfg.StateDir, t.Name, time.Now(), changes, until); err != nil {
				return fmt.Errorf("scimgate: %w", err)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "the brake of %s is released; the count begins anew\n", t.Name)
			if changes > 0 {
				fmt.Fprintf(cmd.OutOrStdout(), "%d changes beside it are let through until %s\n", changes, until.UTC().Format(time.RFC3339))
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&file, "config", "scimgate.yaml", "configuration file")
	f.IntVar(&changes, "changes", 0, "how many changes are let through beside the limit")
	f.DurationVar(&within, "for", time.Hour, "how long these are let through")
	return cmd
}

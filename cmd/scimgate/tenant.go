package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"scimgate/internal/config"
	"scimgate/internal/shutoff"
)

func tenantCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "tenant", Short: "Switch the provisioning of a tenant off and on", Args: usageArgs(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			return usageError{errors.New("scimgate tenant: a command is missing; see scimgate tenant --help")}
		}}
	cmd.AddCommand(tenantDisableCommand(), tenantEnableCommand(), tenantStatusCommand())
	return cmd
}

// longestReason is how many bytes of a reason are kept.
const longestReason = 200

func tenantDisableCommand() *cobra.Command {
	var file, reason string
	cmd := &cobra.Command{
		Use:   "disable [NAME] --config FILE",
		Short: "Switch a tenant off: its reads and writes over SCIM get 403",
		Long: `Switch the provisioning of a tenant off. Every running gateway that shares the
state folder answers its requests with 403 within a second; those that it began
before go on to their end, which server.limits.requestTimeout bounds. Nothing of
what is refused is kept: the identity provider sends again what it wants done.
Tokens, the directory and the discovery endpoints stay as they are.

NAME may be left out where there is one tenant.`,
		Args: usageArgs(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if reason = strings.TrimSpace(reason); strings.ContainsFunc(reason, unicode.IsControl) || len(reason) > longestReason {
				return usageError{fmt.Errorf("scimgate tenant disable: --reason takes one line of up to %d bytes", longestReason)}
			}
			cfg, t, err := tenantOf(cmd, file, args)
			if err != nil {
				return err
			}
			to := shutoff.Position{Off: true, Since: time.Now().UTC().Truncate(time.Second), By: whoami(), Reason: reason}
			before, err := turn(cfg, t, to)
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			if before.Off {
				fmt.Fprintf(out, "tenant %s is switched off already, since %s by %s\n", t.Name, before.Since.Format(time.RFC3339), before.By)
				return nil
			}
			fmt.Fprintf(out, "tenant %s is switched off: gateways refuse its requests within a second, and what they began before is done after %s more\n",
				t.Name, patienceOf(cfg, t))
			return nil
		},
	}
	cmd.Flags().StringVar(&file, "config", "scimgate.yaml", "configuration file")
	cmd.Flags().StringVar(&reason, "reason", "", "why, for status and the log")
	return cmd
}

// patienceOf is the longest that a request of a tenant takes: the server's limit, or
// the tenant's own where that is lower.
func patienceOf(cfg *config.Config, t config.Tenant) time.Duration {
	longest := cfg.Server.Limits.RequestTimeout
	return min(longest, cmp.Or(t.Limits.RequestTimeout, longest))
}

func tenantEnableCommand() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "enable [NAME] --config FILE",
		Short: "Switch a tenant on again",
		Args:  usageArgs(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, t, err := tenantOf(cmd, file, args)
			if err != nil {
				return err
			}
			before, err := turn(cfg, t, shutoff.Position{Since: time.Now().UTC().Truncate(time.Second), By: whoami()})
			if err != nil {
				return err
			}
			if !before.Off {
				fmt.Fprintf(cmd.OutOrStdout(), "tenant %s is on already\n", t.Name)
				return nil
			}
			fmt.Fprintf(cmd.OutOrStdout(), "tenant %s is switched on: gateways take its requests again within a second\n", t.Name)
			return nil
		},
	}
	cmd.Flags().StringVar(&file, "config", "scimgate.yaml", "configuration file")
	return cmd
}

// standing is how the switch of a tenant stands, for people and programs.
type standing struct {
	Tenant       string `json:"tenant"`
	Provisioning string `json:"provisioning"` // on or off
	Since        string `json:"since,omitempty"`
	By           string `json:"by,omitempty"`
	Reason       string `json:"reason,omitempty"`
}

func tenantStatusCommand() *cobra.Command {
	var file string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "status [NAME] --config FILE",
		Short: "Say which tenants are switched off, since when and by whom",
		Args:  usageArgs(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := load(file, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			asked := cfg.Tenants
			if len(args) == 1 {
				t, err := tenantNamed(cfg, args[0])
				if err != nil {
					return err
				}
				asked = []config.Tenant{t}
			}
			all := []standing{}
			for _, t := range asked {
				p, err := shutoff.Open(cfg.StateDir, t.Name).Read()
				if err != nil {
					return explained(t.Name, err)
				}
				all = append(all, standingOf(t.Name, p))
			}
			return showStandings(cmd.OutOrStdout(), all, asJSON)
		},
	}
	cmd.Flags().StringVar(&file, "config", "scimgate.yaml", "configuration file")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a list in JSON")
	return cmd
}

func standingOf(tenant string, p shutoff.Position) standing {
	s := standing{Tenant: tenant, Provisioning: "on", By: p.By, Reason: p.Reason}
	if p.Off {
		s.Provisioning = "off"
	}
	if !p.Since.IsZero() {
		s.Since = p.Since.UTC().Format(time.RFC3339)
	}
	return s
}

func showStandings(out io.Writer, all []standing, asJSON bool) error {
	if asJSON {
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(all)
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "TENANT\tPROVISIONING\tSINCE\tBY\tREASON")
	for _, s := range all {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", s.Tenant, s.Provisioning, s.Since, s.By, s.Reason)
	}
	return table.Flush()
}

// tenantOf reads the configuration and finds the tenant that a command is about;
// where there is one, it needs no name.
func tenantOf(cmd *cobra.Command, file string, args []string) (*config.Config, config.Tenant, error) {
	cfg, err := load(file, cmd.ErrOrStderr())
	if err != nil {
		return nil, config.Tenant{}, err
	}
	name := ""
	if len(args) == 1 {
		name = args[0]
	}
	t, err := tenantNamed(cfg, name)
	return cfg, t, err
}

// turn puts the switch of a tenant into a position.
func turn(cfg *config.Config, t config.Tenant, to shutoff.Position) (before shutoff.Position, err error) {
	before, err = shutoff.Open(cfg.StateDir, t.Name).Set(to)
	return before, explained(t.Name, err)
}

// explained says what follows from a switch that cannot be read or changed.
func explained(tenant string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("scimgate: tenant %s: %w; running gateways keep to what they knew. A damaged file may be removed: the tenant is on then", tenant, err)
}

// whoami names who runs the command: behind sudo the one who called it.
func whoami() string {
	if name := os.Getenv("SUDO_USER"); name != "" {
		return name
	}
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return fmt.Sprintf("uid %d", os.Getuid())
}

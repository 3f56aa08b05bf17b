package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"scimgate/internal/config"
	"scimgate/internal/token"
)

func tokenCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "token", Short: "Manage the bearer tokens of a tenant", Args: usageArgs(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			return usageError{errors.New("scimgate token: a command is missing; see scimgate token --help")}
		}}
	cmd.AddCommand(tokenCreateCommand())
	return cmd
}

func tokenCreateCommand() *cobra.Command {
	var file, tenant, label string
	var expires time.Duration
	cmd := &cobra.Command{
		Use:   "create --config FILE --tenant NAME",
		Short: "Make a token and show it, this once; only its hash is kept",
		Args:  usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := load(file, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			t, err := tenantNamed(cfg, tenant)
			if err != nil {
				return err
			}
			if !cmd.Flags().Changed("expires") {
				expires = t.Tokens.Lifetime
			}
			text, made, err := token.Open(cfg.StateDir, t.Name).Create(time.Now(), expires, t.Tokens.Max, label)
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "token %s of tenant %s, good until %s; it is not shown again:\n",
				made.ID, t.Name, made.Expires.UTC().Format(time.RFC3339))
			_, err = fmt.Fprintln(cmd.OutOrStdout(), text)
			return err
		},
	}
	cmd.Flags().StringVar(&file, "config", "scimgate.yaml", "configuration file")
	cmd.Flags().StringVar(&tenant, "tenant", "", "the tenant's name; may be left out where there is one")
	cmd.Flags().StringVar(&label, "label", "", "a word to recognise the token by")
	cmd.Flags().DurationVar(&expires, "expires", 0, "how long it is good (default: the tenant's tokens.lifetime)")
	return cmd
}

// tenantNamed finds a tenant; where there is one, it needs no name.
func tenantNamed(cfg *config.Config, name string) (config.Tenant, error) {
	if name == "" && len(cfg.Tenants) == 1 {
		return cfg.Tenants[0], nil
	}
	for _, t := range cfg.Tenants {
		if t.Name == name {
			return t, nil
		}
	}
	return config.Tenant{}, usageError{fmt.Errorf("scimgate: there is no tenant %q in the configuration", name)}
}

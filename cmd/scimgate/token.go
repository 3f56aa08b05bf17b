package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"scimgate/gateway"
	"scimgate/internal/config"
	"scimgate/internal/token"
	"scimgate/ldapsink"
)

func tokenCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "token", Short: "Manage the bearer tokens of a tenant", Args: usageArgs(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			return usageError{errors.New("scimgate token: a command is missing; see scimgate token --help")}
		}}
	cmd.AddCommand(tokenCreateCommand(), tokenListCommand(), tokenRevokeCommand())
	return cmd
}

// durationFlag is a duration as the configuration has it, with days.
type durationFlag time.Duration

func (d *durationFlag) Set(text string) error {
	read, err := config.ParseDuration(text)
	*d = durationFlag(read)
	return err
}

func (d *durationFlag) String() string {
	if d == nil || *d == 0 {
		return "" // no default of its own
	}
	return time.Duration(*d).String()
}

func (*durationFlag) Type() string { return "duration" }

// tokenOptions are the flags that all of these commands have.
type tokenOptions struct{ config, tenant, file string }

func (o *tokenOptions) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.config, "config", "scimgate.yaml", "configuration file")
	cmd.Flags().StringVar(&o.tenant, "tenant", "", "the tenant's name; may be left out where there is one")
	cmd.Flags().StringVar(&o.file, "file", "", "a token file in place of the tenant's own: one that is handed out as a secret (tokens.file)")
}

// open reads the configuration and finds the tenant and its tokens.
func (o *tokenOptions) open(cmd *cobra.Command) (*config.Config, config.Tenant, *token.File, error) {
	cfg, err := load(o.config, cmd.ErrOrStderr())
	if err != nil {
		return nil, config.Tenant{}, nil, err
	}
	t, err := tenantNamed(cfg, o.tenant)
	if o.file != "" {
		return cfg, t, token.At(o.file, t.Name), err
	}
	return cfg, t, tokenFile(cfg, t), err
}

// openToChange is open for a command that changes the tokens, and refuses those of
// a file that the gateway only reads.
func (o *tokenOptions) openToChange(cmd *cobra.Command) (*config.Config, config.Tenant, *token.File, error) {
	cfg, t, file, err := o.open(cmd)
	if err == nil && o.file == "" && t.Tokens.File != "" {
		err = usageError{fmt.Errorf("scimgate: the tokens of %s are in %s (tokens.file), which is made elsewhere and only read here; "+
			"change the file that it is made from with %s --file FILE, and hand that out in its place; running gateways notice within a second",
			t.Name, t.Tokens.File, cmd.CommandPath())}
	}
	return cfg, t, file, err
}

// person asks the directory for the id of the one whom a token is to name: a name
// can be somebody else's later, an id cannot.
func (o *tokenOptions) person(ctx context.Context, cfg *config.Config, t config.Tenant, subject string) (string, error) {
	sink, err := ldapsink.New(cfg.Directories[t.Directory].Sink(), zap.NewNop())
	if err != nil {
		return "", usageError{err}
	}
	defer sink.Close()
	tenant, err := newTenant(cfg, slices.IndexFunc(cfg.Tenants, func(other config.Tenant) bool { return other.Name == t.Name }), sink)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, cfg.Server.Limits.RequestTimeout)
	defer cancel()
	e, err := gateway.Named(ctx, tenant.Types[0], t.Me.By, subject)
	if err != nil {
		return "", fmt.Errorf("scimgate: %s names nobody whom a token could be for: %w", subject, err)
	}
	return e.ID, nil
}

func tokenCreateCommand() *cobra.Command {
	var o tokenOptions
	var label, subject string
	var expires time.Duration
	var replace bool
	cmd := &cobra.Command{
		Use:   "create --config FILE --tenant NAME",
		Short: "Make a token and show it, this once; only its hash is kept",
		Args:  usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, t, file, err := o.openToChange(cmd)
			if err != nil {
				return err
			}
			if !cmd.Flags().Changed("expires") {
				expires = t.Tokens.Lifetime
			}
			if expires <= 0 {
				return usageError{fmt.Errorf("scimgate: a token that --expires after %s is over before it begins; give for example 90d", expires)}
			}
			if strings.ContainsFunc(label, unicode.IsControl) {
				return usageError{errors.New("scimgate: a --label is one line of text")}
			}
			if !cmd.Flags().Changed("replace") {
				replace = t.Tokens.Replace
			}
			if cmd.Flags().Changed("subject") {
				if subject = strings.TrimSpace(subject); subject == "" || strings.ContainsFunc(subject, unicode.IsControl) || t.Me == nil {
					return usageError{fmt.Errorf("scimgate: a token that names a person needs a --subject of one line, and the key me for the tenant %s in the configuration", t.Name)}
				}
				if label == "" {
					label = subject
				}
				if subject, err = o.person(cmd.Context(), cfg, t, subject); err != nil {
					return err
				}
			}
			text, made, replaced, err := file.Make(time.Now(), token.Order{Subject: subject, Label: label,
				Lifetime: expires, Most: t.Tokens.Max, Replace: replace})
			if err != nil {
				return err
			}
			for _, old := range replaced {
				fmt.Fprintf(cmd.ErrOrStderr(), "token %s is not good any more; running gateways refuse it within a second\n", old.ID)
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "token %s of tenant %s, good until %s; it is not shown again:\n",
				made.ID, t.Name, made.Expires.UTC().Format(time.RFC3339))
			_, err = fmt.Fprintln(cmd.OutOrStdout(), text)
			return err
		},
	}
	o.add(cmd)
	cmd.Flags().StringVar(&label, "label", "", "a word to recognise the token by")
	cmd.Flags().StringVar(&subject, "subject", "", "the person that the token names, for Me and nothing else: the value that they have in the attribute me.by of the tenant")
	cmd.Flags().Var((*durationFlag)(&expires), "expires", "how long it is good, for example 90d or 12h (default: the tenant's tokens.lifetime)")
	cmd.Flags().BoolVar(&replace, "replace", false, "end the tenant's other tokens at once, or with --subject that person's (default: the tenant's tokens.replace)")
	return cmd
}

func tokenRevokeCommand() *cobra.Command {
	var o tokenOptions
	cmd := &cobra.Command{
		Use:   "revoke ID --config FILE --tenant NAME",
		Short: "End a token; running gateways refuse it within a second",
		Args:  usageArgs(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			_, _, file, err := o.openToChange(cmd)
			if err != nil {
				return err
			}
			return file.Revoke(args[0])
		},
	}
	o.add(cmd)
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
	if name == "" {
		return config.Tenant{}, usageError{fmt.Errorf("scimgate: there are %d tenants in the configuration; name one of them", len(cfg.Tenants))}
	}
	return config.Tenant{}, usageError{fmt.Errorf("scimgate: there is no tenant %q in the configuration", name)}
}

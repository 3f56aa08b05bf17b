// Command scimgate is a provisioning gateway: an identity provider pushes users
// and groups to it over SCIM 2.0, and it writes them into an LDAP directory.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

// Exit codes.
const (
	exitFailed = 1
	exitUsage  = 2 // wrong usage or configuration
)

// usageError is an error that the user's command line or file is to blame for.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := root().ExecuteContext(ctx)
	stop()
	if err == nil {
		return
	}
	if err.Error() != "" { // a command may have said everything itself
		fmt.Fprintln(os.Stderr, err)
	}
	if errors.As(err, new(usageError)) {
		os.Exit(exitUsage)
	}
	os.Exit(exitFailed)
}

func root() *cobra.Command {
	cmd := &cobra.Command{
		Use:           "scimgate",
		Short:         "Provision an LDAP directory from any identity provider over SCIM 2.0",
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return usageError{errors.New("scimgate: a command is missing; see scimgate --help")}
		},
	}
	cmd.CompletionOptions.DisableDefaultCmd = true
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%s: %w; see %s --help", cmd.CommandPath(), err, cmd.CommandPath())}
	})
	cmd.AddCommand(serveCommand(), demoCommand(), checkCommand(), previewCommand(), adoptCommand(), tokenCommand(), tenantCommand(), profileCommand(), logCommand(), brakeCommand(), versionCommand())
	return cmd
}

// usageArgs makes a wrong number of arguments a usage error.
func usageArgs(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return usageError{fmt.Errorf("%s: %w; see %s --help", cmd.CommandPath(), err, cmd.CommandPath())}
		}
		return nil
	}
}

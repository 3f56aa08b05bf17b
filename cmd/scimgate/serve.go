package main

import (
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"scimgate/internal/config"
)

func serveCommand() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "serve --config FILE",
		Short: "Run the gateway",
		Args:  usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			// From the beginning: who asks for the configuration to be read must not end
			// the gateway.
			hangUp := make(chan os.Signal, 1)
			signal.Notify(hangUp, syscall.SIGHUP)
			defer signal.Stop(hangUp)
			source := newSource(file)
			cfg, err := shown(cmd.ErrOrStderr())(source.read())
			if err != nil {
				return err
			}
			log := newLog()
			return runFile(cmd.Context(), source, cfg, hangUp, log, func(a addresses) {
				log.Info("ready", zap.String("listen", a.SCIM), zap.String("admin", a.Admin))
			})
		},
	}
	cmd.Flags().StringVar(&file, "config", "scimgate.yaml", "configuration file")
	return cmd
}

// load reads the configuration file and shows its warnings.
func load(file string, stderr io.Writer) (*config.Config, error) {
	return shown(stderr)(config.Load(file))
}

// shown shows the warnings of a configuration that was read.
func shown(stderr io.Writer) func(*config.Config, []config.Warning, error) (*config.Config, error) {
	return func(cfg *config.Config, warnings []config.Warning, err error) (*config.Config, error) {
		for _, w := range warnings {
			fmt.Fprintln(stderr, "warning:", w)
		}
		if err != nil {
			return nil, usageError{err}
		}
		return cfg, nil
	}
}

// newLog writes JSON lines to standard error.
func newLog() *zap.Logger {
	encoder := zap.NewProductionEncoderConfig()
	encoder.TimeKey = "time"
	encoder.EncodeTime = zapcore.RFC3339NanoTimeEncoder
	encoder.EncodeDuration = zapcore.StringDurationEncoder
	return zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(encoder), zapcore.Lock(os.Stderr), zap.InfoLevel))
}

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
			cfg, err := load(file, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			// The configuration is not read again in this version; whoever asks for it
			// must at least not end the gateway in mid-write.
			signal.Ignore(syscall.SIGHUP)
			log := newLog()
			return run(cmd.Context(), cfg, log, func(a addresses) {
				log.Info("ready", zap.String("listen", a.SCIM), zap.String("admin", a.Admin))
			})
		},
	}
	cmd.Flags().StringVar(&file, "config", "scimgate.yaml", "configuration file")
	return cmd
}

// load reads the configuration file and shows its warnings.
func load(file string, stderr io.Writer) (*config.Config, error) {
	cfg, warnings, err := config.Load(file)
	for _, w := range warnings {
		fmt.Fprintln(stderr, "warning:", w)
	}
	if err != nil {
		return nil, usageError{err}
	}
	return cfg, nil
}

// newLog writes JSON lines to standard error.
func newLog() *zap.Logger {
	encoder := zap.NewProductionEncoderConfig()
	encoder.TimeKey = "time"
	encoder.EncodeTime = zapcore.RFC3339NanoTimeEncoder
	encoder.EncodeDuration = zapcore.StringDurationEncoder
	return zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(encoder), zapcore.Lock(os.Stderr), zap.InfoLevel))
}

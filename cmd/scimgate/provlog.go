package main

import (
	"go.uber.org/zap"

	"scimgate/gateway"
	"scimgate/internal/config"
	"scimgate/internal/provlog"
)

// openLog opens the provisioning log, nil where the configuration has none. One that
// cannot be written holds nobody up: it is tried again with every request.
func openLog(cfg *config.Config, log *zap.Logger) *provlog.Writer {
	if cfg.Log.Provisioning == "" {
		return nil
	}
	w := provlog.NewWriter(provlog.Config{
		Path: cfg.Log.Provisioning, MaxSize: int64(cfg.Log.MaxSize), MaxAge: cfg.Log.MaxAge,
		Report: func(lost int64, err error) {
			if err != nil {
				log.Error("the provisioning log cannot be written; requests go on without it", zap.Error(err))
				return
			}
			log.Warn("the provisioning log is written again", zap.Int64("lines lost since the start", lost))
		},
	})
	if err := w.Try(); err != nil {
		log.Error("the provisioning log cannot be written; requests go on without it", zap.Error(err))
	}
	return w
}

// closeLog closes it.
func closeLog(w *provlog.Writer, log *zap.Logger) {
	if w == nil {
		return
	}
	if err := w.Close(); err != nil {
		log.Error("the provisioning log was not closed well", zap.Error(err))
	}
}

// recorders are who is told of requests.
func recorders(w *provlog.Writer) []provlog.Recorder {
	if w == nil {
		return nil
	}
	return []provlog.Recorder{tenantsOnly{w}}
}

// tenantsOnly keeps what is no tenant's out of the log: whoever knocks at any path of
// the listener would fill it.
type tenantsOnly struct{ to provlog.Recorder }

func (t tenantsOnly) Record(r provlog.Record) {
	if r.Tenant != "" {
		t.to.Record(r)
	}
}

// keepOf says what the log holds of a tenant.
func keepOf(cfg *config.Config, t config.Tenant) gateway.Keep {
	values, bodies := cfg.LogsOf(t)
	return gateway.Keep{Values: values, FailedBodies: bodies && cfg.Log.Provisioning != ""}
}

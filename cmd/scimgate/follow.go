package main

import (
	"context"
	"errors"
	"os"
	"time"

	"go.uber.org/zap"

	"scimgate/internal/config"
)

// How the follower waits. Who writes several files, or one in pieces, is left
// quiet for as long, but not for ever; what no notification tells of, as on a
// network's file system, shows in a look; and a directory that did not answer is
// asked again, less and less often.
const (
	quiet       = 100 * time.Millisecond
	longestWait = time.Second
	lookEvery   = 10 * time.Second
	againFirst  = 5 * time.Second
	againLast   = 2 * time.Minute
)

// follower puts the configuration in force anew when it has changed.
type follower struct {
	process *process
	source  *source
	watch   *watch
	again   time.Duration // how long after an attempt there is another; 0 for never
}

// newFollower watches the files from now on.
func newFollower(p *process, s *source) *follower {
	return &follower{process: p, source: s, watch: newWatch(s.files, p.log)}
}

func (f *follower) end() { f.watch.close() }

// run reloads until ctx ends: at once when it is told to, and when a file has
// another content. What changes while it is at work is looked at afterwards.
func (f *follower) run(ctx context.Context, hangUp <-chan os.Signal) {
	settled, again, look := time.NewTimer(quiet), stopped(), time.NewTicker(lookEvery)
	defer settled.Stop()
	defer again.Stop()
	defer look.Stop()
	var latest time.Time // by which the files are looked at though they are still changing
	for {
		reason := ""
		select {
		case <-ctx.Done():
			return
		case <-f.watch.touched():
			now := time.Now()
			if latest.IsZero() {
				latest = now.Add(longestWait)
			}
			settled.Reset(min(quiet, latest.Sub(now)))
			continue
		case <-hangUp:
			reason = "signal"
		case <-again.C:
			reason = "directory"
		case <-settled.C:
			latest = time.Time{}
		case <-look.C:
		}
		if reason == "" && f.source.changed() {
			reason = "file"
		}
		if reason != "" {
			f.reload(ctx, reason)
			again.Stop()
			if f.again > 0 {
				again.Reset(f.again)
			}
		}
		f.watch.follow(f.source.files)
	}
}

func stopped() *time.Timer {
	t := time.NewTimer(time.Hour)
	t.Stop()
	return t
}

// reload reads the configuration and tells in one line what came of it.
func (f *follower) reload(ctx context.Context, reason string) {
	start := time.Now()
	cfg, warnings, err := f.source.read()
	if err == nil {
		err = f.process.reload(ctx, cfg)
	}
	if err != nil && ctx.Err() != nil {
		return
	}
	f.process.reloads.note(time.Now(), err)
	fields := []zap.Field{zap.String("file", f.source.file), zap.String("reason", reason), zap.Duration("took", time.Since(start))}
	if lines := linesOf(warnings); len(lines) > 0 {
		fields = append(fields, zap.Strings("warnings", lines))
	}
	f.schedule(err)
	if err != nil {
		if f.again > 0 {
			fields = append(fields, zap.Duration("again", f.again))
		}
		f.process.log.Error("the configuration is not taken; the one before stays in force", append(fields, zap.Strings("faults", faultsOf(err)))...)
		return
	}
	f.process.log.Info("the configuration was reloaded", append(fields, zap.Int("tenants", len(cfg.Tenants)))...)
}

// schedule decides whether there is another attempt without a change: a directory
// that cannot be reached may come; one that refuses the gateway is not knocked at
// again, since every attempt counts against the account.
func (f *follower) schedule(err error) {
	var unanswered *unansweredError
	if !errors.As(err, &unanswered) || unanswered.refused {
		f.again = 0
		return
	}
	f.again = min(max(2*f.again, againFirst), againLast)
}

func linesOf(warnings []config.Warning) []string {
	var lines []string
	for _, w := range warnings {
		lines = append(lines, w.String())
	}
	return lines
}

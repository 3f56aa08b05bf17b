package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"scimgate/internal/config"
	"scimgate/internal/provlog"
)

// logOptions are the flags of the command.
type logOptions struct {
	config                           string
	tenant, user, operation, request string
	since, until, status             string
	failed, follow, json             bool
	limit                            int
}

func logCommand() *cobra.Command {
	var o logOptions
	cmd := &cobra.Command{
		Use:   "log --config FILE",
		Short: "Read the provisioning log: what the identity providers asked for, and what came of it",
		Long: `Read the provisioning log: what the identity providers asked for, and what came of it.
The newest lines are shown, the newest last. The gateway may be running or not.

  scimgate log --since 24h --user ann          what happened to ann, whoever she is called by:
                                               id, DN, user name, externalId, mail address
  scimgate log --tenant okta --failed          what was refused or went wrong
  scimgate log --request 2WZ6...               all about one request: X-Request-Id of its answer
  scimgate log --follow --json                 lines as they come, as they are in the file`,
		Args: usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd) },
	}
	f := cmd.Flags()
	f.StringVar(&o.config, "config", "scimgate.yaml", "configuration file")
	f.StringVar(&o.tenant, "tenant", "", "only this tenant's")
	f.StringVar(&o.user, "user", "", "only of this user or group: id, DN, or what it is called")
	f.StringVar(&o.operation, "operation", "", "only this operation: create, replace, patch, delete, get, list, bulk, revive, upsert, adopt, release")
	f.StringVar(&o.request, "request", "", "only this request, in full; of a Bulk its operations too")
	f.StringVar(&o.since, "since", "", "from this time on: 90m, 24h, 7d, 2026-01-31 or 2026-01-31T08:00:00Z")
	f.StringVar(&o.until, "until", "", "before this time, written as in --since")
	f.StringVar(&o.status, "status", "", "only this status, or a class: 409, 4xx")
	f.BoolVar(&o.failed, "failed", false, "only what was refused or went wrong")
	f.IntVar(&o.limit, "limit", 50, "how many lines at most; 0 for all, the oldest first")
	f.BoolVar(&o.follow, "follow", false, "go on with new lines as they come")
	f.BoolVar(&o.json, "json", false, "JSON lines, as they are in the file")
	return cmd
}

func (o *logOptions) run(cmd *cobra.Command) error {
	cfg, err := load(o.config, cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	if cfg.Log.Provisioning == "" {
		return usageError{fmt.Errorf("%s: %s has no provisioning log; name its file in log.provisioning", cmd.CommandPath(), o.config)}
	}
	q, err := o.query(time.Now())
	if err != nil {
		return usageError{fmt.Errorf("%s: %w; see %s --help", cmd.CommandPath(), err, cmd.CommandPath())}
	}
	l := provlog.At(cfg.Log.Provisioning)
	o.remark(cmd.ErrOrStderr(), cfg, l)
	show := &lineWriter{to: cmd.OutOrStdout(), json: o.json, full: o.request != ""}
	end, err := l.End() // what comes while the lines are shown is for the follower
	if err != nil {
		return fmt.Errorf("%s: %w", cmd.CommandPath(), err)
	}
	found, err := o.found(cmd, l.Before(end), q, show)
	if err != nil {
		return fmt.Errorf("%s: %w", cmd.CommandPath(), err)
	}
	switch {
	case o.follow:
		return l.Follow(cmd.Context(), q, end, func(line provlog.Line) error { return show.write(line) })
	case found == 0 && o.request != "":
		return fmt.Errorf("%s: no line has the request id %q; it may be older than log.maxAge, or another gateway's that does not share this log", cmd.CommandPath(), o.request)
	case found == 0:
		fmt.Fprintln(cmd.ErrOrStderr(), "no line matches")
	}
	return nil
}

// found shows the lines that are there and returns how many.
func (o *logOptions) found(cmd *cobra.Command, l provlog.Log, q provlog.Query, show *lineWriter) (int, error) {
	if o.limit == 0 {
		n := 0
		err := l.Each(cmd.Context(), q, func(line provlog.Line) error {
			n++
			return show.write(line)
		})
		return n, interrupted(cmd.Context(), err)
	}
	result, err := l.Find(cmd.Context(), q, o.limit)
	if err != nil {
		return 0, interrupted(cmd.Context(), err)
	}
	if result.More > 0 || result.AtLeast {
		than := ""
		if result.AtLeast {
			than = "at least "
		}
		fmt.Fprintf(cmd.ErrOrStderr(), "%s%d older lines match as well; --limit 0 shows all\n", than, result.More)
	}
	for _, line := range result.Lines {
		if err := show.write(line); err != nil {
			return 0, err
		}
	}
	return len(result.Lines), nil
}

// interrupted makes no error of a user's wish to stop.
func interrupted(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// remark says what makes a query find less than its user may think.
func (o *logOptions) remark(w io.Writer, cfg *config.Config, l provlog.Log) {
	if o.tenant != "" && !slices.ContainsFunc(cfg.Tenants, func(t config.Tenant) bool { return t.Name == o.tenant }) {
		fmt.Fprintf(w, "note: the configuration has no tenant %q\n", o.tenant)
	}
	if o.user == "" {
		return
	}
	if known, err := l.NamesKnown(); err != nil {
		fmt.Fprintf(w, "note: users are found by id and DN only, because the key of names cannot be read: %v\n", err)
	} else if !known {
		fmt.Fprintln(w, "note: the log has no line yet, or its key of names is gone; users are found by id and DN only")
	}
}

func (o *logOptions) query(now time.Time) (provlog.Query, error) {
	q := provlog.Query{Tenant: o.tenant, Operation: o.operation, Request: o.request, User: o.user, Failed: o.failed}
	if o.limit < 0 {
		return q, fmt.Errorf("--limit %d is below zero", o.limit)
	}
	for _, t := range []struct {
		flag, text string
		to         *time.Time
	}{{"--since", o.since, &q.Since}, {"--until", o.until, &q.Until}} {
		if t.text == "" {
			continue
		}
		var err error
		if *t.to, err = moment(t.text, now); err != nil {
			return q, fmt.Errorf("%s %q is no time: write 24h, 7d, 2026-01-31 or 2026-01-31T08:00:00Z", t.flag, t.text)
		}
	}
	if !q.Until.IsZero() && !q.Until.After(q.Since) {
		return q, fmt.Errorf("--until %q is not after --since %q, so nothing is between them", o.until, o.since)
	}
	if o.status == "" {
		return q, nil
	}
	status, class := strings.CutSuffix(strings.ToLower(o.status), "xx")
	n, err := strconv.Atoi(status)
	switch {
	case err == nil && class && n >= 1 && n <= 5:
		q.StatusFrom, q.StatusTo = n*100, n*100+99
	case err == nil && !class && n >= 100 && n <= 599:
		q.StatusFrom, q.StatusTo = n, n
	default:
		return q, fmt.Errorf("--status %q is no status: write 409 or 4xx", o.status)
	}
	return q, nil
}

// moment reads a time, or how long ago it was.
func moment(text string, now time.Time) (time.Time, error) {
	for _, form := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04", time.DateTime, time.DateOnly} {
		if t, err := time.ParseInLocation(form, text, time.Local); err == nil {
			return t, nil
		}
	}
	ago, err := config.ParseDuration(text)
	if err != nil || ago < 0 {
		return time.Time{}, errors.New("no time")
	}
	return now.Add(-ago), nil
}

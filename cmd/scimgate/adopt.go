package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"scimgate/gateway"
)

// adoptOptions are the flags of adopt.
type adoptOptions struct {
	config, tenant string
	dryRun, json   bool
}

func adoptCommand() *cobra.Command {
	var o adoptOptions
	cmd := &cobra.Command{
		Use:   "adopt --dry-run --config FILE --tenant NAME [RESOURCES.json]",
		Short: "Show what a first push would adopt, create and refuse; write nothing",
		Long: `Shows, for every entry that nobody manages below the tenant's bases, whether a push
could adopt it, and if not, why. With a file of resources as the identity provider
exports them (a ListResponse, an array, or one resource a line; "-" reads standard
input) it shows, resource by resource, what a push of exactly these would adopt,
create, revive and refuse. Nothing is written: entries are adopted when they are
pushed.

The exit code is 0, 1 where a resource of the file would be refused or the
directory could not be asked, and 2 for wrong usage or a wrong configuration.`,
		Args: usageArgs(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !o.dryRun {
				return usageError{errors.New("scimgate adopt: entries are adopted when the identity provider pushes them, not by this command; give --dry-run to see which")}
			}
			return o.run(cmd.Context(), cmd, args)
		},
	}
	cmd.Flags().StringVar(&o.config, "config", "scimgate.yaml", "configuration file")
	cmd.Flags().StringVar(&o.tenant, "tenant", "", "the tenant's name; may be left out where there is one")
	cmd.Flags().BoolVar(&o.dryRun, "dry-run", false, "write nothing; there is no other way yet")
	cmd.Flags().BoolVar(&o.json, "json", false, "write JSON instead of a table")
	return cmd
}

func (o *adoptOptions) run(ctx context.Context, cmd *cobra.Command, args []string) error {
	opened, err := openTenant(ctx, cmd, o.config, o.tenant)
	if err != nil {
		return err
	}
	defer opened.sink.Close()
	report := newAdoptReport(cmd.OutOrStdout(), opened.tenant.Name, o.json)
	r := gateway.NewRehearsal(opened.tenant)
	if len(args) == 0 {
		idle, err := r.Survey(ctx, report.line)
		for _, endpoint := range idle {
			fmt.Fprintf(cmd.ErrOrStderr(), "%s: no entry is adopted; onExisting of the mapping is conflict\n", endpoint)
		}
		return errors.Join(adoptFailed(err), report.end())
	}
	if err := errors.Join(rehearseFile(ctx, r, cmd.InOrStdin(), args[0], report), report.end()); err != nil {
		return err
	}
	if n := report.counts[gateway.WouldRefuse]; n > 0 {
		return fmt.Errorf("scimgate adopt: %d of %d resources would be refused", n, report.lines)
	}
	return nil
}

func adoptFailed(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("scimgate adopt: %w", err)
}

// rehearsed is how many resources of a file are looked at together.
const rehearsed = 200

// rehearseFile reads the resources of a file, whatever holds them, and reports what
// each would come to.
func rehearseFile(ctx context.Context, r *gateway.Rehearsal, stdin io.Reader, file string, report *adoptReport) error {
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return usageError{fmt.Errorf("scimgate adopt: %w", err)}
		}
		defer f.Close()
		stdin = f
	}
	var some []json.RawMessage
	flush := func() error {
		outcomes, err := r.Resources(ctx, some)
		some = some[:0]
		if err != nil {
			return adoptFailed(err)
		}
		for _, outcome := range outcomes {
			if err := report.line(outcome); err != nil {
				return err
			}
		}
		return nil
	}
	err := readResources(stdin, func(resource json.RawMessage) error {
		if some = append(some, resource); len(some) < rehearsed {
			return nil
		}
		return flush()
	})
	if err != nil {
		return err
	}
	return flush()
}

// readResources reads a ListResponse, an array, or one resource after another.
func readResources(in io.Reader, each func(json.RawMessage) error) error {
	decoder := json.NewDecoder(in)
	for n := 0; ; n++ {
		var value json.RawMessage
		switch err := decoder.Decode(&value); {
		case errors.Is(err, io.EOF) && n > 0:
			return nil
		case err != nil:
			return usageError{fmt.Errorf("scimgate adopt: the file is no JSON after %d bytes: %w", decoder.InputOffset(), err)}
		}
		var list []json.RawMessage
		var page struct{ Resources *[]json.RawMessage }
		switch {
		case value[0] == '[':
			if err := json.Unmarshal(value, &list); err != nil {
				return usageError{fmt.Errorf("scimgate adopt: %w", err)}
			}
		case value[0] == '{' && json.Unmarshal(value, &page) == nil && page.Resources != nil:
			list = *page.Resources
		default:
			list = []json.RawMessage{value}
		}
		for _, resource := range list {
			if err := each(resource); err != nil {
				return err
			}
		}
	}
}

// adoptReport writes outcomes as they come, and in the end how many there were of
// each kind.
type adoptReport struct {
	out    io.Writer
	table  *tabwriter.Writer // nil for JSON
	lines  int
	counts map[string]int
	why    map[string]int // refusals by reason
}

func newAdoptReport(out io.Writer, tenant string, asJSON bool) *adoptReport {
	r := &adoptReport{out: out, counts: map[string]int{}, why: map[string]int{}}
	if asJSON {
		name, _ := json.Marshal(tenant) // text always can be
		fmt.Fprintf(out, `{"tenant":%s,"lines":[`, name)
		return r
	}
	r.table = tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(r.table, "TYPE\tVALUE\tVERDICT\tREASON\tENTRY")
	return r
}

// tableLines is how many lines of a table are lined up together.
const tableLines = 1000

func (r *adoptReport) line(o gateway.Outcome) error {
	r.lines++
	r.counts[o.Verdict]++
	if o.Verdict == gateway.WouldRefuse {
		r.why[o.Reason]++
	}
	if r.table == nil {
		text, err := json.Marshal(o)
		if err != nil {
			return err
		}
		if r.lines > 1 {
			text = append([]byte(","), text...)
		}
		_, err = fmt.Fprintf(r.out, "%s\n", text)
		return err
	}
	reason := o.Reason
	if o.Entry == "" && reason != "" { // nothing else says what is wrong
		reason += ": " + o.Detail
	}
	fmt.Fprintln(r.table, strings.Join([]string{o.Type, oneLine(o.Value), o.Verdict, oneLine(reason), oneLine(o.Entry)}, "\t"))
	if r.lines%tableLines == 0 {
		return r.table.Flush()
	}
	return nil
}

func (r *adoptReport) end() error {
	if r.table == nil {
		summary, err := json.Marshal(r.counts)
		if err != nil {
			return err
		}
		reasons, err := json.Marshal(r.why)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(r.out, "],\"summary\":%s,\"reasons\":%s}\n", summary, reasons)
		return err
	}
	if err := r.table.Flush(); err != nil {
		return err
	}
	var parts []string
	for _, verdict := range []string{gateway.WouldAdopt, gateway.WouldCreate, gateway.WouldRevive, gateway.WouldUpdate, gateway.WouldRefuse} {
		parts = append(parts, fmt.Sprintf("%s %d", verdict, r.counts[verdict]))
	}
	_, err := fmt.Fprintf(r.out, "\n%s\n", strings.Join(parts, ", "))
	return err
}

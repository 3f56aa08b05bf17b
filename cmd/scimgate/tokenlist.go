package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"scimgate/internal/token"
)

// listedToken is what list shows of a token.
type listedToken struct {
	ID       string     `json:"id"`
	Label    string     `json:"label"`
	Subject  string     `json:"subject"`
	Created  time.Time  `json:"created"`
	Expires  time.Time  `json:"expires"`
	DaysLeft int        `json:"daysLeft"`
	Ending   bool       `json:"ending"`   // close to its end
	LastUsed *time.Time `json:"lastUsed"` // nil for never
}

func tokenListCommand() *cobra.Command {
	var o tokenOptions
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list --config FILE --tenant NAME",
		Short: "List the tokens that are good, without their text",
		Long: `List the tokens that are good, without their text, with the time that each has left
and when it was used last. Gateways write that down once a minute for each token,
and not for one that was used a minute ago; those that share stateDir know of each
other. A token that is close to its end (tokens.warn) is marked and warned of.`,
		Args: usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, t, file, err := o.open(cmd)
			if err != nil {
				return err
			}
			all, err := file.List()
			if err != nil {
				return err
			}
			used, err := token.OpenUses(cfg.StateDir, t.Name, file).Last()
			if err != nil { // it tells people, and nothing relies on it
				fmt.Fprintln(cmd.ErrOrStderr(), "warning: when tokens were used last cannot be read:", err)
			}
			tokens := listed(all, used, time.Now(), t.Tokens.Warn)
			if asJSON {
				return tokensJSON(cmd.OutOrStdout(), tokens)
			}
			return tokensText(cmd.OutOrStdout(), cmd.ErrOrStderr(), tokens)
		},
	}
	o.add(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the list as JSON")
	return cmd
}

// listed are the good ones of tokens.
func listed(all []token.Token, used map[string]time.Time, now time.Time, warn time.Duration) []listedToken {
	good := []listedToken{} // in JSON an empty array
	for _, t := range all {
		if !t.Live(now) {
			continue
		}
		l := listedToken{ID: t.ID, Label: t.Label, Subject: t.Subject, Created: t.Created.UTC(), Expires: t.Expires.UTC().Truncate(time.Second),
			DaysLeft: days(t.Expires.Sub(now)), Ending: t.Ending(now, warn)}
		if at, ok := used[t.ID]; ok {
			l.LastUsed = &at
		}
		good = append(good, l)
	}
	return good
}

// tokensText writes a table, and a warning for each token that is close to its end.
func tokensText(out, complaint io.Writer, tokens []listedToken) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tCREATED\tEXPIRES\tLEFT\tLAST USED\tLABEL\tSUBJECT")
	for _, t := range tokens {
		last := "never"
		if t.LastUsed != nil {
			last = t.LastUsed.UTC().Format(time.RFC3339)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", t.ID, t.Created.Format(time.RFC3339), t.Expires.Format(time.RFC3339),
			t.left(), last, t.Label, t.Subject)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, t := range tokens {
		if t.Ending {
			fmt.Fprintf(complaint, "warning: token %s ends on %s; make a new one with scimgate token create, and give it to the identity provider\n",
				t.ID, t.Expires.Format(time.DateOnly))
		}
	}
	return nil
}

// left is how long a token is still good, marked where that is not long.
func (t listedToken) left() string {
	left := strconv.Itoa(t.DaysLeft) + " days"
	switch t.DaysLeft {
	case 0:
		left = "hours"
	case 1:
		left = "1 day"
	}
	if t.Ending {
		left += " (!)"
	}
	return left
}

// tokensJSON writes the list as one object.
func tokensJSON(out io.Writer, tokens []listedToken) error {
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(struct {
		Tokens []listedToken `json:"tokens"`
	}{tokens})
}

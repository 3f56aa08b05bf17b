package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode"

	"scimgate/internal/provlog"
)

// lineWriter shows lines of the provisioning log to people, or as they are.
type lineWriter struct {
	to         io.Writer
	json, full bool
	begun      bool
}

// row is a line of the table. Columns are as wide as what mostly stands in them, so
// that lines can be shown as they come.
const row = "%-23s  %-10s  %-9s  %-15s  %9s  %-26s  %s\n"

func (w *lineWriter) write(line provlog.Line) error {
	if w.json {
		_, err := fmt.Fprintf(w.to, "%s\n", line.Text)
		return err
	}
	if w.full {
		return w.writeFull(line)
	}
	if !w.begun {
		w.begun = true
		if _, err := fmt.Fprintf(w.to, row, "TIME", "TENANT", "OPERATION", "RESULT", "TOOK", "REQUEST", "WHAT"); err != nil {
			return err
		}
	}
	r := line.Record
	_, err := fmt.Fprintf(w.to, row, r.Time.Local().Format("2006-01-02 15:04:05.000"), clean(r.Tenant), clean(r.Operation),
		clean(result(r)), took(r), clean(r.Request), clean(what(r)))
	return err
}

// result is the status with the kind of the fault, or how many operations of a Bulk
// failed.
func result(r provlog.Record) string {
	text := strconv.Itoa(r.Status)
	if r.ScimType != "" {
		text += " " + r.ScimType
	}
	if r.Errors > 0 {
		text += fmt.Sprintf(" %d of %d failed", r.Errors, r.Operations)
	}
	return text
}

func took(r provlog.Record) string {
	return (time.Duration(r.TookMS*1000) * time.Microsecond).Round(100 * time.Microsecond).String()
}

// what is whom a line is about, as far as it says so, and why it failed.
func what(r provlog.Record) string {
	text := r.Method + " " + r.Path
	for _, name := range []string{r.ID, r.DN, r.User} {
		if name != "" && name != "***" {
			text = name
		}
	}
	if r.Reason != "" {
		text += ": " + r.Reason
	}
	return text
}

// clean takes out what a terminal would obey: a line may hold what a client made up.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '\ufffd'
		}
		return r
	}, text)
}

// writeFull shows everything of a line, one thing a line, and last what the client
// sent.
func (w *lineWriter) writeFull(line provlog.Line) error {
	r := line.Record
	if w.begun {
		fmt.Fprintln(w.to)
	}
	w.begun = true
	attempts := ""
	if r.Attempts > 1 {
		attempts = strconv.Itoa(r.Attempts)
	}
	for _, f := range []struct{ name, value string }{
		{"time", r.Time.Local().Format(time.RFC3339Nano)}, {"request", r.Request}, {"of Bulk", r.Bulk}, {"tenant", r.Tenant},
		{"token", r.Token}, {"address", r.Address}, {"method", r.Method + " " + r.Path}, {"operation", r.Operation},
		{"result", result(r)}, {"reason", r.Reason}, {"user", r.User}, {"id", r.ID}, {"dn", r.DN}, {"dn before", r.From},
		{"attributes", strings.Join(r.Attributes, ", ")}, {"attempts", attempts}, {"took", took(r)},
	} {
		if f.value == "" {
			continue
		}
		if _, err := fmt.Fprintf(w.to, "%-11s %s\n", f.name, clean(f.value)); err != nil {
			return err
		}
	}
	if r.Sent == nil {
		return nil
	}
	return w.writeSent(r.Sent)
}

func (w *lineWriter) writeSent(s *provlog.Sent) error {
	if s.Query != "" {
		fmt.Fprintf(w.to, "%-11s %s\n", "query", clean(s.Query))
	}
	var text string
	var body bytes.Buffer
	switch {
	case len(s.Body) > 0 && json.Indent(&body, s.Body, "", "  ") == nil:
		text = ":\n" + body.String()
	case s.Beginning != "":
		text = ", which begins:\n" + s.Beginning + "…"
	case s.Bytes > 0:
		text = ", of which nothing is kept: it is not JSON, or has very many secrets"
	}
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = clean(line)
	}
	_, err := fmt.Fprintf(w.to, "%-11s %d bytes%s\n", "sent", s.Bytes, strings.Join(lines, "\n"))
	return err
}

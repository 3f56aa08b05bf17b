package check

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"

	"scimgate/internal/config"
	"scimgate/internal/directory"
)

// Finding is one thing that was found, at its place in the file.
type Finding struct {
	Severity string `json:"severity"` // error, warning or note
	File     string `json:"file"`
	Line     int    `json:"line"` // from 1; 0 for the whole file
	Column   int    `json:"column"`
	Key      string `json:"key"`
	Problem  string `json:"problem"`
	Advice   string `json:"advice"` // what would be right; "" where the problem says it
}

// String has the form file:line:column: severity: key: problem; advice, in one line.
func (f Finding) String() string {
	var b strings.Builder
	b.WriteString(f.File)
	if f.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", f.Line, f.Column)
	}
	fmt.Fprintf(&b, ": %s: ", f.Severity)
	if f.Key != "" {
		b.WriteString(f.Key + ": ")
	}
	b.WriteString(f.Problem)
	if f.Advice != "" {
		b.WriteString("; " + f.Advice)
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, b.String())
}

// Summary counts findings.
type Summary struct {
	Errors   int `json:"errors"`
	Warnings int `json:"warnings"`
	Notes    int `json:"notes"`
}

func (s Summary) String() string {
	count := func(n int, what string) string {
		if n != 1 {
			what += "s"
		}
		return fmt.Sprintf("%d %s", n, what)
	}
	return count(s.Errors, "error") + ", " + count(s.Warnings, "warning") + ", " + count(s.Notes, "note")
}

// Report is all that was found, by line of the file.
type Report struct {
	Findings []Finding `json:"findings"`
	Summary  Summary   `json:"summary"`
}

// Unloaded is the report of a file that config.Load refused.
func Unloaded(refused *config.Report, warnings []config.Warning) Report {
	var all []Finding
	for _, f := range refused.Faults {
		all = append(all, finding(f, directory.SevereError))
	}
	for _, w := range warnings {
		all = append(all, finding(w, directory.SevereWarning))
	}
	return report(all)
}

// finding parts the text of a fault: what is wrong, and what would be right.
func finding(f config.Fault, severity directory.Severity) Finding {
	problem, advice, _ := strings.Cut(f.Problem, "; ")
	return Finding{severity.String(), f.File, f.Line, f.Column, f.Key, problem, advice}
}

// report puts findings in order and counts them.
func report(all []Finding) Report {
	r := Report{Findings: slices.Clone(all)}
	if r.Findings == nil {
		r.Findings = []Finding{} // in JSON an empty array
	}
	order := []string{directory.SevereError.String(), directory.SevereWarning.String(), directory.SevereNote.String()}
	slices.SortStableFunc(r.Findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Key, b.Key),
			cmp.Compare(slices.Index(order, a.Severity), slices.Index(order, b.Severity)), cmp.Compare(a.Problem, b.Problem))
	})
	for _, f := range r.Findings {
		switch f.Severity {
		case order[0]:
			r.Summary.Errors++
		case order[1]:
			r.Summary.Warnings++
		default:
			r.Summary.Notes++
		}
	}
	return r
}

// Text writes one line for each finding and one that counts them.
func (r Report) Text(w io.Writer) error {
	for _, f := range r.Findings {
		if _, err := fmt.Fprintln(w, f); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintln(w, r.Summary)
	return err
}

// JSON writes the report as one object.
func (r Report) JSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(r)
}

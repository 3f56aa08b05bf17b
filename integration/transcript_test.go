//go:build integration

package integration

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/uuid"
)

// transcript is an exchange with a real identity provider: what it sends, and
// what it expects back.
type transcript struct {
	IDP, Scenario, Source, Note string
	Profile                     string // the rule set that the tenant has to run
	Vars                        map[string]string
	DefaultHeaders              map[string]*string `json:"default_headers"`
	Steps                       []step
}

type step struct {
	Name, Kind, Provenance, Note string
	Method, Path                 string
	Query                        map[string]string
	RawQuery                     *string `json:"raw_query"`
	Headers                      map[string]*string
	Body                         json.RawMessage
	Expect                       expectation
	Save                         map[string]string
	Repeat                       int
}

type expectation struct {
	Status  []int
	Headers map[string]string
	Subset  any            `json:"json_subset"`
	Absent  []string       `json:"json_absent"`
	Length  map[string]int `json:"json_length"`
}

// What identity providers were seen to send, or document that they send, is
// answered as they need it.
func TestTranscripts(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join("testdata", "transcripts", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no transcripts: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			tr := readTranscript(t, file)
			if tr.Profile == "" {
				tr.replay(t, shared(t))
				return
			}
			tr.reworded()
			tr.replay(t, demo(t, "--profile", tr.Profile))
		})
	}
}

// An identity provider is answered the same by a tenant with the rule set that is
// made for it.
func TestTranscriptsUnderTheirRuleSets(t *testing.T) {
	t.Parallel()
	for _, profile := range []string{"okta", "entra", "onelogin"} {
		t.Run(profile, func(t *testing.T) {
			t.Parallel()
			files, err := filepath.Glob(filepath.Join("testdata", "transcripts", profile+"-*.json"))
			if err != nil || len(files) == 0 {
				t.Fatalf("no transcripts: %v", err)
			}
			g := demo(t, "--profile", profile)
			for _, file := range files {
				t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) { readTranscript(t, file).replay(t, g) })
			}
		})
	}
}

func readTranscript(t *testing.T, file string) transcript {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var tr transcript
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&tr); err != nil {
		t.Fatalf("%s cannot be read: %v", file, err)
	}
	if len(tr.Steps) == 0 || tr.IDP == "" || tr.Source == "" {
		t.Fatalf("%s has no steps, no idp or no source", file)
	}
	return tr
}

// reworded takes out how the service that a rule set is modelled on words its
// refusals: ours say more. That they say something is checked of every answer.
func (tr transcript) reworded() {
	for _, s := range tr.Steps {
		if subset, ok := s.Expect.Subset.(object); ok {
			delete(subset, "detail")
		}
	}
}

// replay sends the steps in their order. A step that fails does not stop the
// others, so one run names everything that is wrong.
func (tr transcript) replay(t *testing.T, g *gate) {
	vars := tr.variables()
	for i, s := range tr.Steps {
		t.Run(fmt.Sprintf("%02d %s", i+1, s.Name), func(t *testing.T) {
			for n := range max(1, s.Repeat) {
				vars["i"] = strconv.Itoa(n + 1)
				tr.send(t, g, s, vars)
			}
		})
	}
	tr.cleanUp(t, g, vars)
}

// variables are the runner's and the file's own, which may refer to others.
func (tr transcript) variables() map[string]string {
	run := strings.TrimPrefix(unlike(""), ".")
	vars := map[string]string{"run": run, "RUN": strings.ToUpper(run), "guid": uuid.NewString()}
	maps.Copy(vars, tr.Vars)
	for range len(vars) {
		for name, value := range vars {
			vars[name] = fill(value, vars, plain)
		}
	}
	return vars
}

func plain(s string) string { return s }

// quoted writes a value as it stands inside a JSON string.
func quoted(s string) string {
	raw, err := json.Marshal(s)
	if err != nil {
		return s
	}
	return string(raw[1 : len(raw)-1])
}

// fill puts the values in for ${name}.
func fill(s string, vars map[string]string, encode func(string) string) string {
	for name, value := range vars {
		s = strings.ReplaceAll(s, "${"+name+"}", encode(value))
	}
	return s
}

// send sends one step and holds the answer against what is expected.
func (tr transcript) send(t *testing.T, g *gate, s step, vars map[string]string) {
	c := g.client(t)
	c.header = http.Header{"Authorization": c.header["Authorization"]}
	for _, headers := range []map[string]*string{tr.DefaultHeaders, s.Headers} {
		for name, value := range headers {
			if c.header.Del(name); value != nil {
				c.header.Set(name, fill(*value, vars, plain))
			}
		}
	}
	path := fill(s.Path, vars, url.PathEscape)
	if query := s.query(vars); query != "" {
		path += "?" + query
	}
	var body any
	if len(s.Body) > 0 {
		body = []byte(fill(string(s.Body), vars, quoted))
	}
	a := c.do(s.Method, path, body)
	for _, fault := range s.Expect.faults(a, vars) {
		report := t.Errorf
		if strings.HasPrefix(s.Note, "OPTIONAL") {
			report = t.Logf // the transcript itself says that a server need not
		}
		report("%s\nsent %s %s %s\ngot %d %s\nnote: %s", fault, s.Method, path, body, a.status, a.raw, s.Note)
	}
	for name, where := range s.Save {
		value := a.at(where)
		if value == nil {
			t.Errorf("nothing at %s to save as %s: %s", where, name, a.raw)
			continue
		}
		vars[name] = fmt.Sprint(value)
	}
}

// query is the exact text on the wire where the transcript has it.
func (s step) query(vars map[string]string) string {
	if s.RawQuery != nil {
		return fill(*s.RawQuery, vars, url.QueryEscape)
	}
	query := url.Values{}
	for name, value := range s.Query {
		query.Set(name, fill(value, vars, plain))
	}
	return query.Encode()
}

// faults are the ways in which an answer is not what is expected.
func (e expectation) faults(a *answer, vars map[string]string) []string {
	var faults []string
	fail := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	if len(e.Status) > 0 && !slices.Contains(e.Status, a.status) {
		fail("status is %d, want one of %v", a.status, e.Status)
	}
	for name, want := range e.Headers {
		if got := a.header.Get(name); !strings.Contains(got, fill(want, vars, plain)) {
			fail("header %s is %q, want %q", name, got, want)
		}
	}
	if len(a.raw) == 0 {
		return faults
	}
	if e.Subset != nil {
		if lack := missing(any(a.body), filled(e.Subset, vars), "$"); lack != "" {
			fail("%s", lack)
		}
	}
	for _, where := range e.Absent {
		if got := a.at(where); got != nil {
			fail("%s is %v, want nothing there", where, got)
		}
	}
	for where, want := range e.Length {
		list, _ := a.at(where).([]any)
		if len(list) != want {
			fail("%s has %d elements, want %d", where, len(list), want)
		}
	}
	return faults
}

// filled puts the variables into every text of an expected value.
func filled(v any, vars map[string]string) any {
	switch v := v.(type) {
	case string:
		return fill(v, vars, plain)
	case []any:
		all := make([]any, len(v))
		for i := range v {
			all[i] = filled(v[i], vars)
		}
		return all
	case object:
		all := object{}
		for key, value := range v {
			all[fill(key, vars, plain)] = filled(value, vars)
		}
		return all
	}
	return v
}

// cleanUp deletes what the transcript made and kept the id of; several never
// delete anything themselves.
func (tr transcript) cleanUp(t *testing.T, g *gate, vars map[string]string) {
	c := g.client(t)
	for _, id := range vars {
		if uuid.Validate(id) != nil {
			continue
		}
		for _, endpoint := range []string{"/Users/", "/Groups/"} {
			c.delete(endpoint+id).want(http.StatusNoContent, http.StatusNotFound)
		}
	}
}

package scim

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A transcript is what an identity provider sends, with what it expects back.
type transcript struct {
	Profile string            `json:"profile"` // the rule set of a tenant that it is for
	Vars    map[string]string `json:"vars"`
	Steps   []struct {
		Name    string            `json:"name"`
		Method  string            `json:"method"`
		Path    string            `json:"path"`
		Query   map[string]string `json:"query"`
		Headers map[string]any    `json:"headers"`
		Body    json.RawMessage   `json:"body"`
		Save    map[string]string `json:"save"`
		Repeat  int               `json:"repeat"`
		Note    string            `json:"note"`
		Expect  expectation       `json:"expect"`
	} `json:"steps"`
}

type expectation struct {
	Status []int          `json:"status"`
	Subset any            `json:"json_subset"`
	Absent []string       `json:"json_absent"`
	Length map[string]int `json:"json_length"`
}

// TestTranscripts replays every transcript against the package alone: a store of
// resources that only Decode, Apply, Match and Project touch.
func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("../../integration/testdata/transcripts/*.json")
	if err != nil || len(files) < 7 {
		t.Fatalf("found %d transcripts, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var script transcript
			if err := json.Unmarshal(raw, &script); err != nil || len(script.Steps) == 0 {
				t.Fatalf("%d steps, %v", len(script.Steps), err)
			}
			if script.Profile != "" {
				return // what a rule set refuses beyond the protocol is not this package's
			}
			replay(t, script)
		})
	}
}

func replay(t *testing.T, script transcript) {
	vars := map[string]string{"run": "abcd1234", "RUN": "ABCD1234", "guid": "1b671a64-40d5-491e-99b0-da01ff1f3341"}
	for k, v := range script.Vars {
		vars[k] = v
	}
	fill := func(s string) string {
		for range 3 { // variables refer to others
			for k, v := range vars {
				s = strings.ReplaceAll(s, "${"+k+"}", v)
			}
		}
		return s
	}
	server := toyServer{"Users": {def: UserDefinition()}, "Groups": {def: GroupDefinition()}}
	for i, step := range script.Steps {
		name := fmt.Sprintf("step %d %q", i+1, step.Name)
		if _, ok := step.Headers["Authorization"]; ok || strings.HasPrefix(step.Note, "OPTIONAL") {
			continue // about tokens, or about what a server need not do
		}
		for n := range max(1, step.Repeat) {
			vars["i"] = strconv.Itoa(n + 1)
			query := url.Values{}
			for k, v := range step.Query {
				query.Set(k, fill(v))
			}
			status, answer := server.serve(t, step.Method, fill(step.Path), query, []byte(fill(string(step.Body))))
			if status == 0 {
				continue
			}
			ok := false
			for _, s := range step.Expect.Status {
				ok = ok || s == status || s/100 == 2 && status/100 == 2
			}
			if len(step.Expect.Status) > 0 && !ok {
				t.Errorf("%s: status %d, want %v: %v", name, status, step.Expect.Status, answer)
				continue
			}
			got := asJSON(t, answer)
			if status >= 400 {
				continue
			}
			check(t, name, got, step.Expect, fill)
			for variable, path := range step.Save {
				vars[variable] = fmt.Sprint(at(got, path))
			}
		}
	}
}

// check holds an answer against what the identity provider expects of it.
func check(t *testing.T, name string, got any, want expectation, fill func(string) string) {
	t.Helper()
	if want.Subset != nil {
		raw, _ := json.Marshal(want.Subset)
		if !subset(got, asJSON(t, json.RawMessage(fill(string(raw))))) {
			t.Errorf("%s: got %v, want a superset of %s", name, got, fill(string(raw)))
		}
	}
	for _, path := range want.Absent {
		if at(got, path) != nil {
			t.Errorf("%s: %s is %v, want it absent", name, path, at(got, path))
		}
	}
	for path, n := range want.Length {
		list, _ := at(got, path).([]any)
		if len(list) != n {
			t.Errorf("%s: %s has length %d, want %d", name, path, len(list), n)
		}
	}
}

type toyServer map[string]*toyStore

type toyStore struct {
	def       Definition
	resources []Resource
}

func (s *toyStore) has(id any) bool {
	return slices.ContainsFunc(s.resources, func(r Resource) bool { return r["id"] == id })
}

// serve answers with status 0 what is beyond the package: discovery.
func (s toyServer) serve(t *testing.T, method, path string, query url.Values, body []byte) (int, any) {
	t.Helper()
	parts := strings.Split(strings.Trim(path, "/"), "/")
	store := s[parts[0]]
	if store == nil {
		return 0, nil
	}
	var status int
	var answer any
	var err error
	switch {
	case len(parts) == 1 && method == "GET":
		status, answer, err = store.list(t, query)
	case len(parts) == 1:
		status, answer, err = store.create(body)
	default:
		status, answer, err = store.change(method, parts[1], body, s["Users"])
	}
	if err != nil {
		var e *Error
		if !asError(err, &e) {
			t.Fatalf("%s %s: not an *Error: %v", method, path, err)
		}
		return e.Status, e
	}
	if r, ok := answer.(Resource); ok {
		answer = store.show(t, r, query)
	}
	return status, answer
}

func (s *toyStore) show(t *testing.T, r Resource, query url.Values) Resource {
	return Project(s.def, r, paths(t, query.Get("attributes")), paths(t, query.Get("excludedAttributes")))
}

func (s *toyStore) list(t *testing.T, query url.Values) (int, any, error) {
	list := ListResponse{StartIndex: 1}
	for _, r := range s.resources {
		if query.Has("filter") {
			f, err := ParseFilter(query.Get("filter"))
			if err != nil {
				return 0, nil, err
			}
			if ok, err := Match(f, r, s.def); err != nil || !ok {
				if err != nil {
					return 0, nil, err
				}
				continue
			}
		}
		list.Resources = append(list.Resources, s.show(t, r, query))
	}
	if n, err := strconv.Atoi(query.Get("startIndex")); err == nil {
		list.StartIndex = n
	}
	list.TotalResults = len(list.Resources)
	list.Resources = list.Resources[min(list.StartIndex-1, len(list.Resources)):]
	if n, err := strconv.Atoi(query.Get("count")); err == nil {
		list.Resources = list.Resources[:min(n, len(list.Resources))]
	}
	list.ItemsPerPage = len(list.Resources)
	return 200, list, nil
}

func (s *toyStore) create(body []byte) (int, any, error) {
	r, err := Decode(body, s.def)
	if err != nil {
		return 0, nil, err
	}
	unique := "userName"
	if s.def.Name == "Group" {
		unique = "displayName"
	}
	for _, old := range s.resources {
		if old[unique] == r[unique] {
			return 409, nil, nil
		}
	}
	r["id"] = fmt.Sprintf("%s-%d", s.def.Name, len(s.resources)+1)
	r["schemas"] = []any{s.def.Core.ID}
	s.resources = append(s.resources, r)
	return 201, r, nil
}

func (s *toyStore) change(method, id string, body []byte, users *toyStore) (int, any, error) {
	i := slices.IndexFunc(s.resources, func(r Resource) bool { return r["id"] == id })
	if i < 0 {
		return 404, nil, nil
	}
	old := s.resources[i]
	next, err := old, error(nil)
	switch method {
	case "PUT":
		next, err = Decode(body, s.def)
		if err == nil && next["active"] == nil && old["active"] != nil {
			next["active"] = old["active"]
		}
	case "PATCH":
		var p Patch
		if p, err = DecodePatch(body); err == nil {
			next, err = Apply(s.def, old, p)
		}
	case "DELETE":
		s.resources = slices.Delete(s.resources, i, i+1)
		return 204, nil, nil
	}
	if err != nil {
		return 0, nil, err
	}
	if next["userName"] == nil && s.def.Name == "User" {
		return 400, nil, nil
	}
	for _, id := range next.Values(s.def, Path{Attr: "members", Sub: "value"}) {
		if !users.has(id) {
			return 404, nil, nil
		}
	}
	next["id"], next["schemas"] = old["id"], old["schemas"]
	s.resources[i] = next
	return 200, next, nil
}

func paths(t *testing.T, list string) []Path {
	t.Helper()
	var all []Path
	for _, s := range strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' }) {
		all = append(all, mustPath(t, s))
	}
	return all
}

func asJSON(t *testing.T, v any) any {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var back any
	if err := json.Unmarshal(raw, &back); err != nil {
		t.Fatal(err)
	}
	return back
}

// subset holds objects by key, and lists by distinct elements.
func subset(got, want any) bool {
	switch want := want.(type) {
	case map[string]any:
		object, ok := got.(map[string]any)
		for k, v := range want {
			ok = ok && subset(object[k], v)
		}
		return ok
	case []any:
		list, ok := got.([]any)
		used := make([]bool, len(list))
		for _, w := range want {
			found := false
			for i, g := range list {
				if !used[i] && !found && subset(g, w) {
					used[i], found = true, true
				}
			}
			ok = ok && found
		}
		return ok && (len(want) > 0 || len(list) == 0)
	}
	return got == want
}

// at follows $.a.b[0]; a key may be a URN.
func at(v any, path string) any {
	path = strings.TrimPrefix(path, "$")
	for path != "" {
		if strings.HasPrefix(path, "[") {
			n, rest, _ := strings.Cut(path[1:], "]")
			i, _ := strconv.Atoi(n)
			list, _ := v.([]any)
			if i >= len(list) {
				return nil
			}
			v, path = list[i], rest
			continue
		}
		path = strings.TrimPrefix(path, ".")
		object, _ := v.(map[string]any)
		key := ""
		for k := range object {
			if strings.HasPrefix(path, k) && len(k) > len(key) {
				key = k
			}
		}
		if key == "" {
			return nil
		}
		v, path = object[key], path[len(key):]
	}
	return v
}

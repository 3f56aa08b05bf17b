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

// A transcript is what an identity provider sends, with what it expects back
// (idp-behaviour.md section 13).
type transcript struct {
	Vars  map[string]string `json:"vars"`
	Steps []struct {
		Name    string            `json:"name"`
		Method  string            `json:"method"`
		Path    string            `json:"path"`
		Query   map[string]string `json:"query"`
		Headers map[string]any    `json:"headers"`
		Body    json.RawMessage   `json:"body"`
		Save    map[string]string `json:"save"`
		Repeat  int               `json:"repeat"`
		Note    string            `json:"note"`
		Expect  struct {
			Status []int          `json:"status"`
			Subset any            `json:"json_subset"`
			Absent []string       `json:"json_absent"`
			Length map[string]int `json:"json_length"`
		} `json:"expect"`
	} `json:"steps"`
}

// TestTranscripts replays every transcript against the package alone: a store of
// resources that only Decode, Apply, Match and Project touch.
func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("testdata/transcripts/*.json")
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
			if step.Expect.Subset != nil {
				want, _ := json.Marshal(step.Expect.Subset)
				if !subset(got, asJSON(t, json.RawMessage(fill(string(want))))) {
					t.Errorf("%s: got %v, want a superset of %s", name, got, fill(string(want)))
				}
			}
			for _, path := range step.Expect.Absent {
				if at(got, path) != nil {
					t.Errorf("%s: %s is %v, want it absent", name, path, at(got, path))
				}
			}
			for path, n := range step.Expect.Length {
				list, _ := at(got, path).([]any)
				if len(list) != n {
					t.Errorf("%s: %s has length %d, want %d", name, path, len(list), n)
				}
			}
			for variable, path := range step.Save {
				vars[variable] = fmt.Sprint(at(got, path))
			}
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

// serve answers with status 0 what is beyond the package: uniqueness, discovery.
func (s toyServer) serve(t *testing.T, method, path string, query url.Values, body []byte) (int, any) {
	t.Helper()
	parts := strings.Split(strings.Trim(path, "/"), "/")
	store := s[parts[0]]
	if store == nil {
		return 0, nil
	}
	refuse := func(err error) (int, any) {
		var e *Error
		if !asError(err, &e) {
			t.Fatalf("%s %s: not an *Error: %v", method, path, err)
		}
		return e.Status, e
	}
	show := func(r Resource) Resource {
		return Project(store.def, r, paths(t, query.Get("attributes")), paths(t, query.Get("excludedAttributes")))
	}
	if len(parts) == 1 && method == "GET" {
		list := ListResponse{StartIndex: 1}
		for _, r := range store.resources {
			if text := query.Get("filter"); text != "" {
				f, err := ParseFilter(text)
				if err != nil {
					return refuse(err)
				}
				ok, err := Match(f, r, store.def)
				if err != nil {
					return refuse(err)
				}
				if !ok {
					continue
				}
			}
			list.Resources = append(list.Resources, show(r))
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
		return 200, list
	}
	if len(parts) == 1 {
		r, err := Decode(body, store.def)
		if err != nil {
			return refuse(err)
		}
		for _, old := range store.resources {
			for _, unique := range []string{"userName", "displayName"} {
				if old[unique] == r[unique] && r[unique] != nil && (unique == "userName" || parts[0] == "Groups") {
					return 409, nil
				}
			}
		}
		r["id"] = fmt.Sprintf("%s-%d", parts[0], len(store.resources)+1)
		r["schemas"] = []any{store.def.Core.ID}
		store.resources = append(store.resources, r)
		return 201, show(r)
	}
	for i, r := range store.resources {
		if r["id"] != parts[1] {
			continue
		}
		next, err := r, error(nil)
		switch method {
		case "PUT":
			next, err = Decode(body, store.def)
			if !Mentioned(body, store.def, "active") && r["active"] != nil && err == nil {
				next["active"] = r["active"]
			}
		case "PATCH":
			var p Patch
			if p, err = DecodePatch(body); err == nil {
				next, err = Apply(store.def, r, p)
			}
		case "DELETE":
			store.resources = append(store.resources[:i:i], store.resources[i+1:]...)
			return 204, nil
		}
		if err != nil {
			return refuse(err)
		}
		if next["userName"] == nil && parts[0] == "Users" {
			return 400, nil
		}
		for _, m := range elements(next["members"]) {
			if !s["Users"].has(m.(map[string]any)["value"]) {
				return 404, nil
			}
		}
		next["id"], next["schemas"] = r["id"], r["schemas"]
		store.resources[i] = next
		return 200, show(next)
	}
	return 404, nil
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

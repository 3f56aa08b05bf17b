package scim

import (
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// seeds are what identity providers send, taken from the transcripts, for the
// fuzz targets to begin with.
type seeds struct {
	bodies, patches [][]byte // of POST and PUT, and of PATCH
	filters, paths  []string
}

// transcriptSeeds reads them all, the variables as they stand.
func transcriptSeeds(t testing.TB) seeds {
	t.Helper()
	files, err := filepath.Glob("../../integration/testdata/transcripts/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no transcripts to begin with: %v", err)
	}
	var s seeds
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var script struct {
			Steps []struct {
				Method   string            `json:"method"`
				Query    map[string]string `json:"query"`
				RawQuery string            `json:"raw_query"`
				Body     json.RawMessage   `json:"body"`
			} `json:"steps"`
		}
		if err := json.Unmarshal(raw, &script); err != nil {
			t.Fatal(err)
		}
		for _, step := range script.Steps {
			if q, err := url.ParseQuery(step.RawQuery); err == nil && q.Has("filter") {
				s.filters = append(s.filters, q.Get("filter"))
			}
			if filter := step.Query["filter"]; filter != "" {
				s.filters = append(s.filters, filter)
			}
			switch {
			case len(step.Body) == 0:
			case step.Method == "PATCH":
				s.patches = append(s.patches, step.Body)
				var p struct{ Operations []struct{ Path string } }
				if json.Unmarshal(step.Body, &p) == nil {
					for _, o := range p.Operations {
						s.paths = append(s.paths, o.Path)
					}
				}
			default:
				s.bodies = append(s.bodies, step.Body)
			}
		}
	}
	if len(s.bodies) < 10 || len(s.patches) < 10 || len(s.filters) < 10 || len(s.paths) < 10 {
		t.Fatalf("%d bodies, %d patches, %d filters, %d paths", len(s.bodies), len(s.patches), len(s.filters), len(s.paths))
	}
	return s
}

// seenFilters are filters that clients send which no transcript has, and what
// is hard to read.
var seenFilters = []string{
	`externalId eq jyoung`, `emails[type eq "work"].value eq "a@x"`, `email.value eq "a@x"`, `roles[primary eq "True"].value eq "r"`,
	`id eq "u" and manager eq "m"`, `userName eq "test%40example.com"`, `meta.lastModified ge "2011-05-13T04:42:34Z"`,
	`(userName sw "a" or not (title pr)) and (active eq True)`, `members[value eq "a" and type eq "User"]`, `userName eq ""`, `a[b pr`,
	`members[$REF co "x"].VALUE pr`, `userName eq "\ud83d\ude00"`, `userName eq "ΟΔΌΣ"`, `not not eq not`, `a.b.c eq 1`, `a eq 1e999999999`,
	strings.Repeat("(", 33) + `a pr` + strings.Repeat(")", 33), strings.Repeat("not (", 32) + "a pr" + strings.Repeat(")", 32),
	strings.Repeat("a pr and ", 800) + "a pr", "a eq \"" + strings.Repeat("\\", 99), "\ufeffa pr", "a\u00a0eq 1", "a eq \x00",
}

// seenPatches likewise.
var seenPatches = []string{
	`{"op":"Replace","path":"emails[type eq \"work\"].value","value":"x@y"}`, `{"op":"Add","path":"manager","value":[{"$ref":"http://../Users/m","value":"m"}]}`,
	`{"op":"replace","value":{"displayName":"Bjfe","name.givenName":"Kkom","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber":"Aklq"}}`,
	`{"op":"Remove","path":"members","value":[{"$ref":null,"value":"a"}]}`, `{"op":"replace","path":"members","value":[]}`,
	`{"op":"add","path":"members","value":[{"value":"a"}]},{"op":"remove","path":"members[value eq \"b\"]"}`, `{"op":"remove","path":"emails[type ne \"work\"]"}`,
	`{"op":"replace","path":"emails[value eq \"h\"].value","value":"w"}`, `{"op":"add","path":"addresses.type","value":"x"}`, `{"OP":"ADD","PATH":"title","VALUE":[[["x"]]]}`,
	`{"op":"add","path":"emails","value":[{"value":"a","primary":true},{"value":"a","primary":"True","type":"x"}]}`,
	`{"op":"replace","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User","value":null}`, `{"op":"remove","path":"name"}`,
	`{"op":"add","value":{"emails[type eq \"a\"].value":"1","emails[type eq \"b\"].value":"1","emails":[{"type":"a"}]}}`, `{"op":"add","path":"active","value":{"value":true}}`,
}

// seenPaths likewise.
var seenPaths = []string{
	`members[value eq "7f4bc1a3-0000-0000-0000-000000000000"]`, `roles[primary eq "True"].value`, `urn:scim:schemas:core:1.0:members`, `email.value`,
	`http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group:x`, `enterprise:manager.displayName`, `members.$REF`, ` name . givenName`,
	`members[` + strings.Repeat(`value eq "a" or `, 500) + `value eq "b"]`, `a[b eq "]"].c`, `a[(b eq 1)].c.d`, `a[b[c pr]]`, `::::`, `urn:a:b.c[d pr]`,
}

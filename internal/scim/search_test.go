package scim

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
)

// told is a search in one line.
func told(s SearchRequest) string {
	var b strings.Builder
	for _, p := range s.Attributes {
		fmt.Fprintf(&b, "+%s ", p)
	}
	for _, p := range s.ExcludedAttributes {
		fmt.Fprintf(&b, "-%s ", p)
	}
	if s.Filter != nil {
		fmt.Fprintf(&b, "filter(%s) ", s.Filter)
	}
	if s.SortBy != nil {
		fmt.Fprintf(&b, "by %s %v ", s.SortBy, s.Descending)
	}
	if s.StartIndex != nil {
		fmt.Fprintf(&b, "from %d ", *s.StartIndex)
	}
	if s.Count != nil {
		fmt.Fprintf(&b, "count %d ", *s.Count)
	}
	if s.Cursor != nil {
		fmt.Fprintf(&b, "cursor %q ", *s.Cursor)
	}
	return strings.TrimSpace(b.String())
}

func TestSearchRequests(t *testing.T) {
	for _, test := range []struct{ body, query, want string }{
		{`{}`, ``, ``},
		{`{"schemas":["` + SearchRequestURN + `"],"attributes":["userName","name.givenName"],"filter":"userName sw \"j\"","startIndex":1,"count":10}`,
			`attributes=userName,+name.givenName&filter=userName+sw+%22j%22&startIndex=1&count=10`, `+userName +name.givenName filter(userName sw "j") from 1 count 10`},
		{`{"ExcludedAttributes":["emails"],"SORTBY":"name.familyName","sortOrder":"Descending","unknown":[1]}`,
			`excludedAttributes=emails&sortBy=name.familyName&sortOrder=DESCENDING&unknown=1`, `-emails by name.familyName true`},
		{`{"cursor":"","count":5}`, `cursor&count=5`, `count 5 cursor ""`},
		{`{"cursor":"abc","sortBy":"id","sortOrder":"ascending"}`, `cursor=abc&sortBy=id&sortOrder=ascending`, `by id false cursor "abc"`},
		{`{"filter":"","sortBy":"","sortOrder":"","attributes":[]}`, `filter=&sortBy=&sortOrder=&startIndex=&count=&attributes=`, ``},
		{`{"filter":null,"count":null,"startIndex":null,"cursor":null,"attributes":null}`, ``, ``},
		{`{"attributes":"userName,title","startIndex":-3,"count":0}`, `attributes=userName,title&startIndex=-3&count=0`, `+userName +title from -3 count 0`},
		{`{"sortOrder":"descending"}`, `sortOrder=descending`, ``},
		{`{"startIndex":99999999999999999999,"count":-99999999999999999999}`, `startIndex=99999999999999999999&count=-99999999999999999999`,
			`from 9223372036854775807 count -9223372036854775808`},
		{`{"attributes":["userName","title, name"],"excludedAttributes":["id"],"count":5}`,
			`attributes=userName&attributes=title,+name&excludedAttributes=&excludedAttributes=id&count=5&count=5`, `+userName +title +name -id count 5`},
	} {
		got, err := DecodeSearch([]byte(test.body))
		if err != nil || told(got) != test.want {
			t.Errorf("%s: %s %v, want %s", test.body, told(got), err, test.want)
		}
		given, err := url.ParseQuery(test.query)
		if err != nil {
			t.Fatal(err)
		}
		got, err = QuerySearch(func(name string) []string { return given[name] })
		if err != nil || told(got) != test.want {
			t.Errorf("%s: %s %v, want %s", test.query, told(got), err, test.want)
		}
	}
}

func TestSearchRequestsRefused(t *testing.T) {
	for body, want := range map[string]string{
		``: TypeInvalidSyntax, `[]`: TypeInvalidSyntax, `{"filter":"a","filter":"b"}`: TypeInvalidSyntax, `{"filter":["userName pr"]}`: TypeInvalidSyntax,
		`{"count":"10"}`: TypeInvalidSyntax, `{"startIndex":true}`: TypeInvalidSyntax, `{"cursor":7}`: TypeInvalidSyntax, `{"attributes":{}}`: TypeInvalidSyntax,
		`{"attributes":[1]}`: TypeInvalidSyntax, `{"sortBy":["a"]}`: TypeInvalidSyntax, `{"sortOrder":1}`: TypeInvalidSyntax,
		`{"count":1.5}`: TypeInvalidValue, `{"startIndex":1e3}`: TypeInvalidValue, `{"sortOrder":"up"}`: TypeInvalidValue,
		`{"filter":"userName"}`: TypeInvalidFilter, `{"sortBy":"1x"}`: TypeInvalidPath, `{"attributes":["1x"]}`: TypeInvalidPath,
	} {
		_, err := DecodeSearch([]byte(body))
		var e *Error
		if !errors.As(err, &e) || e.Status != 400 || e.Type != want || e.Detail == "" {
			t.Errorf("%s: %v, want %s", body, err, want)
		}
	}
	for query, want := range map[string]string{
		"count=many": TypeInvalidValue, "startIndex=1.5": TypeInvalidValue, "cursor&count=many": TypeInvalidCount, "cursor&startIndex=x": TypeInvalidValue,
		"count=5&count=6": TypeInvalidValue, "filter=id+pr&filter=title+pr": TypeInvalidValue, "cursor=a&cursor=": TypeInvalidValue,
		"startIndex=1&startIndex=": TypeInvalidValue, "sortBy=a[": TypeInvalidPath, "sortOrder=up&sortBy=id": TypeInvalidValue, "filter=x": TypeInvalidFilter,
	} {
		given, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		_, err = QuerySearch(func(name string) []string { return given[name] })
		var e *Error
		if !errors.As(err, &e) || e.Status != 400 || e.Type != want {
			t.Errorf("%s: %v, want %s", query, err, want)
		}
	}
}

// What a type does not have is an attribute without a value (RFC 7644 section
// 3.4.2.1), so a search over all types leaves of the filter what each can answer.
func TestFiltersWithinAType(t *testing.T) {
	for _, test := range []struct{ filter, user, group string }{
		{`userName eq "a"`, `userName eq "a"`, `none`},
		{`displayName pr`, `displayName pr`, `displayName pr`},
		{`members pr`, `none`, `members pr`},
		{`not (members pr)`, `all`, `not (members pr)`},
		{`userName ne "a"`, `userName ne "a"`, `all`},
		{`userName eq null`, `userName eq null`, `all`},
		{`userName eq "a" and displayName eq "b"`, `userName eq "a" and displayName eq "b"`, `none`},
		{`userName eq "a" or displayName eq "b"`, `userName eq "a" or displayName eq "b"`, `displayName eq "b"`},
		{`userName eq "a" or not (userName pr)`, `userName eq "a" or not (userName pr)`, `all`},
		{`emails[type eq "work"] and id pr`, `emails[type eq "work"] and id pr`, `none`},
		{`meta.resourceType eq "User"`, `all`, `none`},
		{`(meta.resourceType eq User) or (meta.resourceType eq Group)`, `all`, `all`},
		{`meta.resourceType eq "Group" and displayName sw "a"`, `none`, `displayName sw "a"`},
		{`meta.resourceType ne "Group" and displayName sw "a" and id pr`, `displayName sw "a" and id pr`, `none`},
		{`meta.created gt "2026-01-01T00:00:00Z"`, `meta.created gt "2026-01-01T00:00:00Z"`, `meta.created gt "2026-01-01T00:00:00Z"`},
	} {
		f, err := ParseFilter(test.filter)
		if err != nil {
			t.Fatal(err)
		}
		for _, of := range []struct {
			def  Definition
			want string
		}{{UserDefinition(), test.user}, {GroupDefinition(), test.group}} {
			rest, all := of.def.Within(f)
			got := map[bool]string{true: "all", false: "none"}[all]
			if rest != nil {
				got = rest.String()
			}
			if got != of.want {
				t.Errorf("%s for a %s: %s, want %s", test.filter, of.def.Name, got, of.want)
			}
		}
	}
}

func TestFilterPaths(t *testing.T) {
	f, err := ParseFilter(`userName eq "a" and (emails[type eq "work" and value pr] or not (name.givenName pr))`)
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(FilterPaths(f)); got != "[userName emails name.givenName]" {
		t.Error(got)
	}
}

// A body is a search or a 400, and never the end of the program.
func FuzzDecodeSearch(f *testing.F) {
	for _, body := range []string{
		`{}`, `{"schemas":["` + SearchRequestURN + `"],"attributes":["displayName"],"filter":"displayName sw \"smith\"","startIndex":1,"count":10}`,
		`{"cursor":"","count":1e3,"sortBy":"name.familyName","sortOrder":"descending"}`, `{"count":99999999999999999999}`, `{"attributes":[[]]}`, `{"filter":{}}`, `[`,
		`{"sortBy":"emails[type eq \"work\"].value"}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		s, err := DecodeSearch(body)
		var e *Error
		if err != nil && (!errors.As(err, &e) || e.Status != 400 || e.Type == "" || e.Detail == "") {
			t.Fatalf("%q: %v", body, err)
		}
		if err != nil {
			return
		}
		for _, def := range []Definition{UserDefinition(), GroupDefinition()} {
			if s.SortBy != nil {
				if o, ok, err := def.Ordering(*s.SortBy); ok && err == nil {
					o.Key(Resource{"userName": "a", "emails": []any{map[string]any{"value": "b"}}})
				}
			}
			if s.Filter != nil {
				def.Within(s.Filter)
				FilterPaths(s.Filter)
			}
		}
	})
}

func TestWorkCountsComparisons(t *testing.T) {
	for filter, want := range map[string]int{
		`userName eq "a"`: 1, `title pr`: 1, `not (title pr)`: 1, `title pr and (userName eq "a" or userName eq "b")`: 3,
		`emails[type eq "work" and value co "x"]`: 3, `emails[type eq "work"].value eq "x"`: 2,
	} {
		if got := Work(mustFilter(t, filter)); got != want {
			t.Errorf("%s: %d, want %d", filter, got, want)
		}
	}
}

// A list of attributes has a bound, however it is written.
func TestListsOfAttributesAreBounded(t *testing.T) {
	list := func(n int) string { return strings.Repeat("userName,", n) }
	array := func(n int) string { return `["` + strings.Repeat(`userName","`, n-1) + `userName"]` }
	for _, name := range []string{"attributes", "excludedAttributes"} {
		for n, refused := range map[int]bool{maxNames: false, maxNames + 1: true} {
			_, one := ParsePaths(list(n))
			_, asArray := DecodeSearch([]byte(`{"` + name + `":` + array(n) + `}`))
			_, asText := DecodeSearch([]byte(`{"` + name + `":"` + list(n) + `"}`))
			_, asQuery := QuerySearch(func(asked string) []string {
				if asked == name {
					return []string{list(n - 1), "userName"}
				}
				return nil
			})
			for i, err := range []error{one, asArray, asText, asQuery} {
				var e *Error
				if (err != nil) != refused || refused && (!asError(err, &e) || e.Type != TypeInvalidValue || !strings.Contains(e.Detail, "200")) {
					t.Errorf("%s, %d names, form %d: %v", name, n, i, err)
				}
			}
		}
	}
}

package gateway

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"scimgate/internal/directory"
)

// peopled is a site with users and groups that were made one after the other.
func peopled(t *testing.T, users, groups int) *site {
	t.Helper()
	s := newSite(t)
	for i := range users {
		is(t, s.ask("POST", "/scim/v2/Users", fmt.Sprintf(`{"userName":"u%02d","title":"%c"}`, i, 'c'-rune(i%3))), 201)
		s.users.entries[i].Created = time.Unix(int64(1000-i/2), 0) // two a second, the newest first
	}
	for i := range groups {
		is(t, s.ask("POST", "/scim/v2/Groups", fmt.Sprintf(`{"displayName":"g%02d"}`, i)), 201)
		s.groups.entries[i].Created = time.Unix(int64(i), 0)
	}
	return s
}

// names are the names on a page, in its order.
func names(page map[string]any) []string {
	var all []string
	list, _ := page["Resources"].([]any)
	for _, r := range list {
		res, _ := r.(map[string]any)
		name, _ := cmp.Or(res["userName"], res["displayName"]).(string)
		all = append(all, name)
	}
	return all
}

// walked follows nextCursor to the end.
func (s *site) walked(t *testing.T, path string) []string {
	t.Helper()
	var all []string
	next := ""
	for range 100 {
		page := is(t, s.ask("GET", path+"&cursor="+next, ""), 200)
		all = append(all, names(page)...)
		if page["startIndex"] != nil {
			t.Errorf("a page by cursor has a startIndex: %v", page)
		}
		var more bool
		if next, more = page["nextCursor"].(string); !more {
			return all
		}
	}
	t.Fatalf("%s never ends", path)
	return nil
}

// A list is in the order of creation, whatever the ids are; the sorted one goes
// by what is asked, and equals stand in the order of creation.
func TestListsAreInOrder(t *testing.T) {
	s := peopled(t, 6, 0)
	is(t, s.ask("POST", "/scim/v2/Users", `{"userName":"Uzz"}`), 201)
	s.users.entries[6].Created = time.Unix(5000, 0)
	for query, want := range map[string]string{
		"":                                      "u04 u05 u02 u03 u00 u01 Uzz",
		"?sortBy=userName":                      "u00 u01 u02 u03 u04 u05 Uzz",
		"?sortBy=USERNAME&sortOrder=Descending": "Uzz u05 u04 u03 u02 u01 u00",
		"?sortBy=title":                         "u05 u02 u04 u01 u03 u00 Uzz", // a: u02 u05, b: u01 u04, c: u00 u03
		"?sortBy=title&sortOrder=descending":    "Uzz u03 u00 u04 u01 u05 u02",
		"?sortBy=meta.created":                  "u04 u05 u02 u03 u00 u01 Uzz",
		"?sortBy=nickName":                      "u04 u05 u02 u03 u00 u01 Uzz", // nobody has one
		"?sortBy=active&sortOrder=descending":   "u04 u05 u02 u03 u00 u01 Uzz",
		"?sortBy=id&sortOrder=ascending":        "u00 u01 u02 u03 u04 u05 Uzz",
		"?sortOrder=descending":                 "u04 u05 u02 u03 u00 u01 Uzz", // of nothing
		"?sortBy=userName&startIndex=3&count=2": "u02 u03",
		"?filter=" + url.QueryEscape(`title ne "a"`) + "&sortBy=title":                         "u04 u01 u03 u00 Uzz",
		"?filter=" + url.QueryEscape(`title eq "a"`) + "&sortBy=userName&sortOrder=descending": "u05 u02",
		"?sortBy=urn:ietf:params:scim:schemas:core:2.0:User:userName&count=1":                  "u00",
	} {
		if got := strings.Join(names(is(t, s.ask("GET", "/scim/v2/Users"+query, ""), 200)), " "); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
}

// A walk by cursor sees all in their order, also where the gateway has no memory
// of it, and also while others come and go.
func TestWalkByCursor(t *testing.T) {
	for _, query := range []string{"", "&sortBy=userName", "&sortBy=title&sortOrder=descending", "&filter=title+ne+%22x%22", "&sortBy=title&filter=active+eq+true"} {
		for _, forgetful := range []bool{false, true} {
			s := peopled(t, 12, 0)
			whole := names(is(t, s.ask("GET", "/scim/v2/Users?count=12"+query, ""), 200))
			whole = append(whole, names(is(t, s.ask("GET", "/scim/v2/Users?startIndex=11&count=12"+query, ""), 200))...)
			if len(whole) != 12 {
				t.Fatal(whole)
			}
			now := time.Now()
			s.now = func() time.Time {
				if forgetful { // every request finds the walks too old
					now = now.Add(2 * walkFresh)
				}
				return now
			}
			var seen []string
			next := ""
			for page := 0; ; page++ {
				got := is(t, s.ask("GET", "/scim/v2/Users?count=5&cursor="+next+query, ""), 200)
				seen = append(seen, names(got)...)
				if next, _ = got["nextCursor"].(string); next == "" {
					break
				}
				if page == 0 { // one who was seen leaves
					gone := seen[0]
					s.users.entries = slices.DeleteFunc(s.users.entries, func(e directory.Entry) bool { return e.Attributes.First("uid") == gone })
				}
			}
			if !slices.Equal(seen, whole) {
				t.Errorf("%s, forgetful %v: %v, want %v", query, forgetful, seen, whole)
			}
		}
	}
}

// A page of a walk costs the page: one search, whatever else the gateway is
// asked meanwhile.
func TestALaterPageCostsThePage(t *testing.T) {
	s := peopled(t, 25, 0)
	next, _ := is(t, s.ask("GET", "/scim/v2/Users?cursor&count=5&sortBy=title", ""), 200)["nextCursor"].(string)
	for i := range 2 * walksKept { // look-ups do not push a walk out
		s.ask("GET", fmt.Sprintf("/scim/v2/Users?filter=userName+eq+%%22x%d%%22", i), "")
	}
	for next != "" {
		s.users.searches = 0
		page := is(t, s.ask("GET", "/scim/v2/Users?cursor="+next+"&count=5&sortBy=title", ""), 200)
		if s.users.searches != 1 {
			t.Fatalf("a later page took %d searches", s.users.searches)
		}
		next, _ = page["nextCursor"].(string)
	}
}

// What is wrong with a cursor is said by name (RFC 9865 section 2.1).
func TestCursorErrors(t *testing.T) {
	s := peopled(t, 12, 12)
	next, _ := is(t, s.ask("GET", "/scim/v2/Users?cursor=&count=5", ""), 200)["nextCursor"].(string)
	sealed := func(change func(*cursor)) string {
		c, err := s.cursors.open(next)
		if err != nil {
			t.Fatal(err)
		}
		change(&c)
		return s.cursors.seal(c)
	}
	for query, want := range map[string]string{
		"/Users?cursor=VZUTiyhEQJ94IR":             "invalidCursor",
		"/Users?cursor=" + next[1:]:                "invalidCursor",
		"/Groups?cursor=" + next:                   "invalidCursor",
		"?cursor=" + next:                          "invalidCursor",
		"/Users?sortBy=userName&cursor=" + next:    "invalidCursor",
		"/Users?filter=userName+pr&cursor=" + next: "invalidCursor",
		"/Users?cursor=&count=0":                   "invalidCount",
		"/Users?cursor=&count=-1":                  "invalidCount",
		"/Users?cursor=" + next + "&count=five":    "invalidCount",
		"/Users?cursor=" + next + "&startIndex=6":  "invalidValue",
		"/Users?cursor=&startIndex=1":              "invalidValue",
		"/Users?cursor=" + sealed(func(c *cursor) { c.scope = digestOf("entra", "User") }):                    "invalidCursor",
		"/Users?cursor=" + sealed(func(c *cursor) { c.issued = s.now().Add(-cursorTimeout - 2*time.Second) }): "expiredCursor",
	} {
		isError(t, s.ask("GET", "/scim/v2"+query, ""), 400, want)
	}
	is(t, s.ask("GET", "/scim/v2/Users?count=100000&cursor="+next, ""), 200) // a large count is capped, never refused
	is(t, s.ask("GET", "/okta/scim/v2/Users?cursor="+next, ""), 200)         // the tenant by its other path
	is(t, s.ask("GET", "/scim/v2/Users?cursor="+sealed(func(c *cursor) { c.issued = s.now().Add(time.Minute - cursorTimeout) }), ""), 200)
	if got := is(t, s.ask("GET", "/scim/v2/Users?cursor="+sealed(func(c *cursor) { c.after.created = 1 << 40 }), ""), 200); len(names(got)) != 0 || got["nextCursor"] != nil {
		t.Errorf("after the end there is %v", got)
	}
}

func TestSortByErrors(t *testing.T) {
	s := peopled(t, 1, 1)
	for query, want := range map[string]string{
		"/Users?sortBy=shoeSize": "invalidPath", "/Users?sortBy=password": "invalidPath", "/Users?sortBy=name": "invalidPath", "/Users?sortBy=groups.value": "invalidPath",
		"/Groups?sortBy=members": "invalidPath", "/Groups?sortBy=members.display": "invalidPath", "?sortBy=members": "invalidPath", "?sortBy=shoeSize": "invalidPath",
		"/Users?sortBy=userName[": "invalidPath", "/Users?sortBy=userName&sortOrder=up": "invalidValue", "/Groups?sortBy=userName": "invalidPath",
		"?filter=shoeSize+eq+1": "invalidFilter", "?filter=members.shoeSize+pr": "invalidFilter",
	} {
		isError(t, s.ask("GET", "/scim/v2"+query, ""), 400, want)
	}
}

// A filter that is refused names the place in it, also where what is wrong is
// found when it is looked up.
func TestRefusedFiltersNameThePlace(t *testing.T) {
	s := peopled(t, 2, 1)
	for _, tc := range []struct {
		path, filter string
		position     int
		words        string
	}{
		{"/Users", `nonsense pr`, 1, `"nonsense"`}, {"/Users", `userName eq "nonsense" and nonsense pr`, 28, `"nonsense"`},
		{"/Users", `userName eq "title gt null" or title gt null`, 32, "null"}, {"/Users", `not (active gt true)`, 6, "active"},
		{"/Users", `userName pr and (title pr or password pr)`, 30, "password"}, {"/Users", `  userName pr and meta.created gt "now"`, 19, "time"},
		{"/Groups", `members[value pr] and members.shoeSize pr`, 23, "shoeSize"}, {"", `displayName pr and shoeSize eq 1`, 20, "shoeSize"},
		{"", `displayName pr and (members pr or active eq "maybe")`, 35, "active"}, {"/Users", `userName eq`, 12, "the end"},
		{"/Users", `nosuch[type eq "x"]`, 1, "nosuch"}, {"/Users", "title eq \"ü\" and title gt null", 19, "null"},
	} {
		body, err := json.Marshal(map[string]any{"filter": tc.filter})
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range []*httptest.ResponseRecorder{
			s.ask("GET", "/scim/v2"+tc.path+"?filter="+url.QueryEscape(tc.filter), ""), s.ask("POST", "/scim/v2"+tc.path+"/.search", string(body)),
		} {
			isError(t, w, 400, "invalidFilter")
			var e struct{ Detail string }
			if err := json.Unmarshal(w.Body.Bytes(), &e); err != nil {
				t.Fatal(err)
			}
			if place := fmt.Sprintf("filter, position %d: ", tc.position); !strings.HasPrefix(e.Detail, place) || !strings.Contains(e.Detail, tc.words) {
				t.Errorf("%s: %q, want %s… %s", tc.filter, e.Detail, place, tc.words)
			}
		}
	}
}

// POST .search is the same list by another way (RFC 7644 section 3.4.3).
func TestPostSearch(t *testing.T) {
	s := peopled(t, 12, 3)
	post := func(path string, body any) map[string]any {
		t.Helper()
		text, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		return is(t, s.ask("POST", "/scim/v2"+path+"/.search", string(text)), 200)
	}
	type object = map[string]any
	page := post("/Users", object{"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:SearchRequest"}, "attributes": []string{"userName"},
		"filter": `title ne "a"`, "sortBy": "userName", "sortOrder": "descending", "startIndex": 2, "count": 3})
	if got := names(page); page["totalResults"] != 8.0 || page["startIndex"] != 2.0 || strings.Join(got, " ") != "u09 u07 u06" {
		t.Errorf("%v", page)
	}
	if first := page["Resources"].([]any)[0].(object); first["title"] != nil || first["id"] == nil {
		t.Errorf("attributes are not heeded: %v", first)
	}
	page = post("/Users", object{"cursor": "", "count": 5, "excludedAttributes": []string{"title"}})
	again := post("/Users", object{"cursor": page["nextCursor"], "count": 10})
	if len(names(page)) != 5 || len(names(again)) != 7 || again["nextCursor"] != nil || page["Resources"].([]any)[0].(object)["title"] != nil {
		t.Errorf("%v\n%v", page, again)
	}
	for body, want := range map[string]string{
		"": "invalidSyntax", "[]": "invalidSyntax", `{"count":"5"}`: "invalidSyntax", `{"cursor":5}`: "invalidSyntax", `{"filter":"x"}`: "invalidFilter",
		`{"cursor":"x"}`: "invalidCursor", `{"cursor":"","count":0}`: "invalidCount", `{"sortBy":"password"}`: "invalidPath", `{"cursor":"","startIndex":1}`: "invalidValue",
	} {
		for _, path := range []string{"/Users", "/Groups", ""} {
			isError(t, s.ask("POST", "/scim/v2"+path+"/.search", body), 400, want)
		}
	}
	isError(t, s.ask("GET", "/scim/v2/Users/.search", ""), 405, "") // nobody can have that id
	isError(t, s.ask("POST", "/scim/v2/Users/.search", "filter=x", "Content-Type", "application/x-www-form-urlencoded"), 415, "")
}

// The root is searched over all types of the tenant: one list, type by type, or
// sorted across them.
func TestSearchAtTheRoot(t *testing.T) {
	s := peopled(t, 4, 3)
	all := "u02 u03 u00 u01 g00 g01 g02"
	for query, want := range map[string]string{
		"":                      all,
		"?startIndex=4&count=2": "u01 g00",
		"?filter=" + url.QueryEscape(`userName pr`):                                                 "u02 u03 u00 u01",
		"?filter=" + url.QueryEscape(`displayName eq "G01"`):                                        "g01",
		"?filter=" + url.QueryEscape(`userName eq "u00" or displayName eq "g01"`):                   "u00 g01",
		"?filter=" + url.QueryEscape(`not (userName sw "u")`):                                       "g00 g01 g02",
		"?filter=" + url.QueryEscape(`meta.resourceType eq "Group"`):                                "g00 g01 g02",
		"?filter=" + url.QueryEscape(`(meta.resourceType eq User) or (meta.resourceType eq Group)`): all,
		"?sortBy=userName":                         "u00 u01 u02 u03 g00 g01 g02",
		"?sortBy=userName&sortOrder=descending":    "g00 g01 g02 u03 u02 u01 u00",
		"?sortBy=displayName":                      "g00 g01 g02 u02 u03 u00 u01",
		"?sortBy=displayName&sortOrder=descending": "u02 u03 u00 u01 g02 g01 g00",
		"?sortBy=id":                               "g00 g01 g02 u00 u01 u02 u03",
		"?sortBy=meta.created":                     "g00 g01 g02 u02 u03 u00 u01",
		"?sortBy=meta.resourceType":                "g00 g01 g02 u02 u03 u00 u01",
	} {
		for _, path := range []string{"/scim/v2", "/scim/v2/", "/okta/scim/v2"} {
			page := is(t, s.ask("GET", path+query, ""), 200)
			if got := strings.Join(names(page), " "); got != want {
				t.Errorf("%s%s: %s, want %s", path, query, got, want)
			}
		}
		if strings.Contains(query, "startIndex") {
			continue
		}
		if got := strings.Join(s.walked(t, "/scim/v2"+strings.Replace("?count=2&"+strings.TrimPrefix(query, "?"), "&&", "&", 1)), " "); got != want {
			t.Errorf("%s by cursor: %s, want %s", query, got, want)
		}
	}
	page := is(t, s.ask("POST", "/scim/v2/.search", `{"startIndex":4,"count":2,"attributes":["displayName","userName","meta.resourceType"]}`), 200)
	for i, want := range []string{"User", "Group"} {
		res := page["Resources"].([]any)[i].(map[string]any)
		if got := res["meta"].(map[string]any)["resourceType"]; got != want || !strings.HasSuffix(res["schemas"].([]any)[0].(string), want) || res["id"] == nil {
			t.Errorf("%v, want a %s", res, want)
		}
	}
	if w := s.ask("HEAD", "/scim/v2", ""); w.Code != 200 || w.Body.Len() > 0 {
		t.Errorf("HEAD: %d %s", w.Code, w.Body)
	}
	isError(t, s.ask("GET", "/scim/v2", "", "Authorization", ""), 401, "")
}

// A filter that the directory cannot answer by itself is answered within a
// bound, and what it asks of the directory is no more than it needs.
func TestFiltersAreBounded(t *testing.T) {
	s := peopled(t, 9, 0)
	s.config.FilterEntries = 8
	isError(t, s.ask("GET", "/scim/v2/Users?filter=title+ne+%22a%22", ""), 400, "tooMany")
	isError(t, s.ask("POST", "/scim/v2/Users/.search", `{"filter":"title ne \"a\"","sortBy":"userName"}`), 400, "tooMany")
	is(t, s.ask("GET", "/scim/v2/Users?filter=active+eq+true", ""), 200) // the directory's to answer
	is(t, s.ask("GET", "/scim/v2/Users?sortBy=title", ""), 200)          // nothing to sort out
	is(t, s.ask("GET", "/scim/v2/Users?filter=title+eq+%22a%22+and+title+ne+%22b%22", ""), 200)
	s.config.FilterEntries = 9
	is(t, s.ask("GET", "/scim/v2/Users?filter=title+ne+%22a%22", ""), 200)
}

// A long filter looks at fewer entries than a short one: what it costs is bounded.
func TestFiltersAreBoundedByTheirWork(t *testing.T) {
	s := peopled(t, 1, 0)
	s.config.FilterEntries = 50_000
	s.config.RequestTimeout = time.Minute // the bound is tried here, not the machine
	long := url.QueryEscape(strings.Repeat(`title ne "a" and `, 399) + `title ne "a"`)
	many := func(n int) {
		s.users.entries = s.users.entries[:1]
		for i := range n - 1 {
			e := s.users.entries[0]
			e.ID = fmt.Sprint("many-", i)
			s.users.entries = append(s.users.entries, e)
		}
	}
	many(comparisonsAtOnce/400 + 1)
	w := s.ask("GET", "/scim/v2/Users?filter="+long, "")
	isError(t, w, 400, "tooMany")
	if !strings.Contains(w.Body.String(), "the 400 comparisons of this filter") {
		t.Errorf("%s does not say why", w.Body)
	}
	is(t, s.ask("GET", "/scim/v2/Users?filter=title+ne+%22a%22", ""), 200)
	many(comparisonsAtOnce / 400)
	is(t, s.ask("GET", "/scim/v2/Users?filter="+long, ""), 200)
}

// Names of attributes are looked up once and not in any number.
func TestAttributesAreBounded(t *testing.T) {
	s := peopled(t, 1, 0)
	s.config.BodyBytes = 1 << 20
	many := strings.Repeat("userName,", 300)
	for _, path := range []string{"/Users", "/Users/id-1", ""} {
		for _, name := range []string{"attributes", "excludedAttributes"} {
			isError(t, s.ask("GET", "/scim/v2"+path+"?"+name+"="+many, ""), 400, "invalidValue")
		}
	}
	isError(t, s.ask("POST", "/scim/v2/Users/.search", `{"attributes":["`+many+`"]}`), 400, "invalidValue")
	isError(t, s.ask("POST", "/scim/v2/.search", `{"excludedAttributes":["`+many+`"]}`), 400, "invalidValue")
}

// Long lists are read a few at a time; who waits for longer than a request may
// take is asked to come again, and look-ups do not wait.
func TestEnumerationsAreBounded(t *testing.T) {
	s := peopled(t, 3, 0)
	patient := s.config.RequestTimeout
	if !s.enumerating.TryAcquire(enumerations) {
		t.Fatal("somebody enumerates")
	}
	s.config.RequestTimeout = time.Millisecond
	isError(t, s.ask("GET", "/scim/v2/Users", ""), 503, "")
	s.config.RequestTimeout = patient
	is(t, s.ask("GET", "/scim/v2/Users?filter=userName+eq+%22u01%22", ""), 200)
	s.enumerating.Release(enumerations)
	is(t, s.ask("GET", "/scim/v2/Users", ""), 200)
	if !s.enumerating.TryAcquire(enumerations) {
		t.Error("a place is not given back")
	}
}

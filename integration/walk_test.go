//go:build integration

package integration

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"scimgate/internal/directory"
)

// familyNames are shared by many, as family names are.
var familyNames = []string{"Abel", "adler", "Öz", "Lee", "lee", "van Dyk", "Zimmer", "de la Cruz"}

// populace is the LDIF of people whom the gateway made earlier, in an order of
// their own, and their ids with their user names.
func populace(t *testing.T, n int) (ldif string, people map[string]string) {
	t.Helper()
	marker, err := directory.Marker{Source: "okta", State: directory.Active, Request: "MANY", Since: time.Unix(1700000000, 0).UTC()}.Text()
	if err != nil {
		t.Fatal(err)
	}
	people = make(map[string]string, n)
	var b strings.Builder
	for i := range n {
		id, name := uuid.NewString(), fmt.Sprintf("p%06d", i)
		people[id] = name
		created := time.Unix(1600000000+int64(i)*7919%100_000, 0).UTC().Format("20060102150405Z")
		modified := time.Unix(1700000000+int64(i)*104729%100_000, 0).UTC().Format("20060102150405Z")
		fmt.Fprintf(&b, "dn: uid=%[1]s,ou=people,dc=example,dc=org\nobjectClass: inetOrgPerson\nobjectClass: scimgateObject\nuid: %[1]s\nsn: %[2]s\ncn: %[1]s\n"+
			"givenName: Ann\nmail: %[1]s@example.org\nscimExternalId: ext-%[1]s\nscimState: %[3]s\nscimSource: okta\nentryUUID: %[4]s\ncreateTimestamp: %[5]s\nmodifyTimestamp: %[6]s\n\n",
			name, familyNames[i%len(familyNames)], marker, id, created, modified)
	}
	return b.String(), people
}

// crowded is a site with many people.
func crowded(t *testing.T, n, pageSize int) (site, map[string]string) {
	t.Helper()
	s := usual()
	ldif, people := populace(t, n)
	s.Entries, s.Database, s.PageSize, s.Timeout = ldif, []string{"dbnosync"}, pageSize, "60s"
	return s, people
}

// walking is how a test walks a list: what it asks, and who answers a page.
type walking struct {
	t      *testing.T
	query  string // sortBy and the like
	turns  []*client
	during func(page int) // between two pages
}

// byIndex walks to the end and returns all resources.
func (w walking) byIndex(pageSize int) []object {
	w.t.Helper()
	var all []object
	for page := 0; ; page++ {
		a := w.turns[page%len(w.turns)].get(fmt.Sprintf("/Users?attributes=userName,name,meta&startIndex=%d&count=%d%s", page*pageSize+1, pageSize, w.query)).want(http.StatusOK)
		all = append(all, a.resources()...)
		if (page+1)*pageSize >= a.total() {
			return all
		}
		if w.during != nil {
			w.during(page)
		}
	}
}

// byCursor does so by cursor.
func (w walking) byCursor(pageSize int) []object {
	w.t.Helper()
	var all []object
	next := ""
	for page := 0; ; page++ {
		a := w.turns[page%len(w.turns)].get(fmt.Sprintf("/Users?attributes=userName,name,meta&cursor=%s&count=%d%s", next, pageSize, w.query)).want(http.StatusOK)
		all = append(all, a.resources()...)
		if next = a.text("$.nextCursor"); next == "" {
			if a.at("$.startIndex") != nil || page < 2 {
				w.t.Errorf("the last page, the %dth, is %s", page, a.raw)
			}
			return all
		}
		if url.QueryEscape(next) != next {
			w.t.Errorf("%q has characters that RFC 9865 does not allow", next)
		}
		if w.during != nil {
			w.during(page)
		}
	}
}

// eachOnce checks that a walk saw all of the people once, whoever else it saw.
func eachOnce(t *testing.T, what string, walked []object, people map[string]string) {
	t.Helper()
	seen := map[string]int{}
	for _, res := range walked {
		id, _ := res["id"].(string)
		seen[id]++
	}
	wrong := 0
	for id, name := range people {
		if seen[id] != 1 {
			if wrong++; wrong < 5 {
				t.Errorf("%s saw %s %d times", what, name, seen[id])
			}
		}
	}
	if wrong > 0 {
		t.Errorf("%s went wrong about %d of %d people", what, wrong, len(people))
	}
}

// inOrder checks that those of a walk whom nobody renamed are sorted.
func inOrder(t *testing.T, what string, walked []object, people map[string]string, descending bool, key func(object) string) {
	t.Helper()
	last := ""
	for _, res := range walked {
		id, _ := res["id"].(string)
		if _, ok := people[id]; !ok {
			continue
		}
		k := key(res)
		if c := cmp.Compare(last, k); last != "" && (c > 0 && !descending || c < 0 && descending) {
			t.Errorf("%s: %s comes before %s", what, last, k)
			return
		}
		last = k
	}
}

func userName(res object) string { name, _ := res["userName"].(string); return name }

func familyName(res object) string {
	name, _ := res["name"].(object)
	text, _ := name["familyName"].(string)
	return strings.ToLower(strings.ToUpper(text))
}

// bustle is another client, who creates people and renames them from one end of
// every order to the other until it is told to stop.
func bustle(c *client) (stop func()) {
	done := make(chan struct{})
	var work sync.WaitGroup
	work.Go(func() {
		for i := 0; ; i++ {
			name := unlike("n")
			select {
			case <-done:
				return
			default:
			}
			a, err := c.try("POST", "/Users", person(name, object{"name": object{"familyName": "Zz" + strconv.Itoa(i)}}))
			if err != nil || a.status != http.StatusCreated {
				c.t.Errorf("create: %v %v", a, err)
				return
			}
			rename := object{"schemas": []string{patchURN}, "Operations": []object{{"op": "replace", "value": object{
				"userName": string('a'+rune(i%26)) + name, "name.familyName": string('A'+rune(i%26)) + strconv.Itoa(i)}}}}
			if a, err := c.try("PATCH", "/Users/"+a.id(), rename); err != nil || a.status != http.StatusOK {
				c.t.Errorf("rename: %v %v", a, err)
				return
			}
		}
	})
	return func() { close(done); work.Wait() }
}

// sortings are the walks that the tests of large lists make.
var sortings = []struct {
	name, query string
	descending  bool
	key         func(object) string // nil for the order of creation
}{
	{"unsorted", "", false, nil},
	{"by user name", "&sortBy=userName", false, userName},
	{"by family name, descending", "&sortBy=name.familyName&sortOrder=descending", true, familyName},
}

// walkAll walks by index, by cursor and sorted while another client is busy.
func walkAll(t *testing.T, c *client, people map[string]string, pageSize int) {
	t.Helper()
	for _, s := range sortings {
		w := walking{t: t, query: s.query, turns: []*client{c}}
		for name, walk := range map[string]func(int) []object{"by index": w.byIndex, "by cursor": w.byCursor} {
			stop := bustle(c)
			walked := walk(pageSize)
			stop()
			eachOnce(t, name+" "+s.name, walked, people)
			if s.key != nil {
				inOrder(t, name+" "+s.name, walked, people, s.descending, s.key)
			}
		}
	}
}

// costsOfPages measures what pages cost on the wire to the directory: the first
// later page and the last must cost the same, and little.
func costsOfPages(t *testing.T, c *client, wire *proxy, pageSize int) {
	t.Helper()
	for _, s := range sortings {
		var first *answer
		head := func(page int, cursor string) string {
			if cursor != "" {
				return fmt.Sprintf("/Users?cursor=%s&count=%d%s", cursor, pageSize, s.query)
			}
			return fmt.Sprintf("/Users?startIndex=%d&count=%d%s", page*pageSize+1, pageSize, s.query)
		}
		begin := time.Now()
		enumeration := wire.during(func() { first = c.get(head(0, "")).want(http.StatusOK) })
		took := time.Since(begin)
		pages := first.total() / pageSize // the last whole one
		begin = time.Now()
		second := wire.during(func() { c.get(head(1, "")).want(http.StatusOK) })
		later := time.Since(begin)
		last := wire.during(func() { c.get(head(pages-1, "")).want(http.StatusOK) })
		t.Logf("%s, %d people: first page %d bytes of LDAP, %s; second %d, %s; last %d", s.name, first.total(), enumeration, took, second, later, last)
		var walked *answer
		cursor := c.get("/Users?cursor=&count=" + strconv.Itoa(pageSize) + s.query).want(http.StatusOK).text("$.nextCursor")
		bySecondCursor := wire.during(func() { walked = c.get(head(0, cursor)).want(http.StatusOK) })
		for range pages - 3 {
			walked = c.get(head(0, walked.text("$.nextCursor"))).want(http.StatusOK)
		}
		byLastCursor := wire.during(func() { walked = c.get(head(0, walked.text("$.nextCursor"))).want(http.StatusOK) })
		for what, pair := range map[string][2]int64{"by index": {second, last}, "by cursor": {bySecondCursor, byLastCursor}} {
			if pair[1] > pair[0]*11/10 || pair[0] > pair[1]*11/10 {
				t.Errorf("%s %s: the second page costs %d bytes and the last %d", what, s.name, pair[0], pair[1])
			}
			if pair[0]*int64(pages) > enumeration*20 {
				t.Errorf("%s %s: a later page costs %d bytes, the first %d", what, s.name, pair[0], enumeration)
			}
		}
	}
}

// What TestLargeWalk shows with 100,000 people, with as many as every run of the
// tests can bear.
func TestWalk(t *testing.T) {
	t.Parallel()
	const many, pageSize = 2000, 100
	s, people := crowded(t, many, pageSize)
	var wire *proxy
	s.Through = func(address string) string {
		wire = newProxy(t, address)
		return wire.address()
	}
	g := serve(t, s)
	c := g.client(t)
	walkAll(t, c, people, pageSize)
	costsOfPages(t, c, wire, pageSize)
}

// A value that all have costs what an enumeration costs, not all attributes of
// everybody.
func TestFilterByWhatAllHave(t *testing.T) {
	t.Parallel()
	s, _ := crowded(t, 2000, 100)
	var wire *proxy
	s.Through = func(address string) string {
		wire = newProxy(t, address)
		return wire.address()
	}
	c := serve(t, s).client(t)
	cost := func(filter string) int64 {
		return wire.during(func() {
			if got := c.get("/Users?filter=" + url.QueryEscape(filter)).want(http.StatusOK); got.total() != 2000 || len(got.resources()) != 100 {
				t.Errorf("%s: %d of %d", filter, len(got.resources()), got.total())
			}
		})
	}
	by, all := cost(`name.givenName eq "Ann"`), cost(`name.givenName ne "Bob"`)
	t.Logf("%d bytes of LDAP, %d where all have to be looked at", by, all)
	if page := all / 2; by > all+page {
		t.Errorf("it costs %d bytes of LDAP, and %d where all have to be looked at", by, all)
	}
}

// A walk through a sorted list sees also those once who are renamed from its
// end to its beginning meanwhile: a gateway goes by what it has seen.
func TestWalkOverRenamedPeople(t *testing.T) {
	t.Parallel()
	const many, pageSize = 300, 50
	s, people := crowded(t, many, pageSize)
	g := serve(t, s)
	c := g.client(t)
	byName := map[string]string{}
	for id, name := range people {
		byName[name] = id
	}
	rename := func(from, to string) {
		c.patch("/Users/"+byName[from], object{"op": "replace", "path": "userName", "value": to}).want(http.StatusOK)
		byName[to] = byName[from]
	}
	w := walking{t: t, query: "&sortBy=userName", turns: []*client{c}}
	w.during = func(page int) {
		rename(fmt.Sprintf("p%06d", page), fmt.Sprintf("x%06d", page))        // from the beginning to the end
		rename(fmt.Sprintf("p%06d", many-1-page), fmt.Sprintf("a%06d", page)) // and the other way
		c.get("/Users?sortBy=userName&cursor=&count=10").want(http.StatusOK)  // others begin walks of their own
		c.get("/Users?filter=userName+eq+%22p000100%22").want(http.StatusOK)  // and look for people
		c.get("/Users?sortBy=userName&startIndex=1&count=10").want(http.StatusOK)
	}
	eachOnce(t, "by cursor", w.byCursor(pageSize), people)
}

// A walk by cursor goes from one gateway to another that shares the state
// folder, and survives that one of them starts anew.
func TestWalkAcrossGateways(t *testing.T) {
	t.Parallel()
	const many, pageSize = 500, 50
	s, people := crowded(t, many, pageSize)
	g := serve(t, s)
	start := func() *gate {
		t.Helper()
		other, err := startServe(t.Context(), g.config)
		if err != nil {
			t.Fatal(err)
		}
		other.endWith(t)
		other.of(g.server, g.token)
		return other
	}
	second := start()
	for _, sorting := range sortings {
		w := walking{t: t, query: sorting.query, turns: []*client{g.client(t), second.client(t)}}
		w.during = func(page int) {
			name := unlike("m")
			w.turns[page%2].create(person(name))
			if page == 4 { // one of them forgets all it knew
				if err := second.stop(); err != nil {
					t.Fatal(err)
				}
				second = start()
				w.turns[1] = second.client(t)
			}
		}
		walked := w.byCursor(pageSize)
		eachOnce(t, "by cursor "+sorting.name, walked, people)
		if sorting.key != nil {
			inOrder(t, "by cursor "+sorting.name, walked, people, sorting.descending, sorting.key)
		}
	}
	// By index, too, in the order of creation: who is new comes last.
	w := walking{t: t, turns: []*client{g.client(t), second.client(t)}}
	w.during = func(page int) { w.turns[page%2].create(person(unlike("a"))) }
	walked := w.byIndex(pageSize)
	eachOnce(t, "by index", walked, people)
	created := func(res object) string {
		meta, _ := res["meta"].(object)
		text, _ := meta["created"].(string)
		return text
	}
	inOrder(t, "by index", walked, people, false, created)
}

// A gateway that still remembers an older walk through the list does not show
// that to a walk that began elsewhere: who came between is seen.
func TestWalkAcrossGatewaysSeesWhoCameBefore(t *testing.T) {
	t.Parallel()
	s, people := crowded(t, 20, 10)
	g := serve(t, s)
	other, err := startServe(t.Context(), g.config)
	if err != nil {
		t.Fatal(err)
	}
	other.endWith(t)
	other.of(g.server, g.token)
	first, second := g.client(t), other.client(t)
	for _, older := range []string{"startIndex=1", "cursor="} {
		second.get("/Users?count=5&" + older).want(http.StatusOK)
		name := unlike("eve")
		people[first.create(person(name))] = name
		w := walking{t: t, turns: []*client{first, second}}
		eachOnce(t, "by cursor, after "+older, w.byCursor(5), people)
	}
}

// A cursor opens one list of one tenant, and no gateway with another key.
func TestCursorsAreOfOneGatewayFamily(t *testing.T) {
	t.Parallel()
	s, _ := crowded(t, 120, 50)
	g := serve(t, s)
	c := g.client(t)
	cursor := c.get("/Users?cursor=&count=50").want(http.StatusOK).text("$.nextCursor")
	other := serve(t, s).client(t)
	other.get("/Users?cursor="+cursor).wantError(http.StatusBadRequest, "invalidCursor")
	c.get("/Groups?cursor="+cursor).wantError(http.StatusBadRequest, "invalidCursor")
	c.get("/Users?sortBy=userName&cursor="+cursor).wantError(http.StatusBadRequest, "invalidCursor")
	c.get("/Users?filter=userName+pr&cursor="+cursor).wantError(http.StatusBadRequest, "invalidCursor")
	got := c.post("/Users/.search", object{"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:SearchRequest"}, "cursor": cursor, "count": 7}).want(http.StatusOK)
	if len(got.resources()) != 7 || got.total() != 120 || got.text("$.nextCursor") == "" {
		t.Errorf("POST .search with the cursor of a GET: %s", got.raw)
	}
	if got := c.get("/Users?cursor=" + cursor).want(http.StatusOK).ids(); slices.Contains(got, "") || len(got) != 50 {
		t.Errorf("%d ids", len(got))
	}
}

//go:build integration

package integration

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"scimgate/internal/directory"
)

// many is beyond every limit that a directory sets to an answer: Active Directory
// cuts entries at 1,000 and values at 1,500.
const many = 5000

// A group of 5,000 is shown whole, grown by one and shrunk by one, and the list of
// its members walked to the end by index and by cursor, whatever the directory's
// answers are cut to.
func TestLongGroupAndList(t *testing.T) {
	t.Parallel()
	marker, err := directory.Marker{Source: "okta", State: directory.Active, Request: "LONG", Since: time.Unix(1700000000, 0).UTC()}.Text()
	if err != nil {
		t.Fatal(err)
	}
	var ldif strings.Builder
	var names []string
	for i := range many {
		names = append(names, fmt.Sprintf("p%05d", i))
		here.person(&ldif, names[i], marker)
	}
	here.crowd(&ldif, "crowd", marker, names)
	s := usual()
	s.Entries, s.PageSize, s.Timeout = ldif.String(), many, "60s"
	g := serve(t, s)
	c := g.client(t)

	byName := map[string]string{}
	for start := 1; start <= many; start += 700 {
		for _, r := range c.get(fmt.Sprintf("/Users?attributes=userName&startIndex=%d&count=700", start)).want(http.StatusOK).resources() {
			byName[fmt.Sprint(r["userName"])] = fmt.Sprint(r["id"])
		}
	}
	var ids []string
	for _, name := range names {
		if byName[name] == "" {
			t.Errorf("the walk by index has not met %s", name)
		}
		ids = append(ids, byName[name])
	}
	seen, cursor, pages := map[string]bool{}, "", 0
	for more := true; more; pages++ {
		a := c.get("/Users?attributes=userName&count=1200&cursor=" + url.QueryEscape(cursor)).want(http.StatusOK)
		for _, id := range a.ids() {
			if seen[id] {
				t.Errorf("the walk by cursor has met %s twice", id)
			}
			seen[id] = true
		}
		cursor, more = a.body["nextCursor"].(string)
	}
	if len(seen) != many || pages != 5 {
		t.Errorf("the walk by cursor has met %d people on %d pages", len(seen), pages)
	}

	team := c.find("Groups", `displayName eq "crowd"`).ids()[0]
	holds := func(when string, want []string) {
		t.Helper()
		got := c.get("/Groups/" + team).want(http.StatusOK).members()
		slices.Sort(got)
		if want = slices.Sorted(slices.Values(want)); !slices.Equal(got, want) {
			t.Errorf("%s: %d members, want %d", when, len(got), len(want))
		}
	}
	holds("at first", ids)
	one := c.create(person(unlike("one")))
	c.do("PATCH", "/Groups/"+team, memberPatch("add", one)).want(http.StatusNoContent)
	holds("grown", append(slices.Clone(ids), one))
	c.do("PATCH", "/Groups/"+team, memberPatch("remove", ids[2500])).want(http.StatusNoContent)
	holds("shrunk", append(slices.Delete(slices.Clone(ids), 2500, 2501), one))
	for _, id := range []string{one, ids[0], ids[many-1]} {
		if found := c.find("Groups", `members.value eq "`+id+`"`).ids(); !slices.Equal(found, []string{team}) {
			t.Errorf("%s is found in %v", id, found)
		}
	}
}

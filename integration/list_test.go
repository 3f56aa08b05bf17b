//go:build integration

package integration

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"testing"
)

// A list is walked page by page in one order, every person once, also while
// others come and go.
func TestListWalk(t *testing.T) {
	t.Parallel()
	g := fresh(t)
	c := g.client(t)
	const people = 250
	ids := make([]string, people)
	var once sync.Once
	together(8, func(w int) {
		for i := w; i < people; i += 8 {
			a, err := c.try("POST", "/Users", person(fmt.Sprintf("p%03d", i)))
			if err != nil || a.status != http.StatusCreated {
				once.Do(func() { t.Errorf("create: %v %v", a, err) })
				return
			}
			ids[i] = a.id()
		}
	})
	slices.Sort(ids)
	page := func(query string) *answer { t.Helper(); return c.get("/Users" + query).want(http.StatusOK) }
	shape := func(a *answer, total, start, items int) {
		t.Helper()
		if a.total() != total || a.at("$.startIndex") != float64(start) || a.at("$.itemsPerPage") != float64(items) || len(a.resources()) != items {
			t.Errorf("%s: totalResults %v, startIndex %v, itemsPerPage %v, %d resources; want %d, %d, %d", a.what, a.at("$.totalResults"),
				a.at("$.startIndex"), a.at("$.itemsPerPage"), len(a.resources()), total, start, items)
		}
	}
	for range 2 {
		var seen []string
		for start, items := range map[int]int{1: 100, 101: 100, 201: 50} {
			a := page(fmt.Sprintf("?startIndex=%d&count=100", start))
			shape(a, people, start, items)
			seen = append(seen, a.ids()...)
		}
		if slices.Sort(seen); !slices.Equal(seen, ids) {
			t.Errorf("the walk saw %d people, want each of %d once", len(slices.Compact(seen)), people)
		}
	}
	whole := page("?count=100").ids()
	if again := page("").ids(); !slices.Equal(whole, again) {
		t.Error("two first pages differ")
	}
	for query, want := range map[string][3]int{
		"":                        {people, 1, 100},
		"?count=0":                {people, 1, 0},
		"?count=-1":               {people, 1, 0},
		"?count=100000":           {people, 1, 100},
		"?startIndex=0&count=2":   {people, 1, 2},
		"?startIndex=-7&count=2":  {people, 1, 2},
		"?startIndex=250&count=9": {people, 250, 1},
		"?startIndex=251":         {people, 251, 0},
		"?startIndex=100000":      {people, 100000, 0},
		"?startIndex=3":           {people, 3, 100},
		"?filter=" + url.QueryEscape(`userName sw "p00"`):                     {10, 1, 10},
		"?count=3&filter=" + url.QueryEscape(`userName sw "p00"`):             {10, 1, 3},
		"?startIndex=9&count=3&filter=" + url.QueryEscape(`userName sw "p0"`): {100, 9, 3},
		"?count=0&filter=" + url.QueryEscape(`userName eq "p000"`):            {1, 1, 0},
	} {
		shape(page(query), want[0], want[1], want[2])
	}
	walkWhileChanging(t, c, ids)
}

// walkWhileChanging deletes people whom a walk has seen and makes new ones, and
// wants the walk to see all the others all the same.
func walkWhileChanging(t *testing.T, c *client, ids []string) {
	t.Helper()
	seen := map[string]int{}
	first := c.get("/Users?startIndex=1&count=100").ids()
	for _, id := range first {
		seen[id]++
	}
	for i, id := range first[:10] {
		c.delete("/Users/" + id).want(http.StatusNoContent)
		c.create(person(fmt.Sprintf("new%d", i)))
	}
	for start := 101; start <= 201; start += 100 {
		for _, id := range c.get(fmt.Sprintf("/Users?startIndex=%d&count=100", start)).ids() {
			seen[id]++
		}
	}
	for _, id := range ids {
		if seen[id] != 1 {
			t.Errorf("a walk during changes saw %s %d times", id, seen[id])
		}
	}
}

// A client chooses which attributes it wants to see, of one resource and of
// many.
func TestProjection(t *testing.T) {
	t.Parallel()
	g := shared(t)
	c := g.client(t)
	name := unlike("seen")
	id := c.create(person(name, object{"displayName": "Seen", enterpriseURN: object{"department": "Sales"}}))
	team := c.createGroup(unlike("team"), id)
	has := func(a *answer, prefix string, present, absent []string) {
		t.Helper()
		for _, path := range present {
			if a.at(prefix+path) == nil {
				t.Errorf("%s lacks %s: %s", a.what, path, a.raw)
			}
		}
		for _, path := range absent {
			if a.at(prefix+path) != nil {
				t.Errorf("%s shows %s: %s", a.what, path, a.raw)
			}
		}
	}
	for query, want := range map[string][2][]string{
		"attributes=userName":                         {{"id", "userName", "schemas"}, {"name", "emails", "displayName", "active"}},
		"attributes=USERNAME,name.givenName":          {{"id", "userName", "name.givenName"}, {"name.familyName", "emails"}},
		"attributes=emails.value":                     {{"id", "emails[0].value"}, {"emails[0].type", "userName"}},
		"attributes=" + enterpriseURN + ":department": {{"id", enterpriseURN + ".department"}, {"userName"}},
		"excludedAttributes=emails,name":              {{"id", "userName", "displayName"}, {"emails", "name"}},
		"excludedAttributes=id,userName":              {{"id"}, {"userName"}},
		"attributes=unknown":                          {{"id"}, {"userName"}},
	} {
		has(c.get("/Users/"+id+"?"+query), "$.", want[0], want[1])
		list := c.get("/Users?filter=" + url.QueryEscape(`id eq "`+id+`"`) + "&" + query).want(http.StatusOK)
		has(list, "$.Resources[0].", want[0], want[1])
	}
	has(c.get("/Groups/"+team+"?excludedAttributes=members"), "$.", []string{"id", "displayName"}, []string{"members"})
	has(c.get("/Groups/"+team+"?attributes=displayName"), "$.", []string{"id", "displayName"}, []string{"members"})
	has(c.get("/Groups/"+team+"?attributes=members"), "$.", []string{"id", "members[0].value"}, []string{"displayName"})
	a := c.do("PATCH", "/Groups/"+team+"?attributes=displayName", object{"Operations": []object{{"op": "replace", "path": "displayName", "value": unlike("t")}}})
	has(a.want(http.StatusOK), "$.", []string{"id", "displayName"}, []string{"members"})
	has(c.do("PUT", "/Users/"+id+"?attributes=name.familyName", person(name)).want(http.StatusOK), "$.", []string{"id", "name.familyName"}, []string{"userName", "name.givenName"})
	has(c.do("PATCH", "/Users/"+id+"?excludedAttributes=emails,name.givenName", object{"Operations": []object{{"op": "add", "path": "title", "value": "t"}}}).want(http.StatusOK),
		"$.", []string{"id", "userName", "title", "name.familyName"}, []string{"emails", "name.givenName"})
	has(c.post("/Users/.search", object{"filter": `id eq "` + id + `"`, "attributes": []string{"emails.value"}}).want(http.StatusOK),
		"$.Resources[0].", []string{"id", "emails[0].value"}, []string{"emails[0].type", "userName"})
	has(c.do("POST", "/Users?attributes=userName", person(unlike("made"))).want(http.StatusCreated), "$.", []string{"id", "userName"}, []string{"emails"})
}

//go:build integration

package integration

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// searchURN is the schema of a SearchRequest.
const searchURN = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"

// A list can be sorted by every mapped attribute, also by those for which the
// directory has no ordering rule, and by what the gateway knows of an entry.
func TestSort(t *testing.T) {
	t.Parallel()
	g := fresh(t)
	c := g.client(t)
	people := []object{
		person("Carl", object{"externalId": "b", "name": object{"givenName": "x", "familyName": "Öz"}, "title": "clerk",
			"emails":       []object{{"type": "home", "value": "z@home.example"}, {"type": "work", "primary": true, "value": "b@example.org"}},
			"phoneNumbers": []object{{"type": "mobile", "value": "+1 555 0103"}}, "addresses": []object{{"type": "work", "locality": "Köln"}},
			enterpriseURN: object{"department": "Sales", "employeeNumber": "10"}}),
		person("ann", object{"externalId": "B", "name": object{"givenName": "Y", "familyName": "lee"}, "title": "Boss", "active": false,
			"emails":       []object{{"type": "work", "value": "C@example.org"}},
			"phoneNumbers": []object{{"type": "mobile", "value": "+1 555 0101"}}, "addresses": []object{{"type": "work", "locality": "aachen"}},
			enterpriseURN: object{"department": "sales", "employeeNumber": "9"}}),
		person("Bob", object{"externalId": "a", "name": object{"familyName": "Abel"}, "nickName": "n", "emails": []object{{"type": "home", "value": "a@home.example"}},
			enterpriseURN: object{"department": "Art"}}),
	}
	ids := map[string]string{}
	for _, p := range people {
		name, _ := p["userName"].(string)
		ids[name] = c.create(p)
	}
	for sortBy, want := range map[string]string{
		"userName": "ann Bob Carl", "USERNAME": "ann Bob Carl", userURN + ":userName": "ann Bob Carl", "externalId": "ann Bob Carl",
		"name.familyName": "Bob ann Carl", "name.givenName": "Carl ann Bob", "title": "ann Carl Bob", "nickName": "Bob", "active": "ann",
		"emails": "Bob Carl ann", "emails.value": "Bob Carl ann", `emails[type eq "work"].value`: "Carl ann Bob", `emails[type eq "home"]`: "Bob Carl ann",
		"phoneNumbers.value": "ann Carl Bob", "addresses.locality": "ann Carl Bob",
		enterpriseURN + ":department": "Bob", "department": "Bob", enterpriseURN + ":employeeNumber": "Carl ann Bob",
		"displayName": "", "profileUrl": "",
	} {
		for _, order := range []string{"", "ascending", "descending"} {
			expected := strings.Fields(want)
			a := c.get("/Users?sortBy=" + url.QueryEscape(sortBy) + "&sortOrder=" + order).want(http.StatusOK)
			first, last := firstAndLast(a)
			if order == "descending" {
				first, last = last, first
			}
			// Equals are in the order of their making, which has no more than seconds.
			if len(expected) > 0 && first != expected[0] || len(expected) > 1 && last != expected[2] {
				t.Errorf("%s %s: %s first and %s last, want %s", sortBy, order, first, last, want)
			}
			var body = object{"schemas": []string{searchURN}, "sortBy": sortBy}
			if order != "" {
				body["sortOrder"] = order
			}
			if got := c.post("/Users/.search", body).want(http.StatusOK).ids(); !slices.Equal(got, a.ids()) {
				t.Errorf("%s %s: POST .search has another order", sortBy, order)
			}
		}
	}
	byID := c.get("/Users?sortBy=id").want(http.StatusOK).ids()
	if !slices.IsSorted(byID) || len(byID) != 3 {
		t.Errorf("by id: %v", byID)
	}
	for _, sortBy := range []string{"password", "name", "enterprise:manager", "manager.value", "groups", "shoeSize", "schemas", "meta", "members", "a[", enterpriseURN} {
		c.get("/Users?sortBy="+url.QueryEscape(sortBy)).wantError(http.StatusBadRequest, "invalidPath")
	}
	c.get("/Users?sortBy=userName&sortOrder=up").wantError(http.StatusBadRequest, "invalidValue")
}

func firstAndLast(a *answer) (first, last string) {
	all := a.resources()
	return userName(all[0]), userName(all[len(all)-1])
}

// The root is searched over users and groups, by GET of the base URL, which is
// what OneLogin asks first, and by POST .search.
func TestSearchAtTheRoot(t *testing.T) {
	t.Parallel()
	g := fresh(t)
	c := g.client(t)
	ann := c.create(person("ann", object{"displayName": "Middle"}))
	bob := c.create(person("bob", object{"displayName": "Zoe"}))
	all := c.createGroup("All", ann, bob)
	none := c.createGroup("none")
	for query, want := range map[string][]string{
		"":                                  {ann, bob, all, none},
		"sortBy=displayName":                {all, ann, none, bob},
		`filter=displayName sw "n"`:         {none},
		`filter=userName pr`:                {ann, bob},
		`filter=members eq "` + ann + `"`:   {all},
		`filter=not (members pr)`:           {ann, bob, none},
		`filter=userName ne "ann"`:          {bob, all, none},
		`filter=id eq "` + all + `"`:        {all},
		`filter=active eq true`:             {ann, bob},
		`filter=meta.resourceType eq Group`: {all, none},
		`filter=(meta.resourceType eq User) or (meta.resourceType eq Group)`: {ann, bob, all, none},
	} {
		got := c.get("?" + strings.NewReplacer(" ", "+", `"`, "%22").Replace(query)).want(http.StatusOK).ids()
		if !strings.HasPrefix(query, "sortBy") { // in the order of their making, which has no more than seconds
			slices.Sort(got)
			slices.Sort(want)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", query, got, want)
		}
	}
	page := c.post("/.search", object{"schemas": []string{searchURN}, "sortBy": "displayName", "cursor": "", "count": 3, "attributes": []string{"displayName", "meta.resourceType"}}).want(http.StatusOK)
	rest := c.post("/.search", object{"sortBy": "displayName", "cursor": page.text("$.nextCursor"), "count": 3}).want(http.StatusOK)
	if got := slices.Concat(page.ids(), rest.ids()); !slices.Equal(got, []string{all, ann, none, bob}) || page.total() != 4 || rest.at("$.nextCursor") != nil {
		t.Errorf("by cursor: %v\n%s\n%s", got, page.raw, rest.raw)
	}
	for path, want := range map[string]any{
		"$.Resources[0].meta.resourceType": "Group", "$.Resources[1].meta.resourceType": "User", "$.Resources[0].schemas[0]": groupURN,
		"$.Resources[1].schemas[0]": userURN, "$.Resources[0].members": nil, "$.Resources[1].userName": nil,
	} {
		if got := page.at(path); got != want {
			t.Errorf("%s is %v, want %v", path, got, want)
		}
	}
	if got, want := rest.text("$.Resources[0].meta.location"), g.base+"/Users/"+bob; got != want {
		t.Errorf("the location is %s, want %s", got, want)
	}
	c.get("?filter=shoeSize+eq+1").wantError(http.StatusBadRequest, "invalidFilter")
}

// A filter that has to be finished in the gateway looks at so many and no more.
func TestFilterEntriesAreBounded(t *testing.T) {
	t.Parallel()
	s, _ := crowded(t, 150, 100)
	s.FilterEntries = 100
	c := serve(t, s).client(t)
	a := c.get("/Users?filter=userName+ne+%22p000001%22").wantError(http.StatusBadRequest, "tooMany")
	if !strings.Contains(a.text("$.detail"), "100") {
		t.Errorf("the detail does not say how many: %s", a.raw)
	}
	if got := c.get("/Users?filter=userName+sw+%22p00000%22+and+userName+ne+%22p000001%22").want(http.StatusOK).total(); got != 9 {
		t.Errorf("%d match, want 9", got)
	}
	if got := c.get("/Users?sortBy=userName&count=1").want(http.StatusOK).total(); got != 150 {
		t.Errorf("%d are in the list", got)
	}
}

// The directory's own times can be sorted by, either way.
func TestSortByTimes(t *testing.T) {
	t.Parallel()
	s, _ := crowded(t, 90, 100)
	c := serve(t, s).client(t)
	for _, name := range []string{"created", "lastModified"} {
		for _, order := range []string{"ascending", "descending"} {
			var times []string
			for _, res := range c.get("/Users?sortBy=meta." + name + "&sortOrder=" + order).want(http.StatusOK).resources() {
				meta, _ := res["meta"].(object)
				text, _ := meta[name].(string)
				times = append(times, text)
			}
			if order == "descending" {
				slices.Reverse(times)
			}
			if !slices.IsSorted(times) || len(slices.Compact(times)) < 80 {
				t.Errorf("by %s, %s: %v", name, order, times)
			}
		}
	}
}

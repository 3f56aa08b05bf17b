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
	"testing"
	"time"
)

// sorting is a way to sort a list, with the order that it means.
type sorting struct {
	by, order string
	compare   func(a, b object) int
}

// drawSorting picks an attribute that can be sorted by, and a direction.
func (m *filterModel) drawSorting() sorting {
	var paths []filterPath
	for _, p := range m.paths {
		if m.hasOrder(p) {
			paths = append(paths, p)
		}
	}
	p := paths[m.IntN(len(paths))]
	s := sorting{by: m.name(p), order: []string{"", "ascending", "descending", "DESCENDING"}[m.IntN(4)]}
	down := strings.EqualFold(s.order, "descending")
	s.compare = func(a, b object) int {
		c := compareForSorting(p.attribute, p.sortValue(a), p.sortValue(b))
		if down {
			c = -c
		}
		return cmp.Or(c, strings.Compare(created(a), created(b)), strings.Compare(a["id"].(string), b["id"].(string)))
	}
	return s
}

func created(r object) string {
	meta, _ := r["meta"].(object)
	text, _ := meta["created"].(string)
	return text
}

// hasOrder reports whether an attribute can be sorted by: not by what belongs to
// another resource, and not by bytes or URIs of the server's own.
func (m *filterModel) hasOrder(p filterPath) bool {
	subs, _ := p.top["subAttributes"].([]any)
	_, refers := partNamed(subs, "$ref")
	return !refers && p.attribute["type"] != "binary" && p.attr != "schemas" && p.sub != "location"
}

// sortValue is the value that counts: of the primary element, else of the first
// that has one.
func (p filterPath) sortValue(r object) any {
	from := r
	if p.urn != "" {
		from, _ = r[p.urn].(object)
	}
	var first any
	for _, e := range listOf(from[p.attr]) {
		v := e
		part, isObject := e.(object)
		if isObject {
			v = part[p.sub]
		}
		if v == nil {
			continue
		}
		if isObject && part["primary"] == true {
			return v
		}
		if first == nil {
			first = v
		}
	}
	return first
}

// compareForSorting compares values by their attribute's type, what is absent
// after all others.
func compareForSorting(a object, x, y any) int {
	if x == nil || y == nil {
		return cmp.Compare(presence(y), presence(x))
	}
	s, t := fmt.Sprint(x), fmt.Sprint(y)
	switch a["type"] {
	case "dateTime":
		at, _ := time.Parse(time.RFC3339, s)
		other, _ := time.Parse(time.RFC3339, t)
		return at.Compare(other)
	case "integer", "decimal":
		n, _ := strconv.ParseFloat(s, 64)
		m, _ := strconv.ParseFloat(t, 64)
		return cmp.Compare(n, m)
	}
	s, t = composed(s), composed(t)
	if a["caseExact"] != true {
		s, t = strings.Map(caseless, s), strings.Map(caseless, t)
	}
	return strings.Compare(s, t)
}

func presence(v any) int {
	if v == nil {
		return 0
	}
	return 1
}

// compareLists asks for what some filters leave in an order, by index and by
// cursor, by GET and by POST .search, and holds each against the model.
func compareLists(t *testing.T, c *client, m *filterModel, endpoint string, filters []filter) {
	t.Helper()
	for i, f := range filters {
		s := m.drawSorting()
		var want []string
		found := slices.DeleteFunc(slices.Clone(m.resources), func(r object) bool { return !f.match(r) })
		slices.SortFunc(found, s.compare)
		for _, r := range found {
			want = append(want, r["id"].(string))
		}
		count := 1 + m.IntN(20)
		for way, ids := range map[string]func() []string{
			"GET at once":         func() []string { return listed(c, endpoint, f, s, 1000) },
			"GET by index":        func() []string { return listed(c, endpoint, f, s, count) },
			"POST .search":        func() []string { return searched(c, endpoint, f, s, 1000) },
			"POST .search cursor": func() []string { return searched(c, endpoint, f, s, count) },
		} {
			if len(found) > 30 && count < 5 { // enough pages were walked
				count = 5
			}
			if got := ids(); !slices.Equal(got, want) {
				t.Errorf("seed %d: %d: %s: %s, sorted by %s %s, pages of %d:\ngot  %v\nwant %v", m.seed, i, way, f.text, s.by, s.order, count, got, want)
			}
			if t.Failed() {
				return
			}
		}
	}
}

// listed walks a list by index.
func listed(c *client, endpoint string, f filter, s sorting, count int) []string {
	var all []string
	for {
		query := url.Values{"filter": {f.text}, "sortBy": {s.by}, "count": {strconv.Itoa(count)}, "startIndex": {strconv.Itoa(len(all) + 1)}, "attributes": {"id"}}
		if s.order != "" {
			query.Set("sortOrder", s.order)
		}
		page := c.get("/" + endpoint + "?" + query.Encode()).want(http.StatusOK)
		all = append(all, page.ids()...)
		if len(page.ids()) == 0 || len(all) >= page.total() {
			return all
		}
	}
}

// searched walks a list by cursor.
func searched(c *client, endpoint string, f filter, s sorting, count int) []string {
	var all []string
	cursor := ""
	for {
		body := object{"schemas": []string{searchURN}, "filter": f.text, "sortBy": s.by, "count": count, "cursor": cursor, "attributes": []string{"id"}}
		if s.order != "" {
			body["sortOrder"] = s.order
		}
		page := c.post("/"+endpoint+"/.search", body).want(http.StatusOK)
		all = append(all, page.ids()...)
		next, more := page.at("$.nextCursor").(string)
		if !more {
			return all
		}
		cursor = next
	}
}

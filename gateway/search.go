package gateway

import (
	"strings"

	"github.com/labstack/echo/v4"

	"scimgate/internal/scim"
)

// handleAll makes a handler of a method of request that is about all resource
// types of a tenant (RFC 7644 section 3.4.2.1).
func (g *Gateway) handleAll(t *tenant, operation string, do func(*request) error) echo.HandlerFunc {
	return func(c echo.Context) error {
		q := &request{Context: c, gateway: g, typ: t.types[0], types: t.types, event: eventOf(c)}
		q.event.operation = operation
		return q.run(do)
	}
}

// search answers POST .search, of one type or at the root (RFC 7644 section
// 3.4.3).
func (q *request) search() error {
	body, err := q.body()
	if err != nil {
		return err
	}
	s, err := scim.DecodeSearch(body)
	if err != nil {
		return err
	}
	return q.answerList(s)
}

// list answers GET of an endpoint, or of the base URL.
func (q *request) list() error {
	given := q.QueryParams()
	s, err := scim.QuerySearch(func(name string) []string { return given[name] })
	if err != nil {
		return err
	}
	return q.answerList(s)
}

// query is a search ready to be answered.
type query struct {
	filter   scim.Filter // nil for all
	order    order
	start    int // from 1; 0 = by cursor
	count    int // at most this many
	after    *cursor
	byCursor bool
	list     listKey
}

// listKey tells lists apart: whose it is, and what was asked of it.
type listKey struct{ scope, asked digest }

func (q *request) query(s scim.SearchRequest) (query, error) {
	l := query{filter: s.Filter}
	var err error
	if l.order, err = q.order(s); err != nil {
		return l, err
	}
	q.event.name(compared(s.Filter)...)
	if err := q.filterable(s.Filter); err != nil {
		return l, err
	}
	if err := q.searchable(s.Filter); err != nil {
		return l, err
	}
	l.list = q.listKey(s)
	l.count = q.limits().PageSize
	if s.Cursor != nil {
		return l, q.goOn(&l, s)
	}
	l.start = 1
	if s.StartIndex != nil {
		l.start = max(*s.StartIndex, 1)
	}
	if s.Count != nil {
		l.count = max(min(*s.Count, l.count), 0)
	}
	return l, nil
}

// goOn finds out where a page by cursor begins (RFC 9865 section 2).
func (q *request) goOn(l *query, s scim.SearchRequest) error {
	l.byCursor = true
	if s.StartIndex != nil {
		return scim.BadRequest(scim.TypeInvalidValue, "startIndex and cursor are two ways to page; send one of them")
	}
	if s.Count != nil {
		if *s.Count < 1 {
			return scim.BadRequest(scim.TypeInvalidCount, "count is %d; with a cursor it has to be 1 or more, and pages have at most %d", *s.Count, l.count)
		}
		l.count = min(*s.Count, l.count)
	}
	if *s.Cursor == "" {
		return nil
	}
	c, err := q.gateway.cursors.open(*s.Cursor)
	if err != nil {
		return err
	}
	switch {
	case c.scope != l.list.scope:
		return scim.BadRequest(scim.TypeInvalidCursor, "cursor belongs to another endpoint or tenant; send it to the one that gave it out")
	case c.asked != l.list.asked:
		return scim.BadRequest(scim.TypeInvalidCursor,
			"cursor belongs to another filter, sortBy or sortOrder; repeat those of the first page, or begin with an empty cursor")
	case q.gateway.now().After(c.issued.Add(cursorTimeout)):
		return scim.BadRequest(scim.TypeExpiredCursor,
			"cursor is older than %d seconds; begin again with an empty one", int(cursorTimeout.Seconds()))
	}
	l.after = &c
	return nil
}

// filterable refuses a filter with an attribute that no type of a search over
// several has. For one type the mapping does so itself.
func (q *request) filterable(f scim.Filter) error {
	if len(q.types) == 1 {
		return nil
	}
	for _, p := range scim.FilterPaths(f) {
		known := false
		for _, t := range q.types {
			_, _, ok := t.mapping.Definition().Lookup(scim.Path{URN: p.URN, Attr: p.Attr, Sub: p.Sub})
			known = known || ok
		}
		if !known {
			return scim.BadRequest(scim.TypeInvalidFilter, "%q is no attribute of %s; Schemas lists those there are", p.String(), q.typeNames())
		}
	}
	return nil
}

func (q *request) typeNames() string {
	names := make([]string, len(q.types))
	for i, t := range q.types {
		names[i] = t.name()
	}
	return strings.Join(names, " or ")
}

func (q *request) listKey(s scim.SearchRequest) listKey {
	scope := []string{q.typ.tenant.name}
	for _, t := range q.types {
		scope = append(scope, t.name())
	}
	asked := make([]string, 3)
	if s.Filter != nil {
		asked[0] = s.Filter.String()
	}
	if s.SortBy != nil {
		asked[1] = s.SortBy.String()
		if s.Descending {
			asked[2] = "descending"
		}
	}
	return listKey{digestOf(scope...), digestOf(asked...)}
}

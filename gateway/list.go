package gateway

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"

	"scimgate/internal/directory"
	"scimgate/internal/scim"
	"scimgate/mapping"
)

// query is a list request (RFC 7644 section 3.4.2).
type query struct {
	filter scim.Filter // nil for all
	start  int         // from 1
	count  int         // at most this many
}

// list answers GET of an endpoint.
func (q *request) list() error {
	l, err := q.query()
	if err != nil {
		return err
	}
	ids, entries, err := q.matching(l)
	if err != nil {
		return err
	}
	from := min(l.start-1, len(ids))
	page := ids[from:min(from+l.count, len(ids))]
	if entries == nil {
		if entries, err = q.typ.page(q.ctx(), page, q.view.reads(q.typ)); err != nil {
			return err
		}
	} else {
		entries = entries[from : from+len(page)]
	}
	resources, err := q.shown(entries)
	if err != nil {
		return err
	}
	return reply(q.Context, http.StatusOK, scim.ListResponse{
		TotalResults: len(ids), StartIndex: l.start, ItemsPerPage: len(resources), Resources: resources,
	})
}

func (q *request) query() (query, error) {
	l := query{start: 1, count: q.gateway.config.PageSize}
	var err error
	if text := q.QueryParam("filter"); text != "" {
		if l.filter, err = scim.ParseFilter(text); err != nil {
			return l, err
		}
	}
	if l.start, err = q.number("startIndex", l.start); err != nil {
		return l, err
	}
	if l.count, err = q.number("count", l.count); err != nil {
		return l, err
	}
	l.start = max(l.start, 1)
	l.count = max(min(l.count, q.gateway.config.PageSize), 0)
	return l, nil
}

func (q *request) number(name string, otherwise int) (int, error) {
	text := q.QueryParam(name)
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, scim.BadRequest(scim.TypeInvalidValue, "%s is %q; it has to be a whole number", name, text)
	}
	return n, nil
}

// matching returns the ids of all resources of the list in their order. The
// beginning of a walk asks the directory; later pages go by what it answered
// then, while that is fresh. Where the directory returned the few entries
// themselves, they come along.
func (q *request) matching(l query) ([]string, []directory.Entry, error) {
	key := ""
	if l.filter != nil {
		key = l.filter.String()
	}
	if l.start > 1 {
		if ids, ok := q.typ.walks.get(key, q.gateway.now()); ok {
			return ids, nil, nil
		}
	}
	filter, exact, err := q.filter(l.filter)
	if err != nil {
		return nil, nil, err
	}
	found := directory.Query{Filter: filter, Attributes: []string{}}
	whole := !exact || selective(filter)
	refers := !exact && q.typ.mapping.AsksReferences(l.filter)
	if whole && !refers {
		found.Attributes = q.view.reads(q.typ)
	} else if whole {
		found.Attributes = nil
	}
	entries, err := q.typ.store.Search(q.ctx(), found)
	if err != nil {
		return nil, nil, err
	}
	if !exact {
		if entries, err = q.sortOut(l.filter, entries, refers); err != nil {
			return nil, nil, err
		}
	}
	slices.SortFunc(entries, func(a, b directory.Entry) int { return cmp.Compare(a.ID, b.ID) })
	ids := make([]string, len(entries))
	for i, e := range entries {
		ids[i] = e.ID
	}
	q.typ.walks.put(key, ids, q.gateway.now())
	if !whole {
		entries = nil
	}
	return ids, entries, nil
}

// filter translates the request's filter, with the names behind the ids in it.
func (q *request) filter(f scim.Filter) (directory.Filter, bool, error) {
	if f == nil {
		return directory.Filter{}, true, nil
	}
	names, err := q.typ.tenant.names(q.ctx(), q.typ.mapping.FilterReferences(f), nil)
	if err != nil {
		return directory.Filter{}, false, err
	}
	return q.typ.mapping.Filter(f, names)
}

// selective reports whether a filter asks for particular values, so that few
// entries match.
func selective(f directory.Filter) bool {
	switch f.Op {
	case directory.Equal:
		return f.Attribute != directory.AttrState
	case directory.And:
		return slices.ContainsFunc(f.Filters, selective)
	case directory.Or:
		return !slices.ContainsFunc(f.Filters, func(f directory.Filter) bool { return !selective(f) })
	}
	return false
}

// sortOut keeps the entries whose resources really match. Where the filter
// refers to others, they are looked up.
func (q *request) sortOut(f scim.Filter, entries []directory.Entry, refers bool) ([]directory.Entry, error) {
	var refs mapping.Refs
	if refers {
		var err error
		if refs, err = q.typ.refs(q.ctx(), entries); err != nil {
			return nil, err
		}
	}
	kept := entries[:0]
	for _, e := range entries {
		ok, err := scim.Match(f, q.typ.mapping.Resource(e, refs), q.typ.mapping.Definition())
		if err != nil {
			return nil, err
		}
		if ok {
			kept = append(kept, e)
		}
	}
	return kept, nil
}

// shown makes the resources of a page as the client wants to see them.
func (q *request) shown(entries []directory.Entry) ([]any, error) {
	resources, err := q.typ.resources(q.ctx(), entries)
	if err != nil {
		return nil, err
	}
	def := q.typ.mapping.Definition()
	all := make([]any, len(resources))
	for i, res := range resources {
		q.typ.mapping.Locate(res, q.url)
		all[i] = scim.Project(def, res, q.view.attributes, q.view.excluded)
	}
	return all, nil
}

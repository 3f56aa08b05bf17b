package gateway

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sort"

	"scimgate/internal/directory"
	"scimgate/internal/scim"
)

// answerList answers a list request.
func (q *request) answerList(s scim.SearchRequest) error {
	return q.placed(q.answerPage(s), s)
}

// answerPage answers with a page by index or by cursor of what matches.
func (q *request) answerPage(s scim.SearchRequest) error {
	q.view = q.typ.tenant.policy.hide(view{attributes: s.Attributes, excluded: s.ExcludedAttributes}, true)
	l, err := q.query(s)
	if err != nil {
		return err
	}
	walk := q.walk(l)
	places, whole, err := q.matching(l, walk)
	if err != nil {
		return err
	}
	from := min(max(l.start-1, 0), len(places))
	if l.after != nil {
		from = sort.Search(len(places), func(i int) bool { return l.order.compare(places[i], l.after.after) > 0 })
	}
	end := min(from+l.count, len(places))
	resources, err := q.shown(places[from:end], whole)
	if err != nil {
		return err
	}
	answer := scim.ListResponse{TotalResults: len(places), StartIndex: l.start, ItemsPerPage: len(resources), Resources: resources}
	if l.byCursor && end < len(places) {
		answer.NextCursor = q.gateway.cursors.seal(cursor{
			issued: q.gateway.now(), generation: walk.generation, scope: l.list.scope, asked: l.list.asked, after: places[end-1],
		})
	}
	return reply(q.Context, http.StatusOK, answer)
}

// walk returns which walk the page belongs to.
func (q *request) walk(l query) walkKey {
	key := walkKey{list: l.list, edition: q.typ.tenant.edition}
	switch {
	case l.after != nil:
		key.generation = l.after.generation
	case l.byCursor:
		key.generation = rand.Uint64()
	default:
		key.token = q.event.token
	}
	return key
}

// matching returns the places of all resources of the list in their order. The
// beginning of a walk asks the directory; later pages go by what it answered
// then, while that is fresh. A gateway that does not remember the walk asks once
// more. Entries that were read whole on the way come along.
func (q *request) matching(l query, walk walkKey) ([]place, map[string]directory.Entry, error) {
	if l.start > 1 || l.after != nil {
		if places, ok := q.gateway.walks.get(walk, q.gateway.now()); ok {
			return places, nil, nil
		}
	}
	var places []place
	whole := map[string]directory.Entry{}
	for i := range q.types {
		entries, areWhole, err := q.enumerate(l, i)
		if err != nil {
			return nil, nil, err
		}
		places = slices.Grow(places, len(entries))
		for _, e := range entries {
			places = append(places, l.order.place(i, q.types[i].mapping, e))
			if areWhole {
				whole[e.ID] = e
			}
		}
	}
	slices.SortFunc(places, l.order.compare)
	if len(places) > l.count && l.count > 0 { // there are more pages
		q.gateway.walks.put(walk, places, q.gateway.now())
	}
	return places, whole, nil
}

// enumerations is how many long lists a gateway reads at a time; each can take
// some hundred megabytes where a directory has 100,000 people.
const enumerations = 4

// enumerate finds the entries of one of the list's types, with what sorting
// them takes, or whole where no more match than a page may show. What a filter
// asks for by value is tried so first: a look-up takes one search and waits for
// nobody. That many people have the value shows after a page of them.
func (q *request) enumerate(l query, typ int) ([]directory.Entry, bool, error) {
	of := *q
	of.typ = q.types[typ]
	m := of.typ.mapping
	f := l.filter
	if f != nil && len(q.types) > 1 {
		var all bool
		if f, all = m.Definition().Within(f); f == nil && !all {
			return nil, false, nil
		}
	}
	found, err := of.filter(f)
	if err != nil {
		return nil, false, err
	}
	// Of groups that are shown with their members only a page is read.
	crowded := m.Members() != "" && (found.needs.refs || of.view.reads(of.typ) == nil)
	order := l.order.paths(typ)
	if selective(found.filter) && found.names == nil && len(found.filter.Filters) <= alternatives {
		entries, err := of.candidates(found.upTo(q.limits().PageSize), !crowded, order)
		if !directory.Is(err, directory.TooMany) {
			return entries, !crowded, err
		}
	}
	if err := q.gateway.enumerating.Acquire(q.ctx(), 1); err != nil {
		return nil, false, err
	}
	defer q.gateway.enumerating.Release(1)
	entries, err := of.candidates(found, false, order)
	if directory.Is(err, directory.TooMany) && found.rest != nil {
		return nil, false, tooMany(found, err)
	}
	return entries, false, err
}

// candidates finds the entries that a filter leaves, whole or with what sorting
// them takes, and sorts out those that do not match.
func (q *request) candidates(f narrowed, whole bool, order []scim.Path) ([]directory.Entry, error) {
	m := q.typ.mapping
	paths := append(order, f.reads(m.Definition())...)
	again := m.Members() != "" && f.needs.refs // groups are read again with their members, some at a time
	var search directory.Query
	switch {
	case whole:
		search.Attributes = q.view.reads(q.typ)
	case len(paths) == 0, again:
		search.Attributes, search.Places = []string{}, true
	default:
		search.Attributes, search.Places = m.Reads(paths), !m.ReadsMarker(paths)
	}
	entries, err := q.find(f, search)
	switch {
	case err != nil || f.rest == nil:
		return entries, err
	case again:
		return q.sortOutGroups(f, entries, m.Reads(paths))
	}
	return q.sortOut(f, entries)
}

// tooMany says that too many entries would have to be looked at for a filter
// that the directory cannot answer by itself.
func tooMany(n narrowed, err error) error {
	what, narrow := "this filter has to be looked at resource by resource", "and userName sw \"a\""
	if work := scim.Work(n.rest); work > comparisonsAtOnce/max(n.limit+1, 1) {
		what = fmt.Sprintf("the %d comparisons of this filter have to be made resource by resource", work)
	}
	if n.needs.groups {
		what, narrow = "the groups of each user have to be looked up for this filter", "and groups.value eq \"…\", with the id of a group"
	}
	return &scim.Error{Status: http.StatusBadRequest, Type: scim.TypeTooMany, Err: err, Detail: fmt.Sprintf(
		"%s, and more than %d are left to look at, or more than the directory returns; "+
			"narrow it with a comparison that the directory answers, such as: %s", what, n.limit, narrow)}
}

// selective reports whether a filter asks for particular values, so that few
// entries may well match.
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

// shown makes the resources of a page as the client wants to see them. Entries
// in whole are not read again; those that are gone since are left out.
func (q *request) shown(page []place, whole map[string]directory.Entry) ([]any, error) {
	shown := make(map[string]any, len(page))
	for i, t := range q.types {
		entries, err := q.entries(t, i, page, whole)
		if err != nil {
			return nil, err
		}
		if len(entries) == 0 {
			continue
		}
		resources, err := t.resources(q.ctx(), entries, nil, q.view.depth(t))
		if err != nil {
			return nil, err
		}
		project := q.view.project(t)
		for i, res := range resources {
			t.mapping.Locate(res, q.url)
			shown[entries[i].ID] = project(res)
		}
	}
	all := make([]any, 0, len(page))
	for _, p := range page {
		if res, ok := shown[p.id]; ok {
			all = append(all, res)
		}
	}
	return all, nil
}

// entries returns the entries of a page that are of one type.
func (q *request) entries(t *resourceType, typ int, page []place, whole map[string]directory.Entry) ([]directory.Entry, error) {
	var missing []string
	var entries []directory.Entry
	for _, p := range page {
		if int(p.typ) != typ {
			continue
		}
		if e, ok := whole[p.id]; ok {
			entries = append(entries, e)
		} else {
			missing = append(missing, p.id)
		}
	}
	if len(missing) == 0 {
		return entries, nil
	}
	read, err := t.readPage(q.ctx(), missing, q.view.reads(t))
	return append(entries, read...), err
}

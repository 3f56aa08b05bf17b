package gateway

import (
	"context"
	"slices"

	"scimgate/internal/directory"
	"scimgate/internal/scim"
)

// groupLookups is how many entries a filter may leave of which the groups have
// to be looked up one by one.
const groupLookups = 1000

// comparisonsAtOnce is how many comparisons a gateway makes for one filter: a
// second of work or two. A long filter so looks at fewer entries than a short one.
const comparisonsAtOnce = 2_000_000

// narrowed is a filter in the directory's words.
type narrowed struct {
	filter directory.Filter
	names  []string    // where not nil, only these can match: too many for one search
	rest   scim.Filter // what has to be looked at of each hit; nil for nothing
	joins  *joins      // the groups that the filter speaks of; nil for none
	needs  depth       // what looking at rest takes
	limit  int         // at most so many hits may be left to look at; 0 for any number
}

// upTo is the filter where more than so many hits are too many.
func (n narrowed) upTo(most int) narrowed {
	if n.limit == 0 || n.limit > most {
		n.limit = most
	}
	return n
}

// filter translates the request's filter, with the names behind the ids in it.
func (q *request) filter(f scim.Filter) (narrowed, error) {
	n := narrowed{}
	if f == nil {
		return n, nil
	}
	m := q.typ.mapping
	names, err := q.typ.tenant.names(q.ctx(), m.FilterReferences(f), nil)
	if err != nil {
		return n, err
	}
	exact, precise := true, true
	if n.filter, exact, err = m.Filter(f, names); err != nil {
		return n, err
	}
	if asked := m.GroupQuestions(f); asked.Asks {
		n.joins = q.typ.newJoins()
		if !asked.Whole {
			if err := n.joins.load(q.ctx(), asked.Groups); err != nil {
				return n, err
			}
		}
		if n.filter, n.names, precise, err = n.joins.put(q.ctx(), n.filter); err != nil {
			return n, err
		}
	}
	if exact && precise {
		return n, nil
	}
	n.rest, n.limit = f, q.limits().FilterEntries
	if and, ok := f.(scim.And); ok { // what the directory has answered is not looked at again
		left := slices.DeleteFunc(slices.Clone(and.Filters), func(part scim.Filter) bool {
			_, exact, err := m.Filter(part, names)
			return exact && err == nil && (precise || !m.GroupQuestions(part).Asks)
		})
		n.rest = scim.And{Filters: left}
	}
	refs := m.AsksReferences(n.rest)
	whole := m.GroupQuestions(n.rest).Whole
	n.needs = depth{refs: refs, display: refs, groups: whole, origin: m.AsksProvenance(n.rest)}
	if whole && (n.limit == 0 || n.limit > groupLookups) {
		n.limit = groupLookups
	}
	return n.upTo(comparisonsAtOnce / max(scim.Work(n.rest), 1)), nil
}

// reads returns the paths of what has to be read of an entry to look at it.
func (n narrowed) reads(def scim.Definition) []scim.Path {
	if n.rest == nil {
		return nil
	}
	paths := scim.FilterPaths(n.rest)
	for _, p := range paths {
		if _, p, _ = def.Lookup(scim.Path{URN: p.URN, Attr: p.Attr}); p.URN == "" && p.Attr == "schemas" {
			for _, e := range def.Extensions { // it lists those that have values
				paths = append(paths, scim.Path{URN: e.ID})
			}
		}
	}
	return paths
}

// find searches for the entries that a filter leaves.
func (q *request) find(n narrowed, search directory.Query) ([]directory.Entry, error) {
	search.Filter, search.Limit = n.filter, n.limit
	if n.names == nil {
		return q.typ.store.Search(q.ctx(), search)
	}
	some := slices.Collect(slices.Chunk(n.names, alternatives))
	found := make([][]directory.Entry, len(some))
	err := together(q.ctx(), len(some), func(ctx context.Context, i int) error {
		s := search
		s.Filter = directory.AndOf(directory.AnyOf(directory.AttrDN, some[i]), n.filter)
		var err error
		found[i], err = q.typ.store.Search(ctx, s)
		return err
	})
	entries := slices.Concat(found...)
	if err == nil && n.limit > 0 && len(entries) > n.limit {
		return nil, &directory.Error{Op: "search", Kind: directory.TooMany}
	}
	return entries, err
}

// sortOut keeps the entries whose resources really match, as they are shown.
func (q *request) sortOut(n narrowed, entries []directory.Entry) ([]directory.Entry, error) {
	m := q.typ.mapping
	resources, err := q.typ.resources(q.ctx(), entries, nil, n.needs)
	if err != nil {
		return nil, err
	}
	kept := entries[:0]
	for i, e := range entries {
		if err := q.ctx().Err(); err != nil {
			return nil, err
		}
		if n.joins != nil && !n.needs.groups {
			m.ShowGroups(resources[i], n.joins.in(e.DN))
		}
		m.Locate(resources[i], q.url)
		ok, err := scim.Match(n.rest, resources[i], m.Definition())
		if err != nil {
			return nil, err
		}
		if ok {
			kept = append(kept, e)
		}
	}
	return kept, nil
}

// sortOutGroups reads groups with their members to look at, some at a time, and
// keeps those that match without their members.
func (q *request) sortOutGroups(n narrowed, entries []directory.Entry, attributes []string) ([]directory.Entry, error) {
	ids := make([]string, len(entries))
	for i, e := range entries {
		ids[i] = e.ID
	}
	var kept []directory.Entry
	err := q.typ.withMembers(q.ctx(), ids, attributes, func(some []directory.Entry) error {
		some, err := q.sortOut(n, some)
		for _, e := range some {
			delete(e.Attributes, q.typ.mapping.Members())
		}
		kept = append(kept, some...)
		return err
	})
	return kept, err
}

package gateway

import (
	"cmp"

	"scimgate/internal/directory"
	"scimgate/internal/scim"
	"scimgate/mapping"
)

// place is where a resource stands in a list: by its sort key, then by its
// type, by when it was created, and by its id. New resources come last that way
// where nothing is sorted, so a walk that goes on after a place, or at an index,
// misses nobody whatever is created meanwhile.
type place struct {
	key     string // "" for all where nothing is sorted
	typ     uint8  // index in the list's types
	created int64  // Unix seconds, which is what directories know
	id      string
}

// order is how a list is sorted, for each of its types.
type order struct {
	by         []*scim.Ordering // nil where the type has no such attribute; empty for no sorting
	descending bool
}

// order finds out what to sort by. Ids of other resources have no order that
// anybody could see, so they are refused.
func (q *request) order(s scim.SearchRequest) (order, error) {
	o := order{descending: s.Descending}
	if s.SortBy == nil {
		return o, nil
	}
	known := false
	for _, t := range q.types {
		by, ok, err := t.mapping.Definition().Ordering(*s.SortBy)
		if err != nil {
			return order{}, err
		}
		if !ok {
			o.by = append(o.by, nil)
			continue
		}
		known = true
		p := by.Path()
		derived := p.URN == "" && p.Attr == "groups" && t.mapping.HasGroups()
		if derived || t.mapping.AsksReferences(scim.Present{Path: p}) {
			return order{}, scim.BadRequest(scim.TypeInvalidPath,
				"sortBy: %s is the id of another resource and cannot be sorted by; sort by an attribute of the resource itself", p.String())
		}
		o.by = append(o.by, &by)
	}
	if !known {
		return order{}, scim.BadRequest(scim.TypeInvalidPath, "sortBy: %q is no attribute of %s; Schemas lists those there are", s.SortBy.String(), q.typeNames())
	}
	return o, nil
}

// paths are the attributes that have to be read of a type's entries.
func (o order) paths(typ int) []scim.Path {
	if len(o.by) == 0 || o.by[typ] == nil {
		return nil
	}
	return []scim.Path{o.by[typ].Path()}
}

// place returns where an entry stands.
func (o order) place(typ int, m *mapping.Mapping, e directory.Entry) place {
	p := place{typ: uint8(typ), created: e.Created.Unix(), id: e.ID}
	switch {
	case len(o.by) == 0:
	case o.by[typ] == nil:
		p.key = scim.AbsentKey
	default:
		res := m.Resource(e, nil)
		if o.by[typ].Path().URN == scim.ProvenanceURN {
			m.ShowProvenance(res, e)
		}
		p.key = o.by[typ].Key(res)
	}
	return p
}

// compare tells which of two places comes first. Equal keys stand in the order
// of an unsorted list, whichever way the keys go.
func (o order) compare(a, b place) int {
	if byKey := cmp.Compare(a.key, b.key); byKey != 0 {
		if o.descending {
			return -byKey
		}
		return byKey
	}
	return cmp.Or(cmp.Compare(a.typ, b.typ), cmp.Compare(a.created, b.created), cmp.Compare(a.id, b.id))
}

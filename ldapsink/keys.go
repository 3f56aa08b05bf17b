package ldapsink

import (
	"context"
	"slices"
	"strings"

	"scimgate/internal/directory"
)

// keyFilters match who claims one of the keys.
func keyFilters(keys []directory.Key) []directory.Filter {
	filters := make([]directory.Filter, len(keys))
	for i, k := range keys {
		filters[i] = directory.Eq(k.Attribute, k.Value)
	}
	return filters
}

// with adds the keys' attributes to a selection.
func (s selection) with(keys []directory.Key) selection {
	s.names = slices.Clone(s.names)
	for _, k := range keys {
		if !slices.ContainsFunc(s.names, func(n string) bool { return strings.EqualFold(n, k.Attribute) }) {
			s.names = append(s.names, k.Attribute)
		}
	}
	return s
}

// free makes sure that nobody but the entry with the id claims one of the keys.
func (st *store) free(ctx context.Context, keys []directory.Key, id string) error {
	if len(keys) == 0 {
		return nil
	}
	found, err := st.find(ctx, directory.OrOf(keyFilters(keys)...), selection{}.with(keys))
	if err != nil {
		return err
	}
	found = slices.DeleteFunc(found, func(e directory.Entry) bool { return e.ID == id })
	rivals, err := st.rivals(ctx, found, keys)
	if err != nil {
		return err
	}
	if len(rivals) > 0 {
		return failf(directory.Exists, "a value that has to be unique is taken")
	}
	return nil
}

// rivals returns which of the entries that a search for the keys has found
// really claim one. Tombstones do not: they gave theirs up or will. An Exact
// key is claimed by the same bytes only. For the others the directory's own
// equality has decided, and where it may have been for an Exact key's sake that
// an entry was found it is asked again.
func (st *store) rivals(ctx context.Context, found []directory.Entry, keys []directory.Key) ([]directory.Entry, error) {
	var exact, loose []directory.Key
	for _, k := range keys {
		if k.Exact {
			exact = append(exact, k)
		} else {
			loose = append(loose, k)
		}
	}
	var rivals []directory.Entry
	for _, e := range found {
		if e.Marker.Source != "" && e.Marker.State == directory.Deleted {
			continue
		}
		switch {
		case claims(e, exact, func(a, b string) bool { return a == b }):
		case len(loose) == 0:
			continue
		case len(exact) == 0 || claims(e, loose, sameFolded):
		default:
			hit, err := st.find(ctx, directory.AndOf(directory.Eq(directory.AttrID, e.ID), directory.OrOf(keyFilters(loose)...)), selection{})
			if err != nil {
				return nil, err
			}
			if len(hit) == 0 {
				continue
			}
		}
		rivals = append(rivals, e)
	}
	return rivals, nil
}

// claims reports whether an entry has one of the keys' values.
func claims(e directory.Entry, keys []directory.Key, same func(a, b string) bool) bool {
	for _, k := range keys {
		for name, values := range e.Attributes {
			base, _, _ := strings.Cut(name, ";")
			if strings.EqualFold(base, k.Attribute) && slices.ContainsFunc(values, func(v string) bool { return same(v, k.Value) }) {
				return true
			}
		}
	}
	return false
}

func sameFolded(a, b string) bool { return directory.FoldValue(a) == directory.FoldValue(b) }

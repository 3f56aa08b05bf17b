package gateway

import (
	"context"
	"maps"
	"slices"
	"strings"

	"scimgate/internal/directory"
	"scimgate/mapping"
)

// batch is how many entries one search asks for by name or id.
const batch = 500

// names looks up the distinguished names behind ids. Ids of nobody are missing
// in the answer; so are tombstones and entries on their way to become one.
func (t *tenant) names(ctx context.Context, refs []mapping.Reference, known mapping.Names) (mapping.Names, error) {
	names := mapping.Names{}
	maps.Copy(names, known)
	wanted := map[string][]string{} // resource type -> ids
	seen := map[string]bool{}
	for _, r := range refs {
		key := strings.ToLower(r.ID)
		if _, ok := names[key]; ok || seen[key] {
			continue
		}
		seen[key] = true
		for _, typ := range r.Types {
			wanted[typ] = append(wanted[typ], r.ID)
		}
	}
	for typ, ids := range wanted {
		rt := t.byName(typ)
		if rt == nil {
			continue
		}
		err := rt.inBatches(ctx, directory.AttrID, ids, []string{}, func(e directory.Entry) {
			names[e.ID] = e.DN
		})
		if err != nil {
			return nil, err
		}
	}
	return spelledAs(names, refs), nil
}

// spelledAs adds the names under the spelling in which a client sent the id.
func spelledAs(names mapping.Names, refs []mapping.Reference) mapping.Names {
	for _, r := range refs {
		if _, ok := names[r.ID]; !ok {
			if dn, ok := names[strings.ToLower(r.ID)]; ok {
				names[r.ID] = dn
			}
		}
	}
	return names
}

// refs looks up the resources behind distinguished names, and what they are
// called where display asks for it. Names that are not this tenant's are missing
// in the answer.
func (t *tenant) refs(ctx context.Context, dns, types []string, display bool) (mapping.Refs, error) {
	refs := mapping.Refs{}
	missing := dns
	for _, typ := range types {
		rt := t.byName(typ)
		if rt == nil || len(missing) == 0 {
			continue
		}
		var here, rest []string
		for _, dn := range missing {
			if t.elsewhere(directory.FoldDN(dn), rt) {
				rest = append(rest, dn)
			} else {
				here = append(here, dn)
			}
		}
		reads := []string{}
		if display {
			reads = rt.mapping.DisplayAttributes()
		}
		err := rt.inBatches(ctx, directory.AttrDN, here, reads, func(e directory.Entry) {
			refs[directory.FoldDN(e.DN)] = rt.ref(e)
		})
		if err != nil {
			return nil, err
		}
		for _, dn := range here {
			if _, ok := refs[directory.FoldDN(dn)]; !ok {
				rest = append(rest, dn)
			}
		}
		missing = rest
	}
	return refs, nil
}

// inBatches finds the live entries with one of the values and hands each to
// found, but for those on their way to become a tombstone: nobody refers to
// them any more. attributes are those to read, never nil.
func (t *resourceType) inBatches(ctx context.Context, attribute string, values, attributes []string, found func(directory.Entry)) error {
	some := slices.Collect(slices.Chunk(values, batch))
	hits := make([][]directory.Entry, len(some))
	err := together(ctx, len(some), func(ctx context.Context, i int) error {
		var err error
		hits[i], err = t.store.Search(ctx, directory.Query{Filter: directory.AnyOf(attribute, some[i]), Attributes: attributes})
		return err
	})
	if err != nil {
		return err
	}
	for _, entries := range hits {
		for _, e := range entries {
			if shows(e) {
				found(e)
			}
		}
	}
	return nil
}

// shows reports whether others can refer to an entry: nobody does to one that
// is being deleted.
func shows(e directory.Entry) bool {
	return e.Marker.State == directory.Active || e.Marker.State == directory.Inactive
}

// one reads the live entry with an id; a missing one is a *scim.Error 404.
func (t *resourceType) one(ctx context.Context, id string, attributes []string) (directory.Entry, error) {
	hits, err := t.store.Search(ctx, directory.Query{Filter: directory.Eq(directory.AttrID, id), Attributes: attributes})
	if err != nil {
		return directory.Entry{}, err
	}
	if len(hits) == 0 {
		return directory.Entry{}, notFound(t, id)
	}
	return hits[0], nil
}

func unique(names []string) []string {
	seen := make(map[string]bool, len(names))
	var once []string
	for _, n := range names {
		if key := directory.FoldDN(n); !seen[key] {
			seen[key] = true
			once = append(once, n)
		}
	}
	return once
}

package check

import (
	"context"
	"fmt"
	"slices"

	"scimgate/internal/directory"
	"scimgate/ldapsink"
	"scimgate/mapping"
)

// Hold holds a mapping against its directory: what is wrong here makes requests
// fail. The start of the gateway and a check of the configuration share it.
func Hold(ctx context.Context, sink *ldapsink.Sink, schema directory.Schema, m *mapping.Mapping, store directory.Store) []directory.Fault {
	return slices.Concat(m.Hold(schema), Base(ctx, sink, m, store), places(ctx, sink, m), adoptFilter(m, schema))
}

// adoptFilter looks whether the directory has what the filter of an adoption asks
// for: of an attribute that it does not know it finds nobody, and says nothing.
func adoptFilter(m *mapping.Mapping, schema directory.Schema) []directory.Fault {
	var faults []directory.Fault
	for _, name := range ldapsink.FilterAttributes(m.AdoptFilter().Value) {
		if _, known := schema.Attribute(name); !known {
			faults = append(faults, directory.Fault{Key: "onExisting.adopt.filter", Problem: "the directory has no attribute " + name + ", so nobody would be adopted; correct the name"})
		}
	}
	return faults
}

// places looks whether there is where inactive entries move to.
func places(ctx context.Context, sink *ldapsink.Sink, m *mapping.Mapping) []directory.Fault {
	var faults []directory.Fault
	for _, place := range m.Collection().Places {
		name, err := sink.Spelled(ctx, place)
		problem := ""
		switch {
		case directory.Is(err, directory.Unavailable):
		case err != nil || name == "":
			problem = fmt.Sprintf("moves to %q, which cannot be found in the directory; create it, or correct the name", place)
		case directory.FoldDN(name) != directory.FoldDN(place):
			problem = fmt.Sprintf("moves to %q, which the directory returns as %q; use that name", place, name)
		}
		if problem != "" {
			faults = append(faults, directory.Fault{Key: "deactivate", Problem: problem})
		}
	}
	return faults
}

// Base looks whether entries of a type have a place to be, and whether the file
// names it as the directory does: bases are told apart by their text.
func Base(ctx context.Context, sink *ldapsink.Sink, m *mapping.Mapping, store directory.Store) []directory.Fault {
	fault := func(format string, args ...any) []directory.Fault {
		return []directory.Fault{{Key: "base", Problem: fmt.Sprintf(format, args...)}}
	}
	given := m.Collection().Base
	_, err := store.Search(ctx, directory.Query{Filter: directory.Filter{Op: directory.None}, Attributes: []string{}})
	name, unknown := sink.Spelled(ctx, given)
	switch {
	case directory.Is(err, directory.Unavailable):
		return nil
	case err != nil && unknown == nil && name == "":
		return fault("cannot be searched in the directory: there is no %q, or the account may not see it; make the entry, correct the name, or give the right", given)
	case err != nil:
		return fault("cannot be searched in the directory: %v; give the account the right, or another base", err)
	case unknown == nil && name != "" && directory.FoldDN(name) != directory.FoldDN(given):
		return fault("the directory returns %q as %q; use that name", given, name)
	}
	return nil
}

package check

import (
	"context"
	"fmt"

	"scimgate/internal/directory"
	"scimgate/ldapsink"
	"scimgate/mapping"
)

// Hold holds a mapping against its directory: what is wrong here makes requests
// fail. The start of the gateway and a check of the configuration share it.
func Hold(ctx context.Context, sink *ldapsink.Sink, schema directory.Schema, m *mapping.Mapping, store directory.Store) []directory.Fault {
	return append(m.Hold(schema), Base(ctx, sink, m, store)...)
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

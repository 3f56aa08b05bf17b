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
	_, err := store.Search(ctx, directory.Query{Filter: directory.Filter{Op: directory.None}, Attributes: []string{}})
	if err != nil {
		if directory.Is(err, directory.Unavailable) {
			return nil
		}
		return []directory.Fault{{Key: "base", Problem: fmt.Sprintf("cannot be searched in the directory: %v", err)}}
	}
	given := m.Collection().Base
	if name, err := sink.Spelled(ctx, given); err == nil && name != "" && directory.FoldDN(name) != directory.FoldDN(given) {
		return []directory.Fault{{Key: "base", Problem: fmt.Sprintf("the directory returns %q as %q; use that name", given, name)}}
	}
	return nil
}

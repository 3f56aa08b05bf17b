package ldapsink

import (
	"context"
	"fmt"

	"github.com/go-ldap/ldap/v3"

	"scimgate/internal/directory"
)

// Search implements directory.Store.
func (st *store) Search(ctx context.Context, q directory.Query) ([]directory.Entry, error) {
	entries, err := st.find(ctx, st.scoped(q.Filter, q.Scope), st.selected(q.Attributes))
	return entries, wrap("search", err)
}

// scoped adds to a filter which entries a scope sees. The caller's filter comes
// first: it is the one that finds few.
func (st *store) scoped(f directory.Filter, scope directory.Scope) directory.Filter {
	switch scope {
	case directory.Live:
		return directory.AndOf(f, st.ours(), directory.NotOf(directory.Eq(directory.AttrState, string(directory.Deleted))))
	case directory.Known:
		return directory.AndOf(f, st.ours())
	}
	return f
}

// ours matches what this collection's tenant manages.
func (st *store) ours() directory.Filter { return directory.Eq(st.c.SourceAttribute, st.c.Source) }

// find searches below the collection's base.
func (st *store) find(ctx context.Context, f directory.Filter, s selection) ([]directory.Entry, error) {
	filter, err := st.renderer().render(f)
	if err != nil {
		return nil, fail(directory.Internal, err)
	}
	found, err := st.search(ctx, st.c.Base, filter, st.wire(s))
	if err != nil {
		return nil, err
	}
	base := directory.FoldDN(st.c.Base)
	entries := make([]directory.Entry, 0, len(found))
	for _, raw := range found {
		// The base itself is the directory's, not an entry of the collection.
		if len(raw.DN) <= len(st.c.Base)+1 && directory.FoldDN(raw.DN) == base {
			continue
		}
		entries = append(entries, st.entry(raw, s))
	}
	return entries, nil
}

func (st *store) renderer() renderer { return renderer{flavor: st.flavor, state: st.c.StateAttribute} }

// search reads what matches in a whole tree.
func (s *Sink) search(ctx context.Context, base, filter string, attributes []string) ([]*ldap.Entry, error) {
	request := ldap.NewSearchRequest(base, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, 0, false, filter, attributes, nil)
	var found *ldap.SearchResult
	err := s.read(ctx, func(ctx context.Context, l *link) error {
		var err error
		found, err = ask(ctx, s.pool, l, true, func(conn *ldap.Conn) (*ldap.SearchResult, error) {
			return conn.Search(request)
		})
		return err
	})
	if ldap.IsErrorWithCode(err, ldap.LDAPResultNoSuchObject) {
		return nil, fail(directory.Internal, fmt.Errorf("the base %q does not exist: %w", base, err))
	}
	if err != nil {
		return nil, err
	}
	return found.Entries, nil
}

// byID returns the entry with an id, whoever manages it, or nil.
func (st *store) byID(ctx context.Context, id string, scope directory.Scope, s selection) (*directory.Entry, error) {
	found, err := st.find(ctx, st.scoped(directory.Eq(directory.AttrID, id), scope), s)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return &found[0], nil
}

package ldapsink

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/go-ldap/ldap/v3"
	"golang.org/x/sync/errgroup"

	"scimgate/internal/directory"
)

// Search implements directory.Store.
func (st *store) Search(ctx context.Context, q directory.Query) ([]directory.Entry, error) {
	s := st.asked(q)
	if q.Scope == directory.Tree {
		entries, err := st.findInTree(ctx, q.Filter, s)
		if err == nil && q.Guard {
			err = st.guard(ctx, q, entries)
		}
		return entries, wrap("search", err)
	}
	parts := pieces(q.Filter)
	if len(parts) == 1 {
		entries, err := st.findSome(ctx, st.scoped(q.Filter, q.Scope), s, q.Limit)
		if err == nil && q.Guard {
			err = st.guard(ctx, q, entries)
		}
		return entries, wrap("search", err)
	}
	found := make([][]directory.Entry, len(parts))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(len(st.pool.links))
	for i, part := range parts {
		group.Go(func() error {
			var err error
			found[i], err = st.findSome(ctx, st.scoped(part, q.Scope), s, q.Limit)
			if err == nil && q.Guard {
				q := q
				q.Filter = part
				err = st.guard(ctx, q, found[i])
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, wrap("search", err)
	}
	entries, err := some(distinct(found), q.Limit)
	return entries, wrap("search", err)
}

// alternatives is how many a search has at most. A server holds every entry
// that it finds against each of them in turn, so that 5,000 in one search take
// three times as long as in ten, and it refuses requests of some megabytes.
const alternatives = 500

// pieces splits a filter with very many alternatives into several with fewer.
func pieces(f directory.Filter) []directory.Filter {
	if f.Op != directory.Or || len(f.Filters) <= alternatives {
		return []directory.Filter{f}
	}
	var parts []directory.Filter
	for some := range slices.Chunk(f.Filters, alternatives) {
		parts = append(parts, directory.OrOf(some...))
	}
	return parts
}

// distinct joins the results of searches that may have found an entry twice.
func distinct(found [][]directory.Entry) []directory.Entry {
	seen := map[string]bool{}
	var entries []directory.Entry
	for _, e := range slices.Concat(found...) {
		if !seen[e.ID] {
			seen[e.ID] = true
			entries = append(entries, e)
		}
	}
	return entries
}

// scoped adds to a filter which entries a scope sees. The caller's filter comes
// first: it is the one that finds few.
func (st *store) scoped(f directory.Filter, scope directory.Scope) directory.Filter {
	switch scope {
	case directory.Live:
		return directory.AndOf(f, directory.Eq(st.c.SourceAttribute, st.c.Source), directory.AnyOf(directory.AttrState, live))
	}
	return f
}

// live are the states that a live entry can be in. An entry whose state cannot
// be read is nobody's.
var live = []string{string(directory.Active), string(directory.Inactive), string(directory.Deleting)}

// find searches below the collection's base, and in its places.
func (st *store) find(ctx context.Context, f directory.Filter, s selection) ([]directory.Entry, error) {
	return st.findSome(ctx, f, s, 0)
}

// findSome is find with a limit. What it finds is held against what the gateway
// has written lately.
func (st *store) findSome(ctx context.Context, f directory.Filter, s selection, limit int) ([]directory.Entry, error) {
	var entries []directory.Entry
	err := st.current(ctx, f, &entries, func(ctx context.Context) error {
		var err error
		entries, err = st.findAsItIs(ctx, f, s, limit)
		return err
	})
	if err != nil {
		return nil, err
	}
	return some(entries, limit)
}

// findAsItIs finds what the server in use has.
func (st *store) findAsItIs(ctx context.Context, f directory.Filter, s selection, limit int) ([]directory.Entry, error) {
	if name, rest, ok := st.named(f); ok {
		e, err := st.at(ctx, name, rest, s)
		if err != nil || e == nil {
			return nil, err
		}
		return []directory.Entry{*e}, nil
	}
	if st.flavor.dn == "" {
		if names := namesIn(f); len(names) > 0 {
			return st.findByNames(ctx, f, names, s)
		}
	}
	filter, err := st.renderer().render(f)
	if err != nil {
		return nil, fail(directory.Internal, err)
	}
	return st.findInTrees(ctx, filter, s, limit)
}

// findInTrees searches below the base and, where there are any, the places.
func (st *store) findInTrees(ctx context.Context, filter string, s selection, limit int) ([]directory.Entry, error) {
	trees := st.c.Trees()
	if len(trees) == 1 {
		return st.findIn(ctx, trees[0], filter, s, limit)
	}
	found := make([][]directory.Entry, len(trees))
	group, ctx := errgroup.WithContext(ctx)
	for i, tree := range trees {
		group.Go(func() error {
			var err error
			found[i], err = st.findIn(ctx, tree, filter, s, limit)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return distinct(found), nil // who was moved meanwhile may be in both
}

// findIn searches one tree, with a limit that the server keeps and that has room
// for the base and the places: they may match too, and are nobody's.
func (st *store) findIn(ctx context.Context, tree, filter string, s selection, limit int) ([]directory.Entry, error) {
	most := limit
	if limit > 0 {
		most += 1 + len(st.c.Places)
	}
	return searchFor(ctx, st.Sink, tree, filter, st.wire(s), most, s.places, func(raw *ldap.Entry) (directory.Entry, bool) {
		if st.ofDirectory(raw.DN) {
			return directory.Entry{}, false
		}
		return st.entry(raw, s), true
	})
}

// ofDirectory reports whether a name is that of a base or place, which is the
// directory's and no entry of the collection.
func (st *store) ofDirectory(dn string) bool {
	is := func(base string) bool {
		return len(dn) <= len(base)+1 && directory.FoldDN(dn) == directory.FoldDN(base)
	}
	return is(st.c.Base) || slices.ContainsFunc(st.c.Places, is)
}

// findInTree searches the whole tree that the base is in. An account that may not
// look at all of it sees what is below the base.
func (st *store) findInTree(ctx context.Context, f directory.Filter, s selection) ([]directory.Entry, error) {
	filter, err := st.renderer().render(f)
	if err != nil {
		return nil, fail(directory.Internal, err)
	}
	top, err := st.top(ctx)
	if err != nil {
		return nil, err
	}
	var found []directory.Entry
	err = st.current(ctx, f, &found, func(ctx context.Context) error {
		var err error
		found, err = searchFor(ctx, st.Sink, top, filter, st.wire(s), 0, f.Op == directory.Present,
			func(raw *ldap.Entry) (directory.Entry, bool) { return st.entry(raw, s), true })
		return err
	})
	if ldap.IsErrorAnyOf(err, ldap.LDAPResultNoSuchObject, ldap.LDAPResultInsufficientAccessRights) {
		return st.find(ctx, f, s)
	}
	return found, err
}

// some returns entries if they are not more than a limit.
func some(entries []directory.Entry, limit int) ([]directory.Entry, error) {
	if limit > 0 && len(entries) > limit {
		return nil, failf(directory.TooMany, "more than %d entries match", limit)
	}
	return entries, nil
}

func (st *store) renderer() renderer { return renderer{flavor: st.flavor, state: st.c.StateAttribute} }

// search reads what matches in a whole tree.
func (s *Sink) search(ctx context.Context, base, filter string, attributes []string) ([]*ldap.Entry, error) {
	return searchFor(ctx, s, base, filter, attributes, 0, false, func(e *ldap.Entry) (*ldap.Entry, bool) { return e, true })
}

// searchFor reads what matches in a whole tree, and keeps of each entry what
// form makes of it: of a large list the library's form is several times as
// large. limit is how many are too many, 0 no limit; many says that very many
// are expected.
func searchFor[T any](ctx context.Context, s *Sink, base, filter string, attributes []string, limit int, many bool, form func(*ldap.Entry) (T, bool)) ([]T, error) {
	request := ldap.NewSearchRequest(base, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, limit, 0, false, filter, attributes, nil)
	var found []T
	err := s.read(ctx, func(ctx context.Context, l *link) error {
		// Of this try alone: one that was given up may still be reading.
		var made []T
		var parts []*ldap.Entry
		keep := func(raw *ldap.Entry) error {
			if inParts(raw) {
				parts = append(parts, raw)
			} else if one, ok := form(l.tagged(raw, s.flavor)); ok {
				made = append(made, one)
			}
			if limit > 0 && len(made)+len(parts) >= limit {
				return errEnough
			}
			return nil
		}
		if err := s.searchOn(ctx, l, request, many, func() { made, parts = nil, nil }, keep); err != nil {
			return err
		}
		for _, raw := range parts {
			full, err := s.whole(ctx, l, raw)
			if err != nil {
				return err
			}
			if one, ok := form(l.tagged(full, s.flavor)); ok {
				made = append(made, one)
			}
		}
		found = made
		return nil
	})
	if ldap.IsErrorWithCode(err, ldap.LDAPResultNoSuchObject) {
		return nil, fail(directory.Internal, fmt.Errorf("the base %q does not exist: %w", base, err))
	}
	if ldap.IsErrorWithCode(err, ldap.LDAPResultInvalidDNSyntax) {
		return nil, fail(directory.Internal, fmt.Errorf("the base %q is no distinguished name: %w", base, err))
	}
	if err != nil {
		return nil, err
	}
	return found, nil
}

var errMidAnswer = errors.New("the connection was closed in mid-answer")

// collect hands on the entries of a search as they come, until take has enough,
// and returns the controls of the answer. The library can end such a search
// without a word where its context ends, its connection was closed or its own
// reading failed, so these are looked at before the end is believed.
func collect(ctx context.Context, conn *ldap.Conn, request *ldap.SearchRequest, take func(*ldap.Entry) error) ([]ldap.Control, error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var controls []ldap.Control
	results := conn.SearchAsync(ctx, request, 0)
	for results.Next() {
		controls = append(controls, results.Controls()...)
		raw := results.Entry()
		if raw == nil { // a referral or a control
			continue
		}
		if err := take(raw); err != nil {
			return nil, err
		}
	}
	failed := conn.GetLastError()
	switch {
	case results.Err() != nil:
		return nil, results.Err()
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case failed != nil || conn.IsClosing():
		return nil, ldap.NewError(ldap.ErrorNetwork, cmp.Or(failed, errMidAnswer))
	}
	return controls, nil
}

// byID returns the entry with an id, whoever manages it, or nil.
func (st *store) byID(ctx context.Context, id string, scope directory.Scope, s selection) (*directory.Entry, error) {
	found, err := st.find(ctx, st.scoped(directory.Eq(directory.AttrID, id), scope), s)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return &found[0], nil
}

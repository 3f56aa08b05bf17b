package ldapsink

import (
	"context"
	"slices"

	"github.com/go-ldap/ldap/v3"
	"golang.org/x/sync/errgroup"

	"scimgate/internal/directory"
)

// named returns the name that a filter for one id comes to, with the rest of the
// filter, where the directory has names of that kind.
func (st *store) named(f directory.Filter) (name string, rest directory.Filter, ok bool) {
	parts := []directory.Filter{f}
	if f.Op == directory.And {
		parts = f.Filters
	}
	for i, part := range parts {
		if part.Op == directory.Equal && part.Attribute == directory.AttrID {
			if name, ok := st.flavor.nameByID(part.Value); ok {
				return name, directory.AndOf(slices.Delete(slices.Clone(parts), i, i+1)...), true
			}
		}
	}
	return "", f, false
}

// at returns the entry of a name, if it is one of the collection's and the
// filter matches it, or nil.
func (st *store) at(ctx context.Context, name string, f directory.Filter, s selection) (*directory.Entry, error) {
	filter, err := st.renderer().render(f)
	if err != nil {
		return nil, fail(directory.Internal, err)
	}
	var found *ldap.Entry
	err = st.read(ctx, func(ctx context.Context, l *link) error {
		var err error
		found, err = st.matchOn(ctx, l, name, filter, st.wire(s))
		return err
	})
	switch {
	case ldap.IsErrorAnyOf(err, ldap.LDAPResultInvalidDNSyntax, ldap.LDAPResultReferral):
		return nil, nil // a referral: the entry is in a tree that the server does not hold, so not below the base
	case err != nil:
		return nil, err
	case found == nil || !st.owns(found.DN):
		return nil, nil
	}
	e := st.entry(found, s)
	return &e, nil
}

// owns reports whether a name is one of the collection's: below its base, which
// is the directory's own.
func (st *store) owns(dn string) bool {
	return !st.ofDirectory(dn) && slices.ContainsFunc(st.c.Trees(), func(tree string) bool { return below(dn, tree) })
}

// namesIn returns the names that a filter asks for.
func namesIn(f directory.Filter) []string {
	var names []string
	if f.Op == directory.Equal && f.Attribute == directory.AttrDN {
		names = append(names, f.Value)
	}
	for _, part := range f.Filters {
		names = append(names, namesIn(part)...)
	}
	return distinctNames(names, nil)
}

// findByNames searches where no attribute holds an entry's name: each name that
// the filter asks for is looked at by itself, and all other entries are searched
// for as having none of them.
func (st *store) findByNames(ctx context.Context, f directory.Filter, names []string, s selection) ([]directory.Entry, error) {
	there := make([]*directory.Entry, len(names))
	group, inner := errgroup.WithContext(ctx)
	group.SetLimit(64) // they share a few pipelined connections
	for i, name := range names {
		group.Go(func() error {
			test := withName(f, directory.FoldDN(name))
			if _, err := parseDN(name); err != nil || name == "" || test.Op == directory.None {
				return nil
			}
			var err error
			there[i], err = st.at(inner, name, test, s)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	var found []directory.Entry
	for _, e := range there {
		if e != nil {
			found = append(found, *e)
		}
	}
	if others := withName(f, ""); others.Op != directory.None {
		rest, err := st.findAsItIs(ctx, others, s, 0)
		if err != nil {
			return nil, err
		}
		named := foldedSet(names)
		rest = slices.DeleteFunc(rest, func(e directory.Entry) bool { return named[directory.FoldDN(e.DN)] })
		found = distinct([][]directory.Entry{found, rest})
	}
	return found, nil
}

func foldedSet(names []string) map[string]bool {
	set := make(map[string]bool, len(names))
	for _, n := range names {
		set[directory.FoldDN(n)] = true
	}
	return set
}

// withName returns what is left of a filter for an entry of a name, folded:
// every test of names is decided, and so is what follows from that.
func withName(f directory.Filter, name string) directory.Filter {
	all, none := directory.Filter{Op: directory.All}, directory.Filter{Op: directory.None}
	switch {
	case f.Op == directory.Equal && f.Attribute == directory.AttrDN:
		if name != "" && directory.FoldDN(f.Value) == name {
			return all
		}
		return none
	case len(f.Filters) == 0:
		return f
	}
	var parts []directory.Filter
	for _, part := range f.Filters {
		part = withName(part, name)
		switch {
		case f.Op == directory.And && part.Op == directory.None:
			return none
		case f.Op == directory.Or && part.Op == directory.All:
			return all
		case f.Op == directory.And && part.Op == directory.All, f.Op == directory.Or && part.Op == directory.None:
			continue
		}
		parts = append(parts, part)
	}
	switch {
	case f.Op == directory.Not && parts[0].Op == directory.All:
		return none
	case f.Op == directory.Not && parts[0].Op == directory.None:
		return all
	case len(parts) == 0 && f.Op == directory.And:
		return all
	case len(parts) == 0:
		return none
	}
	return directory.Filter{Op: f.Op, Filters: parts}
}

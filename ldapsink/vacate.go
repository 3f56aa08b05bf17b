package ldapsink

import (
	"context"
	"slices"
	"strings"

	"scimgate/internal/directory"
)

// granting are the attributes by which a name gives its bearer something.
var granting = []string{"member", "uniqueMember", "roleOccupant", "owner"}

// unreferred makes sure that a name which is to be given up for somebody else
// is referred to only where follow brings the reference along. What refers to
// it elsewhere is not the gateway's to change, and would be the newcomer's.
func (st *store) unreferred(ctx context.Context, dn string) error {
	base, err := st.namingContext(ctx)
	if err != nil {
		return err
	}
	for _, attribute := range granting {
		filter, err := st.renderer().render(directory.Eq(attribute, dn))
		if err != nil {
			return fail(directory.Internal, err)
		}
		found, err := st.search(ctx, base, filter, []string{"1.1"})
		if err != nil {
			return err
		}
		for _, e := range found {
			if !st.follows(e.DN, attribute) {
				return failf(directory.Exists, "%s refers to the name and is outside of what the gateway may write", e.DN)
			}
		}
	}
	return nil
}

// follows reports whether references in an entry's attribute follow a rename.
func (st *store) follows(dn, attribute string) bool {
	return slices.ContainsFunc(st.c.Referrers, func(r directory.Referrer) bool {
		return strings.EqualFold(r.Attribute, attribute) && below(dn, r.Base)
	})
}

// below reports whether a name is a base or below it.
func below(dn, base string) bool {
	dn, base = directory.FoldDN(dn), directory.FoldDN(base)
	return dn == base || strings.HasSuffix(dn, ","+base)
}

// namingContext is the top of the tree that the collection is in.
func (st *store) namingContext(ctx context.Context) (string, error) {
	dse, err := st.base(ctx, "", []string{"namingContexts"})
	if err != nil || dse == nil {
		return st.c.Base, err
	}
	for _, top := range values(dse, "namingContexts") {
		if below(st.c.Base, top) {
			return top, nil
		}
	}
	return st.c.Base, nil
}

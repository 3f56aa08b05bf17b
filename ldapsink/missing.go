package ldapsink

import (
	"context"
	"slices"

	"github.com/go-ldap/ldap/v3"
	"golang.org/x/sync/errgroup"

	"scimgate/internal/directory"
)

// modsOf returns the modifications that a change of members is.
func (st *store) modsOf(c directory.MemberChange) []directory.Mod {
	var mods []directory.Mod
	if len(c.Remove) > 0 { // without values it would remove them all
		mods = append(mods, directory.Mod{Op: directory.ModDelete, Attribute: st.c.Member, Values: c.Remove})
	}
	if len(c.Add) > 0 {
		mods = append(mods, directory.Mod{Op: directory.ModAdd, Attribute: st.c.Member, Values: c.Add})
	}
	return mods
}

// differs reports whether a refusal means that a value is not there, or there
// already, against what the Modify assumes.
func differs(refusal error) bool {
	return ldap.IsErrorAnyOf(refusal, ldap.LDAPResultNoSuchAttribute, ldap.LDAPResultAttributeOrValueExists)
}

// missing returns what of a change is still to be done: members to be removed
// that are there and members to be added that are not. Single values are asked
// for; a group is never read. Where the refusal may say that a name is nobody's,
// whoever is not there cannot be added.
func (st *store) missing(ctx context.Context, dn string, c directory.MemberChange, refusal error) (directory.MemberChange, error) {
	remove, err := st.keep(ctx, dn, c.Remove, true)
	if err != nil {
		return c, err
	}
	add, err := st.keep(ctx, dn, c.Add, false)
	if err != nil {
		return c, err
	}
	if slices.Contains(st.flavor.members, ldap.LDAPResultNoSuchObject) && ldap.IsErrorWithCode(refusal, ldap.LDAPResultNoSuchObject) {
		if add, err = st.present(ctx, add); err != nil {
			return c, err
		}
	}
	return directory.MemberChange{Add: add, Remove: remove}, nil
}

// present returns the names that are somebody's.
func (st *store) present(ctx context.Context, names []string) ([]string, error) {
	return st.keepIf(ctx, names, func(ctx context.Context, name string) (bool, error) {
		raw, err := st.base(ctx, name, []string{"1.1"})
		return raw != nil, err
	})
}

// keep returns the values that the group has, or has not.
func (st *store) keep(ctx context.Context, dn string, values []string, wanted bool) ([]string, error) {
	return st.keepIf(ctx, values, func(ctx context.Context, v string) (bool, error) {
		there, err := st.compare(ctx, dn, st.c.Member, v)
		return there == wanted, err
	})
}

// keepIf returns the values of which the directory says so.
func (st *store) keepIf(ctx context.Context, values []string, ask func(context.Context, string) (bool, error)) ([]string, error) {
	keep := make([]bool, len(values))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(64) // they share a few pipelined connections
	for i, v := range values {
		group.Go(func() error {
			var err error
			keep[i], err = ask(ctx, v)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	var kept []string
	for i, v := range values {
		if keep[i] {
			kept = append(kept, v)
		}
	}
	return kept, nil
}

// distinctMembers drops names that occur twice in one list, which a Modify may
// not; a member on both lists stays.
func distinctMembers(c directory.MemberChange) directory.MemberChange {
	add := distinctNames(c.Add, nil)
	return directory.MemberChange{Add: add, Remove: distinctNames(c.Remove, add)}
}

// distinctNames drops names that occur twice in one list, and those that occur
// in another.
func distinctNames(names, but []string) []string {
	seen := make(map[string]bool, len(names)+len(but))
	for _, n := range but {
		seen[directory.FoldDN(n)] = true
	}
	var distinct []string
	for _, n := range names {
		if folded := directory.FoldDN(n); !seen[folded] {
			seen[folded] = true
			distinct = append(distinct, n)
		}
	}
	return distinct
}

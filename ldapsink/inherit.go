package ldapsink

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/go-ldap/ldap/v3"
	"go.uber.org/zap"

	"scimgate/internal/directory"
)

// A name can be referred to without being anybody's: its bearer was renamed,
// deleted by hand, or is a tombstone that gave it up, and the directory does
// not mend references by itself. Whoever gets the name next would inherit the
// groups. So before an entry gets a name, what is left of its last bearer goes.

// take prepares a name for an entry. What follows a rename from it that has not
// come to its end is brought along, memberships in this tenant's groups that
// belong to nobody are ended; any other reference is somebody else's to mend,
// and until then the name is taken. from is the name that the entry has so far, ""
// for a new one: what lists it by a value that it keeps is its own.
func (st *store) take(ctx context.Context, from, dn string) error {
	for _, attribute := range st.memberships() {
		if from != "" && directory.FoldValue(st.listed(attribute, from)) == directory.FoldValue(st.listed(attribute, dn)) {
			continue
		}
		groups, err := st.referring(ctx, dn, attribute)
		if err != nil {
			return err
		}
		if len(groups) == 0 {
			continue
		}
		there, err := st.base(ctx, dn, []string{st.flavor.id})
		if err != nil {
			return err
		}
		if there != nil { // the references are its own
			return failf(directory.Exists, "the name is taken")
		}
		followed, err := st.followUnfinished(ctx, dn, attribute)
		if err != nil {
			return err
		}
		if followed {
			if groups, err = st.referring(ctx, dn, attribute); err != nil {
				return err
			}
		}
		if err := st.endMemberships(ctx, dn, attribute, groups); err != nil {
			return err
		}
	}
	return nil
}

// followUnfinished brings along what refers to a name that a rename of this
// tenant has just left, or left before it was interrupted. Where an attribute lists
// a value, names in two places are one.
func (st *store) followUnfinished(ctx context.Context, dn, attribute string) (bool, error) {
	renaming := directory.AndOf(directory.Eq(st.c.SourceAttribute, st.c.Source),
		directory.Filter{Op: directory.Contains, Attribute: st.c.StateAttribute, Value: `"from":`})
	found, err := st.find(ctx, renaming, selection{})
	if err != nil {
		return false, err
	}
	for _, e := range found {
		if st.listed(attribute, e.Marker.From) == st.listed(attribute, dn) || directory.FoldDN(e.Marker.From) == directory.FoldDN(dn) {
			return true, st.follow(ctx, e.Marker.From, e.DN)
		}
	}
	return false, nil
}

// endMemberships takes a name that is nobody's out of the groups that list it,
// if all of them are this tenant's.
func (st *store) endMemberships(ctx context.Context, dn, attribute string, groups []*ldap.Entry) error {
	for _, group := range groups {
		r, ours := st.referrer(group.DN, attribute)
		if !ours || first(group, r.SourceAttribute) != st.c.Source {
			return failf(directory.Exists, "%s still refers to the name and is not this tenant's to change", group.DN)
		}
	}
	for _, group := range groups {
		r, _ := st.referrer(group.DN, attribute)
		if err := st.endMembership(ctx, group.DN, r, dn); err != nil {
			return err
		}
		st.log.Info("ended a membership that belonged to nobody", zap.String("group", group.DN), zap.String("name", dn))
	}
	return nil
}

// endMembership takes a name out of a group.
func (st *store) endMembership(ctx context.Context, group string, r directory.Referrer, dn string) error {
	request := ldap.NewModifyRequest(group, nil)
	request.Delete(r.Attribute, []string{listedAs(r, dn)})
	err := st.repeat(ctx, request)
	if ldap.IsErrorWithCode(err, ldap.LDAPResultObjectClassViolation) && r.EmptyMember != "" {
		request.Add(r.Attribute, []string{r.EmptyMember})
		err = st.repeat(ctx, request)
	}
	if ldap.IsErrorAnyOf(err, ldap.LDAPResultNoSuchAttribute, ldap.LDAPResultNoSuchObject) {
		return nil
	}
	return err
}

// granting are the attributes by which a name can give its bearer something,
// whether this tenant uses them or not. Most are not indexed, so they are
// looked through only when a tombstone gives its name to somebody else.
var granting = []string{"member", "uniqueMember", "roleOccupant", "owner"}

// unreferred makes sure that a name which is to be given up for somebody else
// is referred to only where follow brings the reference along.
func (st *store) unreferred(ctx context.Context, dn string) error {
	for _, attribute := range granting {
		found, err := st.referring(ctx, dn, attribute)
		if err != nil {
			return err
		}
		for _, e := range found {
			if _, follows := st.referrer(e.DN, attribute); !follows {
				return failf(directory.Exists, "%s refers to the name and is outside of what the gateway may write", e.DN)
			}
		}
	}
	return nil
}

// memberships are the attributes that hold members: those of this tenant's
// groups, and the usual one, which others may use where the tenant has none.
func (st *store) memberships() []string {
	names := []string{"member"}
	for _, r := range st.c.Referrers {
		if r.Member && !slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, r.Attribute) }) {
			names = append(names, r.Attribute)
		}
	}
	return names
}

// referring finds what refers to a name, wherever in the tree it is, with the
// source of each.
func (st *store) referring(ctx context.Context, dn, attribute string) ([]*ldap.Entry, error) {
	filter, err := st.renderer().render(directory.Eq(attribute, st.listed(attribute, dn)))
	if err != nil {
		return nil, fail(directory.Internal, err)
	}
	top, err := st.top(ctx)
	if err != nil {
		return nil, err
	}
	sources := []string{"1.1"}
	for _, r := range st.c.Referrers {
		sources = append(sources, r.SourceAttribute)
	}
	found, err := st.search(ctx, top, filter, sources)
	if !ldap.IsErrorAnyOf(err, ldap.LDAPResultNoSuchObject, ldap.LDAPResultInsufficientAccessRights) {
		return found, err
	}
	// The account may not look at the whole tree. What is in this tenant's own
	// places it can see.
	found = nil
	for _, r := range st.c.Referrers {
		if !strings.EqualFold(r.Attribute, attribute) {
			continue
		}
		part, err := st.search(ctx, r.Base, filter, sources)
		if err != nil {
			return nil, err
		}
		found = append(found, part...)
	}
	return found, nil
}

// listed returns how an attribute lists the entry with a name.
func (st *store) listed(attribute, dn string) string {
	for _, r := range st.c.Referrers {
		if strings.EqualFold(r.Attribute, attribute) {
			return listedAs(r, dn)
		}
	}
	return dn
}

// referrer returns the place of this tenant that an entry's attribute is in.
func (st *store) referrer(dn, attribute string) (directory.Referrer, bool) {
	for _, r := range st.c.Referrers {
		if strings.EqualFold(r.Attribute, attribute) && below(dn, r.Base) {
			return r, true
		}
	}
	return directory.Referrer{}, false
}

// below reports whether a name is a base or below it.
func below(dn, base string) bool {
	dn, base = directory.FoldDN(dn), directory.FoldDN(base)
	return dn == base || strings.HasSuffix(dn, ","+base)
}

// top is the top of the tree that the collection is in.
func (st *store) top(ctx context.Context) (string, error) {
	found := ""
	err := st.read(ctx, func(_ context.Context, l *link) error {
		for _, context := range l.contexts {
			if below(st.c.Base, context) && len(context) > len(found) {
				found = context // the inmost: a tree can hold the top of another
			}
		}
		return nil
	})
	return cmp.Or(found, st.c.Base), err
}

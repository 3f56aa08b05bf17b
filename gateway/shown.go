package gateway

import (
	"context"
	"slices"

	"golang.org/x/sync/errgroup"

	"scimgate/internal/directory"
	"scimgate/internal/scim"
	"scimgate/mapping"
)

// depth is what a resource takes besides its own entry.
type depth struct {
	refs    bool // whom it refers to
	display bool // and what they are called
	groups  bool // which groups it is in
	origin  bool // who manages it
}

// depth returns what the view takes, so that nothing is looked up that nobody
// will see.
func (v view) depth(t *resourceType) depth {
	shows := scim.NewView(t.mapping.Definition(), v.attributes, v.excludes(t)).Shows
	return depth{
		refs:    slices.ContainsFunc(t.mapping.ReferencePaths(), shows),
		display: slices.ContainsFunc(t.mapping.DisplayPaths(), shows),
		groups:  t.mapping.HasGroups() && shows(scim.Path{Attr: "groups"}),
		origin:  slices.ContainsFunc(t.mapping.ProvenancePaths(), shows),
	}
}

// refs looks up the resources that entries refer to, all at once.
func (t *resourceType) refs(ctx context.Context, entries []directory.Entry, display bool) (mapping.Refs, error) {
	var dns []string
	for _, e := range entries {
		dns = append(dns, t.mapping.Referred(e)...)
	}
	return t.tenant.refs(ctx, unique(dns), t.mapping.ReferenceTypes(), display)
}

// resources translates entries. Whom they refer to and which groups they are in
// is looked up side by side, the former unless refs has it already.
func (t *resourceType) resources(ctx context.Context, entries []directory.Entry, refs mapping.Refs, d depth) ([]scim.Resource, error) {
	dns := make([]string, len(entries))
	for i, e := range entries {
		dns[i] = e.DN
	}
	var in [][]mapping.Membership
	work, ctx := errgroup.WithContext(ctx)
	if d.refs && refs == nil {
		work.Go(func() error {
			var err error
			refs, err = t.refs(ctx, entries, d.display)
			return err
		})
	}
	if d.groups {
		work.Go(func() error {
			var err error
			in, err = t.memberships(ctx, dns)
			return err
		})
	}
	if err := work.Wait(); err != nil {
		return nil, err
	}
	all := make([]scim.Resource, len(entries))
	for i, e := range entries {
		all[i] = t.mapping.Resource(e, refs)
		if d.groups {
			t.mapping.ShowGroups(all[i], in[i])
		}
		if d.origin {
			t.mapping.ShowProvenance(all[i], e)
		}
	}
	return all, nil
}

// referred are the resources that an entry was found to refer to.
type referred struct {
	names []string
	refs  mapping.Refs
}

// of returns the resources that an entry refers to, nil where others than these
// may have to be looked up: it refers to others now, or to itself, and may be
// called otherwise since.
func (r referred) of(m *mapping.Mapping, e directory.Entry) mapping.Refs {
	itself := func(dn string) bool { return directory.FoldDN(dn) == directory.FoldDN(e.DN) }
	if !slices.Equal(r.names, m.Referred(e)) || slices.ContainsFunc(r.names, itself) {
		return nil
	}
	return r.refs
}

// membersAtOnce is how many members the groups of one page may have together,
// or those that a filter has to look into. Each has to be looked up, because
// the directory knows members by name and clients by id.
const membersAtOnce = 20_000

// groupsAtOnce is how many groups are read with their members at a time.
const groupsAtOnce = 10

// withMembers reads groups with their members, some at a time, and hands them
// on. It stops where they have too many members for one answer; one group alone
// may have any number.
func (t *resourceType) withMembers(ctx context.Context, ids, attributes []string, hand func([]directory.Entry) error) error {
	left := membersAtOnce
	for some := range slices.Chunk(ids, groupsAtOnce) {
		entries, err := t.page(ctx, some, attributes)
		if err != nil {
			return err
		}
		for _, e := range entries {
			left -= len(e.Attributes[t.mapping.Members()])
		}
		if left < 0 && len(ids) > 1 {
			return scim.BadRequest(scim.TypeTooMany, "the groups have more than %d members together; ask for excludedAttributes=members, "+
				"for fewer groups with count, or narrow the filter, such as: and displayName eq \"Sales\"", membersAtOnce)
		}
		if err := hand(entries); err != nil {
			return err
		}
	}
	return nil
}

// readPage reads the entries with the ids; attributes nil are all, a group's
// members among them.
func (t *resourceType) readPage(ctx context.Context, ids, attributes []string) ([]directory.Entry, error) {
	if t.mapping.Members() == "" || attributes != nil {
		return t.page(ctx, ids, attributes)
	}
	var all []directory.Entry
	err := t.withMembers(ctx, ids, attributes, func(some []directory.Entry) error {
		all = append(all, some...)
		return nil
	})
	return all, err
}

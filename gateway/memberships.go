package gateway

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"

	"scimgate/internal/directory"
	"scimgate/mapping"
)

// nesting is how many levels of groups in groups are followed.
const nesting = 10

// groupType returns the type of the groups that entries of a type can be in,
// nil where the tenant has none.
func (t *resourceType) groupType() *resourceType {
	if !t.mapping.HasGroups() {
		return nil
	}
	return t.tenant.byName("Group")
}

// memberships finds the groups that each of the named entries is in. The
// groups are asked, and none of their members is read: memberOf at a person is
// not there everywhere, and knows nothing of groups in groups.
func (t *resourceType) memberships(ctx context.Context, dns []string) ([][]mapping.Membership, error) {
	all := make([][]mapping.Membership, len(dns))
	groups := t.groupType()
	if groups == nil || len(dns) == 0 {
		return all, nil
	}
	direct := make([][]mapping.Ref, len(dns))
	err := together(ctx, len(dns), func(ctx context.Context, i int) error {
		var err error
		direct[i], err = groups.holding(ctx, dns[i:i+1])
		return err
	})
	if err != nil {
		return nil, err
	}
	c := climber{groups: groups, flat: !groups.mapping.Nests()}
	if len(dns) > 1 && !c.flat { // most directories have no groups in groups: one search tells
		above, err := groups.holding(ctx, namesOf(slices.Concat(direct...)))
		if err != nil {
			return nil, err
		}
		c.flat = len(above) == 0
	}
	err = together(ctx, len(dns), func(ctx context.Context, i int) error {
		indirect, err := c.above(ctx, direct[i])
		all[i] = listed(direct[i], indirect)
		return err
	})
	return all, err
}

// holding finds the tenant's groups that have one of the names as a member.
func (t *resourceType) holding(ctx context.Context, names []string) ([]mapping.Ref, error) {
	if len(names) == 0 {
		return nil, nil
	}
	entries, err := t.store.Search(ctx, directory.Query{
		Filter: directory.AnyOf(t.mapping.Members(), names), Attributes: t.mapping.DisplayAttributes(),
	})
	if err != nil {
		return nil, err
	}
	return t.shownRefs(entries), nil
}

// shownRefs are entries as others refer to them, without those on their way to
// become tombstones.
func (t *resourceType) shownRefs(entries []directory.Entry) []mapping.Ref {
	refs := make([]mapping.Ref, 0, len(entries))
	for _, e := range entries {
		if shows(e) {
			refs = append(refs, t.ref(e))
		}
	}
	return refs
}

func (t *resourceType) ref(e directory.Entry) mapping.Ref {
	return mapping.Ref{ID: e.ID, Type: t.name(), DN: e.DN, Display: t.mapping.Display(e)}
}

func namesOf(refs []mapping.Ref) []string {
	seen := map[string]bool{}
	var names []string
	for _, r := range refs {
		if !seen[r.ID] {
			seen[r.ID] = true
			names = append(names, r.DN)
		}
	}
	return names
}

// listed puts memberships into one order, whatever order they were found in.
func listed(direct, indirect []mapping.Ref) []mapping.Membership {
	var all []mapping.Membership
	for _, g := range direct {
		all = append(all, mapping.Membership{Group: g, Direct: true})
	}
	for _, g := range indirect {
		all = append(all, mapping.Membership{Group: g})
	}
	slices.SortFunc(all, func(a, b mapping.Membership) int {
		switch {
		case a.Direct != b.Direct && a.Direct:
			return -1
		case a.Direct != b.Direct:
			return 1
		}
		return cmp.Or(strings.Compare(a.Group.Display, b.Group.Display), strings.Compare(a.Group.ID, b.Group.ID))
	})
	return all
}

// climber finds the groups that groups are in, level by level. People with the
// same groups share what was found.
type climber struct {
	groups *resourceType
	flat   bool // there are no groups in groups
	mu     sync.Mutex
	known  map[string]*level
}

// level is what one set of groups is in, looked up once.
type level struct {
	once  sync.Once
	above []mapping.Ref
	err   error
}

// above returns all groups that groups are in, without these themselves.
func (c *climber) above(ctx context.Context, groups []mapping.Ref) ([]mapping.Ref, error) {
	if c.flat {
		return nil, nil
	}
	seen := map[string]bool{}
	for _, g := range groups {
		seen[g.ID] = true
	}
	var all []mapping.Ref
	for range nesting {
		found, err := c.next(ctx, groups)
		if err != nil {
			return nil, err
		}
		groups = nil
		for _, g := range found {
			if !seen[g.ID] { // groups may be in each other
				seen[g.ID] = true
				groups = append(groups, g)
			}
		}
		if len(groups) == 0 {
			break
		}
		all = append(all, groups...)
	}
	return all, nil
}

func (c *climber) next(ctx context.Context, groups []mapping.Ref) ([]mapping.Ref, error) {
	names := namesOf(groups)
	slices.Sort(names)
	key := strings.Join(names, "\x00")
	c.mu.Lock()
	if c.known == nil {
		c.known = map[string]*level{}
	}
	l := c.known[key]
	if l == nil {
		l = &level{}
		c.known[key] = l
	}
	c.mu.Unlock()
	l.once.Do(func() { l.above, l.err = c.groups.holding(ctx, names) })
	return l.above, l.err
}

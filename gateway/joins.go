package gateway

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"scimgate/internal/directory"
	"scimgate/internal/scim"
	"scimgate/mapping"
)

const (
	// groupsJoined is how many groups a filter of users may speak of.
	groupsJoined = 100
	// membersJoined is how many members these may have together.
	membersJoined = 200_000
	// alternatives is how many names one search asks for.
	alternatives = batch
)

// joins are the groups that a filter of users speaks of, with who is in them.
type joins struct {
	of     *resourceType // the users
	groups *resourceType
	found  map[string]*joined  // by id
	names  map[string][]string // who is in the groups that a filter finds
	nested map[string][]string // the members of each group, by its folded name
	left   int                 // members that may still be read
}

// joined is a group with everybody in it, by folded name.
type joined struct {
	ref              mapping.Ref
	direct, indirect map[string]string
}

// newJoins is ready to read groups.
func (t *resourceType) newJoins() *joins {
	return &joins{of: t, groups: t.groupType(), left: membersJoined,
		found: map[string]*joined{}, names: map[string][]string{}, nested: map[string][]string{}}
}

// in returns those of the groups that an entry is in.
func (j *joins) in(dn string) []mapping.Membership {
	key := directory.FoldDN(dn)
	var direct, indirect []mapping.Ref
	for _, g := range j.found {
		if _, ok := g.direct[key]; ok {
			direct = append(direct, g.ref)
		} else if _, ok := g.indirect[key]; ok {
			indirect = append(indirect, g.ref)
		}
	}
	return listed(direct, indirect)
}

// load finds the groups that filters of groups speak of.
func (j *joins) load(ctx context.Context, groups []directory.Filter) error {
	for _, f := range groups {
		if _, err := j.members(ctx, f); err != nil {
			return err
		}
	}
	return nil
}

// members returns who is in one of the groups that a filter of groups finds.
func (j *joins) members(ctx context.Context, f directory.Filter) ([]string, error) {
	key := fmt.Sprintf("%#v", f)
	if names, ok := j.names[key]; ok {
		return names, nil
	}
	entries, err := j.groups.store.Search(ctx, directory.Query{Filter: f, Attributes: j.groups.mapping.DisplayAttributes(), Limit: groupsJoined})
	if directory.Is(err, directory.TooMany) {
		return nil, &scim.Error{Status: http.StatusBadRequest, Type: scim.TypeTooMany, Err: err, Detail: fmt.Sprintf(
			"groups: more than %d groups are meant; name one by its id, such as: groups.value eq \"…\"", groupsJoined)}
	}
	if err != nil {
		return nil, err
	}
	all := map[string]string{}
	for _, g := range j.groups.shownRefs(entries) {
		if j.found[g.ID] == nil {
			if j.found[g.ID], err = j.inside(ctx, g); err != nil {
				return nil, err
			}
		}
		for _, set := range []map[string]string{j.found[g.ID].direct, j.found[g.ID].indirect} {
			for key, dn := range set {
				all[key] = dn
			}
		}
	}
	names := make([]string, 0, len(all))
	for _, dn := range all {
		names = append(names, dn)
	}
	slices.Sort(names)
	j.names[key] = names
	return names, nil
}

// inside reads who is in a group, and in the groups in it, level by level.
func (j *joins) inside(ctx context.Context, g mapping.Ref) (*joined, error) {
	in := &joined{ref: g, direct: map[string]string{}, indirect: map[string]string{}}
	level, seen := []string{g.DN}, map[string]bool{directory.FoldDN(g.DN): true}
	into := in.direct
	for range nesting + 1 {
		if len(level) == 0 {
			break
		}
		if err := j.read(ctx, level); err != nil {
			return nil, err
		}
		var next []string
		for _, group := range level {
			for _, dn := range j.nested[directory.FoldDN(group)] {
				key := directory.FoldDN(dn)
				if j.of.tenant.elsewhere(key, j.groups) {
					into[key] = dn
				} else if !seen[key] {
					seen[key] = true
					next = append(next, dn)
				}
			}
		}
		level, into = next, in.indirect
		if !j.groups.mapping.Nests() {
			break
		}
	}
	return in, nil
}

// read reads the members of groups that have not been read yet.
func (j *joins) read(ctx context.Context, groups []string) error {
	var missing []string
	for _, dn := range groups {
		if key := directory.FoldDN(dn); j.nested[key] == nil {
			j.nested[key] = []string{}
			missing = append(missing, dn)
		}
	}
	if len(missing) > groupsAtOnce { // most may be no groups of the tenant's
		var known []string
		err := j.groups.inBatches(ctx, directory.AttrDN, missing, []string{}, func(e directory.Entry) { known = append(known, e.DN) })
		if err != nil {
			return err
		}
		missing = known
	}
	member := j.groups.mapping.Members()
	for some := range slices.Chunk(missing, groupsAtOnce) {
		entries, err := j.groups.store.Search(ctx, directory.Query{Filter: directory.AnyOf(directory.AttrDN, some), Attributes: []string{member}})
		if err != nil {
			return err
		}
		for _, e := range entries {
			if !shows(e) {
				continue
			}
			j.nested[directory.FoldDN(e.DN)] = e.Attributes[member]
			if j.left -= len(e.Attributes[member]); j.left < 0 {
				return scim.BadRequest(scim.TypeTooMany, "groups: the groups that are meant have more than %d members together; name a smaller one, or read the members of the group itself", membersJoined)
			}
		}
	}
	return nil
}

// elsewhere reports whether a folded name lies where entries of other types
// than this one are.
func (t *tenant) elsewhere(name string, here *resourceType) bool {
	return !here.holds(name) && slices.ContainsFunc(t.types, func(other *resourceType) bool { return other.holds(name) })
}

// put puts names in the place of MemberOf in a filter. Where they are too many
// for one search, it puts what finds more; then the second result is false. The
// names of one such place, which narrows all of the filter, are handed back
// instead, to be asked for in several searches.
func (j *joins) put(ctx context.Context, f directory.Filter) (directory.Filter, []string, bool, error) {
	p := putter{joins: j, ctx: ctx, exact: true}
	if f.Op == directory.Or {
		return p.putAll(f), nil, p.exact, p.err
	}
	parts := []directory.Filter{f}
	if f.Op == directory.And {
		parts = f.Filters
	}
	var driver []string
	var rest []directory.Filter
	for _, part := range parts {
		if part.Op != directory.MemberOf {
			rest = append(rest, p.put(part, true))
			continue
		}
		names := p.of(part)
		switch {
		case len(names) <= alternatives:
			rest = append(rest, directory.AnyOf(directory.AttrDN, names))
		case driver == nil:
			driver = names
		default:
			p.exact = false // looked up from the sets afterwards
		}
	}
	if f.Op != directory.And && len(rest) == 1 {
		return rest[0], driver, p.exact, p.err
	}
	return directory.AndOf(rest...), driver, p.exact, p.err
}

// putter replaces MemberOf within a filter.
type putter struct {
	*joins
	ctx   context.Context
	exact bool
	err   error
}

// putAll replaces in a filter of alternatives, of which a Store takes any number.
func (p *putter) putAll(f directory.Filter) directory.Filter {
	var parts []directory.Filter
	for _, part := range f.Filters {
		if part.Op != directory.MemberOf {
			parts = append(parts, p.put(part, true))
			continue
		}
		for _, dn := range p.of(part) {
			parts = append(parts, directory.Eq(directory.AttrDN, dn))
		}
	}
	return directory.OrOf(parts...)
}

func (p *putter) of(f directory.Filter) []string {
	if p.err != nil {
		return nil
	}
	names, err := p.members(p.ctx, f.Filters[0])
	p.err = err
	return names
}

// put replaces below a part of which, if more is true, a larger answer leaves
// nobody out.
func (p *putter) put(f directory.Filter, more bool) directory.Filter {
	switch f.Op {
	case directory.MemberOf:
		names := p.of(f)
		if len(names) <= alternatives {
			return directory.AnyOf(directory.AttrDN, names)
		}
		p.exact = false
		if more {
			return directory.Filter{Op: directory.All}
		}
		return directory.Filter{Op: directory.None}
	case directory.And, directory.Or, directory.Not:
		parts := make([]directory.Filter, len(f.Filters))
		for i, part := range f.Filters {
			parts[i] = p.put(part, more != (f.Op == directory.Not))
		}
		f.Filters = parts
	}
	return f
}

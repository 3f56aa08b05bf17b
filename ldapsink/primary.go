package ldapsink

import (
	"context"
	"encoding/binary"
	"slices"
	"strconv"
	"strings"

	"scimgate/internal/directory"
)

// Everybody in Active Directory has a primary group, noted with the person as a
// number and not among the members of the group ([MS-ADTS] section 3.1.1.4.5.15).
// To callers it is a membership as any other, but one that cannot be ended.

// primaryGroup names the attributes that it takes to know it.
type primaryGroup struct {
	number string // with the person: the last part of the group's SID
	token  string // with the group: the same number, computed by the server
	sid    string // with both
}

// withPrimary is a store of groups in which people may be by their number.
type withPrimary struct{ *store }

// Search implements directory.Store.
func (g withPrimary) Search(ctx context.Context, q directory.Query) ([]directory.Entry, error) {
	filter, err := g.filter(ctx, q.Filter)
	if err != nil {
		return nil, wrap("search", err)
	}
	q.Filter = filter
	asked := g.selected(q.Attributes).names
	reads := slices.ContainsFunc(asked, func(n string) bool { return strings.EqualFold(n, g.c.Member) })
	if !reads {
		return g.store.Search(ctx, q)
	}
	token := g.flavor.primary.token
	q.Attributes = append(slices.Clone(asked), token)
	found, err := g.store.Search(ctx, q)
	if err != nil {
		return nil, err
	}
	return found, wrap("search", g.complete(ctx, found))
}

// Update implements directory.Store.
func (g withPrimary) Update(ctx context.Context, old directory.Entry, c directory.Change) (directory.Entry, error) {
	e, err := g.store.Update(ctx, old, c)
	if err != nil || len(old.Attributes[g.c.Member]) == 0 {
		return e, err
	}
	one := []directory.Entry{e}
	found, err := g.find(ctx, directory.Eq(directory.AttrID, e.ID), selection{names: []string{g.flavor.primary.token}})
	if err != nil || len(found) == 0 {
		return e, wrap("modify", err)
	}
	one[0].Attributes[g.flavor.primary.token] = found[0].Attributes[g.flavor.primary.token]
	err = g.complete(ctx, one)
	return one[0], wrap("modify", err)
}

// complete adds those to the members of groups whose primary group they are.
func (g withPrimary) complete(ctx context.Context, groups []directory.Entry) error {
	p := g.flavor.primary
	at := map[string]int{} // number -> place in groups
	var numbers []string
	for i, e := range groups {
		if number := e.Attributes.First(p.token); number != "" {
			at[number] = i
			numbers = append(numbers, number)
		}
		delete(e.Attributes, p.token)
	}
	for some := range slices.Chunk(numbers, alternatives) {
		people, err := g.findInTree(ctx, directory.AnyOf(p.number, some), selection{names: []string{p.number}})
		if err != nil {
			return err
		}
		for _, person := range people {
			i := at[person.Attributes.First(p.number)]
			members := groups[i].Attributes[g.c.Member]
			if !slices.Contains(members, person.DN) {
				groups[i].Attributes[g.c.Member] = append(members, person.DN)
			}
		}
	}
	return nil
}

// filter lets a test for a member find the member's primary group as well.
func (g withPrimary) filter(ctx context.Context, f directory.Filter) (directory.Filter, error) {
	var names []string
	var collect func(directory.Filter)
	collect = func(f directory.Filter) {
		for _, part := range f.Filters {
			collect(part)
		}
		if g.asksMember(f) {
			names = append(names, f.Value)
		}
	}
	if collect(f); len(names) == 0 {
		return f, nil
	}
	sids, err := g.primaries(ctx, names)
	if err != nil {
		return f, err
	}
	var put func(directory.Filter) directory.Filter
	put = func(f directory.Filter) directory.Filter {
		if sid, ok := sids[directory.FoldDN(f.Value)]; ok && g.asksMember(f) {
			return directory.OrOf(f, directory.Eq(g.flavor.primary.sid, sid))
		}
		f.Filters = slices.Clone(f.Filters)
		for i, part := range f.Filters {
			f.Filters[i] = put(part)
		}
		return f
	}
	return put(f), nil
}

func (g withPrimary) asksMember(f directory.Filter) bool {
	return f.Op == directory.Equal && strings.EqualFold(f.Attribute, g.c.Member)
}

// primaries returns the SIDs of the primary groups of those who have one, by
// folded name.
func (g withPrimary) primaries(ctx context.Context, names []string) (map[string]string, error) {
	p := g.flavor.primary
	sids := map[string]string{}
	for some := range slices.Chunk(names, alternatives) {
		people, err := g.findInTree(ctx, directory.AnyOf(directory.AttrDN, some), selection{names: []string{p.number, p.sid}})
		if err != nil {
			return nil, err
		}
		for _, person := range people {
			if sid := groupSID(person.Attributes.First(p.sid), person.Attributes.First(p.number)); sid != "" {
				sids[directory.FoldDN(person.DN)] = sid
			}
		}
	}
	return sids, nil
}

// groupSID puts a number in the place of the last part of a SID ([MS-DTYP]
// section 2.4.2.2), or returns "".
func groupSID(person, number string) string {
	n, err := strconv.ParseUint(number, 10, 32)
	if err != nil || len(person) < 12 {
		return ""
	}
	return string(binary.LittleEndian.AppendUint32([]byte(person[:len(person)-4]), uint32(n)))
}

// byNumber returns those of the names who are in a group by their number.
func (st *store) byNumber(ctx context.Context, dn string, names []string) ([]string, error) {
	p := st.flavor.primary
	if p == nil || len(names) == 0 {
		return nil, nil
	}
	group, err := st.base(ctx, dn, []string{p.token})
	if err != nil || group == nil || first(group, p.token) == "" {
		return nil, err
	}
	held := map[string]bool{}
	for some := range slices.Chunk(names, alternatives) {
		people, err := st.findInTree(ctx, directory.AndOf(directory.Eq(p.number, first(group, p.token)), directory.AnyOf(directory.AttrDN, some)), selection{})
		if err != nil {
			return nil, err
		}
		for _, person := range people {
			held[directory.FoldDN(person.DN)] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !held[directory.FoldDN(name)] }), nil
}

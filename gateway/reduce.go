package gateway

import (
	"context"
	"slices"
	"sync/atomic"

	"scimgate/internal/directory"
)

// What counts at the brake is decided here. Memberships that end because somebody
// is deactivated or deleted go with that one change, and a change of nothing counts
// nothing.

// brakes reports whether it matters how much a change takes away.
func (q *request) brakes() bool {
	_, weighs := q.Get(weighKey).(*atomic.Int64)
	return weighs || q.typ.tenant.brake != nil
}

// spendChange counts what a change of an entry takes away.
func (q *request) spendChange(old directory.Entry, c directory.Change) error {
	if !q.brakes() {
		return nil
	}
	n := reductions(q.typ.mapping.Members(), old, c)
	gone, _, err := q.present(old.ID, c.Members.Remove)
	if err != nil {
		return err
	}
	return q.spend(old, n+gone)
}

// reductions is how much a change of an entry takes away, but for single members:
// 1 for a deactivation, and the members that a group loses. member is the attribute
// that has them, "" where there is none.
func reductions(member string, old directory.Entry, c directory.Change) int {
	n := 0
	if c.Marker.State == directory.Inactive && (old.Marker.State == directory.Active || unmanaged(old)) {
		n++
	}
	for _, m := range slices.Concat(c.Mods, c.Unlock) {
		switch {
		case member == "" || m.Attribute != member || m.Op == directory.ModAdd:
		case m.Op == directory.ModDelete && len(m.Values) > 0:
			n += len(m.Values)
		default:
			for _, v := range old.Attributes[member] {
				if !slices.Contains(m.Values, v) {
					n++
				}
			}
		}
	}
	return n
}

// spendMembers counts the members that a group loses which is not read for it.
func (q *request) spendMembers(c directory.MemberChange) error {
	if !q.brakes() {
		return nil
	}
	gone, group, err := q.present(q.Param("id"), c.Remove)
	if err != nil {
		return err
	}
	return q.spend(group, gone)
}

// fewNames are so many that each is asked for by itself rather than all members
// of the group being read.
const fewNames = 8

// present is how many of the names are members of a group now. The group is as it
// was then, without its members.
func (q *request) present(id string, names []string) (int, directory.Entry, error) {
	if len(names) == 0 {
		return 0, directory.Entry{}, nil
	}
	member := q.typ.mapping.Members()
	if len(names) > fewNames {
		hits, err := q.typ.store.Search(q.ctx(), directory.Query{Filter: directory.Eq(directory.AttrID, id), Attributes: []string{member}})
		if err != nil || len(hits) == 0 {
			return 0, directory.Entry{}, err
		}
		in := make(map[string]bool, len(hits[0].Attributes[member]))
		for _, dn := range hits[0].Attributes[member] {
			in[directory.FoldDN(dn)] = true
		}
		n := 0
		for _, dn := range names {
			if in[directory.FoldDN(dn)] {
				n++
			}
		}
		return n, hits[0], nil
	}
	found := make([][]directory.Entry, len(names))
	err := together(q.ctx(), len(names), func(ctx context.Context, i int) error {
		var err error
		found[i], err = q.typ.store.Search(ctx, directory.Query{Attributes: []string{},
			Filter: directory.AndOf(directory.Eq(directory.AttrID, id), directory.Eq(member, names[i]))})
		return err
	})
	if all := slices.Concat(found...); err == nil && len(all) > 0 {
		return len(all), all[0], nil
	}
	return 0, directory.Entry{}, err
}

// spendRemoval counts a deletion: 1, and for a group as many as it has members if
// these are more, since deleting it takes from them what emptying it would. One
// that was interrupted has been counted.
func (q *request) spendRemoval(old directory.Entry) error {
	if !q.brakes() || old.Marker.State == directory.Deleting {
		return nil
	}
	n := 1
	if member := q.typ.mapping.Members(); member != "" {
		n = max(n, len(old.Attributes[member]))
	}
	return q.spend(old, n)
}

// removalReads are the attributes of an entry that its deletion has to know.
func (q *request) removalReads() []string {
	if q.brakes() && q.typ.mapping.Members() != "" {
		return nil
	}
	return q.typ.mapping.WithoutMembers()
}

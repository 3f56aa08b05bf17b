package gateway

import (
	"context"
	"maps"
	"slices"
	"strings"

	"scimgate/internal/directory"
	"scimgate/mapping"
)

// sleeper is somebody who is in no group's list of members for now, because they
// are inactive, or were a moment ago, and whom groups wait for.
type sleeper struct {
	typ   *resourceType
	entry directory.Entry
}

// sleepers finds those of a filter's whom groups may wait for.
func (t *tenant) sleepers(ctx context.Context, f directory.Filter) ([]sleeper, error) {
	var all []sleeper
	for _, rt := range t.types {
		if !rt.mapping.Leaves() {
			continue
		}
		found, err := rt.store.Search(ctx, directory.Query{Filter: f, Attributes: []string{}})
		if err != nil {
			return nil, err
		}
		for _, e := range found {
			if e.Marker.State == directory.Inactive || e.Marker.State == directory.Active && len(e.Marker.Left) > 0 {
				all = append(all, sleeper{rt, e})
			}
		}
	}
	return all, nil
}

// sleepersAmong is sleepers of ids: those who are inactive, and those for whom
// the group waits.
func (t *tenant) sleepersAmong(ctx context.Context, ids []string, group string) ([]sleeper, error) {
	some := slices.Collect(slices.Chunk(ids, batch))
	found := make([][]sleeper, len(some))
	asleep := directory.Eq(directory.AttrState, string(directory.Inactive))
	if group != "" {
		asleep = directory.OrOf(asleep, directory.Eq(directory.AttrLeft, group))
	}
	err := together(ctx, len(some), func(ctx context.Context, i int) error {
		var err error
		found[i], err = t.sleepers(ctx, directory.AndOf(directory.AnyOf(directory.AttrID, some[i]), asleep))
		return err
	})
	return slices.Concat(found...), err
}

// leaves reports whether anybody of the tenant leaves groups when inactive.
func (t *tenant) leaves() bool {
	return slices.ContainsFunc(t.types, func(rt *resourceType) bool { return rt.mapping.Leaves() })
}

// holdBack takes those who are inactive out of the members that a group is to
// get: nobody inactive is put into a group. The group waits for them instead,
// which settle notes once the group is written. named are the members by id.
func (q *request) holdBack(named mapping.Names, members ...*[]string) error {
	if q.typ.mapping.Members() == "" || !q.typ.tenant.leaves() || len(named) == 0 {
		return nil
	}
	found, err := q.typ.tenant.sleepersAmong(q.ctx(), slices.Collect(maps.Keys(bySpelling(named))), "")
	if err != nil {
		return err
	}
	for _, s := range found {
		if s.entry.Marker.State != directory.Inactive {
			continue
		}
		q.waiting = append(q.waiting, s)
		for _, list := range members {
			*list = slices.DeleteFunc(slices.Clone(*list), func(dn string) bool { return directory.FoldDN(dn) == directory.FoldDN(s.entry.DN) })
		}
	}
	return nil
}

// holdBackFrom is holdBack for all members that a group is to have.
func (q *request) holdBackFrom(want *mapping.Want) error {
	member := q.typ.mapping.Members()
	if member == "" || !q.typ.tenant.leaves() {
		return nil
	}
	list := want.Attributes[member]
	q.listed = map[string]bool{}
	for _, dn := range list {
		q.listed[directory.FoldDN(dn)] = true
	}
	if err := q.holdBack(q.resolved, &list); err != nil {
		return err
	}
	want.Attributes[member] = list
	return nil
}

// settleSleepers notes that a group waits for those who were held back from it
// or fell asleep meanwhile, and that it waits no longer for those who were
// removed, or left out of a list of everybody.
func (q *request) settleSleepers(group string, named mapping.Names, removed []string) error {
	t := q.typ.tenant
	if !t.leaves() {
		return nil
	}
	awaited := q.waiting
	q.waiting = nil
	leaves := map[string]bool{}
	for _, id := range removed {
		leaves[strings.ToLower(id)] = true
	}
	found, err := t.sleepersAmong(q.ctx(), slices.Collect(maps.Keys(bySpelling(named))), group)
	if err != nil {
		return err
	}
	var forgotten []sleeper
	for _, s := range found {
		switch {
		case leaves[strings.ToLower(s.entry.ID)]:
			forgotten = append(forgotten, s)
		case s.entry.Marker.State == directory.Inactive:
			awaited = append(awaited, s)
		}
	}
	if q.whole {
		others, err := t.sleepers(q.ctx(), directory.Eq(directory.AttrLeft, group))
		if err != nil {
			return err
		}
		for _, s := range others {
			if !q.listed[directory.FoldDN(s.entry.DN)] {
				forgotten = append(forgotten, s)
			}
		}
	}
	for _, s := range awaited {
		if err := q.await(s, group, true); err != nil {
			return err
		}
	}
	for _, s := range forgotten {
		if err := q.await(s, group, false); err != nil {
			return err
		}
	}
	return nil
}

// await notes in an entry that a group waits for it, or no longer does, and ends
// a membership that the entry has all the same. Somebody who has woken up
// meanwhile becomes a member at once.
func (q *request) await(s sleeper, group string, waits bool) error {
	unlock, _, err := q.typ.tenant.writers.Acquire(q.ctx(), strings.ToLower(s.entry.ID))
	if err != nil {
		return err
	}
	defer unlock()
	id := directory.CompactID(group)
	for {
		hits, err := s.typ.store.Search(q.ctx(), directory.Query{Filter: directory.Eq(directory.AttrID, s.entry.ID), Attributes: []string{}})
		if err != nil || len(hits) == 0 || !shows(hits[0]) {
			return err // who is gone needs no group
		}
		e := hits[0]
		noted := slices.DeleteFunc(slices.Clone(e.Marker.Left), func(other string) bool { return other == id })
		change := directory.MemberChange{Remove: []string{e.DN}}
		if waits && e.Marker.State == directory.Active {
			change = directory.MemberChange{Add: []string{e.DN}}
		} else if waits {
			noted = append(noted, id)
		}
		if len(noted) != len(e.Marker.Left) {
			of := *q
			of.typ = s.typ
			_, err = of.note(e, noted)
			if directory.Is(err, directory.Changed) && q.ctx().Err() == nil {
				continue
			}
			if err != nil {
				return err
			}
		}
		return q.typ.store.ChangeMembers(q.ctx(), group, "", change)
	}
}

package gateway

import (
	"context"
	"slices"
	"strings"

	"scimgate/internal/directory"
	"scimgate/internal/scim"
	"scimgate/mapping"
)

// edit computes what an entry is to become from the resource that it is. known
// are the names behind the ids in that resource.
type edit func(now scim.Resource, known mapping.Names) (mapping.Want, error)

// overtaken is how often a create looks again for the one who was quicker.
const overtaken = 3

// make creates an entry, revives a tombstone, or refuses. Where it may bring up
// to date who is there, it does so too if another create was quicker.
func (q *request) make(want mapping.Want) (directory.Entry, error) {
	for late := 0; ; {
		e, err := q.tryMake(want)
		if err == nil {
			return e, q.settle(e.ID, q.resolved, nil)
		}
		again := directory.Is(err, directory.Changed)
		if len(want.Finds) > 0 && directory.Is(err, directory.Exists) && late < overtaken {
			late, again = late+1, true
		}
		if !again || q.ctx().Err() != nil {
			return e, err
		}
	}
}

func (q *request) tryMake(want mapping.Want) (directory.Entry, error) {
	if err := q.holdBackFrom(&want); err != nil {
		return directory.Entry{}, err
	}
	hits, allowed, err := q.typ.existing(q.ctx(), want)
	if err != nil {
		return directory.Entry{}, err
	}
	d := decide(want, q.typ.mapping.StableKey(), q.typ.tenant.name, hits, allowed)
	if d.verdict == conflict {
		return directory.Entry{}, q.taken(d)
	}
	if err := q.putAside(d.aside); err != nil {
		return directory.Entry{}, err
	}
	if d.verdict != create {
		q.wrote(d.hit) // whatever comes of it
	}
	switch d.verdict {
	case revive:
		q.event.operation = "revive"
		return q.revive(d.hit, want)
	case update:
		q.event.operation = "upsert"
		return q.upsert(d.hit)
	case adopt:
		q.event.operation = "adopt"
		return q.adopt(d.hit, want)
	}
	want, chosen, err := q.choose(directory.Entry{}, want)
	if err != nil {
		return directory.Entry{}, err
	}
	defer chosen.release()
	e := q.typ.mapping.Create(want, q.stamp())
	if q.numbers == nil {
		q.numbers = e.Numbers
	}
	e.Numbers = q.numbers
	made, err := q.typ.store.Add(q.ctx(), e)
	q.event.touched(err, e.Attributes.Names()...)
	for _, n := range e.Numbers {
		q.event.touched(err, n.Attribute)
	}
	if err = q.lost(chosen, want.Keys, err); directory.Is(err, directory.Exists) {
		err = q.elsewhere(err, append(slices.Clone(want.Keys), q.typ.mapping.Made(want)...))
	}
	if err != nil {
		return made, err
	}
	return q.complete(made)
}

// revive brings a tombstone back under its old id, and no group with it.
func (q *request) revive(old directory.Entry, want mapping.Want) (directory.Entry, error) {
	if err := q.leaveGroups(old); err != nil {
		return directory.Entry{}, err
	}
	if want.Active == nil { // a new resource is active unless it says otherwise
		active := true
		want.Active = &active
	}
	refs, err := q.typ.refs(q.ctx(), []directory.Entry{old}, false)
	if err != nil {
		return directory.Entry{}, err
	}
	return q.write(old, refs, want)
}

// holders finds the entries, whoever manages them, that have one of the values.
func (t *resourceType) holders(ctx context.Context, keys []directory.Key) ([]directory.Entry, error) {
	filters := make([]directory.Filter, len(keys))
	for i, k := range keys {
		filters[i] = directory.Eq(k.Attribute, k.Value)
	}
	attributes := t.mapping.WithoutMembers()
	if t.mapping.Adopts() {
		attributes = append(attributes, mapping.ClassAttribute)
	}
	return t.store.Search(ctx, directory.Query{Filter: directory.OrOf(filters...), Scope: directory.Anyone, Attributes: attributes})
}

// putAside makes tombstones give up their names and unique values.
func (q *request) putAside(tombstones []directory.Entry) error {
	for _, e := range tombstones {
		if _, err := q.typ.store.Update(q.ctx(), e, q.typ.mapping.Aside(e, q.stamp())); err != nil {
			return err
		}
	}
	return nil
}

// update edits the live entry that the request names. It reads, computes and
// writes only if the entry is still what was read, else starts again; writers
// in this process queue up behind each other. reads are the attributes to read,
// nil for all.
func (q *request) update(reads []string, change edit) (directory.Entry, error) {
	id := q.Param("id")
	unlock, _, err := q.typ.tenant.writers.Acquire(q.ctx(), strings.ToLower(id))
	if err != nil {
		return directory.Entry{}, err
	}
	defer unlock()
	for {
		e, err := q.tryUpdate(id, reads, change)
		if err == nil {
			return e, q.settle(e.ID, q.resolved, nil)
		}
		if !directory.Is(err, directory.Changed) || q.ctx().Err() != nil {
			return e, err
		}
	}
}

func (q *request) tryUpdate(id string, reads []string, change edit) (directory.Entry, error) {
	old, err := q.typ.one(q.ctx(), id, reads)
	if err != nil {
		return directory.Entry{}, err
	}
	q.met(old)
	if err := q.permitted(old); err != nil {
		return directory.Entry{}, err
	}
	m := q.typ.mapping
	refs, err := q.typ.refs(q.ctx(), []directory.Entry{old}, q.view.depth(q.typ).display)
	if err != nil {
		return directory.Entry{}, err
	}
	q.referred = referred{m.Referred(old), refs}
	want, err := change(m.Resource(old, refs), refs.Names())
	if err != nil {
		return directory.Entry{}, err
	}
	if err := q.holdBackFrom(&want); err != nil {
		return directory.Entry{}, err
	}
	if old.Marker.State == directory.Deleting && want.Active == nil && !m.Deactivates() {
		active := true // a type that cannot say so is asked for, so it is to stay
		want.Active = &active
	}
	if old.Marker.State == directory.Deleting && want.Active != nil {
		// A delete was interrupted, and the client has changed its mind. As with
		// a revival, no group comes back.
		if err := q.leaveGroups(old); err != nil {
			return directory.Entry{}, err
		}
	}
	return q.write(old, refs, want)
}

// write brings an entry to what is wanted; refs are the resources that it
// refers to. A change of nothing writes nothing.
func (q *request) write(old directory.Entry, refs mapping.Refs, want mapping.Want) (directory.Entry, error) {
	want, chosen, err := q.choose(old, want)
	if err != nil {
		return directory.Entry{}, err
	}
	defer chosen.release()
	c := q.typ.mapping.Change(old, refs, want, q.stamp())
	if err := q.spendChange(old, c); err != nil {
		return directory.Entry{}, err
	}
	if c.Empty() && c.Marker.State == old.Marker.State && old.Marker.From == "" {
		q.wrote(old)
		if err := q.writeMembers(old, c.Members); err != nil {
			return old, err
		}
		return q.complete(old)
	}
	if err := q.claim(old, chosen.others(c.Keys)); err != nil {
		return directory.Entry{}, err
	}
	e, err := q.change(old, c)
	if err != nil {
		return directory.Entry{}, q.lost(chosen, c.Keys, err)
	}
	q.wrote(e)
	return q.complete(e)
}

// writeMembers writes what is left of a change when the attributes are as wanted
// already: single members, which need no marker, so that a group that has or has
// not got them keeps its version.
func (q *request) writeMembers(old directory.Entry, c directory.MemberChange) error {
	if c.Empty() {
		return nil
	}
	version := ""
	if q.precondition.particular() {
		version = old.Version // held against the precondition when it was read
	}
	err := q.typ.store.ChangeMembers(q.ctx(), old.ID, version, c)
	q.event.touched(err, q.typ.mapping.Members())
	return err
}

// claim makes sure that nobody else has the unique values of a change.
func (q *request) claim(old directory.Entry, keys []directory.Key) error {
	if len(keys) == 0 {
		return nil
	}
	hits, err := q.typ.holders(q.ctx(), keys)
	if err != nil {
		return err
	}
	others := hits[:0]
	for _, h := range hits {
		if h.ID != old.ID {
			others = append(others, h)
		}
	}
	d := makeRoom(keys, q.typ.mapping.StableKey(), q.typ.tenant.name, others)
	if d.verdict == conflict {
		return q.taken(adoption{}.explained(q.typ.tenant.name, d))
	}
	return q.putAside(d.aside)
}

// keepLocked looks at an entry after a write and locks it again if something
// in the directory lifted the lock of an inactive person.
func (q *request) keepLocked(e directory.Entry) (directory.Entry, error) {
	if e.Marker.State == directory.Active || q.typ.mapping.Locked(e) {
		return e, nil
	}
	return q.change(e, q.typ.mapping.Lock(e, e.Marker.State, q.stamp()))
}

package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"scimgate/internal/directory"
	"scimgate/internal/scim"
	"scimgate/mapping"
)

// existing finds who has one of the values of a wanted entry, whoever manages
// them, and what may be done with those whom nobody does. Only where there are
// such does it take more than one search.
func (t *resourceType) existing(ctx context.Context, want mapping.Want) ([]directory.Entry, adoption, error) {
	m := t.mapping
	a := adoption{adopts: m.Adopts(), room: m.Room}
	a.by, a.lacks = m.AdoptBy(want)
	keys := slices.Clone(want.Keys)
	for _, k := range a.by {
		if !slices.ContainsFunc(keys, func(other directory.Key) bool { return other.Attribute == k.Attribute && other.Value == k.Value }) {
			keys = append(keys, k)
		}
	}
	hits, err := t.holders(ctx, keys)
	if err != nil {
		return nil, a, err
	}
	var free []string
	for _, h := range hits {
		if unmanaged(h) {
			free = append(free, h.ID)
		}
	}
	if len(free) == 0 {
		return hits, a, nil
	}
	ids := directory.AnyOf(directory.AttrID, free)
	guarded, err := t.store.Search(ctx, directory.Query{Filter: ids, Scope: directory.Anyone, Attributes: []string{}, Guard: true})
	if err != nil {
		return nil, a, err
	}
	for i := range hits {
		for _, g := range guarded {
			if g.ID == hits[i].ID && g.Protected != "" {
				hits[i].Protected = g.Protected
			}
		}
	}
	if len(a.by) == 0 {
		return hits, a, nil
	}
	a.inside, err = t.adoptable(ctx, ids)
	return hits, a, err
}

// adoptable returns the ids of the entries that a filter and the declared one match.
func (t *resourceType) adoptable(ctx context.Context, f directory.Filter) (map[string]bool, error) {
	found, err := t.store.Search(ctx, directory.Query{Filter: directory.AndOf(f, t.mapping.AdoptFilter()), Scope: directory.Anyone, Attributes: []string{}})
	if err != nil {
		return nil, err
	}
	inside := make(map[string]bool, len(found))
	for _, e := range found {
		inside[e.ID] = true
	}
	return inside, nil
}

// adopt takes over an entry that nobody manages, under its own id.
func (q *request) adopt(old directory.Entry, want mapping.Want) (directory.Entry, error) {
	refs, err := q.typ.refs(q.ctx(), []directory.Entry{old}, false)
	if err != nil {
		return directory.Entry{}, err
	}
	want, chosen, err := q.choose(old, want)
	if err != nil {
		return directory.Entry{}, err
	}
	defer chosen.release()
	c := q.typ.mapping.Adopt(old, refs, want, q.stamp())
	if err := q.spendChange(old, c); err != nil {
		return directory.Entry{}, err
	}
	if err := q.claim(old, c.Keys); err != nil {
		return directory.Entry{}, err
	}
	e, err := q.change(old, c)
	if err = q.lost(chosen, c.Keys, err); err != nil {
		return directory.Entry{}, err
	}
	q.adopted = true
	q.wrote(e)
	return q.complete(e)
}

// release gives an adopted entry back to whoever made it: it is never removed. A
// person is locked before, and has left this tenant's groups.
func (q *request) release(e directory.Entry) error {
	m := q.typ.mapping
	if e.Marker.State != directory.Deleting {
		locked, err := q.change(e, m.Lock(e, directory.Deleting, q.stamp()))
		if err != nil {
			return err
		}
		e = locked
	}
	if err := q.leaveGroups(e); err != nil {
		return err
	}
	whole, err := q.typ.one(q.ctx(), e.ID, append(m.WithoutMembers(), mapping.ClassAttribute))
	if err != nil {
		return err
	}
	c := m.Release(whole, false)
	_, err = q.typ.store.Update(q.ctx(), whole, c)
	if directory.Is(err, directory.Invalid) { // somebody else relies on a class by now
		c = m.Release(whole, true)
		_, err = q.typ.store.Update(q.ctx(), whole, c)
	}
	q.changed(err, c)
	return err
}

// taken is the answer to a conflict. It does not say whose the value is, which the
// log does.
func (q *request) taken(d decision) error {
	label := q.typ.mapping.Label(d.attribute)
	e := &scim.Error{Status: http.StatusConflict, Type: scim.TypeUniqueness, Detail: "the value of " + label + " is taken: " + d.reason.text(d.why, label)}
	if d.reason == managed {
		e.Err = fmt.Errorf("the tenant %s manages %s", d.hit.Marker.Source, d.hit.DN)
	}
	return e
}

// text says why nothing can be done about an entry in the way, and what can be.
func (r reason) text(why, label string) string {
	switch r {
	case protected:
		return "an existing entry of the directory has it that this gateway neither takes over nor changes, because " + why +
			"; leave this account out at the identity provider, or choose another value"
	case ambiguous:
		return "several existing entries of the directory have it and could be adopted, and none is chosen; make it unique in the directory first"
	case outside:
		return "an existing entry of the directory has it that is not among those which may be adopted (onExisting.adopt.filter); have it brought among them, or choose another value"
	case partly:
		return "an existing entry of the directory has it, but not every other value that adoption goes by (onExisting.adopt.by); make the values equal on both sides, or choose another"
	case roomless:
		return "an existing entry of the directory has it that cannot be adopted, because " + why + "; have the entry made anew with the object classes of the mapping"
	case torn:
		return "several people of this tenant, deleted ones included, have it or the externalId, and it cannot be told who is meant; make the values equal at the identity provider and here, or have one of the entries deleted in the directory"
	case keyless:
		return "an existing entry of the directory has it, and it cannot be adopted because this resource has no " + why + "; send that as well"
	}
	return "another entry of the directory has it, and it has to be unique; choose another value, or change the other entry"
}

// protectedError refuses to change an entry that is nobody's to provision.
func protectedError(e directory.Entry) error {
	return &directory.Error{Op: "modify", Kind: directory.Protected, Reason: e.Protected, Err: errors.New("the entry is protected: " + e.Protected)}
}

// elsewhere explains that the directory refuses a value which an entry outside of
// the type's base has, if that entry is one that nobody may take: else err.
func (q *request) elsewhere(err error, keys []directory.Key) error {
	filters := make([]directory.Filter, len(keys))
	for i, k := range keys {
		filters[i] = directory.Eq(k.Attribute, k.Value)
	}
	hits, failed := q.typ.store.Search(q.ctx(), directory.Query{Filter: directory.OrOf(filters...), Scope: directory.Tree,
		Attributes: q.typ.mapping.WithoutMembers(), Guard: true})
	if failed != nil {
		return err // the tree's top may be out of sight
	}
	for _, h := range hits {
		theirs := h.Marker.Source != "" && h.Marker.Source != q.typ.tenant.name // of which nothing is told
		if attribute := clash(keys, h); h.Protected != "" && !theirs && attribute != "" {
			return q.taken(decision{attribute: attribute, reason: protected, why: h.Protected})
		}
	}
	return err
}

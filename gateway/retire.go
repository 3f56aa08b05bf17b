package gateway

import (
	"context"
	"strings"

	"scimgate/internal/directory"
)

// retire deletes the entry that the request names, or makes it a tombstone.
// Locking comes first; what stops in between is completed by the same request.
func (q *request) retire() error {
	unlock, _, err := q.typ.tenant.writers.Acquire(q.ctx(), strings.ToLower(q.Param("id")))
	if err != nil {
		return err
	}
	defer unlock()
	for {
		err := q.tryRetire()
		if !directory.Is(err, directory.Changed) || q.ctx().Err() != nil {
			return err
		}
	}
}

func (q *request) tryRetire() error {
	t := q.typ
	old, err := t.one(q.ctx(), q.Param("id"), q.removalReads())
	if err != nil {
		return err
	}
	q.wrote(old)
	if old.Marker.State != directory.Deleting {
		if err := q.permitted(old); err != nil {
			return err
		}
	}
	if err := q.spendRemoval(old); err != nil {
		return err
	}
	if t.mapping.DeletesForGood() && old.Marker.Adopted {
		q.event.operation = "release"
		return q.release(old)
	}
	if t.mapping.DeletesForGood() {
		return q.erase(old)
	}
	locked, err := q.change(old, t.mapping.Lock(old, directory.Deleting, q.stamp()))
	if err != nil {
		return err
	}
	if err := q.leaveGroups(locked); err != nil {
		return err
	}
	_, err = q.change(locked, t.mapping.Lock(locked, directory.Deleted, q.stamp()))
	return err
}

// erase removes an entry for good. It leaves its groups first, since nobody could
// say afterwards whose place it was; and before that it is marked, so that who
// loses a race for its version has ended no membership.
func (q *request) erase(e directory.Entry) error {
	if e.Protected != "" {
		return protectedError(e)
	}
	seats, err := q.seats(e)
	if err != nil {
		return err
	}
	if len(seats) > 0 && e.Marker.State != directory.Deleting {
		if e, err = q.change(e, q.typ.mapping.Lock(e, directory.Deleting, q.stamp())); err != nil {
			return err
		}
	}
	if err := q.leave(seats, e.DN); err != nil {
		return err
	}
	return q.typ.store.Remove(q.ctx(), e)
}

// leaveGroups takes an entry out of every group of the tenant.
func (q *request) leaveGroups(e directory.Entry) error {
	if e.Protected != "" { // nothing is changed before the write that is refused
		return protectedError(e)
	}
	seats, err := q.seats(e)
	if err != nil {
		return err
	}
	return q.leave(seats, e.DN)
}

// seat is a group that an entry is in.
type seat struct {
	typ   *resourceType
	group string // its id
}

// seats finds every group of the tenant that an entry is in.
func (q *request) seats(e directory.Entry) ([]seat, error) {
	var seats []seat
	for _, t := range q.typ.tenant.types {
		member := t.mapping.Members()
		if member == "" {
			continue
		}
		groups, err := t.store.Search(q.ctx(), directory.Query{Filter: directory.Eq(member, e.DN), Attributes: []string{}})
		if err != nil {
			return nil, err
		}
		for _, g := range groups {
			seats = append(seats, seat{t, g.ID})
		}
	}
	return seats, nil
}

// leave ends memberships of the entry with the name.
func (q *request) leave(seats []seat, dn string) error {
	return together(q.ctx(), len(seats), func(ctx context.Context, i int) error {
		err := seats[i].typ.store.ChangeMembers(ctx, seats[i].group, "", directory.MemberChange{Remove: []string{dn}})
		if directory.Is(err, directory.NotFound) || directory.Is(err, directory.Bound) {
			return nil // the group went first, or is one that nobody can leave
		}
		return err
	})
}

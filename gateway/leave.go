package gateway

import (
	"context"
	"slices"

	"go.uber.org/zap"

	"scimgate/internal/directory"
	"scimgate/mapping"
)

// Who is inactive leaves the tenant's groups, where deactivation says so, and
// comes back into those that wait for them in the marker. The note is written
// before a membership ends and goes after it is there again, so that stopping in
// between takes access away and the same request completes it. What happens to a
// group meanwhile is in waiting.go.

// complete brings an entry that has just been written, or was as wanted
// already, the rest of the way: it is locked again if something lifted the lock,
// and is in the groups that its state has.
func (q *request) complete(e directory.Entry) (directory.Entry, error) {
	for {
		done, err := q.tryComplete(e)
		if !directory.Is(err, directory.Changed) || q.ctx().Err() != nil {
			return done, err
		}
		if e, err = q.typ.one(q.ctx(), e.ID, nil); err != nil {
			return e, err
		}
	}
}

func (q *request) tryComplete(e directory.Entry) (directory.Entry, error) {
	e, err := q.keepLocked(e)
	switch {
	case err != nil || !q.typ.mapping.Leaves():
		return e, err
	case e.Marker.State == directory.Inactive:
		return q.leaveForNow(e)
	case e.Marker.State == directory.Active && len(e.Marker.Left) > 0:
		return q.rejoin(e)
	}
	return e, nil
}

// leaveForNow takes an inactive entry out of every group of the tenant.
func (q *request) leaveForNow(e directory.Entry) (directory.Entry, error) {
	seats, err := q.seats(e)
	if err != nil || len(seats) == 0 {
		return e, err
	}
	noted := slices.Clone(e.Marker.Left)
	for _, s := range seats {
		if id := directory.CompactID(s.group); !slices.Contains(noted, id) {
			noted = append(noted, id)
		}
	}
	if len(noted) > len(e.Marker.Left) {
		if e, err = q.note(e, noted); err != nil {
			return e, err
		}
	}
	return e, q.leave(seats, e.DN)
}

// note writes which groups wait for an entry.
func (q *request) note(e directory.Entry, groups []string) (directory.Entry, error) {
	c := directory.Change{Marker: e.Marker}
	c.Marker.Left, c.Marker.Request = groups, q.event.request
	return q.change(e, c)
}

// rejoin puts an active entry back into the groups that wait for it. Whoever
// wrote to the entry meanwhile may have taken one of them from the notes.
func (q *request) rejoin(e directory.Entry) (directory.Entry, error) {
	seats, err := q.noted(e)
	if err != nil {
		return e, err
	}
	err = together(q.ctx(), len(seats), func(ctx context.Context, i int) error {
		err := seats[i].typ.store.ChangeMembers(ctx, seats[i].group, "", directory.MemberChange{Add: []string{e.DN}})
		if directory.Is(err, directory.NotFound) {
			return nil // the group went meanwhile
		}
		return err
	})
	if err != nil {
		return e, err
	}
	done, err := q.note(e, nil)
	if !directory.Is(err, directory.Changed) {
		return done, err
	}
	now, found := q.typ.one(q.ctx(), e.ID, []string{})
	if found == nil && now.DN == e.DN && now.Marker.State == directory.Active {
		if len(now.Marker.Left) == 0 {
			return now, err // another gateway has come to the end first
		}
		seats = slices.DeleteFunc(seats, func(s seat) bool { return slices.Contains(now.Marker.Left, directory.CompactID(s.group)) })
	}
	if failed := q.leave(seats, e.DN); failed != nil {
		return e, failed
	}
	return e, err
}

// noted are the groups that wait for an entry, of those that are still there.
func (q *request) noted(e directory.Entry) ([]seat, error) {
	ids := make([]string, len(e.Marker.Left))
	for i, id := range e.Marker.Left {
		ids[i] = directory.ExpandID(id, e.ID)
	}
	var seats []seat
	for _, t := range q.typ.tenant.types {
		if t.mapping.Members() == "" {
			continue
		}
		err := t.inBatches(q.ctx(), directory.AttrID, ids, []string{}, func(g directory.Entry) {
			seats = append(seats, seat{t, g.ID})
		})
		if err != nil {
			return nil, err
		}
	}
	return seats, nil
}

// change updates an entry. What a directory refuses of the steps of deactivation
// keeps nobody from being locked: a name that is taken where the entry would
// move to, a random password, notes that are too long for the marker. It is left
// out then, and the log says so.
func (q *request) change(old directory.Entry, c directory.Change) (directory.Entry, error) {
	for {
		if q.stays && c.Marker.State != directory.Active {
			c = mapping.Stay(old, c)
			if nothing(old, c) {
				return old, nil
			}
		}
		e, err := q.typ.store.Update(q.ctx(), old, c)
		q.event.moved(old, e)
		q.changed(err, c)
		if err == nil || c.Marker.State == directory.Active {
			return e, err
		}
		lesser, what := q.typ.mapping.Lesser(old, c, err)
		if what == "" {
			return e, err
		}
		q.gateway.log.Warn("the directory refuses a step of deactivation; the entry is locked without it",
			zap.String("request", q.event.request), zap.String("id", old.ID), zap.String("left out", what), zap.Error(err))
		q.stays = q.stays || c.Move != "" && lesser.Move == ""
		if c = lesser; nothing(old, c) {
			return old, nil
		}
	}
}

// nothing reports whether a change has nothing left that anybody asked for.
func nothing(old directory.Entry, c directory.Change) bool {
	return c.Empty() && c.Members.Empty() && old.Marker.From == "" &&
		c.Marker.State == old.Marker.State && slices.Equal(c.Marker.Left, old.Marker.Left)
}

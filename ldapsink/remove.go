package ldapsink

import (
	"context"

	"github.com/go-ldap/ldap/v3"

	"scimgate/internal/directory"
)

// Remove implements directory.Store.
func (st *store) Remove(ctx context.Context, e directory.Entry) error {
	release, _, err := st.locks.Acquire(ctx, entryLock(e.ID))
	if err != nil {
		return wrap("delete", err)
	}
	defer release()
	if err := st.writable(ctx, e); err != nil {
		return wrap("delete", err)
	}
	if e.Marker.Adopted {
		return wrap("delete", failf(directory.Internal, "%s was adopted, and what was adopted is never removed", e.DN))
	}
	ctx, t := traced(ctx)
	err = wrap("delete", st.remove(ctx, e))
	return st.afterRemove(t, e, err)
}

// remove deletes the entry if it is the version given.
func (st *store) remove(ctx context.Context, e directory.Entry) error {
	name := st.target(e.DN, e.ID)
	err := st.write(ctx, func(ctx context.Context, l *link) error {
		controls, err := st.still(ctx, l, name, e.ID, e.Version)
		if err != nil {
			return err
		}
		_, err = ask(ctx, st.pool, l, false, func(conn *ldap.Conn) (struct{}, error) {
			return struct{}{}, conn.Del(ldap.NewDelRequest(name, controls))
		})
		return err
	}, func(ctx context.Context, l *link) (bool, error) {
		raw, err := st.baseOn(ctx, l, name, []string{st.flavor.id})
		return err == nil && raw == nil, err
	})
	if !ldap.IsErrorWithCode(err, ldap.LDAPResultNoSuchObject) {
		return err
	}
	if err := st.movedOrGone(ctx, e.ID, err); !directory.Is(err, directory.NotFound) {
		return err
	}
	return nil
}

// guarded sends a write with the assertion of still, and without where the
// server cannot hold it: OpenLDAP's overlay unique looks for other holders of a
// value in a search of its own, to which it applies the assertion of the write,
// which so fails whenever a unique attribute changes. What the assertion would
// have held is looked at just before instead, and between two gateways the
// marker's old value, deleted by the write, is a compare-and-set.
func (st *store) guarded(ctx context.Context, e directory.Entry, send func(guard bool) error) error {
	err := send(true)
	if !ldap.IsErrorWithCode(err, ldap.LDAPResultAssertionFailed) || !mentions(err, st.flavor.misled) {
		return err
	}
	raw, failed := st.base(ctx, e.DN, st.facts())
	if failed != nil {
		return failed
	}
	if !st.is(raw, e.ID, e.Version) {
		return err
	}
	return send(false)
}

// movedOrGone tells an entry that has another name by now from one that is no more.
func (st *store) movedOrGone(ctx context.Context, id string, cause error) error {
	e, err := st.byID(ctx, id, directory.Anyone, selection{})
	switch {
	case err != nil:
		return err
	case e != nil:
		return failf(directory.Changed, "the entry has another name by now: %w", cause)
	}
	return fail(directory.NotFound, cause)
}

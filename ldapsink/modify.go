package ldapsink

import (
	"context"
	"slices"
	"strings"

	"github.com/go-ldap/ldap/v3"
	"go.uber.org/zap"

	"scimgate/internal/directory"
)

// Update implements directory.Store.
//
// Without a new name or place it is one Modify, with the attributes, the members, the
// steps that give access and the marker, made only if the entry is the version
// that was read.
func (st *store) Update(ctx context.Context, old directory.Entry, c directory.Change) (directory.Entry, error) {
	op := "modify"
	if c.Name != "" || c.Move != "" {
		op = "rename"
	}
	ctx, t := traced(ctx)
	entry, err := complete(ctx, st.Sink, func(ctx context.Context) (directory.Entry, error) {
		release, _, err := st.locks.Acquire(ctx, append(keyLocks(c.Keys), entryLock(old.ID))...)
		if err != nil {
			return directory.Entry{}, err
		}
		defer release()
		if err := st.writable(ctx, old); err != nil {
			return directory.Entry{}, err
		}
		if err := st.free(ctx, c.Keys, old.ID); err != nil {
			return directory.Entry{}, err
		}
		c = st.byOwnName(old.DN, c)
		left := "" // the name of a rename that stays unfinished
		if err := st.resume(ctx, old); err != nil {
			if c.Marker.State == directory.Active || passes(err) {
				return directory.Entry{}, err
			}
			// Whoever is to be locked is locked, whatever else cannot be mended.
			st.log.Error("references of an interrupted rename cannot be brought along", zap.String("dn", old.DN), zap.Error(err))
			left = old.Marker.From
		}
		c.Members = distinctMembers(c.Members)
		if c.Name != "" && !st.hasName(old.DN, c.Name) || c.Move != "" && !directlyBelow(old.DN, c.Move) {
			return st.rename(ctx, old, c)
		}
		c.Marker.From = left
		mods := slices.Concat(c.Mods, c.Unlock)
		entry, err := st.claim(ctx, old, &step{mods, c.Members, c.Marker, st.returned(old, mods)}, c.Keys)
		if err != nil {
			return entry, err
		}
		return entry, st.followValue(ctx, old, entry)
	})
	return entry, st.afterUpdate(ctx, t, old, c, entry, wrap(op, err))
}

// passes reports whether an error of resume may be gone with another try.
func passes(err error) bool {
	err = wrap("modify", err)
	return directory.Is(err, directory.Unavailable) || directory.Is(err, directory.Changed)
}

// step is one Modify of an update.
type step struct {
	mods    []directory.Mod
	members directory.MemberChange // once it is made: those that really came and went
	marker  directory.Marker
	read    selection // what of the entry is wanted afterwards
}

// returned says which attributes an update returns: those of the collection,
// but members only where they are the update's business. Whoever read the entry
// without its 50,000 members and does not change them gets none.
func (st *store) returned(old directory.Entry, mods []directory.Mod) selection {
	s := st.selected(nil)
	s.times = true
	_, had := old.Attributes[st.c.Member]
	if st.c.Member == "" || had || slices.ContainsFunc(mods, st.ofMembers) {
		return s
	}
	s.names = slices.DeleteFunc(slices.Clone(s.names), func(n string) bool { return strings.EqualFold(n, st.c.Member) })
	return s
}

// claim makes a step that claims unique values, looks who else has, and takes
// it back if anybody does. Two that claim one value from different processes may
// both be refused, but never both succeed: what is there at the look may have
// been answered for already.
func (st *store) claim(ctx context.Context, old directory.Entry, s *step, keys []directory.Key) (directory.Entry, error) {
	entry, err := st.apply(ctx, old, s)
	if err != nil {
		return directory.Entry{}, err
	}
	if err := st.sole(ctx, old, entry, s); err != nil {
		return directory.Entry{}, err
	}
	if err := st.free(ctx, keys, old.ID); err != nil {
		if directory.Is(err, directory.Exists) {
			if undone := st.undo(ctx, old, entry, *s); undone != nil {
				return directory.Entry{}, undone
			}
		}
		return directory.Entry{}, err
	}
	return entry, nil
}

// undo puts back what a step has changed. Another write may come between; it
// is left alone, and so is its marker.
func (st *store) undo(ctx context.Context, old, now directory.Entry, s step) error {
	for {
		back := step{mods: reversed(s.mods, old, st.c.Attributes), members: s.members.Reversed(), marker: now.Marker}
		if now.Marker.Request == s.marker.Request {
			back.marker = old.Marker
		}
		_, err := st.apply(ctx, now, &back)
		if !directory.Is(err, directory.Changed) || ctx.Err() != nil {
			return err
		}
		current, err := st.byID(ctx, old.ID, directory.Anyone, selection{})
		if err != nil || current == nil {
			return err
		}
		now = *current
	}
}

// reversed returns the modifications that undo others. What was replaced and
// never read, as a password is, stays: emptying it would be worse.
func reversed(mods []directory.Mod, old directory.Entry, read []string) []directory.Mod {
	var back []directory.Mod
	for _, m := range slices.Backward(mods) {
		switch {
		case m.Op == directory.ModAdd:
			m.Op = directory.ModDelete
		case m.Op == directory.ModDelete && len(m.Values) > 0:
			m.Op = directory.ModAdd
		case !slices.Contains(read, m.Attribute):
			continue
		default:
			m = directory.Mod{Op: directory.ModReplace, Attribute: m.Attribute, Values: old.Attributes[m.Attribute]}
		}
		back = append(back, m)
	}
	return back
}

// apply makes a step.
func (st *store) apply(ctx context.Context, old directory.Entry, s *step) (directory.Entry, error) {
	w := stepWrite{store: st, old: old, step: s}
	if old.Marker.Source != "" || old.Marker.State != "" {
		var err error
		if w.text, err = old.Marker.Text(); err != nil {
			return directory.Entry{}, fail(directory.Internal, err)
		}
	}
	for {
		entry, err := w.send(ctx)
		if err == nil {
			return entry, nil
		}
		if err := w.adapt(ctx, err); err != nil {
			return directory.Entry{}, err
		}
	}
}

// modification is one Modify, ready to be sent.
type modification struct {
	dn, id, version string
	changes         []ldap.Change
	text            string // the marker's new value: the proof that it was done
	frees           bool   // the marker is taken away, and that is the proof
	kept            string // the marker's value, where it stays
	read            selection
}

// stays deletes a value and adds it again: a condition without an effect.
func stays(attribute, value string) []directory.Mod {
	values := []string{value}
	return []directory.Mod{{Op: directory.ModDelete, Attribute: attribute, Values: values}, {Op: directory.ModAdd, Attribute: attribute, Values: values}}
}

// swap replaces one value of an attribute that may have others.
func swap(attribute, old, want string) []directory.Mod {
	if old == want {
		return nil
	}
	var mods []directory.Mod
	if old != "" {
		mods = append(mods, directory.Mod{Op: directory.ModDelete, Attribute: attribute, Values: []string{old}})
	}
	if want != "" {
		mods = append(mods, directory.Mod{Op: directory.ModAdd, Attribute: attribute, Values: []string{want}})
	}
	return mods
}

// modify sends a Modify and returns the entry as it leaves it: in the same
// round trip where the server can, else read after it.
func (st *store) modify(ctx context.Context, m modification) (directory.Entry, error) {
	var after *ldap.Entry
	if len(m.changes) > 0 {
		err := st.guarded(ctx, directory.Entry{DN: m.dn, ID: m.id, Version: m.version}, func(guard bool) error {
			return st.write(ctx, func(ctx context.Context, l *link) error {
				var err error
				after, err = st.modifyOn(ctx, l, m, guard)
				return err
			}, func(ctx context.Context, l *link) (bool, error) { return st.modified(ctx, l, m) })
		})
		if err != nil {
			return directory.Entry{}, err
		}
	}
	if after == nil {
		var err error
		if after, err = st.base(ctx, st.target(m.dn, m.id), st.wire(m.read)); err != nil {
			return directory.Entry{}, err
		}
		if after == nil {
			return directory.Entry{}, failf(directory.NotFound, "the entry was removed or renamed at once")
		}
	}
	return st.entry(after, m.read), nil
}

// modifyOn sends a Modify over one link. The entry is nil where the server does
// not return it.
func (st *store) modifyOn(ctx context.Context, l *link, m modification, guard bool) (*ldap.Entry, error) {
	var controls []ldap.Control
	name := st.target(m.dn, m.id)
	if guard {
		var err error
		if controls, err = st.still(ctx, l, name, m.id, m.version); err != nil {
			return nil, err
		}
	}
	changed := m.changes
	if len(controls) == 0 && m.kept != "" { // a compare-and-set all the same
		changed = append(slices.Clone(changed), changes(stays(st.c.StateAttribute, m.kept))...)
	}
	if l.supports(oidPostRead) {
		controls = append(controls, postRead(st.wire(m.read)))
	}
	if slices.ContainsFunc(m.changes, func(c ldap.Change) bool { return isPassword(c.Modification.Type) }) {
		controls = append(controls, l.policy()...)
	}
	request := ldap.NewModifyRequest(name, controls)
	request.Changes = changed
	result, err := ask(ctx, st.pool, l, false, func(conn *ldap.Conn) (*ldap.ModifyResult, error) {
		return conn.ModifyWithResult(request)
	})
	if err != nil {
		return nil, err
	}
	after, err := postReadEntry(result.Controls)
	return l.tagged(after, st.flavor), err
}

// modified finds out whether a Modify whose answer was lost has been carried out.
func (st *store) modified(ctx context.Context, l *link, m modification) (bool, error) {
	raw, err := st.baseOn(ctx, l, st.target(m.dn, m.id), st.facts())
	switch {
	case err != nil:
		return false, err
	case !st.is(raw, m.id, ""):
		return false, failf(directory.Changed, "the entry has another name or is gone")
	case st.version(raw) == m.version:
		return false, nil
	case (m.text != "" || m.frees) && st.storedMarker(raw) == m.text:
		return true, nil
	}
	return false, failf(directory.Changed, "another write came between")
}

// refused reads the result codes that mean something of their own to a write of
// an existing entry.
func (st *store) refused(ctx context.Context, old directory.Entry, err error) error {
	switch {
	case ldap.IsErrorWithCode(err, ldap.LDAPResultNoSuchObject):
		return st.movedOrGone(ctx, old.ID, err)
	case st.flavor.notUnique(err):
		return fail(directory.Exists, err)
	case st.flavor.unheardOf(err):
		return fail(directory.Internal, err)
	}
	return wrap("modify", err)
}

package ldapsink

import (
	"context"
	"fmt"
	"slices"

	"github.com/go-ldap/ldap/v3"
	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"scimgate/internal/directory"
)

// hasName reports whether the name's naming attribute has exactly the value.
func (st *store) hasName(dn, value string) bool {
	own, _ := splitName(dn)
	return sameSpelling(own, relativeName(st.c.Naming, value))
}

// sameSpelling compares names byte for byte once they are unescaped.
func sameSpelling(a, b string) bool {
	x, errX := parseDN(a)
	y, errY := parseDN(b)
	return errX == nil && errY == nil && x.Equal(y)
}

// rename changes an entry and its name, its place, or both.
//
// It takes four kinds of operation, in an order that leaves less access, never
// more, wherever it stops, and that the same request again completes: first the
// attributes and the members that go, with the old name in the marker; then the
// name; then what refers to it; last what gives access, members that come too,
// with the old name cleared from the marker.
func (st *store) rename(ctx context.Context, old directory.Entry, c directory.Change) (directory.Entry, error) {
	if c.Vacates {
		if err := st.unreferred(ctx, old.DN); err != nil {
			return directory.Entry{}, err
		}
	}
	way, err := st.wayOf(ctx, old, &c)
	if err != nil {
		return directory.Entry{}, err
	}
	to := way.to()
	read := st.returned(old, slices.Concat(c.Mods, c.Unlock))
	begin := step{mods: c.Mods, members: directory.MemberChange{Remove: c.Members.Remove}, marker: begunMarker(old, c), read: read}
	begun, err := st.claim(ctx, old, &begin, c.Keys)
	if err != nil {
		return directory.Entry{}, err
	}
	if err := st.modifyDN(ctx, begun, way); err != nil {
		err = wrap("rename", st.refused(ctx, old, st.refusedWay(ctx, way, st.refusedName(err, c.Name))))
		if !directory.Is(err, directory.Unavailable) && !directory.Is(err, directory.Changed) && !locks(c) {
			if undone := st.undo(ctx, old, begun, begin); undone != nil {
				return directory.Entry{}, undone
			}
		}
		return directory.Entry{}, err
	}
	if err := st.follow(ctx, old.DN, to); err != nil {
		return directory.Entry{}, err
	}
	end := step{mods: c.Unlock, members: directory.MemberChange{Add: c.Members.Add}, marker: c.Marker, read: read}
	end.marker.From = ""
	entry, err := st.finish(ctx, to, begun, end)
	if err = wrap("rename", err); directory.Is(err, directory.Invalid) { // a password, as a rule
		if undone := st.renameBack(ctx, old, begun, begin, to); undone != nil {
			return directory.Entry{}, undone
		}
	}
	return entry, err
}

// begunMarker is the marker while an entry has not got its new name yet. Nothing is
// unlocked then either: whoever comes after a cut must still know how.
func begunMarker(old directory.Entry, c directory.Change) directory.Marker {
	m := c.Marker
	m.From = old.DN
	if old.Marker.State == directory.Deleted && m.State == directory.Inactive {
		// Until it has its new name the same request has to find a tombstone.
		m.State, m.Since, m.Aside = old.Marker.State, old.Marker.Since, old.Marker.Aside
	}
	if m.State == directory.Active && old.Marker.State != directory.Active {
		m.State, m.Since = old.Marker.State, old.Marker.Since
		m.Undo, m.Aside = old.Marker.Undo, old.Marker.Aside
		m.Home, m.Left = old.Marker.Home, old.Marker.Left
		if m.Called == "" {
			m.Called = old.Marker.Called
		}
	}
	return m
}

// renameBack undoes a rename whose last step the directory refuses, so that a
// change is made whole or not at all. If somebody has taken the old name or
// written to the entry, it stays under the new one, and the next write completes
// the rename.
func (st *store) renameBack(ctx context.Context, old, begun directory.Entry, begin step, to string) error {
	now, err := st.byID(ctx, old.ID, directory.Anyone, selection{})
	if err != nil || now == nil || now.Marker.Request != begun.Marker.Request || now.Marker.From != begun.Marker.From {
		return err
	}
	if err := wrap("rename", st.modifyDN(ctx, *now, wayTo(to, old.DN))); err != nil {
		if directory.Is(err, directory.Exists) || directory.Is(err, directory.Changed) {
			return nil
		}
		return err
	}
	if err := st.follow(ctx, to, old.DN); err != nil {
		return err
	}
	if now, err = st.byID(ctx, old.ID, directory.Anyone, selection{}); err != nil || now == nil {
		return err
	}
	return st.undo(ctx, old, *now, begin)
}

// takeFor takes a new name for an entry, if nobody has it, so that a rename that
// cannot succeed changes nothing. The same name in another spelling is one's
// own, and so is what refers to it.
func (st *store) takeFor(ctx context.Context, to string, old directory.Entry) error {
	if directory.FoldDN(to) == directory.FoldDN(old.DN) {
		return nil
	}
	there, err := st.base(ctx, to, []string{st.flavor.id})
	switch {
	case err != nil:
		return err
	case there == nil:
		return st.take(ctx, old.DN, to)
	case st.flavor.idOf(there) == old.ID && directory.FoldDN(there.DN) == directory.FoldDN(old.DN):
		return nil // equal by the directory's own rule, which knows more than FoldDN
	case st.flavor.idOf(there) == old.ID:
		return failf(directory.Changed, "the entry has the name already")
	}
	return failf(directory.Exists, "the name is taken")
}

// modifyDN gives an entry its new name and place. It is reached by its old name:
// Samba takes no other in this operation.
func (st *store) modifyDN(ctx context.Context, e directory.Entry, w way) error {
	held := false // by the server, which so renames no other entry
	err := st.guarded(ctx, e, func(guard bool) error {
		return st.write(ctx, func(ctx context.Context, l *link) error {
			var controls []ldap.Control
			if guard {
				var err error
				if controls, err = st.still(ctx, l, e.DN, e.ID, e.Version); err != nil {
					return err
				}
			}
			held = len(controls) > 0
			_, err := ask(ctx, st.pool, l, false, func(conn *ldap.Conn) (struct{}, error) {
				return struct{}{}, conn.ModifyDN(ldap.NewModifyDNWithControlsRequest(e.DN, w.rdn, true, w.superior, controls))
			})
			return err
		}, func(ctx context.Context, l *link) (bool, error) { return st.renamed(ctx, l, e.ID, w.rdn, w.to()) })
	})
	if err != nil || held {
		return err
	}
	return st.renamedIt(ctx, e, w.to())
}

// renamedIt makes sure that it was the entry that got the new name, and not
// another one that had taken the old name just before. Such a one gets it back.
func (st *store) renamedIt(ctx context.Context, e directory.Entry, to string) error {
	raw, err := st.base(ctx, to, []string{st.flavor.id})
	if err != nil || raw == nil || st.flavor.idOf(raw) == e.ID {
		return err
	}
	back := wayTo(to, e.DN)
	err = st.read(ctx, func(ctx context.Context, l *link) error {
		_, err := ask(ctx, st.pool, l, false, func(conn *ldap.Conn) (struct{}, error) {
			return struct{}{}, conn.ModifyDN(ldap.NewModifyDNRequest(to, back.rdn, true, back.superior))
		})
		return err
	})
	if err != nil {
		return fail(directory.Internal, fmt.Errorf("%s was another entry by the time it was renamed to %s, and that cannot be taken back: %w", e.DN, to, err))
	}
	return failf(directory.Changed, "the name is another entry's by now")
}

// renamed finds out whether a rename whose answer was lost has been carried out.
func (st *store) renamed(ctx context.Context, l *link, id, rdn, to string) (bool, error) {
	raw, err := st.baseOn(ctx, l, to, []string{st.flavor.id})
	if err != nil || raw == nil {
		return false, err
	}
	own, _ := splitName(raw.DN)
	return st.flavor.idOf(raw) == id && sameSpelling(own, rdn), nil
}

// finish gives access and clears the old name from the marker, on top of
// whatever others have written to the entry since.
func (st *store) finish(ctx context.Context, dn string, begun directory.Entry, s step) (directory.Entry, error) {
	for {
		raw, err := st.base(ctx, dn, st.wire(selection{}))
		if err != nil {
			return directory.Entry{}, err
		}
		if raw == nil || st.flavor.idOf(raw) != begun.ID {
			return directory.Entry{}, failf(directory.Changed, "the entry was renamed again or removed")
		}
		now := st.entry(raw, selection{})
		if now.Marker.Request != begun.Marker.Request || now.Marker.From != begun.Marker.From {
			return directory.Entry{}, failf(directory.Changed, "another write came before the rename was complete")
		}
		again := s
		entry, err := st.apply(ctx, now, &again)
		if !directory.Is(wrap("rename", err), directory.Changed) || ctx.Err() != nil {
			return entry, err
		}
	}
}

// resume brings along what refers to a name from which the entry was moved by a
// rename that did not get to its end.
func (st *store) resume(ctx context.Context, old directory.Entry) error {
	from := old.Marker.From
	if from == "" || !slices.ContainsFunc(st.c.Referrers, func(r directory.Referrer) bool { return relists(r, from, old.DN) }) {
		return nil
	}
	raw, err := st.base(ctx, old.DN, st.facts())
	if err != nil {
		return err
	}
	if !st.is(raw, old.ID, old.Version) {
		return failf(directory.Changed, "the entry is not what it was")
	}
	other, err := st.base(ctx, from, []string{st.flavor.id})
	if err != nil {
		return err
	}
	if other != nil && st.flavor.idOf(other) != old.ID {
		// What refers to the name may mean its new owner: neither may get what is the other's.
		st.log.Warn("references of an interrupted rename stay: the old name is another entry's by now",
			zap.String("from", from), zap.String("dn", old.DN))
		return nil
	}
	return st.follow(ctx, from, old.DN)
}

// followers is how many references are brought along at once.
const followers = 8

// follow brings every reference to a name along to another.
func (st *store) follow(ctx context.Context, from, to string) error {
	for _, r := range st.c.Referrers {
		if !relists(r, from, to) {
			continue
		}
		if err := st.followIn(ctx, r, listedAs(r, from), listedAs(r, to)); err != nil {
			return err
		}
	}
	return nil
}

// followIn is follow for one place, with what is listed there.
func (st *store) followIn(ctx context.Context, r directory.Referrer, from, to string) error {
	if from == to || from == "" || to == "" {
		return nil
	}
	filter, err := st.renderer().render(directory.Eq(r.Attribute, from))
	if err != nil {
		return fail(directory.Internal, err)
	}
	found, err := st.search(ctx, r.Base, filter, []string{"1.1"})
	if ldap.IsErrorWithCode(err, ldap.LDAPResultNoSuchObject) {
		return nil // a place that is not there refers to nothing
	}
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(followers)
	for _, referrer := range found {
		group.Go(func() error { return st.replaceReference(ctx, referrer.DN, r.Attribute, from, to) })
	}
	return group.Wait()
}

// relists reports whether a referrer lists the entry otherwise once it has another
// name. A value is compared byte for byte, as memberUid is.
func relists(r directory.Referrer, from, to string) bool {
	if r.By == "" {
		return directory.FoldDN(from) != directory.FoldDN(to)
	}
	from, to = listedAs(r, from), listedAs(r, to)
	return from != to && from != "" && to != ""
}

// listedAs returns how a referrer lists the entry with a name.
func listedAs(r directory.Referrer, dn string) string {
	if r.By == "" {
		return dn
	}
	return nameValue(dn, r.By)
}

// replaceReference changes one reference. The directory may be doing the same
// of its own accord (overlay refint): what is done already is no error, and a
// reference that is gone stays gone.
func (st *store) replaceReference(ctx context.Context, dn, attribute, from, to string) error {
	request := ldap.NewModifyRequest(dn, nil)
	request.Delete(attribute, []string{from})
	request.Add(attribute, []string{to})
	err := st.repeat(ctx, request)
	if ldap.IsErrorWithCode(err, ldap.LDAPResultAttributeOrValueExists) {
		request = ldap.NewModifyRequest(dn, nil)
		request.Delete(attribute, []string{from})
		err = st.repeat(ctx, request)
	}
	if ldap.IsErrorAnyOf(err, ldap.LDAPResultNoSuchAttribute, ldap.LDAPResultNoSuchObject) {
		return nil
	}
	return err
}

// repeat sends a Modify that does no harm twice.
func (s *Sink) repeat(ctx context.Context, request *ldap.ModifyRequest) error {
	return s.write(ctx, func(ctx context.Context, l *link) error {
		_, err := ask(ctx, s.pool, l, false, func(conn *ldap.Conn) (struct{}, error) {
			return struct{}{}, conn.Modify(request)
		})
		return err
	}, nil)
}

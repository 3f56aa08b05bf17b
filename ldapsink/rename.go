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
	begin := step{mods: c.Mods, members: directory.MemberChange{Remove: c.Members.Remove}, marker: c.Marker, read: read}
	begin.marker.From = old.DN
	if c.Marker.State == directory.Active && old.Marker.State != directory.Active {
		// Nothing is unlocked yet: whoever comes after a cut must still know how.
		begin.marker.State, begin.marker.Since = old.Marker.State, old.Marker.Since
		begin.marker.Undo, begin.marker.Aside = old.Marker.Undo, old.Marker.Aside
		begin.marker.Home, begin.marker.Left = old.Marker.Home, old.Marker.Left
		if begin.marker.Called == "" {
			begin.marker.Called = old.Marker.Called
		}
	}
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
		return st.take(ctx, to)
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
	if from == "" || directory.FoldDN(from) == directory.FoldDN(old.DN) {
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
	if other != nil {
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
	if directory.FoldDN(from) == directory.FoldDN(to) {
		return nil
	}
	for _, r := range st.c.Referrers {
		from, to := listedAs(r, from), listedAs(r, to)
		if from == to || from == "" || to == "" {
			continue
		}
		filter, err := st.renderer().render(directory.Eq(r.Attribute, from))
		if err != nil {
			return fail(directory.Internal, err)
		}
		found, err := st.search(ctx, r.Base, filter, []string{"1.1"})
		if ldap.IsErrorWithCode(err, ldap.LDAPResultNoSuchObject) {
			continue // a place that is not there refers to nothing
		}
		if err != nil {
			return err
		}
		group, ctx := errgroup.WithContext(ctx)
		group.SetLimit(followers)
		for _, referrer := range found {
			group.Go(func() error { return st.replaceReference(ctx, referrer.DN, r.Attribute, from, to) })
		}
		if err := group.Wait(); err != nil {
			return err
		}
	}
	return nil
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

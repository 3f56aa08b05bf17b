package ldapsink

import (
	"context"
	"crypto/rand"

	"github.com/go-ldap/ldap/v3"
	"go.uber.org/zap"

	"scimgate/internal/directory"
)

// ChangeMembers implements directory.Store.
//
// It costs one search for the name and one Modify with the values that change,
// whatever the size of the group. Everything else below is for groups that are
// not quite as the change assumes.
func (st *store) ChangeMembers(ctx context.Context, id, version string, c directory.MemberChange) error {
	ctx, t := traced(ctx)
	if version != "" {
		held, err := st.asserts(ctx, version)
		if err == nil && !held {
			err = st.changeMembersOf(ctx, id, version, c)
		}
		if err != nil || !held {
			return st.afterMembers(ctx, t, id, c, "", wrap("modify", err))
		}
	}
	m := memberWrite{store: st, id: id, version: version, left: distinctMembers(c)}
	err := m.run(ctx)
	return st.afterMembers(ctx, t, id, c, m.made, wrap("modify", err))
}

// changeMembersOf changes the members of a version that the server does not hold
// a write against. The marker stands in, as for any update: it gets a request id
// of its own, and of two that know one version the second finds it changed.
func (st *store) changeMembersOf(ctx context.Context, id, version string, c directory.MemberChange) error {
	e, err := st.byID(ctx, id, directory.Live, selection{})
	switch {
	case err != nil:
		return err
	case e == nil:
		return failf(directory.NotFound, "no live entry has the id")
	case e.Version != version:
		return failf(directory.Changed, "the entry is another version")
	}
	if err := st.writable(ctx, *e); err != nil {
		return err
	}
	left, err := st.missing(ctx, st.target(e.DN, id), distinctMembers(c), nil)
	if err != nil || left.Empty() {
		return err
	}
	s := step{members: left, marker: e.Marker}
	s.marker.Request = rand.Text()
	_, err = complete(ctx, st.Sink, func(ctx context.Context) (directory.Entry, error) { return st.apply(ctx, *e, &s) })
	return err
}

// memberWrite is a change of members on its way.
type memberWrite struct {
	*store
	id, version string
	left        directory.MemberChange // what is still to be done
	dn          string
	plan        *memberMods // how to do it; nil where that is to be found out
	doubt       bool        // an answer was lost: the change may have been made
	stuck       int         // refusals in a row that no look explains
	made        string      // the version that the change has made, where that is known
}

// run tries until the group is as wanted. Every refusal that others can cause
// by changing the same group at the same time leads to another look and another
// try; only the context ends that.
func (m *memberWrite) run(ctx context.Context) error {
	for try := 0; !m.left.Empty(); try++ {
		if err := m.locate(ctx); err != nil {
			return err
		}
		err := m.send(ctx)
		if err == nil {
			return m.tidy(ctx)
		}
		if err := m.adapt(ctx, err); err != nil {
			return err
		}
		if try > 2 {
			m.pause(ctx, m.pool.cfg.Retry.Base) // something is going on here: make room for it
		}
		if ctx.Err() != nil {
			return fail(directory.Unavailable, context.Cause(ctx))
		}
	}
	return m.assertVersion(ctx)
}

// locate finds the group's name, which may change.
func (m *memberWrite) locate(ctx context.Context) error {
	if m.dn != "" {
		return nil
	}
	e, err := m.byID(ctx, m.id, directory.Live, selection{})
	switch {
	case err != nil:
		return err
	case e == nil:
		return failf(directory.NotFound, "no live entry has the id")
	case m.version != "" && e.Version != m.version && !m.doubt:
		return failf(directory.Changed, "the entry is another version")
	}
	m.id = e.ID // as the directory spells it
	directory.TrailOf(ctx).Found(e.DN)
	if err := m.writable(ctx, *e); err != nil {
		return err
	}
	m.dn = m.target(e.DN, m.id)
	return nil
}

// send makes the change in one Modify. A value that is there already, or gone
// already, has it refused and not ignored: a server that ignores it (permissive
// modify) gives the entry a new version for nothing.
func (m *memberWrite) send(ctx context.Context) error {
	if m.plan == nil {
		var err error
		if m.plan, err = m.memberMods(ctx, m.dn, m.modsOf(m.left)); err != nil {
			return err
		}
	}
	return m.write(ctx, func(ctx context.Context, l *link) error {
		mods, controls, err := m.heldMods(ctx, l, m.dn, m.id, m.version, m.plan.mods())
		if err != nil {
			return err
		}
		if m.tells(l) {
			controls = append(controls, postRead([]string{m.flavor.version}))
		}
		request := ldap.NewModifyRequest(m.dn, controls)
		request.Changes = changes(mods)
		result, err := ask(ctx, m.pool, l, false, func(conn *ldap.Conn) (*ldap.ModifyResult, error) {
			return conn.ModifyWithResult(request)
		})
		m.doubt = m.doubt || classify(err) == unknown
		if err != nil || !m.tells(l) {
			return err
		}
		after, err := postReadEntry(result.Controls)
		if after != nil {
			m.made = first(after, m.flavor.version)
		}
		return err
	}, nil)
}

// tells reports whether the server can say which version a change makes, and
// whether anybody wants to know: by it, another server shows that it has it.
func (m *memberWrite) tells(l *link) bool {
	return !m.recent.off && m.flavor.ordered() && l.supports(oidPostRead)
}

// tidy takes the placeholder out again if somebody has added a member to the
// group between its last member's leaving and the placeholder's coming. The
// group is small, or it would not have been about to be empty.
func (m *memberWrite) tidy(ctx context.Context) error {
	if !m.plan.put {
		return nil
	}
	raw, err := m.base(ctx, m.dn, []string{m.c.Member})
	if err != nil || raw == nil || len(values(raw, m.c.Member)) < 2 {
		return nil // the change is made; whoever adds a member next tidies up
	}
	request := ldap.NewModifyRequest(m.dn, nil)
	request.Delete(m.c.Member, []string{m.c.EmptyMember})
	if err := m.repeat(ctx, request); err != nil {
		m.log.Debug("placeholder stays in a group", zap.String("dn", m.dn), zap.Error(err))
	}
	return nil
}

// adapt makes the next try fit what a refusal has told. Its error ends the change.
func (m *memberWrite) adapt(ctx context.Context, refusal error) error {
	switch {
	case differs(refusal):
		return m.narrowAgain(ctx, nil)
	case m.plan.emptied(refusal):
		return nil
	case ldap.IsErrorAnyOf(refusal, m.flavor.members...):
		return m.disputed(ctx, refusal)
	case ldap.IsErrorWithCode(refusal, ldap.LDAPResultNoSuchObject):
		m.dn, m.plan = "", nil
		return nil
	case ldap.IsErrorWithCode(refusal, ldap.LDAPResultAssertionFailed) && m.version == "":
		m.dn, m.plan = "", nil // the name is another entry's by now
		return nil
	case ldap.IsErrorWithCode(refusal, ldap.LDAPResultAssertionFailed) && m.doubt:
		return m.done(ctx, refusal)
	}
	return refusal
}

// done forgives a failed assertion on the version if it was one's own change,
// made by a try whose answer was lost, that made the new version.
func (m *memberWrite) done(ctx context.Context, refusal error) error {
	if err := m.narrow(ctx, nil); err != nil {
		return err
	}
	if !m.left.Empty() {
		return refusal
	}
	m.version = ""
	return nil
}

// unexplained is how many refusals in a row may have no reason that a look
// finds: somebody else may have changed the same members in between.
const unexplained = 3

// disputed looks whether a refusal by a code that means several things was about
// the members. The refusal stands where it was not.
func (m *memberWrite) disputed(ctx context.Context, refusal error) error {
	before := len(m.left.Add) + len(m.left.Remove)
	if err := m.narrowAgain(ctx, refusal); err != nil {
		return err
	}
	if len(m.left.Add)+len(m.left.Remove) < before {
		m.stuck = 0
	} else if m.stuck++; m.stuck > unexplained {
		return refusal
	}
	return nil
}

// narrowAgain is narrow after a look whether the name is still the entry's: what
// another entry has says nothing about this one.
func (m *memberWrite) narrowAgain(ctx context.Context, refusal error) error {
	m.dn = ""
	if err := m.locate(ctx); err != nil {
		return err
	}
	return m.narrow(ctx, refusal)
}

// narrow leaves what is still to be done.
func (m *memberWrite) narrow(ctx context.Context, refusal error) error {
	left, err := m.missing(ctx, m.dn, m.left, refusal)
	m.plan = nil
	if ldap.IsErrorWithCode(err, ldap.LDAPResultNoSuchObject) {
		m.dn = "" // renamed or removed: look for it again before anything else
		return nil
	}
	m.left = left
	return err
}

// assertVersion holds a change that has nothing left to do against the version
// that the caller asked for.
func (m *memberWrite) assertVersion(ctx context.Context) error {
	if m.version == "" && m.dn != "" {
		return nil
	}
	m.dn = ""
	return m.locate(ctx)
}

package ldapsink

import (
	"context"
	"slices"

	"github.com/go-ldap/ldap/v3"
	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"scimgate/internal/directory"
)

// ChangeMembers implements directory.Store.
//
// It costs one search for the name and one Modify with the values that change,
// whatever the size of the group. Everything else below is for groups that are
// not quite as the change assumes.
func (st *store) ChangeMembers(ctx context.Context, id, version string, c directory.MemberChange) error {
	m := memberWrite{store: st, id: id, version: version, add: distinctNames(c.Add, nil)}
	m.remove = distinctNames(c.Remove, m.add) // a member on both lists stays
	return wrap("modify", m.run(ctx))
}

// memberWrite is a change of members on its way.
type memberWrite struct {
	*store
	id, version string
	add, remove []string
	dn          string
	drop, put   bool // the placeholder goes, or comes
	checked     bool // whether the placeholder is there has been asked
	doubt       bool // an answer was lost: the change may have been made
}

// run tries until the group is as wanted. Every refusal that others can cause
// by changing the same group at the same time leads to another look and another
// try; only the context ends that.
func (m *memberWrite) run(ctx context.Context) error {
	for try := 0; len(m.add)+len(m.remove) > 0; try++ {
		if err := m.locate(ctx); err != nil {
			return err
		}
		if err := m.look(ctx); err != nil {
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
	m.dn = e.DN
	return nil
}

// look asks whether the placeholder has to make room for members.
func (m *memberWrite) look(ctx context.Context) error {
	if m.c.EmptyMember == "" || len(m.add) == 0 || m.checked {
		return nil
	}
	there, err := m.compare(ctx, m.dn, m.c.Member, m.c.EmptyMember)
	m.drop, m.checked = there, err == nil
	if ldap.IsErrorWithCode(err, ldap.LDAPResultNoSuchObject) {
		return nil // the write will find out
	}
	return err
}

// send makes the change in one Modify.
func (m *memberWrite) send(ctx context.Context) error {
	gone, come := m.remove, m.add
	if m.drop {
		gone = append(slices.Clone(gone), m.c.EmptyMember)
	}
	if m.put {
		come = append(slices.Clone(come), m.c.EmptyMember)
	}
	return m.write(ctx, func(ctx context.Context, l *link) error {
		controls, err := m.still(l, m.id, m.version)
		if err != nil {
			return err
		}
		if l.supports(oidPermissiveModify) {
			controls = append(controls, permissiveModify())
		}
		request := ldap.NewModifyRequest(m.dn, controls)
		if len(gone) > 0 {
			request.Delete(m.c.Member, gone)
		}
		if len(come) > 0 {
			request.Add(m.c.Member, come)
		}
		_, err = ask(ctx, m.pool, l, false, func(conn *ldap.Conn) (struct{}, error) {
			return struct{}{}, conn.Modify(request)
		})
		m.doubt = m.doubt || classify(err) == unknown
		return err
	}, func(context.Context, *link) (bool, error) { return false, nil }) // twice is as good as once
}

// tidy takes the placeholder out again if somebody has added a member to the
// group between its last member's leaving and the placeholder's coming. The
// group is small, or it would not have been about to be empty.
func (m *memberWrite) tidy(ctx context.Context) error {
	if !m.put {
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
	case ldap.IsErrorAnyOf(refusal, ldap.LDAPResultNoSuchAttribute, ldap.LDAPResultAttributeOrValueExists):
		return m.narrow(ctx)
	case ldap.IsErrorWithCode(refusal, ldap.LDAPResultObjectClassViolation) && m.c.EmptyMember != "" && len(m.add) == 0 && !m.put:
		m.put = true // the last member goes
		return nil
	case ldap.IsErrorWithCode(refusal, ldap.LDAPResultNoSuchObject):
		m.dn = ""
		return nil
	case ldap.IsErrorWithCode(refusal, ldap.LDAPResultAssertionFailed) && m.version == "":
		m.dn = "" // the name is another entry's by now
		return nil
	case ldap.IsErrorWithCode(refusal, ldap.LDAPResultAssertionFailed) && m.doubt:
		return m.done(ctx, refusal)
	}
	return refusal
}

// done forgives a failed assertion on the version if it was one's own change,
// made by a try whose answer was lost, that made the new version.
func (m *memberWrite) done(ctx context.Context, refusal error) error {
	add, remove := m.add, m.remove
	if err := m.narrow(ctx); err != nil {
		return err
	}
	if len(m.add)+len(m.remove) > 0 {
		m.add, m.remove = add, remove
		return refusal
	}
	m.version = ""
	return nil
}

// narrow leaves what is still to be done: members to be removed that are there
// and members to be added that are not. Single values are asked for; a group
// is never read.
func (m *memberWrite) narrow(ctx context.Context) error {
	var err error
	if m.remove, err = m.keep(ctx, m.remove, true); err != nil {
		return err
	}
	if m.add, err = m.keep(ctx, m.add, false); err != nil {
		return err
	}
	m.checked = false
	if m.put {
		m.put, err = m.compare(ctx, m.dn, m.c.Member, m.c.EmptyMember)
		m.put = !m.put
	}
	m.drop = false
	if ldap.IsErrorWithCode(err, ldap.LDAPResultNoSuchObject) {
		return nil
	}
	return err
}

// keep returns the values that the group has, or has not.
func (m *memberWrite) keep(ctx context.Context, values []string, wanted bool) ([]string, error) {
	there := make([]bool, len(values))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(64) // they share a few pipelined connections
	for i, v := range values {
		group.Go(func() error {
			var err error
			there[i], err = m.compare(ctx, m.dn, m.c.Member, v)
			return err
		})
	}
	if err := group.Wait(); ldap.IsErrorWithCode(err, ldap.LDAPResultNoSuchObject) {
		m.dn = "" // renamed or removed: look for it again before anything else
		return values, nil
	} else if err != nil {
		return nil, err
	}
	var kept []string
	for i, v := range values {
		if there[i] == wanted {
			kept = append(kept, v)
		}
	}
	return kept, nil
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

// distinctNames drops names that occur twice in one list, which a Modify may
// not, and those that occur in another.
func distinctNames(names, but []string) []string {
	seen := make(map[string]bool, len(names)+len(but))
	for _, n := range but {
		seen[directory.FoldDN(n)] = true
	}
	var distinct []string
	for _, n := range names {
		if folded := directory.FoldDN(n); !seen[folded] {
			seen[folded] = true
			distinct = append(distinct, n)
		}
	}
	return distinct
}

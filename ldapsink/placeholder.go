package ldapsink

import (
	"context"
	"slices"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"scimgate/internal/directory"
)

// ofMembers reports whether a modification touches the member attribute.
func (st *store) ofMembers(m directory.Mod) bool {
	return st.c.Member != "" && strings.EqualFold(m.Attribute, st.c.Member)
}

// memberMods are modifications of a group together with what the placeholder
// needs, of which callers know nothing: it goes when members come, and comes
// when the last member goes.
type memberMods struct {
	rest        []directory.Mod
	attribute   string
	placeholder string
	drop, put   bool
	mayEmpty    bool // what is left depends on what is there
}

// memberMods finds out what modifications mean for the placeholder.
func (st *store) memberMods(ctx context.Context, dn string, mods []directory.Mod) (*memberMods, error) {
	m := &memberMods{rest: mods, attribute: st.c.Member}
	if st.c.EmptyMember == "" || !slices.ContainsFunc(mods, st.ofMembers) {
		return m, nil
	}
	m.placeholder = st.c.EmptyMember
	m.rest = slices.Clone(mods)
	last := -1 // the last modification that leaves nothing of what was there
	adds := false
	for i, mod := range mods {
		switch {
		case !st.ofMembers(mod):
		case mod.Op == directory.ModReplace || mod.Op == directory.ModDelete && len(mod.Values) == 0:
			m.rest[i].Op = directory.ModReplace // deleting what is not there would be an error
			last, adds = i, len(mod.Values) > 0
		case mod.Op == directory.ModAdd:
			adds = true
		}
	}
	switch {
	case last >= 0:
		m.put = !adds
	case adds:
		there, err := st.compare(ctx, dn, st.c.Member, m.placeholder)
		if err != nil {
			return nil, err
		}
		m.drop = there
	default:
		m.mayEmpty = true
	}
	return m, nil
}

// mods returns everything to be modified.
func (m *memberMods) mods() []directory.Mod {
	mods := m.rest
	if m.drop {
		mods = append([]directory.Mod{{Op: directory.ModDelete, Attribute: m.attribute, Values: []string{m.placeholder}}}, mods...)
	}
	if m.put {
		mods = append(slices.Clone(mods), directory.Mod{Op: directory.ModAdd, Attribute: m.attribute, Values: []string{m.placeholder}})
	}
	return mods
}

// emptied reports whether a refusal means that the last member would have gone.
// The placeholder then comes with the next attempt.
func (m *memberMods) emptied(refusal error) bool {
	if m == nil || !m.mayEmpty || m.put || !ldap.IsErrorWithCode(refusal, ldap.LDAPResultObjectClassViolation) {
		return false
	}
	m.put = true
	return true
}

// compare asks whether an attribute has a value.
func (s *Sink) compare(ctx context.Context, dn, attribute, value string) (bool, error) {
	there := false
	if s.flavor.noCompare {
		return s.compareBySearch(ctx, dn, attribute, value)
	}
	err := s.read(ctx, func(ctx context.Context, l *link) error {
		var err error
		there, err = ask(ctx, s.pool, l, false, func(conn *ldap.Conn) (bool, error) {
			return conn.Compare(dn, attribute, value)
		})
		return err
	})
	if ldap.IsErrorWithCode(err, ldap.LDAPResultNoSuchAttribute) {
		return false, nil
	}
	return there, err
}

// compareBySearch is compare where that operation cannot be relied on.
func (s *Sink) compareBySearch(ctx context.Context, dn, attribute, value string) (bool, error) {
	filter, err := renderer{flavor: s.flavor}.render(directory.Eq(attribute, value))
	if err != nil {
		return false, fail(directory.Internal, err)
	}
	there := false
	err = s.read(ctx, func(ctx context.Context, l *link) error {
		found, err := s.matchOn(ctx, l, dn, filter, []string{"1.1"})
		there = found != nil
		return err
	})
	return there, err
}

package ldapsink

import (
	"context"
	"slices"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"scimgate/internal/directory"
)

// byOwnName fits a change to an entry that is named by another attribute than
// those which the gateway makes, as an adopted one may be: a new value of the
// naming attribute is no new name then, and what names the entry stays in it.
func (st *store) byOwnName(dn string, c directory.Change) directory.Change {
	own := namedBy(dn)
	if len(own) == 0 || slices.ContainsFunc(own, func(a *ldap.AttributeTypeAndValue) bool { return strings.EqualFold(a.Type, st.c.Naming) }) {
		return c
	}
	if c.Name != "" {
		c.Mods = append(slices.Clone(c.Mods), directory.Mod{Op: directory.ModReplace, Attribute: st.c.Naming, Values: []string{c.Name}})
		c.Name = ""
	}
	var mods []directory.Mod
	for _, m := range c.Mods {
		for _, a := range own {
			if m.Op != directory.ModReplace && strings.EqualFold(m.Attribute, a.Type) && len(m.Values) > 0 {
				m.Values = slices.DeleteFunc(slices.Clone(m.Values), func(v string) bool { return sameFolded(v, a.Value) })
				if len(m.Values) == 0 {
					m.Attribute = ""
				}
			}
		}
		if m.Attribute != "" {
			mods = append(mods, m)
		}
	}
	c.Mods = mods
	return c
}

// followValue brings along what lists an entry by a value that does not name it.
// An interruption before it ends costs memberships, and gives none.
func (st *store) followValue(ctx context.Context, old, now directory.Entry) error {
	if nameValue(old.DN, st.c.Naming) != "" {
		return nil // a new value was a rename
	}
	for _, r := range st.c.Referrers {
		if r.By == "" {
			continue
		}
		if err := st.followIn(ctx, r, old.Attributes.First(r.By), now.Attributes.First(r.By)); err != nil {
			return err
		}
	}
	return nil
}

// namedBy returns the attributes and values of an entry's relative name.
func namedBy(dn string) []*ldap.AttributeTypeAndValue {
	parsed, err := parseDN(dn)
	if err != nil || len(parsed.RDNs) == 0 {
		return nil
	}
	return parsed.RDNs[0].Attributes
}

// adopts reports whether the step takes an entry over that nobody manages.
func (w *stepWrite) adopts() bool { return w.old.Marker.Source == "" && w.step.marker.Source != "" }

// overtaken looks whether the reason of a refusal is that somebody else has
// written to the entry that was to be taken over. A marker with one value more is
// refused as many servers see fit.
func (w *stepWrite) overtaken(ctx context.Context, refusal error) error {
	raw, err := w.base(ctx, w.old.DN, w.facts())
	switch {
	case err != nil:
		return err
	case !w.is(raw, w.old.ID, w.old.Version):
		return fail(directory.Changed, refusal)
	}
	return w.refused(ctx, w.old, refusal)
}

// sole makes sure that an entry which was just taken over has one marker. Where
// the server holds no assertion two gateways can both have written theirs: each
// that finds another's takes its own away again, so that never both succeed.
func (st *store) sole(ctx context.Context, old, now directory.Entry, s *step) error {
	if old.Marker.Source != "" || s.marker.Source == "" {
		return nil
	}
	if held, err := st.asserts(ctx, old.Version); held || err != nil {
		return err
	}
	raw, err := st.base(ctx, now.DN, []string{st.c.StateAttribute})
	if err != nil {
		return err
	}
	markers := 0
	if raw != nil {
		for _, v := range values(raw, st.c.StateAttribute) {
			if _, text, _ := directory.ParseMarker([]string{v}); text != "" {
				markers++
			}
		}
	}
	if markers < 2 {
		return nil
	}
	if err := st.giveBack(ctx, old, now, s); err != nil {
		return err
	}
	return failf(directory.Changed, "another gateway took the entry over at the same time")
}

// giveBack takes one's own marker away again, whatever others have written since,
// and with it what the step changed, where that is still as the step left it.
func (st *store) giveBack(ctx context.Context, old, now directory.Entry, s *step) error {
	text, err := s.marker.Text()
	if err != nil {
		return fail(directory.Internal, err)
	}
	marker := slices.Concat(swap(st.c.StateAttribute, text, ""), swap(st.c.SourceAttribute, s.marker.Source, ""))
	for _, mods := range [][]directory.Mod{slices.Concat(marker, reversed(s.mods, old, st.c.Attributes)), marker} {
		request := ldap.NewModifyRequest(st.target(now.DN, now.ID), nil)
		request.Changes = changes(mods)
		err = st.repeat(ctx, request)
		if err == nil || classify(err) != permanent {
			return err
		}
	}
	if ldap.IsErrorAnyOf(err, ldap.LDAPResultNoSuchAttribute, ldap.LDAPResultNoSuchObject) {
		return nil // an answer was lost, and it is done
	}
	return err
}

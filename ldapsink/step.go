package ldapsink

import (
	"cmp"
	"context"
	"slices"

	"github.com/go-ldap/ldap/v3"

	"scimgate/internal/directory"
)

// stepWrite is a step on its way. The Modify first assumes what is usual: the
// marker is stored in the form that it was read in, and the step's members are
// still to come and go. A refusal leads to a look at what is otherwise.
type stepWrite struct {
	*store
	old directory.Entry
	*step
	text string      // the marker's value that is deleted
	plan *memberMods // the modifications; nil where they are to be found out
}

// send makes the step in one Modify.
func (w *stepWrite) send(ctx context.Context) (directory.Entry, error) {
	if w.plan == nil {
		var err error
		mods := slices.Concat(w.modsOf(w.members), w.step.mods)
		if w.plan, err = w.memberMods(ctx, w.old.DN, mods); err != nil {
			return directory.Entry{}, err
		}
	}
	m, err := w.modification()
	if err != nil {
		return directory.Entry{}, err
	}
	return w.modify(ctx, m)
}

// modification puts the step and the marker into one Modify.
func (w *stepWrite) modification() (modification, error) {
	m := modification{dn: w.old.DN, id: w.old.ID, version: w.old.Version, read: w.read}
	if w.step.marker.Source != "" {
		var err error
		if m.text, err = w.step.marker.Text(); err != nil {
			return m, fail(directory.Internal, err)
		}
	}
	m.frees = m.text == "" && w.text != ""
	if w.text == m.text {
		m.kept = m.text
	}
	m.changes = changes(slices.Concat(w.plan.mods(), swap(w.c.StateAttribute, w.text, m.text),
		swap(w.c.SourceAttribute, w.old.Marker.Source, w.step.marker.Source)))
	return m, nil
}

// changes are modifications as the library has them.
func changes(mods []directory.Mod) []ldap.Change {
	all := make([]ldap.Change, len(mods))
	for i, mod := range mods {
		all[i] = ldap.Change{
			Operation:    uint(mod.Op), // both count as RFC 4511 section 4.6 does
			Modification: ldap.PartialAttribute{Type: mod.Attribute, Vals: onWire(mod.Attribute, mod.Values)},
		}
	}
	return all
}

// adapt makes the next attempt fit what a refusal has told. Its error ends the step.
func (w *stepWrite) adapt(ctx context.Context, refusal error) error {
	switch {
	case w.plan.emptied(refusal):
		return nil
	case differs(refusal) && !w.flavor.unheardOf(refusal) || w.disputed(refusal):
		return wrap("modify", w.compared(ctx, refusal))
	case w.adopts() && classify(refusal) == permanent:
		return wrap("modify", w.overtaken(ctx, refusal))
	}
	return w.refused(ctx, w.old, refusal)
}

// compared looks why a value to be deleted is not there, or one to be added is:
// the marker's form is another, written by another version of the gateway, or
// the members are partly as wanted. A refusal of an entry that is what it was
// has no third reason that could pass: whoever tried again would end here again.
func (w *stepWrite) compared(ctx context.Context, refusal error) error {
	name := w.target(w.old.DN, w.old.ID)
	raw, err := w.base(ctx, name, append(w.facts(), w.touched()...))
	switch {
	case err != nil:
		return err
	case w.old.Version == "" || !w.is(raw, w.old.ID, w.old.Version) || w.touchedByOthers(raw):
		if raw == nil {
			return w.refused(ctx, w.old, refusal)
		}
		return fail(directory.Changed, refusal)
	}
	if stored := w.storedMarker(raw); stored != w.text && stored != "" {
		w.text = stored
		return nil
	}
	if whole, err := w.asRead(ctx, name); err != nil || !whole {
		return cmp.Or(err, fail(directory.Changed, refusal))
	}
	left, err := w.missing(ctx, name, w.members, refusal)
	switch {
	case ldap.IsErrorWithCode(err, ldap.LDAPResultNoSuchObject):
		return fail(directory.Changed, refusal)
	case err != nil:
		return err
	case len(left.Add) == len(w.members.Add) && len(left.Remove) == len(w.members.Remove):
		return w.refused(ctx, w.old, refusal)
	}
	w.members, w.plan = left, nil
	return nil
}

// touched are the attributes, but members, that the step changes and the caller
// has read.
func (w *stepWrite) touched() []string {
	var names []string
	for _, mod := range w.mods {
		if _, read := w.old.Attributes[mod.Attribute]; read && !w.ofMembers(mod) && !slices.Contains(names, mod.Attribute) {
			names = append(names, mod.Attribute)
		}
	}
	return names
}

// touchedByOthers reports whether one of them has other values by now: a version
// that is made of seconds may not tell.
func (w *stepWrite) touchedByOthers(raw *ldap.Entry) bool {
	return slices.ContainsFunc(w.touched(), func(name string) bool {
		was, is := slices.Clone(w.old.Attributes[name]), slices.Clone(values(raw, name))
		slices.Sort(was)
		slices.Sort(is)
		return !slices.Equal(was, is)
	})
}

// disputed reports whether a refusal may be about a member, by one of the codes
// that the flavor has for that.
func (w *stepWrite) disputed(refusal error) bool {
	return ldap.IsErrorAnyOf(refusal, w.flavor.members...) && (!w.members.Empty() || slices.ContainsFunc(w.mods, w.ofMembers))
}

// asRead reports whether the members that the step deletes and adds by value are
// there and not there, as those that were read have it. A directory that mends
// references by itself may give a group no new version when a member is renamed.
func (w *stepWrite) asRead(ctx context.Context, name string) (bool, error) {
	var c directory.MemberChange
	for _, mod := range w.mods {
		switch {
		case !w.ofMembers(mod):
		case mod.Op == directory.ModAdd:
			c.Add = append(c.Add, mod.Values...)
		case mod.Op == directory.ModDelete:
			c.Remove = append(c.Remove, mod.Values...)
		}
	}
	left, err := w.missing(ctx, name, c, nil)
	return len(left.Add) == len(c.Add) && len(left.Remove) == len(c.Remove), err
}

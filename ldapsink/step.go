package ldapsink

import (
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
	case differs(refusal):
		return wrap("modify", w.compared(ctx, refusal))
	}
	return w.refused(ctx, w.old, refusal)
}

// compared looks why a value to be deleted is not there, or one to be added is:
// the marker's form is another, written by another version of the gateway, or
// the members are partly as wanted. A refusal of an entry that is what it was
// has no third reason that could pass: whoever tried again would end here again.
func (w *stepWrite) compared(ctx context.Context, refusal error) error {
	raw, err := w.base(ctx, w.old.DN, []string{w.flavor.id, w.flavor.version, w.c.StateAttribute})
	switch {
	case err != nil:
		return err
	case raw == nil || w.flavor.idOf(raw) != w.old.ID || w.old.Version == "" || first(raw, w.flavor.version) != w.old.Version:
		return fail(directory.Changed, refusal)
	}
	if stored := w.storedMarker(raw); stored != w.text && stored != "" {
		w.text = stored
		return nil
	}
	left, err := w.missing(ctx, w.old.DN, w.members)
	switch {
	case ldap.IsErrorWithCode(err, ldap.LDAPResultNoSuchObject):
		return fail(directory.Changed, refusal)
	case err != nil:
		return err
	case len(left.Add) == len(w.members.Add) && len(left.Remove) == len(w.members.Remove):
		return refusal
	}
	w.members, w.plan = left, nil
	return nil
}

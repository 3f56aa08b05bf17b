package ldapsink

import (
	"context"
	"slices"

	"scimgate/internal/directory"
)

// RecordKind is what a Record does (RFC 2849).
type RecordKind string

// The kinds of record, by the words that LDIF has for them.
const (
	RecordAdd    RecordKind = "add"
	RecordModify RecordKind = "modify"
	RecordRename RecordKind = "moddn"
	RecordDelete RecordKind = "delete"
)

// Record is a write as it would be sent.
type Record struct {
	DN   string
	Kind RecordKind
	// Mods are the attributes of an add, each a ModAdd, or the modifications.
	Mods []directory.Mod
	// NewRDN is the relative name that a rename gives, NewSuperior the name below
	// which it puts the entry; "" leaves it where it is.
	NewRDN, NewSuperior string
}

// AddRecord returns what adding an entry would send.
func (s *Sink) AddRecord(ctx context.Context, c directory.Collection, e directory.NewEntry) (Record, error) {
	st := &store{s, c}
	if c.MemberBy.Attribute != "" {
		var err error
		if e, err = (byValue{st}).newEntry(ctx, e); err != nil {
			return Record{}, wrap("add", err)
		}
	}
	request, err := st.addRequest(Name(c.Naming, e.Name, c.Base), e)
	if err != nil {
		return Record{}, wrap("add", err)
	}
	r := Record{DN: request.DN, Kind: RecordAdd}
	for _, a := range request.Attributes {
		r.Mods = append(r.Mods, directory.Mod{Op: directory.ModAdd, Attribute: a.Type, Values: a.Vals})
	}
	return r, nil
}

// ChangeRecords returns what a change of an entry would send, in its order. What
// the sink finds out on the way is left out: a group's placeholder, members that
// have come or gone already, and the references that follow a rename.
func (s *Sink) ChangeRecords(ctx context.Context, c directory.Collection, old directory.Entry, change directory.Change) ([]Record, error) {
	st := &store{s, c}
	change = st.byOwnName(old.DN, change)
	if c.MemberBy.Attribute != "" {
		var err error
		if change, err = (byValue{st}).change(ctx, old, change); err != nil {
			return nil, wrap("modify", err)
		}
	}
	members := distinctMembers(change.Members)
	renames := change.Name != "" && !st.hasName(old.DN, change.Name)
	moves := change.Move != "" && !directlyBelow(old.DN, change.Move)
	if !renames && !moves {
		change.Marker.From = ""
		mods, err := markerMods(c, old.Marker, change.Marker)
		if err != nil {
			return nil, wrap("modify", err)
		}
		return []Record{{DN: old.DN, Kind: RecordModify, Mods: slices.Concat(st.modsOf(members), change.Mods, change.Unlock, mods)}}, nil
	}
	begun := begunMarker(old, change)
	first, err := markerMods(c, old.Marker, begun)
	if err != nil {
		return nil, wrap("rename", err)
	}
	change.Marker.From = ""
	last, err := markerMods(c, begun, change.Marker)
	if err != nil {
		return nil, wrap("rename", err)
	}
	rdn, parent := splitName(old.DN)
	if renames {
		rdn = relativeName(c.Naming, change.Name)
	}
	if moves {
		parent = change.Move
	}
	w := wayTo(old.DN, rdn+","+parent)
	return []Record{
		{DN: old.DN, Kind: RecordModify, Mods: slices.Concat(st.modsOf(directory.MemberChange{Remove: members.Remove}), change.Mods, first)},
		{DN: old.DN, Kind: RecordRename, NewRDN: w.rdn, NewSuperior: w.superior},
		{DN: w.to(), Kind: RecordModify, Mods: slices.Concat(st.modsOf(directory.MemberChange{Add: members.Add}), change.Unlock, last)},
	}, nil
}

// MembersRecord returns what a change of a group's members would send.
func (s *Sink) MembersRecord(ctx context.Context, c directory.Collection, group directory.Entry, change directory.MemberChange) (Record, error) {
	st := &store{s, c}
	if c.MemberBy.Attribute != "" {
		var err error
		if change, err = (byValue{st}).members(ctx, change); err != nil {
			return Record{}, wrap("modify", err)
		}
	}
	return Record{DN: group.DN, Kind: RecordModify, Mods: st.modsOf(distinctMembers(change))}, nil
}

// markerMods replace one marker by another.
func markerMods(c directory.Collection, old, now directory.Marker) ([]directory.Mod, error) {
	text := func(m directory.Marker) (string, error) {
		if m.Source == "" && m.State == "" {
			return "", nil
		}
		return m.Text()
	}
	from, err := text(old)
	if err != nil {
		return nil, err
	}
	to, err := text(now)
	if err != nil {
		return nil, err
	}
	return slices.Concat(swap(c.StateAttribute, from, to), swap(c.SourceAttribute, old.Source, now.Source)), nil
}

// NumberedRecord returns a new entry with the numbers that it would be given if it
// were the next to be added. Nothing counts on.
func (s *Sink) NumberedRecord(ctx context.Context, c directory.Collection, e directory.NewEntry) (directory.NewEntry, error) {
	st := &store{s, c}
	for i := range e.Numbers {
		n := &e.Numbers[i]
		from, err := st.upcoming(ctx, *n)
		if err == nil {
			n.Value, err = st.firstUnused(ctx, *n, from)
		}
		if err != nil {
			return e, wrap("add", err)
		}
	}
	return st.numbered(ctx, e)
}

// upcoming is the number from which the next one is looked for.
func (st *store) upcoming(ctx context.Context, n directory.Number) (int64, error) {
	if n.Counter == "" {
		highest, err := st.highest(ctx, n)
		return highest + 1, err
	}
	next := n.Min
	err := st.read(ctx, func(ctx context.Context, l *link) error {
		held, err := st.nextOn(ctx, l, n)
		next = max(next, held)
		return err
	})
	return next, err
}

package preview

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"scimgate/internal/directory"
	"scimgate/ldapsink"
)

// Journal is what would be written, in order. The stores of one preview share it.
type Journal struct {
	mu      sync.Mutex
	entries []Step
	made    int // entries that would be added
}

// Step is one write and the resource type that it is about.
type Step struct {
	Type   string
	Record ldapsink.Record
}

// Steps returns what has been noted so far.
func (j *Journal) Steps() []Step {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.entries)
}

func (j *Journal) note(typ string, records ...ldapsink.Record) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, r := range records {
		j.entries = append(j.entries, Step{typ, r})
	}
}

// nextID returns an id that no directory gives.
func (j *Journal) nextID() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.made++
	return fmt.Sprintf("00000000-0000-0000-0000-%012d", j.made)
}

// Store is a directory.Store that writes nothing.
type Store struct {
	typ        string
	live       directory.Store
	sink       *ldapsink.Sink
	collection directory.Collection
	journal    *Journal

	mu   sync.Mutex
	mine map[string]directory.Entry // as they would be, by id
	gone map[string]bool            // that would be no more
	last map[string]int64           // the last number given, by attribute
}

// Over returns a store over the live one of a collection.
func Over(typ string, live directory.Store, sink *ldapsink.Sink, c directory.Collection, journal *Journal) *Store {
	return &Store{typ: typ, live: live, sink: sink, collection: c, journal: journal,
		mine: map[string]directory.Entry{}, gone: map[string]bool{}, last: map[string]int64{}}
}

// Search implements directory.Store.
func (s *Store) Search(ctx context.Context, q directory.Query) ([]directory.Entry, error) {
	found, err := s.live.Search(ctx, q)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	found = slices.DeleteFunc(found, func(e directory.Entry) bool {
		_, mine := s.mine[e.ID]
		return mine || s.gone[e.ID]
	})
	for _, e := range s.mine {
		if s.sees(q.Scope, e) && matches(q.Filter, e) {
			found = append(found, e)
		}
	}
	return found, nil
}

// sees reports whether an entry is in a scope.
func (s *Store) sees(scope directory.Scope, e directory.Entry) bool {
	return scope != directory.Live || e.Marker.Source == s.collection.Source && e.Marker.State != directory.Deleted
}

// Add implements directory.Store.
func (s *Store) Add(ctx context.Context, e directory.NewEntry) (directory.Entry, error) {
	e, err := s.numbered(ctx, e)
	if err != nil {
		return directory.Entry{}, err
	}
	record, err := s.sink.AddRecord(ctx, s.collection, e)
	if err != nil {
		return directory.Entry{}, err
	}
	there, err := s.Search(ctx, directory.Query{Filter: directory.Eq(directory.AttrDN, record.DN), Scope: directory.Anyone, Attributes: []string{}})
	switch {
	case err != nil:
		return directory.Entry{}, err
	case len(there) > 0:
		return directory.Entry{}, &directory.Error{Op: "add", Kind: directory.Exists, Err: errors.New("the name is taken")}
	}
	s.journal.note(s.typ, record)
	now := time.Now().UTC().Truncate(time.Second)
	made := directory.Entry{ID: s.journal.nextID(), DN: record.DN, Version: "preview", Created: now, Modified: now,
		Marker: e.Marker, Attributes: e.Attributes.Clone()}
	s.keep(made)
	return made, nil
}

// numbered gives a new entry the numbers that come after those of the preview so far.
func (s *Store) numbered(ctx context.Context, e directory.NewEntry) (directory.NewEntry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range e.Numbers {
		n := &e.Numbers[i]
		n.Min = max(n.Min, s.last[n.Attribute]+1)
	}
	e, err := s.sink.NumberedRecord(ctx, s.collection, e)
	for _, n := range e.Numbers {
		s.last[n.Attribute] = n.Value
	}
	return e, err
}

// Update implements directory.Store.
func (s *Store) Update(ctx context.Context, old directory.Entry, c directory.Change) (directory.Entry, error) {
	if old.Protected != "" {
		return directory.Entry{}, refused(old)
	}
	records, err := s.sink.ChangeRecords(ctx, s.collection, old, c)
	if err != nil {
		return directory.Entry{}, err
	}
	now, err := s.byID(ctx, "modify", old.ID, nil)
	if err != nil {
		return directory.Entry{}, err
	}
	s.journal.note(s.typ, records...)
	for _, m := range slices.Concat(c.Mods, c.Unlock) {
		apply(now.Attributes, m)
	}
	s.move(now.Attributes, c.Members)
	if c.Name != "" {
		now.Attributes[s.collection.Naming] = []string{c.Name}
	}
	now.DN = records[len(records)-1].DN
	now.Marker = c.Marker
	s.keep(now)
	return now, nil
}

// refused is the error of a write to an entry that is nobody's to provision.
func refused(e directory.Entry) error {
	return &directory.Error{Op: "modify", Kind: directory.Protected, Reason: e.Protected, Err: errors.New(e.Protected)}
}

// ChangeMembers implements directory.Store.
func (s *Store) ChangeMembers(ctx context.Context, id, _ string, c directory.MemberChange) error {
	now, err := s.byID(ctx, "modify", id, nil)
	if err != nil {
		return err
	}
	if now.Protected != "" {
		return refused(now)
	}
	record, err := s.sink.MembersRecord(ctx, s.collection, now, c)
	if err != nil {
		return err
	}
	s.journal.note(s.typ, record)
	s.move(now.Attributes, c)
	s.keep(now)
	return nil
}

// Remove implements directory.Store.
func (s *Store) Remove(_ context.Context, e directory.Entry) error {
	if e.Protected != "" {
		return refused(e)
	}
	s.journal.note(s.typ, ldapsink.Record{DN: e.DN, Kind: ldapsink.RecordDelete})
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.mine, e.ID)
	s.gone[e.ID] = true
	return nil
}

// byID reads an entry as it would be by now.
func (s *Store) byID(ctx context.Context, op, id string, attributes []string) (directory.Entry, error) {
	found, err := s.Search(ctx, directory.Query{Filter: directory.Eq(directory.AttrID, id), Scope: directory.Anyone, Attributes: attributes})
	if err != nil {
		return directory.Entry{}, err
	}
	if len(found) == 0 {
		return directory.Entry{}, &directory.Error{Op: op, Kind: directory.NotFound, Err: errors.New("no entry has the id")}
	}
	e := found[0]
	e.Attributes = e.Attributes.Clone()
	return e, nil
}

func (s *Store) keep(e directory.Entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mine[e.ID] = e
}

func (s *Store) move(all directory.Attributes, c directory.MemberChange) {
	if !c.Empty() {
		apply(all, directory.Mod{Op: directory.ModDelete, Attribute: s.collection.Member, Values: slices.Concat(c.Add, c.Remove)})
		apply(all, directory.Mod{Op: directory.ModAdd, Attribute: s.collection.Member, Values: c.Add})
	}
}

// apply makes a modification in memory; a removal without values is of all.
func apply(all directory.Attributes, m directory.Mod) {
	name := m.Attribute
	for known := range all {
		if strings.EqualFold(known, name) {
			name = known
		}
	}
	switch {
	case m.Op == directory.ModAdd:
		all[name] = append(all[name], m.Values...)
	case m.Op == directory.ModReplace:
		all[name] = slices.Clone(m.Values)
	case len(m.Values) > 0:
		all[name] = slices.DeleteFunc(slices.Clone(all[name]), func(v string) bool {
			return slices.ContainsFunc(m.Values, func(w string) bool { return same(v, w) })
		})
	}
	if len(all[name]) == 0 || m.Op == directory.ModDelete && len(m.Values) == 0 {
		delete(all, name)
	}
}

package gateway

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"

	"scimgate/internal/directory"
)

// memory is a directory.Store that keeps entries in a list: enough for what
// HTTP looks like, and no more.
type memory struct {
	mu       sync.Mutex
	source   string
	base     string
	naming   string
	member   string
	prefix   string // of ids
	entries  []directory.Entry
	next     int
	fail     error // what every call answers, where it is set
	once     bool  // fail is for one call
	deaf     bool  // removes nothing
	searches int
	asked    []directory.Query // by searches
	between  func()            // runs once, before the next change of members
	most     int               // notes of groups that fit a marker; 0 is any number
	meantime func()            // runs once, before the next update
	rival    bool              // refuses the next entry to add: somebody else was quicker
	// afterSearch runs once, after the next search.
	afterSearch func()
}

func (m *memory) Search(ctx context.Context, q directory.Query) ([]directory.Entry, error) {
	found, err := m.search(ctx, q)
	if run := m.afterSearch; run != nil {
		m.afterSearch = nil
		run()
	}
	return found, err
}

func (m *memory) search(ctx context.Context, q directory.Query) ([]directory.Entry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.searches++
	m.asked = append(m.asked, q)
	if err := m.failure(ctx); err != nil {
		return nil, err
	}
	var found []directory.Entry
	for _, e := range m.entries {
		ours := e.Marker.Source == m.source
		alive := ours && e.Marker.State != directory.Deleted
		if (q.Scope != directory.Live || alive) && holds(q.Filter, e) {
			e.Attributes = e.Attributes.Clone()
			found = append(found, e)
		}
	}
	if q.Limit > 0 && len(found) > q.Limit {
		return nil, &directory.Error{Op: "search", Kind: directory.TooMany, Err: errors.New("limit")}
	}
	return found, nil
}

func (m *memory) failure(ctx context.Context) error {
	if m.fail == nil {
		return nil
	}
	if ctx.Err() != nil {
		return &directory.Error{Op: "wait", Kind: directory.Unavailable, Err: ctx.Err()}
	}
	err := m.fail
	if m.once {
		m.fail, m.once = nil, false
	}
	return err
}

func (m *memory) Add(ctx context.Context, e directory.NewEntry) (directory.Entry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.failure(ctx); err != nil {
		return directory.Entry{}, err
	}
	if m.rival {
		m.rival = false
		return directory.Entry{}, &directory.Error{Op: "add", Kind: directory.Exists}
	}
	m.next++
	id := m.prefix + "id-" + strconv.Itoa(m.next) // no two entries of a directory share one
	made := directory.Entry{ID: id, DN: "cn=" + id + "," + m.base, Version: "1", Marker: e.Marker, Attributes: e.Attributes.Clone()}
	m.entries = append(m.entries, made)
	return made, nil
}

func (m *memory) Update(ctx context.Context, old directory.Entry, c directory.Change) (directory.Entry, error) {
	if !c.Members.Empty() {
		m.interrupt()
	}
	if run := m.meantime; run != nil {
		m.meantime = nil
		run()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.failure(ctx); err != nil {
		return directory.Entry{}, err
	}
	i := slices.IndexFunc(m.entries, func(e directory.Entry) bool { return e.ID == old.ID })
	if i < 0 {
		return directory.Entry{}, &directory.Error{Op: "modify", Kind: directory.NotFound}
	}
	e := &m.entries[i]
	if e.Version != old.Version {
		return directory.Entry{}, &directory.Error{Op: "modify", Kind: directory.Changed}
	}
	if m.most > 0 && len(c.Marker.Left) > m.most {
		return directory.Entry{}, &directory.Error{Op: "modify", Kind: directory.Invalid, Err: errors.New("too long")}
	}
	if c.Move != "" {
		e.DN = strings.TrimSuffix(e.DN, directory.Parent(e.DN)) + c.Move
	}
	if c.Name != "" {
		e.Attributes[m.naming] = []string{c.Name}
	}
	for _, mod := range slices.Concat(c.Mods, c.Unlock) {
		apply(e.Attributes, mod)
	}
	m.move(e, c.Members)
	e.Marker = c.Marker
	m.changed(e)
	return *e, nil
}

func (m *memory) move(e *directory.Entry, c directory.MemberChange) {
	apply(e.Attributes, directory.Mod{Op: directory.ModDelete, Attribute: m.member, Values: slices.Concat(c.Add, c.Remove)})
	apply(e.Attributes, directory.Mod{Op: directory.ModAdd, Attribute: m.member, Values: c.Add})
}

func (m *memory) changed(e *directory.Entry) {
	n, _ := strconv.Atoi(e.Version)
	e.Version = strconv.Itoa(n + 1)
}

func apply(a directory.Attributes, m directory.Mod) {
	switch m.Op {
	case directory.ModReplace:
		a[m.Attribute] = m.Values
	case directory.ModAdd:
		a[m.Attribute] = append(a[m.Attribute], m.Values...)
	case directory.ModDelete:
		a[m.Attribute] = slices.DeleteFunc(a[m.Attribute], func(v string) bool { return slices.Contains(m.Values, v) })
	}
}

func (m *memory) interrupt() {
	m.mu.Lock()
	run := m.between
	m.between = nil
	m.mu.Unlock()
	if run != nil {
		run()
	}
}

func (m *memory) ChangeMembers(ctx context.Context, id, version string, c directory.MemberChange) error {
	m.interrupt()
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.failure(ctx); err != nil {
		return err
	}
	for i := range m.entries {
		e := &m.entries[i]
		if e.ID != id {
			continue
		}
		if version != "" && version != e.Version {
			return &directory.Error{Op: "modify", Kind: directory.Changed}
		}
		m.move(e, c)
		m.changed(e)
		return nil
	}
	return &directory.Error{Op: "modify", Kind: directory.NotFound}
}

func (m *memory) Remove(ctx context.Context, e directory.Entry) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, other := range m.entries {
		if other.ID == e.ID && other.Version != e.Version {
			return &directory.Error{Op: "delete", Kind: directory.Changed}
		}
	}
	if m.deaf {
		return &directory.Error{Op: "delete", Kind: directory.Unavailable}
	}
	m.entries = slices.DeleteFunc(m.entries, func(other directory.Entry) bool { return other.ID == e.ID })
	return m.failure(ctx)
}

// holds evaluates the filters that the tests send.
func holds(f directory.Filter, e directory.Entry) bool {
	holds := func(part directory.Filter) bool { return holds(part, e) }
	switch f.Op {
	case directory.All:
		return true
	case directory.And:
		return !slices.ContainsFunc(f.Filters, func(part directory.Filter) bool { return !holds(part) })
	case directory.Or:
		return slices.ContainsFunc(f.Filters, holds)
	case directory.Not:
		return !holds(f.Filters[0])
	case directory.None:
		return false
	}
	values := map[string][]string{
		directory.AttrID: {e.ID}, directory.AttrDN: {e.DN}, directory.AttrState: {string(e.Marker.State)},
		directory.AttrLeft: e.Marker.Left,
	}[f.Attribute]
	return slices.ContainsFunc(append(values, e.Attributes[f.Attribute]...), func(v string) bool {
		return f.Op == directory.Present || f.Op == directory.Equal && strings.EqualFold(v, f.Value)
	})
}

package ldapsink

import (
	"context"
	"slices"
	"strings"

	"scimgate/internal/directory"
)

// Groups of RFC 2307 list people by a value, memberUid: ann, and not by name. To
// callers all members are names; byValue stands between.
//
// Writing and asking need no look-up, since people are named after the value.
// Reading does: where in the tree they are the value does not say.

// byValue is a store of such groups.
type byValue struct{ *store }

// Search implements directory.Store.
func (g byValue) Search(ctx context.Context, q directory.Query) ([]directory.Entry, error) {
	q.Filter = g.filter(q.Filter)
	found, err := g.store.Search(ctx, q)
	if err != nil {
		return nil, err
	}
	return found, wrap("search", g.named(ctx, found))
}

// Add implements directory.Store.
func (g byValue) Add(ctx context.Context, e directory.NewEntry) (directory.Entry, error) {
	e = g.newEntry(e)
	made, err := g.store.Add(ctx, e)
	return g.one(ctx, "add", made, err)
}

// Update implements directory.Store.
func (g byValue) Update(ctx context.Context, old directory.Entry, c directory.Change) (directory.Entry, error) {
	changed, err := g.store.Update(ctx, g.entryByValue(old), g.change(c))
	return g.one(ctx, "modify", changed, err)
}

// ChangeMembers implements directory.Store.
func (g byValue) ChangeMembers(ctx context.Context, id, version string, c directory.MemberChange) error {
	return g.store.ChangeMembers(ctx, id, version, g.members(c))
}

func (g byValue) one(ctx context.Context, op string, e directory.Entry, err error) (directory.Entry, error) {
	if err != nil {
		return directory.Entry{}, err
	}
	one := []directory.Entry{e}
	err = g.named(ctx, one)
	return one[0], wrap(op, err)
}

// filter puts values in the place of names.
func (g byValue) filter(f directory.Filter) directory.Filter {
	if len(f.Filters) > 0 {
		f.Filters = slices.Clone(f.Filters)
		for i := range f.Filters {
			f.Filters[i] = g.filter(f.Filters[i])
		}
		return f
	}
	if f.Op != directory.Equal || !strings.EqualFold(f.Attribute, g.c.Member) {
		return f
	}
	value := nameValue(f.Value, g.c.MemberBy.Attribute)
	if value == "" {
		return directory.Filter{Op: directory.None}
	}
	f.Value = value
	return f
}

func (g byValue) newEntry(e directory.NewEntry) directory.NewEntry {
	e.Attributes = e.Attributes.Clone()
	if names, ok := e.Attributes[g.c.Member]; ok {
		e.Attributes[g.c.Member] = g.values(names)
	}
	return e
}

func (g byValue) entryByValue(e directory.Entry) directory.Entry {
	if names, ok := e.Attributes[g.c.Member]; ok {
		e.Attributes = e.Attributes.Clone()
		e.Attributes[g.c.Member] = g.values(names)
	}
	return e
}

func (g byValue) change(c directory.Change) directory.Change {
	mods := func(all []directory.Mod) []directory.Mod {
		all = slices.Clone(all)
		for i, m := range all {
			if g.ofMembers(m) {
				all[i].Values = g.values(m.Values)
			}
		}
		return all
	}
	c.Mods, c.Unlock, c.Members = mods(c.Mods), mods(c.Unlock), g.members(c.Members)
	return c
}

func (g byValue) members(c directory.MemberChange) directory.MemberChange {
	return directory.MemberChange{Add: g.values(c.Add), Remove: g.values(c.Remove)}
}

// values returns the values that stand for names. A name that has none is
// nobody's whom such a group could list.
func (g byValue) values(names []string) []string {
	var all []string
	for _, name := range names {
		if v := nameValue(name, g.c.MemberBy.Attribute); v != "" {
			all = append(all, v)
		}
	}
	return all
}

// nameValue returns the value of an attribute by which an entry is named, or "".
func nameValue(dn, attribute string) string {
	own, _ := splitName(dn)
	parsed, err := parseDN(own)
	if err != nil || len(parsed.RDNs) == 0 {
		return ""
	}
	for _, a := range parsed.RDNs[0].Attributes {
		if strings.EqualFold(a.Type, attribute) {
			return a.Value
		}
	}
	return ""
}

// named puts names in the place of the values that entries list. A value that is
// nobody's gets the name that its bearer would have, so that it stays what it is:
// a member that somebody else has put there.
func (g byValue) named(ctx context.Context, entries []directory.Entry) error {
	by := g.c.MemberBy
	var wanted []string
	seen := map[string]bool{}
	for _, e := range entries {
		for _, v := range e.Attributes[g.c.Member] {
			if !seen[v] {
				seen[v] = true
				wanted = append(wanted, v)
			}
		}
	}
	names := map[string]string{}
	for _, base := range by.Bases {
		people := &store{g.Sink, directory.Collection{Base: base, StateAttribute: g.c.StateAttribute, SourceAttribute: g.c.SourceAttribute}}
		for some := range slices.Chunk(wanted, alternatives) {
			found, err := people.find(ctx, directory.AnyOf(by.Attribute, some), selection{names: []string{by.Attribute}})
			if err != nil {
				return err
			}
			for _, e := range found {
				for _, v := range e.Attributes[by.Attribute] {
					names[directory.FoldValue(v)] = e.DN
				}
			}
		}
	}
	for i, e := range entries {
		values := e.Attributes[g.c.Member]
		if len(values) == 0 {
			continue
		}
		entries[i].Attributes = e.Attributes.Clone()
		for j, v := range values {
			name, ok := names[directory.FoldValue(v)]
			if !ok {
				name = Name(by.Attribute, v, by.Bases[0])
			}
			entries[i].Attributes[g.c.Member][j] = name
		}
	}
	return nil
}

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
// Writing and asking need no look-up of people who are named after the value.
// One who was adopted may not be, and is looked up. Reading always looks: where
// in the tree people are the value does not say.

// byValue is a store of such groups.
type byValue struct{ *store }

// Search implements directory.Store.
func (g byValue) Search(ctx context.Context, q directory.Query) ([]directory.Entry, error) {
	listed, err := g.listed(ctx, membersIn(q.Filter, g.c.Member))
	if err != nil {
		return nil, wrap("search", err)
	}
	q.Filter = g.filter(q.Filter, listed)
	found, err := g.store.Search(ctx, q)
	if err != nil {
		return nil, err
	}
	return found, wrap("search", g.named(ctx, found))
}

// Add implements directory.Store.
func (g byValue) Add(ctx context.Context, e directory.NewEntry) (directory.Entry, error) {
	e, err := g.newEntry(ctx, e)
	if err != nil {
		return directory.Entry{}, wrap("add", err)
	}
	made, err := g.store.Add(ctx, e)
	return g.one(ctx, "add", made, err)
}

// Update implements directory.Store.
func (g byValue) Update(ctx context.Context, old directory.Entry, c directory.Change) (directory.Entry, error) {
	listed, err := g.listed(ctx, old.Attributes[g.c.Member])
	if err != nil {
		return directory.Entry{}, wrap("modify", err)
	}
	if c, err = g.change(ctx, old, c); err != nil {
		return directory.Entry{}, wrap("modify", err)
	}
	changed, err := g.store.Update(ctx, g.entryByValue(old, listed), c)
	return g.one(ctx, "modify", changed, err)
}

// ChangeMembers implements directory.Store.
func (g byValue) ChangeMembers(ctx context.Context, id, version string, c directory.MemberChange) error {
	c, err := g.members(ctx, c)
	if err != nil {
		return wrap("modify", err)
	}
	return g.store.ChangeMembers(ctx, id, version, c)
}

func (g byValue) one(ctx context.Context, op string, e directory.Entry, err error) (directory.Entry, error) {
	if err != nil {
		return directory.Entry{}, err
	}
	one := []directory.Entry{e}
	err = g.named(ctx, one)
	return one[0], wrap(op, err)
}

// membersIn returns the members that a filter asks for.
func membersIn(f directory.Filter, member string) []string {
	var names []string
	if f.Op == directory.Equal && strings.EqualFold(f.Attribute, member) {
		names = append(names, f.Value)
	}
	for _, part := range f.Filters {
		names = append(names, membersIn(part, member)...)
	}
	return names
}

// filter puts values in the place of names.
func (g byValue) filter(f directory.Filter, listed map[string]string) directory.Filter {
	if len(f.Filters) > 0 {
		f.Filters = slices.Clone(f.Filters)
		for i := range f.Filters {
			f.Filters[i] = g.filter(f.Filters[i], listed)
		}
		return f
	}
	if f.Op != directory.Equal || !strings.EqualFold(f.Attribute, g.c.Member) {
		return f
	}
	if f.Value = listed[f.Value]; f.Value == "" {
		return directory.Filter{Op: directory.None}
	}
	return f
}

func (g byValue) newEntry(ctx context.Context, e directory.NewEntry) (directory.NewEntry, error) {
	names, ok := e.Attributes[g.c.Member]
	if !ok {
		return e, nil
	}
	listed, err := g.listed(ctx, names)
	e.Attributes = e.Attributes.Clone()
	e.Attributes[g.c.Member] = valuesFor(names, listed)
	return e, err
}

func (g byValue) entryByValue(e directory.Entry, listed map[string]string) directory.Entry {
	if names, ok := e.Attributes[g.c.Member]; ok {
		e.Attributes = e.Attributes.Clone()
		e.Attributes[g.c.Member] = valuesFor(names, listed)
	}
	return e
}

func (g byValue) change(ctx context.Context, old directory.Entry, c directory.Change) (directory.Change, error) {
	names := slices.Concat(c.Members.Add, c.Members.Remove)
	for _, m := range slices.Concat(c.Mods, c.Unlock) {
		if g.ofMembers(m) {
			names = append(names, m.Values...)
		}
	}
	names = append(names, old.Attributes[g.c.Member]...)
	listed, err := g.listed(ctx, names)
	mods := func(all []directory.Mod) []directory.Mod {
		var kept []directory.Mod
		for _, m := range all {
			named := len(m.Values) > 0
			switch {
			case g.ofMembers(m) && m.Op == directory.ModDelete:
				m.Values = valuesFor(asListed(m.Values, old.Attributes[g.c.Member]), listed)
			case g.ofMembers(m):
				m.Values = valuesFor(m.Values, listed)
			}
			if len(m.Values) > 0 || !named { // a removal without values would be of all
				kept = append(kept, m)
			}
		}
		return kept
	}
	c.Mods, c.Unlock = mods(c.Mods), mods(c.Unlock)
	c.Members = directory.MemberChange{Add: valuesFor(c.Members.Add, listed), Remove: valuesFor(c.Members.Remove, listed)}
	return c, err
}

func (g byValue) members(ctx context.Context, c directory.MemberChange) (directory.MemberChange, error) {
	listed, err := g.listed(ctx, slices.Concat(c.Add, c.Remove))
	return directory.MemberChange{Add: valuesFor(c.Add, listed), Remove: valuesFor(c.Remove, listed)}, err
}

// asListed returns names in the spellings in which an entry lists them: memberUid
// tells "ann" from "Ann", and may hold both where people do not differ so.
func asListed(names, listed []string) []string {
	gone := foldedSet(names)
	var all []string
	for _, name := range listed {
		if gone[directory.FoldDN(name)] && !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	there := foldedSet(listed)
	for _, name := range names {
		if !there[directory.FoldDN(name)] {
			all = append(all, name)
		}
	}
	return all
}

// valuesFor returns the values that stand for names. A name that has none is
// nobody's whom such a group could list.
func valuesFor(names []string, listed map[string]string) []string {
	var all []string
	for _, name := range names {
		if v := listed[name]; v != "" {
			all = append(all, v)
		}
	}
	return all
}

// listed returns the values that stand for names, by name.
func (g byValue) listed(ctx context.Context, names []string) (map[string]string, error) {
	listed := map[string]string{}
	var others []string
	for _, name := range names {
		if v := nameValue(name, g.c.MemberBy.Attribute); v != "" {
			listed[name] = v
		} else if _, known := listed[name]; !known {
			listed[name] = ""
			others = append(others, name)
		}
	}
	if len(others) == 0 {
		return listed, nil
	}
	bearers, err := g.bearers(ctx, directory.AttrDN, others)
	for _, e := range bearers {
		for _, name := range others {
			if directory.FoldDN(name) == directory.FoldDN(e.DN) {
				listed[name] = e.Attributes.First(g.c.MemberBy.Attribute)
			}
		}
	}
	return listed, err
}

// bearers finds people, with the attribute whose value lists them.
func (g byValue) bearers(ctx context.Context, attribute string, values []string) ([]directory.Entry, error) {
	by := g.c.MemberBy
	var found []directory.Entry
	for _, base := range by.Bases {
		people := &store{g.Sink, directory.Collection{Base: base, StateAttribute: g.c.StateAttribute, SourceAttribute: g.c.SourceAttribute}}
		for some := range slices.Chunk(values, alternatives) {
			part, err := people.find(ctx, directory.AnyOf(attribute, some), selection{names: []string{by.Attribute}})
			if err != nil {
				return nil, err
			}
			found = append(found, part...)
		}
	}
	return found, nil
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
// a member that somebody else has put there. A second value of somebody's attribute
// is nobody's: people are named by one. Each name is spelled as its value.
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
	bearers, err := g.bearers(ctx, by.Attribute, wanted)
	if err != nil {
		return err
	}
	for _, e := range bearers {
		own := nameValue(e.DN, by.Attribute)
		if own == "" { // named by something else
			own = e.Attributes.First(by.Attribute)
		}
		names[directory.FoldValue(own)] = e.DN
	}
	for i, e := range entries {
		values := e.Attributes[g.c.Member]
		if len(values) == 0 {
			continue
		}
		entries[i].Attributes = e.Attributes.Clone()
		for j, v := range values {
			name, ok := names[directory.FoldValue(v)]
			own := nameValue(name, by.Attribute)
			switch {
			case !ok:
				name = Name(by.Attribute, v, by.Bases[0])
			case own != "" && own != v:
				name = Name(by.Attribute, v, directory.Parent(name))
			}
			entries[i].Attributes[g.c.Member][j] = name
		}
	}
	return nil
}

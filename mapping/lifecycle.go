package mapping

import (
	"slices"
	"strings"
	"time"

	"scimgate/internal/directory"
	"scimgate/internal/scim"
)

// Stamp identifies one request in the marker of what it writes.
type Stamp struct {
	Request string
	Now     time.Time
	// Secret is random text for a password that nobody is to know; needed where
	// Mapping.Scrambles.
	Secret string
}

// Create returns the entry to add for a resource. One that is inactive is made
// locked where active ones are made; Lock moves it, once it is there. Its password
// is left alone: nobody has ever signed in with it.
func (m *Mapping) Create(want Want, stamp Stamp) directory.NewEntry {
	e := directory.NewEntry{
		Name:       want.Name,
		Attributes: want.Attributes.Clone(),
		Marker:     directory.Marker{Source: m.source, State: directory.Active, Request: stamp.Request, Since: stamp.Now},
		Keys:       want.Keys,
		Numbers:    m.numbers(),
	}
	for attribute, value := range want.Secrets {
		e.Attributes[attribute] = []string{value}
	}
	for attribute, values := range want.Hidden {
		e.Attributes[attribute] = values
	}
	locked := want.Active != nil && !*want.Active && m.Deactivates()
	for _, s := range m.steps {
		if values := s.fresh(!locked); len(values) > 0 {
			e.Attributes[s.attribute()] = values
		}
		if locked {
			e.Marker.Undo = undo(e.Marker.Undo, s.attribute(), nil)
		}
	}
	if locked {
		e.Marker.State = directory.Inactive
	}
	return e
}

// Change returns what turns the entry old into the wanted one. refs are the
// resources that old refers to. Values that do not show in the resource are
// foreign and stay. A want without stable key, secret or active leaves these
// as they are.
func (m *Mapping) Change(old directory.Entry, refs Refs, want Want, stamp Stamp) directory.Change {
	c := directory.Change{Marker: old.Marker, Members: want.Members}
	if want.Name != m.called(old) && !slices.Contains(want.Kept, m.config.RDN.LDAP) {
		c.Name, c.Marker.Called = want.Name, ""
	}
	c.Mods = m.mods(old, refs, want)
	state := old.Marker.State
	if want.Active != nil {
		state = directory.Inactive
		if *want.Active {
			state = directory.Active
		}
	}
	m.switchTo(&c, old, state, stamp)
	if override := m.config.OnForeignLock == ForeignLockOverride; override && state == directory.Active && want.Active != nil {
		m.unlockForeign(&c, old)
	}
	m.secrets(&c, old, want, stamp)
	revived := old.Marker.State == directory.Deleted || old.Marker.State == directory.Deleting
	for _, k := range want.Keys {
		if slices.Contains(want.Kept, k.Attribute) {
			continue
		}
		kept := k.Attribute == m.config.RDN.LDAP && k.Value == m.called(old) || m.holds(old, k)
		if revived || !kept {
			c.Keys = append(c.Keys, k)
		}
	}
	c.Marker.Request = stamp.Request
	c.Marker.Aside = nil
	return c
}

// mods compares attribute by attribute what shows in the resource with what is
// wanted. The name changes by a rename, so its attribute is left out.
func (m *Mapping) mods(old directory.Entry, refs Refs, want Want) []directory.Mod {
	from, to := directory.Attributes{}, directory.Attributes{}
	var whole []directory.Mod
	for i := range m.rules {
		r := &m.rules[i]
		name := r.config.LDAP
		switch {
		case r == m.naming || r.isAllocated() || r.isPassword() || !r.isComputed() && r.readOnly():
			continue
		case r.isSecret():
			if values := want.Hidden[name]; len(values) > 0 {
				whole = append(whole, directory.Mod{Op: directory.ModReplace, Attribute: name, Values: values})
			}
			continue
		case r == m.stable && len(want.Attributes[name]) == 0:
			continue
		case slices.Contains(want.Kept, name):
			continue
		case r.whole():
			whole = append(whole, r.replaced(old.Attributes[name], want.Attributes[name])...)
			continue
		case r.isReference():
			from[name] = r.shownNames(old.Attributes[name], refs)
		case r.showsOne() && len(old.Attributes[name]) > 0:
			from[name] = old.Attributes[name][:1]
		default:
			from[name] = old.Attributes[name]
		}
		to[name] = r.missing(r.spelled(want.Attributes[name], old.Attributes[name]), from[name], old.Attributes[name])
	}
	return append(directory.Diff(from, to), whole...)
}

// replaced is the modification of an attribute that may have no rule of equality
// in LDAP, as many of bytes have none: single values can be neither added nor
// deleted then. Values that do not show stay all the same.
func (r *rule) replaced(there, want []string) []directory.Mod {
	shown := there
	if r.showsOne() && len(there) > 1 {
		shown = there[:1]
	}
	want = r.spelled(want, there)
	if slices.Equal(slices.Sorted(slices.Values(shown)), slices.Sorted(slices.Values(want))) {
		return nil
	}
	values := slices.Clone(want)
	for _, v := range there[len(shown):] {
		if !slices.ContainsFunc(values, func(w string) bool { return r.mayEqual(v, w) }) {
			values = append(values, v)
		}
	}
	return []directory.Mod{{Op: directory.ModReplace, Attribute: r.config.LDAP, Values: values}}
}

// mayEqual reports whether the directory may take two values for one, and then
// refuse them both.
func (r *rule) mayEqual(v, w string) bool {
	if _, known := r.ldap(); known || r.leaf.Type == scim.Binary {
		return v == w
	}
	return strings.EqualFold(v, w)
}

// missing returns the wanted values without those that the entry has already
// and that do not show in the resource.
func (r *rule) missing(want, shown, there []string) []string {
	if r.isReference() || len(there) == len(shown) {
		return want
	}
	hidden := make(map[string]bool, len(there))
	for _, v := range there {
		hidden[r.fold(v)] = true
	}
	for _, v := range shown {
		delete(hidden, r.fold(v))
	}
	var values []string
	for _, v := range want {
		if !hidden[r.fold(v)] {
			values = append(values, v)
		}
	}
	return values
}

// shownNames returns the names of an entry that show in the resource, spelled
// as their entries are.
func (r *rule) shownNames(names []string, refs Refs) []string {
	var shown []string
	for _, ref := range r.shownRefs(names, refs) {
		shown = append(shown, ref.DN)
	}
	return shown
}

// Aside returns the change by which a tombstone gives up its name and its
// unique values, so that a new entry can have them. The stable key stays: it
// alone can revive the tombstone. So does what a new entry has with a suffix.
func (m *Mapping) Aside(old directory.Entry, stamp Stamp) directory.Change {
	c := directory.Change{Marker: old.Marker}
	c.Marker.Request = stamp.Request
	kept := map[string][]string{}
	instead := "deleted-" + old.ID
	if !m.naming.suffixes() {
		c.Name, c.Vacates, c.Marker.Called = instead, true, ""
		kept[m.config.RDN.LDAP] = m.calledValues(old)
	}
	for i := range m.rules {
		r := &m.rules[i]
		values := old.Attributes[r.config.LDAP]
		if !r.config.Unique || r == m.stable || r == m.naming || r.suffixes() && !r.must.Load() || len(values) == 0 {
			continue
		}
		placeholder := []string{cut(instead, r.config.MaxLength)}
		if slices.Equal(values, placeholder) {
			continue // since the last time
		}
		kept[r.config.LDAP] = values
		c.Mods = append(c.Mods, directory.Mod{Op: directory.ModDelete, Attribute: r.config.LDAP, Values: values})
		if r.must.Load() {
			c.Mods = append(c.Mods, directory.Mod{Op: directory.ModAdd, Attribute: r.config.LDAP, Values: placeholder})
		}
	}
	for name, values := range old.Marker.Aside { // an aside that was interrupted
		if _, ok := kept[name]; !ok || name == m.config.RDN.LDAP && kept[name][0] == c.Name {
			kept[name] = values
		}
	}
	c.Marker.Aside = kept
	return c
}

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
}

// Create returns the entry to add for a resource.
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
	locked := want.Active != nil && !*want.Active && len(m.steps) > 0
	for _, s := range m.steps {
		switch {
		case locked:
			e.Attributes[s.LDAP] = []string{s.Inactive}
			e.Marker.Undo = undo(e.Marker.Undo, s.LDAP, nil)
		case s.Active != "":
			e.Attributes[s.LDAP] = []string{s.Active}
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
	if want.Name != old.Attributes.First(m.config.RDN.LDAP) && !slices.Contains(want.Kept, m.config.RDN.LDAP) {
		c.Name = want.Name
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
	m.secrets(&c, old, want)
	revived := old.Marker.State == directory.Deleted || old.Marker.State == directory.Deleting
	for _, k := range want.Keys {
		if slices.Contains(want.Kept, k.Attribute) {
			continue
		}
		if revived || !slices.Contains(old.Attributes[k.Attribute], k.Value) {
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

// switchTo adds what brings the entry into a state. It is idempotent: what is
// so already is not written again, and a lock that vanished is set again.
func (m *Mapping) switchTo(c *directory.Change, old directory.Entry, state directory.State, stamp Stamp) {
	if state != old.Marker.State {
		c.Marker.State, c.Marker.Since = state, stamp.Now
	}
	for _, s := range m.steps {
		if state == directory.Active {
			m.unlock(c, old, s)
		} else {
			m.lock(c, old, s)
		}
	}
	if state == directory.Active {
		c.Marker.Undo = nil
	}
}

// lock sets a step's attribute, and notes what was there unless the same lock
// was: then it is somebody else's.
func (m *Mapping) lock(c *directory.Change, old directory.Entry, s SetConfig) {
	now := old.Attributes[s.LDAP]
	if slices.Equal(now, []string{s.Inactive}) {
		return
	}
	if len(now) > 0 {
		c.Mods = append(c.Mods, directory.Mod{Op: directory.ModDelete, Attribute: s.LDAP, Values: now})
	}
	c.Mods = append(c.Mods, directory.Mod{Op: directory.ModAdd, Attribute: s.LDAP, Values: []string{s.Inactive}})
	// What others have put in the lock's place since is what they want back.
	if _, ours := old.Marker.Undo[s.LDAP]; !ours || len(now) > 0 {
		c.Marker.Undo = undo(c.Marker.Undo, s.LDAP, now)
	}
}

// unlock takes a step back. A lock that the marker does not know, or that
// somebody has changed since, is not the gateway's to undo.
func (m *Mapping) unlock(c *directory.Change, old directory.Entry, s SetConfig) {
	before, ours := old.Marker.Undo[s.LDAP]
	if ours && slices.Equal(old.Attributes[s.LDAP], []string{s.Inactive}) {
		c.Unlock = append(c.Unlock, put(s, old, before)...)
	}
}

// unlockForeign undoes the locks that unlock leaves alone, for tenants that
// say so. Only the step's own value is known to be a lock: another may be a
// login shell.
func (m *Mapping) unlockForeign(c *directory.Change, old directory.Entry) {
	undone := directory.Change{Mods: c.Unlock}.Attributes()
	for _, s := range m.steps {
		if slices.Equal(old.Attributes[s.LDAP], []string{s.Inactive}) && !slices.Contains(undone, s.LDAP) {
			c.Unlock = append(c.Unlock, put(s, old, nil)...)
		}
	}
}

// put replaces what a step's attribute holds by its active value or, where the
// step has none, by what was there before.
func put(s SetConfig, old directory.Entry, before []string) []directory.Mod {
	if s.Active != "" {
		before = []string{s.Active}
	}
	mods := []directory.Mod{{Op: directory.ModDelete, Attribute: s.LDAP, Values: old.Attributes[s.LDAP]}}
	if len(before) > 0 {
		mods = append(mods, directory.Mod{Op: directory.ModAdd, Attribute: s.LDAP, Values: before})
	}
	return mods
}

// secrets writes passwords. A directory may lift a lock when it sees a new
// password (OpenLDAP's ppolicy does), unless the same Modify deletes and adds
// the lock: so it does, for every lock that is to stay, whoever set it. With a
// new name the password comes after it, when nothing can be refused any more.
func (m *Mapping) secrets(c *directory.Change, old directory.Entry, want Want) {
	if len(want.Secrets) == 0 {
		return
	}
	var mods []directory.Mod
	for i := range m.rules {
		name := m.rules[i].config.LDAP
		if value, ok := want.Secrets[name]; ok {
			mods = append(mods, directory.Mod{Op: directory.ModReplace, Attribute: name, Values: []string{value}})
		}
	}
	locked := directory.Change{Mods: c.Mods}.Attributes()
	unlocked := directory.Change{Mods: c.Unlock}.Attributes()
	for _, s := range m.steps {
		lock := old.Attributes[s.LDAP]
		if slices.Contains(locked, s.LDAP) {
			if c.Name == "" {
				continue // set by this very Modify, after the password
			}
			lock = []string{s.Inactive}
		}
		if len(lock) > 0 && !slices.Contains(unlocked, s.LDAP) {
			mods = append(mods,
				directory.Mod{Op: directory.ModDelete, Attribute: s.LDAP, Values: lock},
				directory.Mod{Op: directory.ModAdd, Attribute: s.LDAP, Values: lock})
		}
	}
	if c.Name == "" {
		c.Mods = append(mods, c.Mods...)
	} else {
		c.Unlock = append(mods, c.Unlock...)
	}
}

// undo notes the values before a lock; an attribute that was absent is noted
// as an empty list.
func undo(notes map[string][]string, attribute string, before []string) map[string][]string {
	all := map[string][]string{attribute: append([]string{}, before...)}
	for name, values := range notes {
		if name != attribute {
			all[name] = values
		}
	}
	return all
}

// Locked reports whether every step of deactivation is in force on an entry.
func (m *Mapping) Locked(e directory.Entry) bool {
	for _, s := range m.steps {
		if !slices.Equal(e.Attributes[s.LDAP], []string{s.Inactive}) {
			return false
		}
	}
	return true
}

// Lock returns the change that makes an entry inactive on its way to the state
// Deleting or Deleted.
func (m *Mapping) Lock(old directory.Entry, state directory.State, stamp Stamp) directory.Change {
	c := directory.Change{Marker: old.Marker}
	m.switchTo(&c, old, state, stamp)
	c.Marker.Request = stamp.Request
	return c
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
		c.Name, c.Vacates = instead, true
		kept[m.config.RDN.LDAP] = old.Attributes[m.config.RDN.LDAP]
	}
	for i := range m.rules {
		r := &m.rules[i]
		values := old.Attributes[r.config.LDAP]
		if !r.config.Unique || r == m.stable || r == m.naming || r.suffixes() || len(values) == 0 {
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

package mapping

import (
	"slices"

	"scimgate/internal/directory"
)

// switchTo adds what brings the entry into a state. It is idempotent: what is
// so already is not written again, and a lock that vanished is set again.
func (m *Mapping) switchTo(c *directory.Change, old directory.Entry, state directory.State, stamp Stamp) {
	if state != old.Marker.State {
		c.Marker.State, c.Marker.Since = state, stamp.Now
	}
	if state != directory.Active {
		for _, s := range m.steps {
			m.lock(c, old, s)
		}
		m.moveAway(c, old)
		if state != directory.Inactive {
			c.Marker.Left = nil // no group comes back with a revival
		}
		return
	}
	for _, s := range m.steps {
		m.unlock(c, old, s)
	}
	m.moveBack(c, old)
	c.Marker.Undo = nil
}

// lock puts a step in force, and notes what was there unless the same lock
// was: then it is somebody else's.
func (m *Mapping) lock(c *directory.Change, old directory.Entry, s step) {
	now := old.Attributes[s.attribute()]
	if s.locks(now) {
		return
	}
	c.Mods = append(c.Mods, put(s.attribute(), now, s.locked(now))...)
	// What others have put in the lock's place since is what they want back.
	if _, ours := old.Marker.Undo[s.attribute()]; !ours || len(now) > 0 {
		c.Marker.Undo = undo(c.Marker.Undo, s.attribute(), s.noted(now))
	}
}

// unlock takes a step back. A lock that the marker does not know, or that
// somebody has changed since, is not the gateway's to undo.
func (m *Mapping) unlock(c *directory.Change, old directory.Entry, s step) {
	now := old.Attributes[s.attribute()]
	before, ours := old.Marker.Undo[s.attribute()]
	if ours && s.locks(now) {
		c.Unlock = append(c.Unlock, put(s.attribute(), now, s.unlocked(now, before))...)
	}
}

// unlockForeign undoes the locks that unlock leaves alone, for tenants that
// say so. Only what a step itself would do is known to be a lock: another value
// may be a login shell, another place may be a department's.
func (m *Mapping) unlockForeign(c *directory.Change, old directory.Entry) {
	undone := directory.Change{Mods: c.Unlock}.Attributes()
	for _, s := range m.steps {
		now := old.Attributes[s.attribute()]
		left := now
		if slices.Contains(undone, s.attribute()) {
			left = s.unlocked(now, old.Marker.Undo[s.attribute()])
		}
		if s.mayLock(left) {
			c.Unlock = slices.DeleteFunc(c.Unlock, func(mod directory.Mod) bool { return mod.Attribute == s.attribute() })
			c.Unlock = append(c.Unlock, put(s.attribute(), now, s.unlocked(now, nil))...)
		}
	}
	if c.Move == "" && m.away(old) {
		m.move(c, old, m.config.Base)
	}
}

// put replaces the values that an attribute holds. They are named, so that the
// write fails if somebody has changed them meanwhile.
func put(attribute string, now, want []string) []directory.Mod {
	var mods []directory.Mod
	if len(now) > 0 {
		mods = append(mods, directory.Mod{Op: directory.ModDelete, Attribute: attribute, Values: now})
	}
	if len(want) > 0 {
		mods = append(mods, directory.Mod{Op: directory.ModAdd, Attribute: attribute, Values: want})
	}
	return mods
}

// secrets writes passwords: those that are wanted and the one that nobody is to
// know, which is set once, when an active entry is locked, and wins. A
// directory may lift a lock when it sees a new password (OpenLDAP's ppolicy does),
// unless the same Modify deletes and adds the lock: so it does, for every lock
// that is to stay, whoever set it. With a new name or place a wanted password
// comes after it, when nothing can be refused any more.
func (m *Mapping) secrets(c *directory.Change, old directory.Entry, want Want, stamp Stamp) {
	var random, wanted []directory.Mod
	if m.scrambles(old, c.Marker.State) && stamp.Secret != "" {
		random = append(random, directory.Mod{Op: directory.ModReplace, Attribute: m.scrambled(), Values: []string{stamp.Secret}})
	}
	for i := range m.rules {
		name := m.rules[i].config.LDAP
		if value, ok := want.Secrets[name]; ok && (len(random) == 0 || !m.isScrambled(name)) {
			wanted = append(wanted, directory.Mod{Op: directory.ModReplace, Attribute: name, Values: []string{value}})
		}
	}
	late := c.Name != "" || c.Move != ""
	locks := directory.Change{Mods: c.Mods}.Attributes()
	if late && len(wanted) > 0 {
		c.Unlock = slices.Concat(wanted, m.relock(old, *c, nil), c.Unlock)
		wanted = nil
	}
	if first := slices.Concat(random, wanted); len(first) > 0 {
		c.Mods = slices.Concat(first, m.relock(old, *c, locks), c.Mods)
	}
}

// scrambles reports whether a password is to be overwritten: only on the way
// from active to anything else, not with every write after it.
func (m *Mapping) scrambles(old directory.Entry, state directory.State) bool {
	return m.Scrambles() && old.Marker.State == directory.Active && state != directory.Active
}

// relock deletes and adds every lock that is to stay, but for those that the
// Modify itself sets after it.
func (m *Mapping) relock(old directory.Entry, c directory.Change, set []string) []directory.Mod {
	locked := directory.Change{Mods: c.Mods}.Attributes()
	unlocked := directory.Change{Mods: c.Unlock}.Attributes()
	var mods []directory.Mod
	for _, s := range m.steps {
		name := s.attribute()
		if !s.fragile() || slices.Contains(set, name) || slices.Contains(unlocked, name) {
			continue
		}
		lock := old.Attributes[name]
		if slices.Contains(locked, name) {
			lock = s.locked(lock)
		}
		if len(lock) > 0 {
			mods = append(mods, put(name, lock, lock)...)
		}
	}
	return mods
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

// Locked reports whether the steps of deactivation are in force on an entry, but
// for groups, which an entry does not show.
func (m *Mapping) Locked(e directory.Entry) bool {
	for _, s := range m.steps {
		if !s.locks(e.Attributes[s.attribute()]) {
			return false
		}
	}
	return m.place() == "" || m.away(e)
}

// Lock returns the change that makes an entry inactive, or keeps it so, on its
// way to the state Deleting or Deleted too.
func (m *Mapping) Lock(old directory.Entry, state directory.State, stamp Stamp) directory.Change {
	c := directory.Change{Marker: old.Marker}
	m.switchTo(&c, old, state, stamp)
	m.secrets(&c, old, Want{}, stamp)
	c.Marker.Request = stamp.Request
	return c
}

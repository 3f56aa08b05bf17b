package mapping

import (
	"slices"

	"scimgate/internal/directory"
)

// away reports whether an entry is where deactivation moves to, at any depth:
// an administrator may keep order there.
func (m *Mapping) away(e directory.Entry) bool {
	return m.place() != "" && directory.Below(e.DN, m.place())
}

// moveAway takes an entry to the place of the inactive, and notes where it was.
// One that is there already was taken there by somebody else.
func (m *Mapping) moveAway(c *directory.Change, old directory.Entry) {
	if m.place() == "" || m.away(old) {
		return
	}
	m.move(c, old, m.place())
	c.Marker.Home = directory.Parent(old.DN)
}

// moveBack takes an entry to where it was, if the gateway took it away and
// nobody has moved it since, and under the name that it goes by.
func (m *Mapping) moveBack(c *directory.Change, old directory.Entry) {
	home := old.Marker.Home
	c.Marker.Home = ""
	if home == "" || !m.away(old) {
		return
	}
	if !directory.Below(home, m.config.Base) {
		home = m.config.Base // which has changed since: elsewhere nobody would find the entry again
	}
	m.move(c, old, home)
}

// move takes an entry below another. A name that is taken there costs the entry
// its own only where names need not be unique; else the move is refused.
func (m *Mapping) move(c *directory.Change, old directory.Entry, to string) {
	c.Move = to
	if c.Name == "" && m.called(old) != old.Attributes.First(m.config.RDN.LDAP) {
		c.Name, c.Marker.Called = m.called(old), ""
	}
	if m.naming != nil && !m.naming.config.Unique {
		name := c.Name
		if name == "" {
			name = old.Attributes.First(m.config.RDN.LDAP)
		}
		c.Spare = spare(name, old.ID)
	}
}

// longestSpare is how many characters a name may have in the narrowest
// directory (cn of Active Directory).
const longestSpare = 64

// spare is the name of an entry that cannot have its own: its beginning, and the
// id, which nobody else has.
func spare(name, id string) string {
	runes := []rune(name)
	if room := max(longestSpare-len(id)-1, 0); len(runes) > room {
		runes = runes[:room]
	}
	return string(runes) + "-" + id
}

// called is the name that an entry goes by. One that somebody has renamed since
// it took a spare name goes by its new one.
func (m *Mapping) called(e directory.Entry) string {
	now := e.Attributes.First(m.config.RDN.LDAP)
	if own := e.Marker.Called; own != "" && slices.Contains(e.Attributes[m.config.RDN.LDAP], spare(own, e.ID)) {
		return own
	}
	return now
}

// calledValues are the values of the naming attribute with the name that the
// entry goes by.
func (m *Mapping) calledValues(e directory.Entry) []string {
	values := e.Attributes[m.config.RDN.LDAP]
	own := m.called(e)
	i := slices.Index(values, spare(own, e.ID))
	if i < 0 || own == "" {
		return values
	}
	values = slices.Clone(values)
	values[i] = own
	return values
}

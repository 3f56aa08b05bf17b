package directory

import "slices"

// ModOp is the kind of a modification (RFC 4511 section 4.6).
type ModOp int

// The kinds of modification.
const (
	ModAdd ModOp = iota
	ModDelete
	ModReplace
)

// Mod is one modification of one attribute. A ModDelete or ModReplace without
// values removes the whole attribute.
type Mod struct {
	Op        ModOp
	Attribute string
	Values    []string
}

// Change is what one write does to an existing entry. Everything that fits one
// Modify is sent as one Modify.
type Change struct {
	// Name is the new value of the naming attribute; "" keeps the name.
	Name string
	// Move is the name of the entry below which the entry goes; "" keeps it where
	// it is. A place that is no more, and none of the collection's, is replaced
	// by the collection's base.
	Move string
	// Spare is the name that the entry takes where another has its own in the
	// place that it moves to; the marker then notes its own in Called. "" is
	// none, and a taken name is Exists.
	Spare string
	// Mods are applied in order.
	Mods []Mod
	// Unlock are modifications that give access. Where the change needs more
	// than one operation they come last, so that stopping anywhere leaves less
	// access, never more, and a change that is refused has not made them.
	Unlock []Mod
	// Members are single members that come and go with the change, wherever
	// the entry's others are. Mods and Unlock then leave members alone.
	Members MemberChange
	// Vacates says that the old name will be given to another entry. It is
	// Exists if something refers to it that does not follow a rename.
	Vacates bool
	// Marker replaces the entry's marker.
	Marker Marker
	// Keys are the unique values that the change claims.
	Keys []Key
}

// Empty reports whether the change would leave name, place and attributes as
// they are, but for single members.
func (c Change) Empty() bool {
	return c.Name == "" && c.Move == "" && len(c.Mods) == 0 && len(c.Unlock) == 0
}

// Attributes returns the names of the attributes that the change touches.
func (c Change) Attributes() []string {
	var names []string
	for _, mods := range [][]Mod{c.Mods, c.Unlock} {
		for _, m := range mods {
			if !slices.Contains(names, m.Attribute) {
				names = append(names, m.Attribute)
			}
		}
	}
	return names
}

// MemberChange adds and removes single values of a collection's member
// attribute. Values are distinguished names. Both lists are idempotent: a
// member that is already there, or already gone, is no error.
type MemberChange struct {
	Add, Remove []string
}

// Empty reports whether nobody comes or goes.
func (c MemberChange) Empty() bool { return len(c.Add) == 0 && len(c.Remove) == 0 }

// Reversed returns the change that takes this one back.
func (c MemberChange) Reversed() MemberChange { return MemberChange{Add: c.Remove, Remove: c.Add} }

// Diff returns the modifications that turn the values old into the values want,
// attribute by attribute in a fixed order. Single values are deleted and added,
// never whole attributes replaced: values that neither side names are somebody
// else's and survive, and a value that has changed meanwhile makes the write
// fail instead of being overwritten.
func Diff(old, want Attributes) []Mod {
	names := old.Names()
	for _, name := range want.Names() {
		if _, ok := old[name]; !ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var mods []Mod
	for _, name := range names {
		if gone := without(old[name], want[name]); len(gone) > 0 {
			mods = append(mods, Mod{ModDelete, name, gone})
		}
		if came := without(want[name], old[name]); len(came) > 0 {
			mods = append(mods, Mod{ModAdd, name, came})
		}
	}
	return mods
}

// without returns the values of a that are not in b.
func without(a, b []string) []string {
	if len(a) == 0 {
		return nil
	}
	known := make(map[string]bool, len(b))
	for _, v := range b {
		known[v] = true
	}
	var rest []string
	for _, v := range a {
		if !known[v] {
			rest = append(rest, v)
		}
	}
	return rest
}

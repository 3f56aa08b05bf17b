package mapping

import (
	"errors"
	"slices"
	"strings"

	"scimgate/internal/directory"
)

// Lesser returns what is left of a change that locks an entry when the directory
// refuses a part of it that is not the lock, and says which part; "" is none,
// and the refusal is right.
func (m *Mapping) Lesser(old directory.Entry, c directory.Change, refusal error) (directory.Change, string) {
	var e *directory.Error
	if !errors.As(refusal, &e) {
		return c, ""
	}
	blames := func(attribute string) bool { return e.Attribute == "" || strings.EqualFold(e.Attribute, attribute) }
	invalid, scrambles := e.Kind == directory.Invalid, func(mod directory.Mod) bool { return m.isScrambled(mod.Attribute) }
	switch {
	case e.Kind == directory.Exists && c.Move != "":
		return Stay(old, c), "the move: its name is taken there"
	case (invalid && blames(m.scrambled()) || e.Kind == directory.Internal) && m.scrambles(old, c.Marker.State) && slices.ContainsFunc(c.Mods, scrambles):
		c.Mods = slices.DeleteFunc(slices.Clone(c.Mods), scrambles)
		return c, "the random password"
	case invalid && blames(m.config.Marker.State) && len(c.Marker.Left) > 0:
		// Those that are there already fit, unless the rest of the marker has grown.
		fit, n := len(old.Marker.Left), len(c.Marker.Left)
		if fit >= n {
			fit = 0
		}
		c.Marker.Left = slices.Clone(c.Marker.Left[:fit+(n-fit)/2])
		return c, "some of the newest notes of groups"
	}
	return c, ""
}

// Stay returns a change without its move.
func Stay(old directory.Entry, c directory.Change) directory.Change {
	if c.Move != "" {
		c.Move, c.Spare, c.Marker.Home = "", "", old.Marker.Home
	}
	return c
}

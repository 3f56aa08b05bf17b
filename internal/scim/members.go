package scim

import (
	"fmt"
	"strings"
)

// MemberChange is the net effect of a patch on the members of a group. No id is
// in both lists.
type MemberChange struct{ Add, Remove []string }

// Empty reports whether the change changes nothing.
func (c MemberChange) Empty() bool { return len(c.Add) == 0 && len(c.Remove) == 0 }

// SplitMembers takes from a group's patch the operations that only add or remove
// single members, so that a caller can change a group without reading it. The
// last word on an id wins; rest holds the other operations.
//
// If some operation cannot be done without the list of members (replace members,
// remove all, a filter other than value eq), whole is true, rest is the entire
// patch and the change is empty. Malformed members are the 400 that Apply gives.
func SplitMembers(def Definition, p Patch) (Patch, MemberChange, bool, error) {
	s := splitter{def: def, adds: map[string]bool{}}
	var rest Patch
	for i, o := range p.Operations {
		left, keep, err := s.operation(o)
		if err != nil {
			return Patch{}, MemberChange{}, false, within(fmt.Sprintf("operation %d (%s)", i+1, o), err)
		}
		if keep {
			rest.Operations = append(rest.Operations, left)
		}
	}
	if s.whole {
		return p, MemberChange{}, true, nil
	}
	return rest, s.change(), false, nil
}

type splitter struct {
	def   Definition
	ids   []string        // in the order and the spelling of their first mention
	adds  map[string]bool // the last word on each, by its key
	whole bool
}

func (s *splitter) say(t target, add bool, ids ...string) {
	for _, id := range ids {
		key := t.top.key(id)
		if _, known := s.adds[key]; !known {
			s.ids = append(s.ids, id)
		}
		s.adds[key] = add
	}
}

func (s *splitter) change() MemberChange {
	var c MemberChange
	members, _, _ := s.def.Lookup(Path{Attr: "members"})
	for _, id := range s.ids {
		if s.adds[members.key(id)] {
			c.Add = append(c.Add, id)
		} else {
			c.Remove = append(c.Remove, id)
		}
	}
	return c
}

// operation returns what is left of o without its members, and whether anything
// is.
func (s *splitter) operation(o Operation) (Operation, bool, error) {
	if o.Path == nil {
		return s.pathless(o)
	}
	t, known, err := s.def.target(*o.Path)
	if err != nil || !known || !isMembers(t) {
		return o, true, nil // Apply knows what is wrong with it
	}
	plain := t.path.Filter == nil && t.path.Sub == ""
	switch {
	case plain && o.Op == "add":
		return o, false, s.add(t, o)
	case plain && o.Op == "remove" && (o.HasValue || o.Value != nil):
		return o, false, s.remove(t, o.Value)
	case t.path.Filter != nil && t.path.Sub == "" && o.Op == "remove":
		if ids, ok := valuesNamed(t.path.Filter); ok {
			s.say(t, false, ids...)
			return o, false, nil
		}
	}
	s.whole = true
	return o, true, nil
}

func (s *splitter) add(t target, o Operation) error {
	if list, ok := o.Value.([]any); ok && len(list) == 0 {
		return nil
	}
	ids, err := memberIDs(t, o.Value)
	if err == nil && len(ids) == 0 {
		err = BadRequest(TypeInvalidValue, "add needs a value, such as %s", example(t.leaf))
	}
	s.say(t, true, ids...)
	return err
}

func (s *splitter) remove(t target, v any) error {
	ids, err := memberIDs(t, v)
	if err == nil && len(ids) == 0 {
		err = BadRequest(TypeInvalidValue, "the value names nothing to remove, expected a list such as [%s], or no value to remove all",
			example(t.top))
	}
	s.say(t, false, ids...)
	return err
}

// pathless takes the members out of a path-less operation's value.
func (s *splitter) pathless(o Operation) (Operation, bool, error) {
	object, ok := single(o.Value).(map[string]any)
	if !ok || o.Op == "remove" {
		return o, true, nil
	}
	left := map[string]any{}
	for _, key := range sortedKeys(object) {
		t, known, err := s.def.key("", key)
		switch {
		case err != nil || !known || !isMembers(t):
			if t.path.URN == s.def.Core.ID && t.path.Attr == "" && known {
				s.whole = true // members may be further down
			}
			left[key] = object[key]
			continue
		case t.path.Filter != nil || t.path.Sub != "" || o.Op != "add":
			s.whole = true
			left[key] = object[key]
			continue
		}
		ids, err := memberIDs(t, object[key])
		if err != nil {
			return o, false, err
		}
		s.say(t, true, ids...)
	}
	o.Value = left
	return o, len(left) > 0, nil
}

func isMembers(t target) bool {
	return t.path.URN == "" && strings.EqualFold(t.path.Attr, "members") && t.top.keyed()
}

// memberIDs returns the ids in a client's list of members.
func memberIDs(t target, v any) ([]string, error) {
	normal, err := normalize(t.top, t.path.brief(), v)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, element := range elements(normal) {
		object, _ := element.(map[string]any)
		ids = append(ids, text(object["value"]))
	}
	return ids, nil
}

// valuesNamed returns the values that a filter names if it is value eq "x", or
// several of these joined by or.
func valuesNamed(f Filter) ([]string, bool) {
	switch f := f.(type) {
	case Compare:
		return []string{f.Text()}, f.Op == Eq && strings.EqualFold(f.Path.Attr, "value") && !isBlank(f.Value)
	case Or:
		var ids []string
		for _, f := range f.Filters {
			more, ok := valuesNamed(f)
			if !ok {
				return nil, false
			}
			ids = append(ids, more...)
		}
		return ids, true
	}
	return nil, false
}

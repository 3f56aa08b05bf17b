package scim

import "slices"

// assignList adds elements to a multi-valued attribute or replaces them all. An
// element that is there already is not added again (RFC 7644 section 3.5.2.1).
func (e editor) assignList(c change) error {
	v, err := normalize(c.top, c.path.brief(), c.value)
	if err != nil {
		return err
	}
	given, _ := v.([]any)
	if len(given) == 0 {
		return e.clear(c)
	}
	var list []any
	if !c.replacing() {
		list = elements(e.get(c.path))
	}
	all, touched := union(c.top, list, given)
	e.putList(c, all, touched)
	return nil
}

// union is the list and the elements of more that are not in it. An element in
// both has the sub-attributes of both, those of more first unless they cannot
// change; one without a type is in the list if its value is, whatever the type
// there. The second result tells which elements of the union come from more.
func union(a Attribute, list, more []any) ([]any, []int) {
	all := slices.Clone(list)
	at := make(map[string]int, len(list)+len(more))
	index := func(i int) {
		for _, id := range []string{identity(a, all[i]), identity(a, untyped(all[i]))} {
			if _, ok := at[id]; !ok {
				at[id] = i
			}
		}
	}
	for i := range all {
		index(i)
	}
	var touched []int
	for _, element := range more {
		i, ok := at[identity(a, element)]
		if !ok {
			i = len(all)
			all = append(all, element)
			index(i)
		} else if old, isObject := all[i].(map[string]any); isObject {
			all[i] = joined(a, old, element)
		}
		touched = append(touched, i)
	}
	return all, touched
}

// joined is old with the sub-attributes of element set, but for those that old
// has for good: a member that is added again stays the member it was.
func joined(a Attribute, old map[string]any, element any) map[string]any {
	all := overlaid(old, element)
	for _, sub := range a.SubAttributes {
		if v, ok := old[sub.Name]; ok && sub.Mutability == Immutable {
			all[sub.Name] = v
		}
	}
	return all
}

// distinct is the list without the elements that have become the same as others
// (RFC 7643 section 2.4), of which one at least was touched. The second result
// are the touched ones.
func distinct(a Attribute, list []any, touched []int) ([]any, []int) {
	var all []any
	var at []int
	first := make(map[string]int, len(list)) // where in all an identity is
	changed := make([]bool, 0, len(list))    // by the index in all
	for i, element := range list {
		_, touching := slices.BinarySearch(touched, i)
		id := identity(a, element)
		j, twice := first[id]
		if !twice || !touching && !changed[j] {
			j = len(all)
			all, changed = append(all, element), append(changed, false)
			if !twice {
				first[id] = j
			}
		} else if old, isObject := all[j].(map[string]any); isObject {
			all[j] = overlaid(old, element)
		}
		if touching && !changed[j] {
			changed[j] = true
			at = append(at, j)
		}
	}
	return all, at
}

// overlaid is old with the sub-attributes of element set.
func overlaid(old map[string]any, element any) map[string]any {
	merged, _ := clone(old).(map[string]any)
	part, _ := element.(map[string]any)
	for name, v := range part {
		merged[name] = v
	}
	return merged
}

// identity is equal for elements that are the same to a client: equal in value,
// and in type if the attribute is not keyed (RFC 7643 section 2.4). Only ids are
// one in any case: of other values a directory may hold two spellings.
func identity(a Attribute, element any) string {
	object, ok := element.(map[string]any)
	value, valued := object["value"]
	switch {
	case !ok || !valued:
		return literal(element)
	case a.keyed():
		return a.key(text(value))
	}
	if _, refers := a.Sub("$ref"); refers {
		value = a.key(text(value))
	}
	return literal([]any{value, object["type"]})
}

// putList stores a list, having seen to it that at most one element is primary
// (RFC 7643 section 2.4): the first of the touched ones, else the first.
func (e editor) putList(c change, list []any, touched []int) {
	if _, ok := c.top.Sub("primary"); ok && c.top.isComplex() {
		list = onePrimary(list, touched)
	}
	e.put(c.path, list)
}

func onePrimary(list []any, touched []int) []any {
	primary := func(i int) bool {
		object, _ := list[i].(map[string]any)
		return object["primary"] == true
	}
	winner := slices.IndexFunc(touched, primary)
	if winner >= 0 {
		winner = touched[winner]
	}
	for i := range list {
		switch {
		case !primary(i) || i == winner:
		case winner < 0:
			winner = i
		default:
			list[i] = overlaid(list[i].(map[string]any), map[string]any{"primary": false})
		}
	}
	return list
}

// assignEach sets a sub-attribute of every element, which is what emails.type
// without a filter addresses. One value for many elements makes no sense for
// value and primary, so these need a filter if there are several.
func (e editor) assignEach(c change) error {
	list := slices.Clone(elements(e.get(c.path)))
	v, err := normalize(c.leaf, c.path.brief(), c.value)
	if err != nil {
		return err
	}
	if v == nil {
		return e.clear(c)
	}
	distinct := c.path.Sub == "value" || c.path.Sub == "primary"
	switch {
	case len(list) == 0 && c.top.keyed() && c.path.Sub != "value":
		return BadRequest(TypeNoTarget, "%s has no values whose %s could be set; add an element such as {\"value\":\"…\"} first",
			c.path.Attr, c.path.Sub)
	case len(list) == 0 || c.path.Sub == "value" && !c.replacing():
		one := c
		one.value, one.path.Sub, one.leaf = map[string]any{c.path.Sub: v}, "", c.top
		return e.assignList(one)
	case distinct && len(list) > 1:
		return BadRequest(TypeInvalidPath, "%s has %d values, expected a filter such as %s[type eq \"work\"].%s",
			c.path.Attr, len(list), c.path.Attr, c.path.Sub)
	}
	return e.setIn(c, list, allOf(list), v)
}

func allOf(list []any) []int {
	at := make([]int, len(list))
	for i := range list {
		at[i] = i
	}
	return at
}

// setIn sets the sub-attribute of the elements at the indexes.
func (e editor) setIn(c change, list []any, at []int, v any) error {
	for _, i := range at {
		old, _ := list[i].(map[string]any)
		next, err := e.settled(c, old[c.path.Sub], v)
		if err != nil {
			return err
		}
		list[i] = overlaid(old, map[string]any{c.path.Sub: next})
	}
	list, at = distinct(c.top, list, at)
	e.putList(c, list, at)
	return nil
}

// matching returns the indexes of the elements that the path's filter matches.
func (e editor) matching(t target, list []any) ([]int, error) {
	var at []int
	for i, element := range list {
		ok, err := match(t.path.Filter, elementScope(t.top, element))
		if err != nil {
			return nil, err
		}
		if ok {
			at = append(at, i)
		}
	}
	return at, nil
}

// assignMatching adds to or replaces the elements that the filter matches. If
// none does, one is made that would: Entra sends its first work address so.
func (e editor) assignMatching(c change) error {
	list := slices.Clone(elements(e.get(c.path)))
	at, err := e.matching(c.target, list)
	if err != nil {
		return err
	}
	element := c.top // what the value is for: the whole element or a part of it
	element.MultiValued = false
	if c.path.Sub != "" {
		element = c.leaf
	}
	v, err := normalize(element, c.path.brief(), c.value)
	if err != nil {
		return err
	}
	switch {
	case v == nil && c.replacing() && len(at) == 0:
		return nil // nothing there, nothing wanted
	case v == nil:
		return e.clear(c)
	case len(at) == 0:
		return e.create(c, list, v)
	case c.path.Sub != "":
		return e.setIn(c, list, at, v)
	}
	return e.setElements(c, list, at, v)
}

// setElements puts v in the place of whole elements, or adds it to them.
func (e editor) setElements(c change, list []any, at []int, v any) error {
	wanted, _ := seed(c.top, c.path.Filter)
	for _, i := range at {
		old, isObject := list[i].(map[string]any)
		if !isObject {
			list[i] = v
			continue
		}
		next := overlaid(old, v)
		if c.replacing() {
			next = overlaid(wanted, v)
		}
		if c.top.keyed() && identity(c.top, old) != identity(c.top, next) {
			return BadRequest(TypeMutability, "the value of an element of %s cannot be changed, expected a remove and an add", c.path.Attr)
		}
		for _, sub := range c.top.SubAttributes {
			one := c
			one.leaf, one.path.Sub = sub, sub.Name
			v, given := next[sub.Name]
			if !given {
				continue
			}
			var err error
			if next[sub.Name], err = e.settled(one, old[sub.Name], v); err != nil {
				return err
			}
		}
		list[i] = next
	}
	list, at = distinct(c.top, list, at)
	e.putList(c, list, at)
	return nil
}

// create adds the element that the filter asks for: emails[type eq "work"] makes
// {"type":"work"}. A keyed attribute gets none, since that would make a member
// of whoever the filter looks for.
func (e editor) create(c change, list []any, v any) error {
	wanted, ok := seed(c.top, c.path.Filter)
	if !ok || c.top.keyed() {
		return noMatch(c.target)
	}
	part := map[string]any{c.path.Sub: v}
	if c.path.Sub == "" {
		part, _ = v.(map[string]any)
	}
	made := overlaid(wanted, part)
	// A new value for emails[value eq "old"] is about one that should be there.
	if ok, err := match(c.path.Filter, elementScope(c.top, made)); !ok || err != nil {
		return noMatch(c.target)
	}
	all, touched := union(c.top, list, []any{made})
	e.putList(c, all, touched)
	return nil
}

func noMatch(t target) error {
	return BadRequest(TypeNoTarget, "no value of %s matches the filter in the path; add the element first, or correct the filter", t.path.Attr)
}

// seed returns the sub-attributes that an element must have for the filter to
// match, and whether the filter is nothing but such equalities joined by and.
func seed(a Attribute, f Filter) (map[string]any, bool) {
	switch f := f.(type) {
	case Compare:
		sub, ok := a.Sub(f.Path.Attr)
		if !ok || f.Op != Eq || !a.isComplex() {
			return map[string]any{}, false
		}
		v, err := normalize(sub, sub.Name, f.Value)
		if err != nil || v == nil {
			return map[string]any{}, false
		}
		return map[string]any{sub.Name: v}, true
	case And:
		all, whole := map[string]any{}, true
		for _, f := range f.Filters {
			part, ok := seed(a, f)
			all, whole = overlaid(all, part), whole && ok
		}
		return all, whole
	}
	return map[string]any{}, false
}

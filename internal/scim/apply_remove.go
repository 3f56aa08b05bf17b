package scim

import "slices"

// removeOperation carries out a remove. The RFC gives it no value, but Entra and
// JumpCloud name with one the elements to remove; a value that names none must
// not remove all the others, so it is a 400 invalidValue.
func (e editor) removeOperation(t target, o Operation) error {
	if t.top.Returned == ReturnedNever {
		// It is not in the resource, so taking it out would be a success that
		// did nothing.
		return BadRequest(TypeMutability, "%s can be replaced by another value, not removed; leave the operation out", t.path.Attr)
	}
	if err := e.spend(t); err != nil {
		return err
	}
	named := o.Value != nil || o.HasValue && t.top.keyed() // else a null is no value
	if named && t.path.Filter == nil && t.path.Sub == "" && t.top.MultiValued {
		return e.guard(t, func() error { return e.removeValues(t, o.Value) })
	}
	return e.guard(t, func() error { return e.remove(t) })
}

// removeValues removes the elements that equal a given one. A given element
// without a type stands for all types.
func (e editor) removeValues(t target, v any) error {
	normal, err := normalize(t.top, t.path.brief(), v)
	if err != nil {
		return err
	}
	given, _ := normal.([]any)
	if len(given) == 0 {
		return BadRequest(TypeInvalidValue, "the value names nothing to remove, expected a list such as [%s], or no value to remove all",
			example(t.top))
	}
	going := map[string]bool{}
	for _, element := range given {
		going[identity(t.top, element)] = true
	}
	var kept []any
	for _, element := range elements(e.get(t.path)) {
		if !going[identity(t.top, element)] && !going[identity(t.top, untyped(element))] {
			kept = append(kept, element)
		}
	}
	return e.keep(t, kept)
}

func untyped(element any) any {
	object, ok := element.(map[string]any)
	if !ok {
		return element
	}
	value, ok := object["value"]
	if !ok {
		return element
	}
	return map[string]any{"value": value}
}

// remove takes out what t addresses. What is absent already is no error, but a
// filter that matches nothing is (RFC 7644 section 3.5.2.2), except for keyed
// elements: removing someone who is no member changes nothing.
func (e editor) remove(t target) error {
	switch {
	case t.path.Attr == "":
		if t.path.URN == e.def.Core.ID {
			return BadRequest(TypeNoTarget, "remove needs the path of an attribute; the core schema cannot be taken away")
		}
		return e.removeExtension(t)
	case t.path.Filter != nil && !t.top.MultiValued:
		return BadRequest(TypeInvalidPath, "%s has one value at most, expected no filter", t.path.Attr)
	case t.path.Filter != nil:
		return e.removeMatching(t)
	case t.path.Sub == "":
		return e.keep(t, nil)
	case t.top.MultiValued:
		list := elements(e.get(t.path))
		return e.removeIn(t, list, allOf(list))
	}
	object, _ := clone(e.get(t.path)).(map[string]any)
	if err := e.removable(t, t.leaf, object); err != nil {
		return err
	}
	if t.path.Sub == "value" && t.top.Required {
		return required(t)
	}
	if t.path.Sub == "value" {
		object = nil // the other parts were about the value
	}
	delete(object, t.path.Sub)
	e.put(t.path, object)
	return nil
}

// removable says whether the sub-attribute of object may be taken out of it.
func (e editor) removable(t target, sub Attribute, object map[string]any) error {
	t.path.Sub = sub.Name
	switch {
	case sub.Required && object != nil:
		return required(t)
	case sub.Mutability == Immutable && object[sub.Name] != nil:
		return e.immutable(t)
	}
	return nil
}

// removeExtension takes out what a client may change of an extension.
func (e editor) removeExtension(t target) error {
	for _, a := range t.leaf.SubAttributes {
		p := Path{URN: t.path.URN, Attr: a.Name}
		if a.Mutability == ReadOnly || e.get(p) == nil {
			continue
		}
		one := target{top: a, leaf: a, path: p}
		if err := e.guard(one, func() error { return e.keep(one, nil) }); err != nil {
			return err
		}
	}
	return nil
}

func (e editor) removeMatching(t target) error {
	list := elements(e.get(t.path))
	at, err := e.matching(t, list)
	if err != nil {
		return err
	}
	if len(at) == 0 {
		if t.top.keyed() {
			return nil
		}
		return noMatch(t)
	}
	return e.removeIn(t, list, at)
}

// removeIn removes the elements at the indexes, or their sub-attribute.
func (e editor) removeIn(t target, list []any, at []int) error {
	var kept []any
	for i, element := range list {
		if _, found := slices.BinarySearch(at, i); !found {
			kept = append(kept, element)
			continue
		}
		if t.path.Sub == "" || t.path.Sub == "value" {
			continue
		}
		object, _ := clone(element).(map[string]any)
		if err := e.removable(t, t.leaf, object); err != nil {
			return err
		}
		if delete(object, t.path.Sub); len(object) > 0 {
			kept = append(kept, object)
		}
	}
	return e.keep(t, kept)
}

// keep leaves the attribute with the elements that are kept.
func (e editor) keep(t target, kept []any) error {
	if len(kept) == 0 {
		if t.top.Required {
			return required(t)
		}
		e.put(t.path, nil)
		return nil
	}
	e.put(t.path, kept)
	return nil
}

func required(t target) error {
	return BadRequest(TypeMutability, "%s is required and cannot be removed; replace it by another value", t.path.brief())
}

package scim

import (
	"fmt"
	"slices"
)

// changed is the new value of attribute a after one operation.
func (m model) changed(a, leaf Attribute, p place, q request, old any, key bool) (any, error) {
	if len(p.tests) > 0 && !a.MultiValued {
		return nil, fault(TypeInvalidPath)
	}
	if p.sub != "" && !complex1(a) { // tags.value is tags
		p.sub, leaf = "", a
	}
	if q.op == "remove" {
		return m.removed(a, leaf, p, q, old)
	}
	target := leaf
	if len(p.tests) > 0 && p.sub == "" {
		target.MultiValued = false
	}
	value, err := m.understood(target, q.value)
	if err != nil {
		return nil, err
	}
	if value == nil && !(complex1(a) && !a.MultiValued && p.sub == "" && m.partsOnly(a, q.value)) {
		return m.cleared(a, leaf, p, q, old, key)
	}
	switch {
	case len(p.tests) > 0:
		return m.inMatching(a, leaf, p, q, old, value)
	case p.sub != "" && a.MultiValued:
		return m.inEach(a, leaf, p, q, old, value)
	case p.sub != "":
		return m.inPart(a, leaf, p, old, value)
	case a.MultiValued:
		return m.inList(a, q, old, value.([]any))
	case complex1(a):
		return m.inComplex(a, q, old, value)
	}
	return value, nil
}

// partsOnly reports whether a value for a complex attribute is an object that
// names parts, none of them "value".
func (m model) partsOnly(a Attribute, v any) bool {
	for {
		list, ok := v.([]any)
		if !ok || len(list) != 1 {
			break
		}
		v = list[0]
	}
	_, isObject := v.(map[string]any)
	_, valued := named(a.SubAttributes, "value")
	return isObject && !valued
}

// cleared is what an empty value does.
func (m model) cleared(a, leaf Attribute, p place, q request, old any, key bool) (any, error) {
	list, isList := q.value.([]any)
	switch {
	case q.op == "replace" && m.emptyReplaceClears:
		if len(p.tests) > 0 {
			any := false
			for _, e := range listed(old) {
				any = any || m.matches(a, p, e)
			}
			if !any {
				return old, nil
			}
		}
		return m.removed(a, leaf, p, request{op: "remove"}, old)
	case key, isList && len(list) == 0:
		return old, nil
	}
	return nil, fault(TypeInvalidValue)
}

// removed is the value after a remove (3.5.2.2).
func (m model) removed(a, leaf Attribute, p place, q request, old any) (any, error) {
	var kept []any
	names := q.value != nil || q.hasValue && m.keyed(a)
	switch {
	case len(p.tests) > 0:
		hit := false
		for _, e := range listed(old) {
			if !m.matches(a, p, e) {
				kept = append(kept, e)
				continue
			}
			hit = true
			left, err := without1(leaf, p, e)
			if err != nil {
				return nil, err
			}
			if left != nil {
				kept = append(kept, left)
			}
		}
		if !hit && !(m.strangersMayLeave && m.keyed(a)) {
			return nil, fault(TypeNoTarget)
		}
		if !hit {
			return old, nil
		}
	case names && m.removeNamesValues && p.sub == "" && a.MultiValued:
		given, err := m.understood(a, q.value)
		if err != nil {
			return nil, err
		}
		if given == nil {
			return nil, fault(TypeInvalidValue)
		}
		for _, e := range listed(old) {
			if !slices.ContainsFunc(given.([]any), func(g any) bool { return m.names(a, g, e) }) {
				kept = append(kept, e)
			}
		}
	case p.sub != "" && a.MultiValued:
		for _, e := range listed(old) {
			left, err := without1(leaf, p, e)
			if err != nil {
				return nil, err
			}
			if left != nil {
				kept = append(kept, left)
			}
		}
	case p.sub != "":
		object, _ := copied(old).(map[string]any)
		if object == nil && !(p.sub == "value" && a.Required) {
			return nil, nil
		}
		if leaf.Required || p.sub == "value" && a.Required || leaf.Mutability == Immutable && object[p.sub] != nil {
			return nil, fault(TypeMutability)
		}
		delete(object, p.sub)
		if p.sub == "value" || len(object) == 0 {
			return nil, nil
		}
		return object, nil
	}
	if len(kept) == 0 {
		if a.Required {
			return nil, fault(TypeMutability)
		}
		return nil, nil
	}
	return kept, nil
}

// without1 is an element without its sub-attribute, nil if it goes as a whole.
func without1(leaf Attribute, p place, e any) (any, error) {
	if p.sub == "" || p.sub == "value" {
		return nil, nil
	}
	object := copied(e).(map[string]any)
	if leaf.Required || leaf.Mutability == Immutable && object[p.sub] != nil {
		return nil, fault(TypeMutability)
	}
	if delete(object, p.sub); len(object) == 0 {
		return nil, nil
	}
	return object, nil
}

// names reports whether a given element names one that is there: the same
// value, and the same type unless none is given.
func (m model) names(a Attribute, given, e any) bool {
	g, _ := given.(map[string]any)
	o, _ := e.(map[string]any)
	if g == nil || o == nil || g["value"] == nil || o["value"] == nil {
		return same(given, e)
	}
	return m.valued(a, g, o) && (m.keyed(a) || g["type"] == nil || same(g["type"], o["type"]))
}

// inPart sets a sub-attribute of a complex attribute.
func (m model) inPart(a, leaf Attribute, p place, old, value any) (any, error) {
	object, _ := old.(map[string]any)
	if was, ok := object[p.sub]; ok && leaf.Mutability == Immutable {
		if !m.equal(leaf, was, value) {
			return nil, fault(TypeMutability)
		}
		return object, nil
	}
	if object == nil || p.sub == "value" && !m.equal(leaf, object["value"], value) {
		object = map[string]any{}
	}
	object[p.sub] = value
	return object, nil
}

// inComplex sets a complex attribute: "sub-attributes that are not specified
// ... SHALL be left unchanged" (3.5.2.3). With another value all is new.
func (m model) inComplex(a Attribute, q request, old, value any) (any, error) {
	was, _ := old.(map[string]any)
	given, _ := value.(map[string]any)
	object := map[string]any{}
	if v := given["value"]; v == nil || m.part(a, "value", given, was) {
		object, _ = copied(old).(map[string]any)
		if object == nil {
			object = map[string]any{}
		}
	}
	raw := q.value
	for {
		list, ok := raw.([]any)
		if !ok || len(list) != 1 {
			break
		}
		raw = list[0]
	}
	explicit, _ := raw.(map[string]any)
	for _, sub := range a.SubAttributes {
		now, set := given[sub.Name]
		before, had := was[sub.Name]
		_, named := explicit[sub.Name]
		switch {
		case sub.Mutability == ReadOnly:
		case set && had && sub.Mutability == Immutable:
			if !m.equal(sub, before, now) {
				return nil, fault(TypeMutability)
			}
			object[sub.Name] = before
		case set:
			object[sub.Name] = now
		case named && q.op == "replace" && was != nil && (sub.Required || had && sub.Mutability == Immutable):
			return nil, fault(TypeMutability)
		case named && q.op == "replace":
			delete(object, sub.Name)
		}
	}
	if len(object) == 0 {
		if was != nil && a.Required {
			return nil, fault(TypeMutability)
		}
		return nil, nil
	}
	return object, nil
}

// inList adds elements or replaces them all.
func (m model) inList(a Attribute, q request, old any, value []any) (any, error) {
	var list []any
	if q.op == "add" {
		list = listed(old)
	}
	var touched []any
	for _, e := range value {
		i := slices.IndexFunc(list, func(o any) bool { return m.same(a, e, o) })
		if i < 0 {
			i = slices.IndexFunc(list, func(o any) bool { return m.untyped(a, e, o) })
		}
		if i < 0 {
			list = append(list, e)
			i = len(list) - 1
		} else if object, ok := e.(map[string]any); ok {
			into := list[i].(map[string]any)
			for name, v := range object {
				sub, _ := named(a.SubAttributes, name)
				if _, had := into[name]; !had || sub.Mutability != Immutable {
					into[name] = v
				}
			}
		}
		touched = append(touched, list[i])
	}
	for _, e := range touched {
		if o, ok := e.(map[string]any); ok && o["primary"] == true {
			return onlyPrimary(a, list, e), nil
		}
	}
	return onlyPrimary(a, list, nil), nil
}

// same reports whether two elements are one: equal in value and type, or, where
// members are keyed, in value; without a value, equal in all.
func (m model) same(a Attribute, e, o any) bool {
	x, _ := e.(map[string]any)
	y, _ := o.(map[string]any)
	if x == nil || y == nil || x["value"] == nil || y["value"] == nil {
		return same(e, o)
	}
	return m.valued(a, x, y) && (m.keyed(a) || same(x["type"], y["type"]))
}

// valued reports whether two elements have the same value: ids in any case.
func (m model) valued(a Attribute, x, y map[string]any) bool {
	_, refers := named(a.SubAttributes, "$ref")
	return same(x["value"], y["value"]) || (refers || m.keyed(a)) && m.part(a, "value", x, y)
}

// part reports whether a part of two elements is equal.
func (m model) part(a Attribute, name string, x, y map[string]any) bool {
	sub, _ := named(a.SubAttributes, name)
	return m.equal(sub, x[name], y[name])
}

// untyped reports whether e has no type and is o but for that.
func (m model) untyped(a Attribute, e, o any) bool {
	x, _ := e.(map[string]any)
	y, _ := o.(map[string]any)
	return x != nil && y != nil && x["value"] != nil && x["type"] == nil && m.valued(a, x, y)
}

// onlyPrimary keeps the winner's primary, or the first one (RFC 7643 section 2.4).
func onlyPrimary(a Attribute, list []any, winner any) []any {
	if _, ok := named(a.SubAttributes, "primary"); !ok {
		return list
	}
	is := func(e any) bool { o, _ := e.(map[string]any); return o["primary"] == true }
	at := slices.IndexFunc(list, is)
	for i, e := range list {
		if winner != nil && is(e) && identical(e, winner) {
			at = i
			break
		}
	}
	for i, e := range list {
		if is(e) && i != at {
			e.(map[string]any)["primary"] = false
		}
	}
	return list
}

// identical reports whether two maps are one and the same.
func identical(a, b any) bool { return fmt.Sprintf("%p", a) == fmt.Sprintf("%p", b) }

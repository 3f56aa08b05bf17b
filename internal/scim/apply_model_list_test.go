package scim

import (
	"fmt"
	"slices"
	"strings"
)

// inEach sets a sub-attribute of every element.
func (m model) inEach(a, leaf Attribute, p place, q request, old, value any) (any, error) {
	list := listed(old)
	switch {
	case len(list) == 0 && m.keyed(a) && p.sub != "value":
		return nil, fault(TypeNoTarget)
	case len(list) == 0, p.sub == "value" && q.op == "add":
		return m.inList(a, q, old, []any{map[string]any{p.sub: value}})
	case len(list) > 1 && (p.sub == "value" || p.sub == "primary"):
		return nil, fault(TypeInvalidPath)
	}
	return m.setting(a, leaf, p, list, func(any) bool { return true }, value)
}

// setting sets a sub-attribute of the elements that are chosen.
func (m model) setting(a, leaf Attribute, p place, list []any, chosen func(any) bool, value any) (any, error) {
	var touched []any
	for _, e := range list {
		if !chosen(e) {
			continue
		}
		object := e.(map[string]any)
		if was, ok := object[p.sub]; ok && leaf.Mutability == Immutable && !m.equal(leaf, was, value) {
			return nil, fault(TypeMutability)
		}
		touched = append(touched, e)
	}
	for _, e := range touched {
		if object := e.(map[string]any); object[p.sub] == nil || leaf.Mutability != Immutable {
			object[p.sub] = value
		}
	}
	return m.tidy(a, list, touched), nil
}

// tidy joins elements that a change has made the same, and leaves one primary.
func (m model) tidy(a Attribute, list, touched []any) []any {
	is := func(e any) bool { return slices.ContainsFunc(touched, func(t any) bool { return identical(t, e) }) }
	var all []any
	for _, e := range list {
		i := slices.IndexFunc(all, func(o any) bool { return m.same(a, e, o) })
		if i < 0 || !is(e) && !is(all[i]) {
			all = append(all, e)
			continue
		}
		object, ok := e.(map[string]any)
		if !ok {
			continue
		}
		for name, v := range object {
			all[i].(map[string]any)[name] = v
		}
		touched = append(touched, all[i])
	}
	for _, e := range all {
		if o, ok := e.(map[string]any); ok && o["primary"] == true && is(e) {
			return onlyPrimary(a, all, e)
		}
	}
	return onlyPrimary(a, all, nil)
}

// inMatching changes the elements that the value filter matches (3.5.2.3).
func (m model) inMatching(a, leaf Attribute, p place, q request, old, value any) (any, error) {
	list := listed(old)
	var hits []any
	for i, e := range list {
		if !complex1(a) {
			if m.matches(a, p, e) {
				list[i] = value
				hits = append(hits, e)
			}
			continue
		}
		if m.matches(a, p, e) {
			hits = append(hits, e)
		}
	}
	chosen := func(e any) bool { return slices.ContainsFunc(hits, func(h any) bool { return identical(h, e) }) }
	equalities, whole := m.equalities(a, p)
	switch {
	case len(hits) == 0:
		made := copied(equalities).(map[string]any)
		if p.sub != "" {
			made[p.sub] = value
		} else if object, ok := value.(map[string]any); ok {
			for name, v := range object {
				made[name] = v
			}
		}
		if !m.valuePathsCreate || !whole || m.keyed(a) || !m.matches(a, p, made) {
			return nil, fault(TypeNoTarget)
		}
		return m.inList(a, request{op: "add"}, old, []any{made})
	case !complex1(a):
		return m.uniq(a, list), nil
	case p.sub != "":
		return m.setting(a, leaf, p, list, chosen, value)
	}
	for _, e := range hits {
		was := e.(map[string]any)
		next := map[string]any{}
		if q.op == "add" {
			next = copied(was).(map[string]any)
		} else {
			for name, v := range equalities {
				next[name] = v
			}
		}
		for name, v := range value.(map[string]any) {
			next[name] = v
		}
		if m.keyed(a) && !m.part(a, "value", was, next) {
			return nil, fault(TypeMutability)
		}
		for _, sub := range a.SubAttributes {
			before, had := was[sub.Name]
			if now, set := next[sub.Name]; set && had && sub.Mutability == Immutable {
				if !m.equal(sub, before, now) {
					return nil, fault(TypeMutability)
				}
				next[sub.Name] = before
			}
		}
		for name := range was {
			delete(was, name)
		}
		for name, v := range next {
			was[name] = v
		}
	}
	return m.tidy(a, list, hits), nil
}

func (m model) uniq(a Attribute, list []any) []any {
	var all []any
	for _, e := range list {
		if !slices.ContainsFunc(all, func(o any) bool { return m.same(a, o, e) }) {
			all = append(all, e)
		}
	}
	return all
}

// equalities are the parts that a value filter fixes, and whether it says no more.
func (m model) equalities(a Attribute, p place) (map[string]any, bool) {
	fixed := map[string]any{}
	whole := complex1(a) && (!p.or || len(p.tests) == 1)
	for _, t := range p.tests {
		sub, _ := part(a, t.sub)
		v, err := m.understood(sub, t.value)
		if t.op == "eq" && err == nil && v != nil && complex1(a) && (!p.or || len(p.tests) == 1) {
			fixed[t.sub] = v
		} else {
			whole = false
		}
	}
	return fixed, whole
}

// matches evaluates the value filter on an element.
func (m model) matches(a Attribute, p place, e any) bool {
	result := !p.or
	for _, t := range p.tests {
		have := e
		if complex1(a) {
			have = e.(map[string]any)[t.sub]
		}
		sub, _ := part(a, t.sub)
		ok := false
		x, y := fmt.Sprint(have), fmt.Sprint(t.value)
		if !sub.CaseExact {
			x, y = strings.ToLower(x), strings.ToLower(y)
		}
		switch t.op {
		case "pr":
			ok = have != nil
		case "eq":
			ok = have != nil && x == y
		case "ne":
			ok = have == nil || x != y
		case "co":
			ok = have != nil && strings.Contains(x, y)
		}
		if p.or {
			result = result || ok
		} else {
			result = result && ok
		}
	}
	return result
}

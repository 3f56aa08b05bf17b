package scim

import (
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// The model is RFC 7644 section 3.5.2 written down a second time: slowly, on
// plain maps, and without the code under test, of which it shares the data
// types Definition and Attribute and nothing that computes. Attributes of the
// model's vocabulary carry every characteristic explicitly.
type model struct {
	def Definition
	departures
}

// departures are where scimgate leaves the RFC on purpose (docs/conformance.md).
// With all of them false the model is the RFC alone.
type departures struct {
	valuePathsCreate   bool // add and replace on a value path that matches nothing make the element
	removeNamesValues  bool // remove with a value removes only the elements named
	strangersMayLeave  bool // removing a member who is none changes nothing
	emptyReplaceClears bool // replace with null, "" or [] removes
	formsAreForgiven   bool // booleans as text, one value for a list, lists of one, text for a complex value
	foreignPathsIgnore bool // a path in a schema that the type does not have is ignored
	membersAreKeyed    bool // the value of a member cannot change, and a value path makes no member
}

// asDocumented is what Apply has to do.
var asDocumented = departures{true, true, true, true, true, true, true}

// request is one operation as the model sees it.
type request struct {
	op       string
	path     *place // nil = path-less
	hasValue bool
	value    any
}

// place is what a path addresses. Its filter is a conjunction, or a disjunction.
type place struct {
	urn, attr string
	tests     []probe // of the value filter
	or        bool    // any of them, not all
	sub       string
}

// probe is sub op value, with op eq, ne, co or pr.
type probe struct {
	sub, op string
	value   any
}

// text is the path as a client writes it.
func (p place) text() string {
	s := p.attr
	if p.urn != "" {
		s = p.urn + ":" + p.attr
		if p.attr == "" {
			s = p.urn
		}
	}
	if len(p.tests) > 0 {
		parts := make([]string, len(p.tests))
		for i, t := range p.tests {
			raw, _ := json.Marshal(t.value)
			if parts[i] = t.sub + " " + t.op; t.op != "pr" {
				parts[i] += " " + string(raw)
			}
		}
		word := " and "
		if p.or {
			word = " or "
		}
		s += "[" + strings.Join(parts, word) + "]"
	}
	if p.sub != "" {
		s += "." + p.sub
	}
	return s
}

// fault is the scimType with which the model refuses.
type fault string

func (f fault) Error() string { return string(f) }

// patched is the resource after all the operations, or the fault that one of
// them has.
func (m model) patched(r map[string]any, requests []request) (map[string]any, error) {
	r = copied(r).(map[string]any)
	for _, q := range requests {
		if err := m.one(r, q); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func (m model) one(r map[string]any, q request) error {
	if q.op != "add" && q.op != "replace" && q.op != "remove" {
		return fault(TypeInvalidSyntax)
	}
	if q.path == nil {
		if q.op == "remove" {
			return fault(TypeNoTarget) // 3.5.2.2: "If 'path' is unspecified, the operation fails"
		}
		return m.merge(r, q.op, "", q.value)
	}
	p := *q.path
	if p.urn != "" && p.attr == "" {
		return m.extension(r, q)
	}
	attrs, holder, known := m.schema(r, p.urn)
	if !known {
		if m.foreignPathsIgnore {
			return nil
		}
		return fault(TypeInvalidPath)
	}
	a, ok := named(attrs, p.attr)
	if !ok {
		return fault(TypeInvalidPath)
	}
	for _, t := range p.tests {
		if _, ok := part(a, t.sub); !ok {
			return fault(TypeInvalidPath)
		}
	}
	leaf := a
	if p.sub != "" {
		if leaf, ok = part(a, p.sub); !ok {
			return fault(TypeInvalidPath)
		}
	}
	if a.Mutability == ReadOnly || leaf.Mutability == ReadOnly {
		return fault(TypeMutability)
	}
	if q.op == "remove" && a.Returned == ReturnedNever {
		return fault(TypeMutability)
	}
	if q.op != "remove" && !q.hasValue {
		return fault(TypeInvalidValue)
	}
	old := copied(holder()[a.Name])
	value, err := m.changed(a, leaf, p, q, copied(old), false)
	if err != nil {
		return err
	}
	return m.store(r, p.urn, a, old, value)
}

// store puts the new value of an attribute where the old one was, if its
// mutability allows it.
func (m model) store(r map[string]any, urn string, a Attribute, old, value any) error {
	if a.Mutability == Immutable && old != nil && !same(old, value) {
		return fault(TypeMutability)
	}
	before, _ := old.(map[string]any)
	after, _ := value.(map[string]any)
	for _, sub := range a.SubAttributes {
		if v := before[sub.Name]; v != nil && sub.Mutability == Immutable && !same(v, after[sub.Name]) {
			return fault(TypeMutability)
		}
	}
	into := r
	if urn != "" && urn != m.def.Core.ID {
		into, _ = r[urn].(map[string]any)
		if into == nil {
			into = map[string]any{}
		}
		r[urn] = into
	}
	if value == nil {
		delete(into, a.Name)
	} else {
		into[a.Name] = value
	}
	if urn != "" && urn != m.def.Core.ID && len(into) == 0 {
		delete(r, urn)
	}
	return nil
}

// schema finds the attributes of a schema and the map that holds their values.
func (m model) schema(r map[string]any, urn string) ([]Attribute, func() map[string]any, bool) {
	if urn == "" || urn == m.def.Core.ID {
		return m.def.Core.Attributes, func() map[string]any { return r }, true
	}
	for _, s := range m.def.Extensions {
		if s.ID == urn {
			return s.Attributes, func() map[string]any { e, _ := r[urn].(map[string]any); return e }, true
		}
	}
	return nil, nil, false
}

// extension is an operation on a schema as a whole.
func (m model) extension(r map[string]any, q request) error {
	attrs, holder, known := m.schema(r, q.path.urn)
	switch {
	case !known:
		return nil
	case q.op != "remove" && !q.hasValue:
		return fault(TypeInvalidValue)
	case q.op == "remove" && q.path.urn == m.def.Core.ID:
		return fault(TypeNoTarget)
	case q.op == "remove", q.op == "replace" && empty(q.value):
		if q.path.urn == m.def.Core.ID {
			return fault(TypeNoTarget)
		}
		for _, a := range attrs {
			old := holder()[a.Name]
			if a.Mutability == ReadOnly || old == nil {
				continue
			}
			if a.Required || a.Mutability == Immutable {
				return fault(TypeMutability)
			}
			if err := m.store(r, q.path.urn, a, old, nil); err != nil {
				return err
			}
		}
		return nil
	}
	return m.merge(r, q.op, q.path.urn, q.value)
}

// merge is a path-less operation: every key is an operation of its own, on what
// is known and may be written.
func (m model) merge(r map[string]any, op, urn string, value any) error {
	if list, ok := value.([]any); ok && len(list) == 1 && m.formsAreForgiven {
		value = list[0]
	}
	object, ok := value.(map[string]any)
	if !ok {
		return fault(TypeInvalidValue)
	}
	keys := []string{}
	for key := range object {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	attrs, holder, _ := m.schema(r, urn)
	for _, key := range keys {
		if _, _, isSchema := m.schema(r, key); isSchema && key != "" {
			if urn != "" {
				continue
			}
			if err := m.mergeSchema(r, op, key, object[key]); err != nil {
				return err
			}
			continue
		}
		name, sub, dotted := strings.Cut(key, ".")
		a, ok := named(attrs, name)
		if !ok || a.Mutability == ReadOnly {
			continue
		}
		leaf := a
		if dotted {
			if leaf, ok = part(a, sub); !ok || leaf.Mutability == ReadOnly {
				continue
			}
		}
		old := copied(holder()[a.Name])
		value, err := m.changed(a, leaf, place{attr: name, sub: sub}, request{op: op, hasValue: true, value: object[key]}, copied(old), true)
		if err != nil {
			return err
		}
		if err := m.store(r, urn, a, old, value); err != nil {
			return err
		}
	}
	return nil
}

// mergeSchema is a schema's URN as a key of a path-less value.
func (m model) mergeSchema(r map[string]any, op, urn string, value any) error {
	if empty(value) {
		if _, object := value.(map[string]any); op != "replace" || object || urn == m.def.Core.ID {
			return nil
		}
		return m.extension(r, request{op: "remove", path: &place{urn: urn}})
	}
	if _, ok := value.(map[string]any); !ok {
		return fault(TypeInvalidValue)
	}
	return m.merge(r, op, urn, value)
}

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
	return same(g["value"], o["value"]) && (m.keyed(a) || g["type"] == nil || same(g["type"], o["type"]))
}

// inPart sets a sub-attribute of a complex attribute.
func (m model) inPart(a, leaf Attribute, p place, old, value any) (any, error) {
	object, _ := old.(map[string]any)
	if was, ok := object[p.sub]; ok && leaf.Mutability == Immutable && !same(was, value) {
		return nil, fault(TypeMutability)
	}
	if object == nil || p.sub == "value" && !same(object["value"], value) {
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
	if v := given["value"]; v == nil || same(v, was["value"]) {
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
		case set && had && sub.Mutability == Immutable && !same(before, now):
			return nil, fault(TypeMutability)
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
	return same(x["value"], y["value"]) && (m.keyed(a) || same(x["type"], y["type"]))
}

// untyped reports whether e has no type and is o but for that.
func (m model) untyped(a Attribute, e, o any) bool {
	x, _ := e.(map[string]any)
	y, _ := o.(map[string]any)
	return x != nil && y != nil && x["value"] != nil && x["type"] == nil && same(x["value"], y["value"])
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
		if was, ok := object[p.sub]; ok && leaf.Mutability == Immutable && !same(was, value) {
			return nil, fault(TypeMutability)
		}
		touched = append(touched, e)
	}
	for _, e := range touched {
		e.(map[string]any)[p.sub] = value
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
		return uniq(list), nil
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
		if m.keyed(a) && !same(was["value"], next["value"]) {
			return nil, fault(TypeMutability)
		}
		for _, sub := range a.SubAttributes {
			before, had := was[sub.Name]
			if now, set := next[sub.Name]; set && had && sub.Mutability == Immutable && !same(before, now) {
				return nil, fault(TypeMutability)
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

func uniq(list []any) []any {
	var all []any
	for _, e := range list {
		if !slices.ContainsFunc(all, func(o any) bool { return same(o, e) }) {
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

// understood is a client's value in its proper shape, nil if it says nothing.
func (m model) understood(a Attribute, v any) (any, error) {
	if !a.MultiValued {
		return m.understoodOne(a, v)
	}
	if empty(v) {
		return nil, nil
	}
	given, ok := v.([]any)
	if !ok {
		if !m.formsAreForgiven {
			return nil, fault(TypeInvalidValue)
		}
		given = []any{v}
	}
	var all []any
	for _, v := range given {
		e, err := m.understoodOne(a, v)
		if err != nil {
			return nil, err
		}
		if e != nil {
			all = append(all, e)
		} else if m.keyed(a) {
			return nil, fault(TypeInvalidValue)
		}
	}
	if all == nil {
		return nil, nil
	}
	return all, nil
}

func (m model) understoodOne(a Attribute, v any) (any, error) {
	for {
		list, ok := v.([]any)
		if !ok {
			break
		}
		if len(list) > 1 || !m.formsAreForgiven && len(list) == 1 {
			return nil, fault(TypeInvalidValue)
		}
		if len(list) == 0 {
			return nil, nil
		}
		v = list[0]
	}
	if empty(v) {
		return nil, nil
	}
	if complex1(a) {
		return m.understoodComplex(a, v)
	}
	s, isText := v.(string)
	n, isNumber := v.(json.Number)
	b, isBool := v.(bool)
	switch {
	case a.Type == Boolean && isBool:
		return b, nil
	case a.Type == Boolean && isText && m.formsAreForgiven && (strings.ToLower(s) == "true" || strings.ToLower(s) == "false"):
		return strings.ToLower(s) == "true", nil
	case a.Type == Boolean:
	case a.Type == Integer && (isText || isNumber):
		if i, err := strconv.Atoi(s + string(n)); err == nil {
			return json.Number(strconv.Itoa(i)), nil
		}
	case a.Type == Integer:
	case isText:
		return s, nil
	case (isNumber || isBool) && !(a.Name == "value" && a.Mutability == Immutable):
		return fmt.Sprint(v), nil
	}
	return nil, fault(TypeInvalidValue)
}

func (m model) understoodComplex(a Attribute, v any) (any, error) {
	given, ok := v.(map[string]any)
	if !ok {
		if _, valued := named(a.SubAttributes, "value"); !valued || !m.formsAreForgiven {
			return nil, fault(TypeInvalidValue)
		}
		given = map[string]any{"value": v}
	}
	object := map[string]any{}
	emptied := false
	for key, v := range given {
		sub, ok := named(a.SubAttributes, key)
		if !ok || sub.Mutability == ReadOnly {
			continue
		}
		p, err := m.understood(sub, v)
		if err != nil {
			return nil, err
		}
		if p == nil {
			emptied = emptied || key == "value"
		} else {
			object[key] = p
		}
	}
	if object["value"] == nil && (emptied || m.keyed(a)) || len(object) == 0 {
		return nil, nil
	}
	return object, nil
}

// keyed reports whether elements are known by a value that cannot change.
func (m model) keyed(a Attribute) bool {
	v, ok := named(a.SubAttributes, "value")
	return m.membersAreKeyed && ok && a.MultiValued && v.Mutability == Immutable
}

func complex1(a Attribute) bool { return len(a.SubAttributes) > 0 }

func named(attributes []Attribute, name string) (Attribute, bool) {
	for _, a := range attributes {
		if a.Name == name {
			return a, true
		}
	}
	return Attribute{}, false
}

// part is a sub-attribute; a simple element is its own value.
func part(a Attribute, name string) (Attribute, bool) {
	if !complex1(a) && a.MultiValued && name == "value" {
		a.MultiValued = false
		return a, true
	}
	return named(a.SubAttributes, name)
}

func empty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return strings.TrimSpace(v) == ""
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	}
	return false
}

func listed(v any) []any {
	list, _ := copied(v).([]any)
	return list
}

// copied and same go by JSON, as an observer of the answers would.
func copied(v any) any {
	if v == nil {
		return nil
	}
	raw, _ := json.Marshal(v)
	var back any
	d := json.NewDecoder(strings.NewReader(string(raw)))
	d.UseNumber()
	_ = d.Decode(&back)
	return back
}

func same(a, b any) bool {
	x, _ := json.Marshal(a)
	y, _ := json.Marshal(b)
	return string(x) == string(y)
}

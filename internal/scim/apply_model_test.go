package scim

import (
	"encoding/json"
	"sort"
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
	if a.Mutability == Immutable && old != nil {
		if value == nil || !m.stays(a, old, value) {
			return fault(TypeMutability)
		}
		value = old
	}
	before, _ := old.(map[string]any)
	after, _ := value.(map[string]any)
	for _, sub := range a.SubAttributes {
		if v := before[sub.Name]; v != nil && sub.Mutability == Immutable {
			if !m.equal(sub, v, after[sub.Name]) {
				return fault(TypeMutability)
			}
			after[sub.Name] = v
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

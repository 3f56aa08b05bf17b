//go:build integration

package integration

import (
	"math/rand/v2"
	"slices"
)

// filterModel evaluates filters by RFC 7644 section 3.4.2.2 over the JSON that
// the gateway shows, with the types and case rules that its /Schemas announces.
// It shares nothing with the gateway: it does not even read filters, but makes
// each together with what the filter means.
type filterModel struct {
	*rand.Rand
	seed      uint64
	paths     []filterPath // of the type's simple attributes and sub-attributes
	lists     []filterPath // complex attributes, of one value or many
	wholes    []string     // URNs of extensions
	resources []object
}

// filterPath is a way to values: a schema's attribute or a part of it.
type filterPath struct {
	urn, attr, sub string
	attribute      object // as announced: of the part if there is one
	top            object
}

// filter is its text and its meaning.
type filter struct {
	text  string
	match func(resource any) bool
}

// notFiltered are attributes that are announced and cannot be filtered by: those
// that are never shown, and one that groups alone have of a schema that users
// share with them.
var notFiltered = []string{"password", "pin", "floor"}

// newFilterModel takes the vocabulary of a resource type from its schemas.
func newFilterModel(c *client, seed uint64, resources []object, core string, extensions ...string) *filterModel {
	m := &filterModel{seed: seed, Rand: rand.New(rand.NewPCG(seed, 1)), resources: resources}
	for _, urn := range append([]string{core}, extensions...) {
		list, _ := c.get("/Schemas/" + urn).want(200).body["attributes"].([]any)
		if urn == core {
			list = append(list, commonAttributes()...)
		} else {
			m.wholes = append(m.wholes, urn)
		}
		for _, a := range list {
			a, _ := a.(object)
			name, _ := a["name"].(string)
			if slices.Contains(notFiltered, name) {
				continue
			}
			p := filterPath{attr: name, attribute: a, top: a}
			if urn != core {
				p.urn = urn
			}
			m.add(p)
		}
	}
	return m
}

func (m *filterModel) add(p filterPath) {
	subs, _ := p.top["subAttributes"].([]any)
	if len(subs) == 0 {
		m.paths = append(m.paths, p)
		return
	}
	m.lists = append(m.lists, p)
	for _, sub := range subs {
		part := p
		part.attribute, _ = sub.(object)
		if part.sub, _ = part.attribute["name"].(string); slices.Contains(notFiltered, part.sub) {
			continue
		}
		m.paths = append(m.paths, part)
	}
}

// commonAttributes are those of RFC 7643 section 3.1, where schemas do not
// announce them. Ids compare without case.
func commonAttributes() []any {
	text := func(name, typ string, exact bool) object {
		return object{"name": name, "type": typ, "caseExact": exact}
	}
	stamp := func(name string) any { return object{"name": name, "type": "dateTime"} }
	schemas := text("schemas", "reference", true)
	schemas["multiValued"] = true
	return []any{text("id", "string", false), text("externalId", "string", true), schemas,
		object{"name": "meta", "type": "complex", "subAttributes": []any{stamp("created"), stamp("lastModified"),
			text("resourceType", "string", true), text("location", "reference", true), text("version", "string", true)}}}
}

// values are what a path leads to in a resource.
func (p filterPath) values(resource any) []any {
	from, _ := resource.(object)
	if p.urn != "" {
		from, _ = from[p.urn].(object)
	}
	return partsOf(listOf(from[p.attr]), p.sub)
}

func listOf(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		return v
	}
	return []any{v}
}

func partsOf(values []any, sub string) []any {
	if sub == "" {
		return values
	}
	var parts []any
	for _, v := range values {
		v, _ := v.(object)
		parts = append(parts, listOf(v[sub])...)
	}
	return parts
}

// draw makes a filter of some depth.
func (m *filterModel) draw(depth int, leaf func() filter) filter {
	if depth == 0 || m.IntN(3) == 0 {
		return leaf()
	}
	a := m.draw(depth-1, leaf)
	switch m.IntN(4) {
	case 0:
		return filter{m.word("not") + m.blanks(0) + "(" + m.blanks(0) + a.text + ")", func(r any) bool { return !a.match(r) }}
	case 1:
		return filter{"(" + a.text + m.blanks(0) + ")", a.match}
	case 2:
		b := m.draw(depth-1, leaf)
		return filter{bracketed(a) + m.blanks(1) + m.word("and") + m.blanks(1) + bracketed(b),
			func(r any) bool { return a.match(r) && b.match(r) }}
	}
	b := m.draw(depth-1, leaf)
	return filter{a.text + m.blanks(1) + m.word("or") + m.blanks(1) + b.text, func(r any) bool { return a.match(r) || b.match(r) }}
}

// bracketed is for an operand of and, which binds tighter than or.
func bracketed(f filter) string { return "(" + f.text + ")" }

// leaf is a comparison, a test for presence or a value path.
func (m *filterModel) leaf() filter {
	if len(m.lists) > 0 && m.IntN(3) == 0 {
		return m.overList(m.lists[m.IntN(len(m.lists))])
	}
	if len(m.wholes) > 0 && m.IntN(25) == 0 {
		urn := m.wholes[m.IntN(len(m.wholes))]
		return filter{m.word(urn) + " " + m.word("pr"), func(r any) bool { return r.(object)[urn] != nil }}
	}
	p := m.paths[m.IntN(len(m.paths))]
	if p.sub == "" && p.attribute["multiValued"] == true && m.IntN(2) == 0 {
		return m.overValues(p)
	}
	return m.test(m.name(p), p.attribute, func(r any) []any { return p.values(r) })
}

// overValues is about the values of a list that has no parts, but for what is
// called its value.
func (m *filterModel) overValues(p filterPath) filter {
	if m.IntN(2) == 0 {
		return m.test(m.name(p)+"."+m.word("value"), p.attribute, p.values)
	}
	within := m.test(m.word("value"), p.attribute, func(e any) []any { return []any{e} }, p.values)
	return filter{m.name(p) + "[" + within.text + "]", func(r any) bool { return slices.ContainsFunc(p.values(r), within.match) }}
}

// overList is about the elements of a list: whether one is as a whole so, or
// what some of them have.
func (m *filterModel) overList(p filterPath) filter {
	name := m.name(p)
	subs, _ := p.top["subAttributes"].([]any)
	subs = slices.DeleteFunc(slices.Clone(subs), func(sub any) bool {
		name, _ := sub.(object)["name"].(string)
		return slices.Contains(notFiltered, name)
	})
	inner := func() filter {
		part, _ := subs[m.IntN(len(subs))].(object)
		sub, _ := part["name"].(string)
		return m.test(m.word(sub), part, func(e any) []any { return partsOf([]any{e}, sub) }, p.values)
	}
	within := m.draw(m.IntN(3), inner)
	matching := func(r any) []any {
		var all []any
		for _, e := range p.values(r) {
			if within.match(e) {
				all = append(all, e)
			}
		}
		return all
	}
	valueOf, valued := partNamed(subs, "value")
	switch k := m.IntN(5); {
	case k == 0:
		return filter{name + " " + m.word("pr"), func(r any) bool { return len(p.values(r)) > 0 }}
	case k == 1 && valued: // the whole stands for its value (RFC 7643 section 2.4)
		return m.test(name, valueOf, func(r any) []any { return partsOf(p.values(r), "value") })
	case k == 2:
		part, _ := subs[m.IntN(len(subs))].(object)
		sub, _ := part["name"].(string)
		return m.test(name+"["+within.text+"]."+m.word(sub), part, func(r any) []any { return partsOf(matching(r), sub) })
	}
	return filter{name + "[" + within.text + "]", func(r any) bool { return len(matching(r)) > 0 }}
}

func partNamed(subs []any, name string) (object, bool) {
	for _, sub := range subs {
		if sub, _ := sub.(object); sub["name"] == name {
			return sub, true
		}
	}
	return nil, false
}

// test compares the values that an attribute has with one. samples says where
// else to look for values that are there.
func (m *filterModel) test(name string, a object, values func(any) []any, samples ...func(any) []any) filter {
	text := func(op, value string) string { return name + m.blanks(1) + m.word(op) + m.blanks(1) + value }
	switch m.IntN(12) {
	case 0, 1:
		return filter{name + m.blanks(1) + m.word("pr"), func(r any) bool { return len(values(r)) > 0 }}
	case 2:
		if m.IntN(2) == 0 {
			return filter{text("eq", "null"), func(r any) bool { return len(values(r)) == 0 }}
		}
		return filter{text("ne", "null"), func(r any) bool { return len(values(r)) > 0 }}
	}
	op := m.operator(a)
	wanted := m.value(a, values, samples)
	match := func(r any) bool {
		have := values(r)
		if len(have) == 0 {
			return op == "ne"
		}
		return slices.ContainsFunc(have, func(v any) bool { return holds(a, op, v, wanted) })
	}
	return filter{text(op, m.literal(a, wanted)), match}
}

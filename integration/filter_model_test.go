//go:build integration

package integration

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// filterModel evaluates filters by RFC 7644 section 3.4.2.2 over the JSON that
// the gateway shows, with the types and case rules that its /Schemas announces.
// It shares nothing with the gateway: it does not even read filters, but makes
// each together with what the filter means.
type filterModel struct {
	*rand.Rand
	paths     []filterPath // of the type's simple attributes and sub-attributes
	lists     []filterPath // multi-valued complex attributes
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

// notFiltered are attributes that are announced and cannot be filtered by.
var notFiltered = []string{"password", "groups", "schemas", "$ref"}

// newFilterModel takes the vocabulary of a resource type from its schemas.
func newFilterModel(c *client, seed uint64, resources []object, core string, extensions ...string) *filterModel {
	m := &filterModel{Rand: rand.New(rand.NewPCG(seed, 1)), resources: resources}
	for _, urn := range append([]string{core}, extensions...) {
		list, _ := c.get("/Schemas/" + urn).want(200).body["attributes"].([]any)
		if urn == core {
			list = append(list, commonAttributes()...)
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
	if p.top["multiValued"] == true {
		m.lists = append(m.lists, p)
	}
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
// announce them.
func commonAttributes() []any {
	text := func(name string) object { return object{"name": name, "type": "string", "caseExact": true} }
	stamp := func(name string) any { return object{"name": name, "type": "dateTime"} }
	return []any{text("id"), text("externalId"), object{"name": "meta", "type": "complex", "subAttributes": []any{
		stamp("created"), stamp("lastModified"), text("resourceType")}}}
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
	p := m.paths[m.IntN(len(m.paths))]
	return m.test(m.name(p), p.attribute, func(r any) []any { return p.values(r) })
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

// operator is one that makes sense for the attribute: ids of others are only
// equal or not.
func (m *filterModel) operator(a object) string {
	switch {
	case a["type"] == "boolean", m.isReference(a):
		return []string{"eq", "ne"}[m.IntN(2)]
	case a["type"] == "dateTime":
		return []string{"eq", "ne", "gt", "ge", "lt", "le"}[m.IntN(6)]
	}
	return []string{"eq", "eq", "eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"}[m.IntN(11)]
}

// isReference recognises manager.value and members.value: case-exact values
// that are ids.
func (m *filterModel) isReference(a object) bool {
	return a["name"] == "value" && a["caseExact"] == true
}

// holds compares one value by the attribute's type.
func holds(a object, op string, have any, wanted string) bool {
	switch a["type"] {
	case "boolean":
		return (fmt.Sprint(have) == strings.ToLower(wanted)) == (op == "eq")
	case "dateTime":
		x, _ := time.Parse(time.RFC3339, fmt.Sprint(have))
		y, err := time.Parse(time.RFC3339, wanted)
		return err == nil && ordered(op, x.Compare(y))
	}
	x, y := norm.NFC.String(fmt.Sprint(have)), norm.NFC.String(wanted)
	if a["caseExact"] != true {
		x, y = strings.Map(caseless, x), strings.Map(caseless, y)
	}
	switch op {
	case "co":
		return strings.Contains(x, y)
	case "sw":
		return strings.HasPrefix(x, y)
	case "ew":
		return strings.HasSuffix(x, y)
	}
	return ordered(op, cmp.Compare(x, y))
}

func ordered(op string, c int) bool {
	return map[string]bool{"eq": c == 0, "ne": c != 0, "gt": c > 0, "ge": c >= 0, "lt": c < 0, "le": c <= 0}[op]
}

// caseless maps letters that differ in nothing but case to one of them, as
// Unicode's simple case folding does: three sigmas are one. The Turkish i without
// a dot and the long s are letters of their own.
func caseless(r rune) rune {
	least := r
	for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
		least = min(least, next)
	}
	if r >= 0x80 && least < 0x80 || least == r && unicode.SimpleFold(r) == r {
		return r
	}
	return unicode.ToLower(least)
}

// value is mostly one that some resource has, as it is or bent a little.
func (m *filterModel) value(a object, values func(any) []any, samples []func(any) []any) string {
	var all []string
	for range 8 {
		r := any(m.resources[m.IntN(len(m.resources))])
		if len(samples) > 0 {
			elements := samples[0](r)
			if len(elements) == 0 {
				continue
			}
			r = elements[m.IntN(len(elements))]
		}
		for _, v := range values(r) {
			all = append(all, fmt.Sprint(v))
		}
	}
	switch {
	case a["type"] == "boolean":
		return []string{"true", "false", "True", "FALSE"}[m.IntN(4)]
	case a["type"] == "dateTime":
		return m.moment(all)
	case a["name"] == "id" || m.isReference(a):
		return append(all, nobody, "no uuid", "*")[m.IntN(len(all)+3)] // case is not bent: UUIDs have none
	}
	if len(all) == 0 || m.IntN(6) == 0 {
		return nastyValues[m.IntN(len(nastyValues))]
	}
	v := []rune(all[m.IntN(len(all))])
	from := m.IntN(len(v))
	switch m.IntN(6) {
	case 0:
		return strings.ToUpper(string(v))
	case 1:
		return strings.ToLower(string(v))
	case 2:
		return string(v[from:])
	case 3:
		return string(v[:from+1])
	case 4:
		return string(v[from : from+1+m.IntN(len(v)-from)])
	}
	return string(v)
}

// moment is a time near one of those that there are, in some form.
func (m *filterModel) moment(all []string) string {
	at := time.Now()
	if len(all) > 0 {
		at, _ = time.Parse(time.RFC3339, all[m.IntN(len(all))])
	}
	at = at.Add([]time.Duration{0, 0, time.Second, -time.Second, 500 * time.Millisecond, time.Hour}[m.IntN(6)])
	if m.IntN(2) == 0 {
		at = at.In(time.FixedZone("", 2*60*60))
	}
	return at.Format(time.RFC3339Nano)
}

// literal writes a value: quoted, or bare where that is understood.
func (m *filterModel) literal(a object, v string) string {
	bare := v != "" && v != "null" && strings.Trim(v, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.@-_:+") == ""
	if bare && m.IntN(4) == 0 && json.Valid([]byte(`"`+v+`"`)) && (a["type"] == "boolean" || !json.Valid([]byte(v))) {
		return v
	}
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(raw)
}

// name writes a path in some case, perhaps with its schema's URN.
func (m *filterModel) name(p filterPath) string {
	text := m.word(p.attr)
	if p.sub != "" {
		text += "." + m.word(p.sub)
	}
	if p.urn != "" && m.IntN(4) > 0 {
		text = m.word(p.urn) + ":" + text
	}
	return text
}

func (m *filterModel) word(s string) string {
	switch m.IntN(6) {
	case 0:
		return strings.ToUpper(s)
	case 1:
		return strings.ToLower(s)
	}
	return s
}

func (m *filterModel) blanks(least int) string {
	if m.IntN(8) == 0 {
		least += m.IntN(3)
	}
	return strings.Repeat(" ", least)
}

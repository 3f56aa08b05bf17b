package scim

import (
	"encoding/json"
	"fmt"

	"pgregory.net/rapid"
)

const toolURN = "urn:example:2.0:Tool"

// drawDefinition draws a resource type with an attribute of every kind, of
// which a few are read-only, immutable or required.
func drawDefinition(t *rapid.T) Definition {
	mutability := rapid.SampledFrom([]Mutability{ReadWrite, ReadWrite, ReadWrite, Immutable, ReadOnly})
	writable := rapid.SampledFrom([]Mutability{ReadWrite, ReadWrite, Immutable})
	exact := rapid.Bool()
	rarely := func(label string) bool { return rapid.IntRange(0, 5).Draw(t, label) == 0 }
	part := func(name string, typ Type) Attribute {
		return Attribute{Name: name, Type: typ, Mutability: mutability.Draw(t, name), Required: rarely("required " + name)}
	}
	plain := func(name string, typ Type) Attribute { return Attribute{Name: name, Type: typ, Mutability: ReadWrite} }
	some := func(name string) []Attribute {
		return []Attribute{part(name, String), {Name: name + "Flag", Type: Boolean, Mutability: mutability.Draw(t, name+"Flag")},
			{Name: name + "Count", Type: Integer, Mutability: ReadWrite},
			{Name: name + "Ratio", Type: Decimal, Mutability: writable.Draw(t, name+"Ratio")},
			{Name: name + "When", Type: DateTime, Mutability: writable.Draw(t, name+"When")},
			{Name: name + "Complex", Type: Complex, Mutability: writable.Draw(t, name+"Complex"), Required: rarely("required complex"),
				SubAttributes: []Attribute{part("x", String), part("y", String)}},
			{Name: name + "Boss", Type: Complex, Mutability: ReadWrite, SubAttributes: []Attribute{
				plain("value", String), {Name: "ref", Mutability: ReadWrite}, {Name: "display", Mutability: ReadOnly}}},
			{Name: name + "Tags", MultiValued: true, Mutability: writable.Draw(t, name+"Tags"), Required: rarely("required tags")},
			{Name: name + "Mails", Type: Complex, MultiValued: true, Mutability: writable.Draw(t, name+"Mails"), Required: rarely("required mails"),
				SubAttributes: []Attribute{{Name: "value", Mutability: ReadWrite, CaseExact: exact.Draw(t, "exact")}, part("type", String), part("display", String),
					plain("primary", Boolean)}},
			{Name: name + "Peers", Type: Complex, MultiValued: true, Mutability: ReadWrite,
				SubAttributes: []Attribute{plain("value", String), {Name: "$ref", Mutability: ReadOnly}}},
			{Name: name + "Homes", Type: Complex, MultiValued: true, Mutability: ReadWrite,
				SubAttributes: []Attribute{plain("country", String), part("type", String), plain("primary", Boolean)}},
			{Name: name + "Crew", Type: Complex, MultiValued: true, Mutability: ReadWrite,
				SubAttributes: []Attribute{{Name: "value", Mutability: Immutable, CaseExact: exact.Draw(t, "exact")}, {Name: "type", Mutability: Immutable},
					plain("display", String)}},
		}
	}
	return Definition{Name: "Thing", Core: Schema{ID: "urn:example:2.0:Thing", Attributes: some("a")},
		Extensions: []Schema{{ID: toolURN, Attributes: some("b")}}}
}

// Few words, so that operations meet what is there.
var (
	drawWord  = rapid.SampledFrom([]string{"p", "P", "q", "work"})
	drawBlank = rapid.SampledFrom([]any{nil, "", " ", []any{}, map[string]any{}})
)

// drawShape draws a value of the attribute in its proper shape.
func drawShape(t *rapid.T, a Attribute) any {
	if a.MultiValued {
		a.MultiValued = false
		return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) any { return drawShape(t, a) }), 1, 3).Draw(t, "list")
	}
	switch a.Type {
	case Boolean:
		return rapid.Bool().Draw(t, "flag")
	case Integer:
		return json.Number(fmt.Sprint(rapid.IntRange(0, 2).Draw(t, "count")))
	case Decimal:
		return json.Number(rapid.SampledFrom([]string{"1", "1.0", "1e0", "2.5"}).Draw(t, "ratio"))
	case DateTime:
		return rapid.SampledFrom([]string{"2026-05-06T07:08:09Z", "2026-05-06T09:08:09+02:00", "2026-05-06T07:08:10Z"}).Draw(t, "when")
	case Complex:
		object := map[string]any{}
		for _, sub := range a.SubAttributes {
			if rapid.Bool().Draw(t, "with "+sub.Name) {
				object[sub.Name] = drawShape(t, sub)
			}
		}
		return object
	}
	return drawWord.Draw(t, "word")
}

// drawResource draws a resource that this package could have made.
func drawResource(t *rapid.T, def Definition) Resource {
	r := Resource{}
	for _, urn := range []string{"", toolURN} {
		into, attributes := map[string]any{}, def.Core.Attributes
		if urn != "" {
			attributes = def.Extensions[0].Attributes
		}
		for _, a := range attributes {
			writable := a
			writable.Mutability = ReadWrite // the server may fill what a client may not
			writable.SubAttributes = nil
			for _, sub := range a.SubAttributes {
				if sub.Mutability == ReadOnly {
					sub.Mutability = ReadWrite
				}
				writable.SubAttributes = append(writable.SubAttributes, sub)
			}
			if !rapid.Bool().Draw(t, "has "+a.Name) {
				continue
			}
			m := model{Definition{}, asDocumented}
			v, err := m.understood(writable, drawShape(t, writable))
			if list, ok := v.([]any); ok && err == nil {
				if v, err = m.inList(writable, request{op: "replace"}, nil, list); err == nil {
					v = m.uniq(writable, v.([]any))
				}
			}
			if err == nil && v != nil {
				into[a.Name] = v
			}
		}
		if urn == "" {
			for k, v := range into {
				r[k] = v
			}
		} else if len(into) > 0 {
			r[urn] = into
		}
	}
	return Resource(copied(map[string]any(r)).(map[string]any))
}

// drawValue draws what a client may send for an attribute: mostly sense, often
// in one of the forms that clients have, now and then nonsense.
func drawValue(t *rapid.T, a Attribute) any {
	v := drawShape(t, a)
	switch rapid.IntRange(0, 11).Draw(t, "form") {
	case 0:
		return drawBlank.Draw(t, "blank")
	case 1:
		return []any{v}
	case 2:
		if b, ok := v.(bool); ok {
			return map[bool]string{true: "True", false: "FALSE"}[b]
		}
		return drawWord.Draw(t, "text")
	case 3:
		return rapid.SampledFrom([]any{json.Number("7"), true, "maybe", []any{"p", "q"}, map[string]any{"nonsense": "p"},
			map[string]any{"value": ""}, []any{nil}, []any{map[string]any{"value": ""}}}).Draw(t, "odd")
	case 4:
		if object, ok := v.(map[string]any); ok {
			for name := range a.SubAttributes {
				object[a.SubAttributes[name].Name] = drawBlank.Draw(t, "blank part")
				break
			}
		}
	}
	return v
}

func drawRequest(t *rapid.T, def Definition) request {
	q := request{op: rapid.SampledFrom([]string{"add", "add", "replace", "replace", "remove", "remove", "move"}).Draw(t, "op"), hasValue: true}
	if q.op == "move" && rapid.IntRange(0, 9).Draw(t, "rarely") > 0 {
		q.op = "replace"
	}
	urn := rapid.SampledFrom([]string{"", "", def.Core.ID, toolURN}).Draw(t, "urn")
	attributes := def.Core.Attributes
	if urn == toolURN {
		attributes = def.Extensions[0].Attributes
	}
	a := rapid.SampledFrom(attributes).Draw(t, "attribute")
	switch rapid.IntRange(0, 14).Draw(t, "kind of path") {
	case 0, 1, 2:
		q.value = drawObject(t, def)
		return q
	case 3:
		q.path = &place{urn: rapid.SampledFrom([]string{def.Core.ID, toolURN, "urn:unknown:2.0:Thing"}).Draw(t, "schema")}
		q.value = rapid.SampledFrom([]any{nil, "p", map[string]any{"bCount": json.Number("1")}, map[string]any{"b": "q", "bTags": nil}}).Draw(t, "value")
	case 4:
		q.path = rapid.SampledFrom([]*place{{attr: "nothing"}, {urn: "urn:unknown:2.0:Thing", attr: "x"}, {attr: "aTags", sub: "type"},
			{attr: "aMails", tests: []probe{{"nothing", "eq", "p"}}}, {attr: "aBoss", tests: []probe{{"value", "eq", "p"}}},
			{urn: toolURN, attr: "a"}}).Draw(t, "wrong path")
		q.value = "p"
	default:
		q.path = &place{urn: urn, attr: a.Name}
		drawPlace(t, a, &q)
	}
	q.hasValue = q.op != "remove" && rapid.IntRange(0, 19).Draw(t, "valued") > 0 ||
		q.op == "remove" && rapid.IntRange(0, 3).Draw(t, "valued") == 0
	if !q.hasValue {
		q.value = nil
	}
	return q
}

// drawPlace draws where in an attribute a path goes, and a value for there.
func drawPlace(t *rapid.T, a Attribute, q *request) {
	subs := a.SubAttributes
	if len(subs) == 0 {
		value := a
		value.Name, value.MultiValued = "value", false
		subs = []Attribute{value}
	}
	leaf := a
	if a.MultiValued && rapid.Bool().Draw(t, "filtered") {
		for range rapid.IntRange(1, 2).Draw(t, "tests") {
			sub := rapid.SampledFrom(subs).Draw(t, "tested")
			test := probe{sub: sub.Name, op: rapid.SampledFrom([]string{"eq", "eq", "eq", "ne", "co", "pr"}).Draw(t, "test"), value: drawShape(t, sub)}
			if sub.Type == Boolean && test.op == "co" {
				test.op = "eq"
			}
			q.path.tests = append(q.path.tests, test)
		}
		q.path.or = rapid.Bool().Draw(t, "or")
		leaf.MultiValued = false
	}
	if (a.MultiValued || len(a.SubAttributes) > 0) && rapid.Bool().Draw(t, "sub") {
		leaf = rapid.SampledFrom(subs).Draw(t, "sub-attribute")
		q.path.sub = leaf.Name
	}
	q.value = drawValue(t, leaf)
}

// drawObject draws the value of a path-less operation.
func drawObject(t *rapid.T, def Definition) any {
	object := map[string]any{}
	for range rapid.IntRange(0, 3).Draw(t, "keys") {
		a := rapid.SampledFrom(def.Core.Attributes).Draw(t, "key")
		switch rapid.IntRange(0, 5).Draw(t, "kind of key") {
		case 0:
			object["nothing"] = "p"
		case 1:
			if len(a.SubAttributes) > 0 {
				sub := rapid.SampledFrom(a.SubAttributes).Draw(t, "sub key")
				object[a.Name+"."+sub.Name] = drawValue(t, sub)
			}
		case 2:
			b := rapid.SampledFrom(def.Extensions[0].Attributes).Draw(t, "extension key")
			object[toolURN] = rapid.SampledFrom([]any{nil, "p", map[string]any{}, map[string]any{b.Name: drawValue(t, b)}}).Draw(t, "extension")
		default:
			object[a.Name] = drawValue(t, a)
		}
	}
	return rapid.SampledFrom([]any{object, object, object, []any{object}, nil, "p"}).Draw(t, "value")
}

package scim

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

const toolURN = "urn:example:2.0:Tool"

// drawDefinition draws a resource type with an attribute of every kind, of
// which a few are read-only, immutable or required.
func drawDefinition(t *rapid.T) Definition {
	mutability := rapid.SampledFrom([]Mutability{ReadWrite, ReadWrite, ReadWrite, Immutable, ReadOnly})
	writable := rapid.SampledFrom([]Mutability{ReadWrite, ReadWrite, Immutable})
	rarely := func(label string) bool { return rapid.IntRange(0, 5).Draw(t, label) == 0 }
	part := func(name string, typ Type) Attribute {
		return Attribute{Name: name, Type: typ, Mutability: mutability.Draw(t, name), Required: rarely("required " + name)}
	}
	plain := func(name string, typ Type) Attribute { return Attribute{Name: name, Type: typ, Mutability: ReadWrite} }
	some := func(name string) []Attribute {
		return []Attribute{part(name, String), {Name: name + "Flag", Type: Boolean, Mutability: mutability.Draw(t, name+"Flag")},
			{Name: name + "Count", Type: Integer, Mutability: ReadWrite},
			{Name: name + "Complex", Type: Complex, Mutability: writable.Draw(t, name+"Complex"), Required: rarely("required complex"),
				SubAttributes: []Attribute{part("x", String), part("y", String)}},
			{Name: name + "Boss", Type: Complex, Mutability: ReadWrite, SubAttributes: []Attribute{
				plain("value", String), {Name: "ref", Mutability: ReadWrite}, {Name: "display", Mutability: ReadOnly}}},
			{Name: name + "Tags", MultiValued: true, Mutability: writable.Draw(t, name+"Tags"), Required: rarely("required tags")},
			{Name: name + "Mails", Type: Complex, MultiValued: true, Mutability: writable.Draw(t, name+"Mails"), Required: rarely("required mails"),
				SubAttributes: []Attribute{{Name: "value", Mutability: ReadWrite, CaseExact: true}, part("type", String), part("display", String),
					plain("primary", Boolean)}},
			{Name: name + "Homes", Type: Complex, MultiValued: true, Mutability: ReadWrite,
				SubAttributes: []Attribute{plain("country", String), part("type", String), plain("primary", Boolean)}},
			{Name: name + "Crew", Type: Complex, MultiValued: true, Mutability: ReadWrite,
				SubAttributes: []Attribute{{Name: "value", Mutability: Immutable, CaseExact: true}, {Name: "type", Mutability: Immutable},
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
					v = uniq(v.([]any))
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

// body is the operations as a client sends them.
func bodyOf(requests []request) []byte {
	list := make([]any, len(requests))
	for i, q := range requests {
		o := map[string]any{"op": q.op}
		if q.path != nil {
			o["path"] = q.path.text()
		}
		if q.hasValue {
			o["value"] = q.value
		}
		list[i] = o
	}
	raw, err := json.Marshal(map[string]any{"Operations": list})
	if err != nil {
		panic(err)
	}
	return raw
}

// applied is what the code under test makes of a body.
func applied(def Definition, r Resource, body []byte) (Resource, error) {
	p, err := DecodePatch(body)
	if err != nil {
		return nil, err
	}
	return Apply(def, r, p)
}

// A patch does what RFC 7644 section 3.5.2 says, with the departures that are
// documented, and fails with the type that it says. Each success is where the
// next patch begins.
func TestApplyEqualsTheModel(t *testing.T) {
	outcomes := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		def := drawDefinition(t)
		r := drawResource(t, def)
		for range rapid.IntRange(1, 40).Draw(t, "patches") {
			requests := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) request { return drawRequest(t, def) }), 1, 3).Draw(t, "operations")
			for _, q := range requests {
				if q.op == "move" { // is found before anything is done
					requests = []request{q}
				}
			}
			got, scimType := compareWithModel(t, def, r, requests)
			if outcomes[scimType]++; got != nil {
				r = got
			}
		}
	})
	for _, scimType := range []string{"", TypeNoTarget, TypeInvalidPath, TypeMutability, TypeInvalidValue, TypeInvalidSyntax} {
		if outcomes[scimType] == 0 {
			t.Errorf("no patch came to %q: %v", scimType, outcomes)
		}
	}
}

// compareWithModel returns the resource after the patch, or nil and why not.
func compareWithModel(t *rapid.T, def Definition, r Resource, requests []request) (Resource, string) {
	body := bodyOf(requests)
	before := copied(map[string]any(r))
	got, err := applied(def, r, body)
	if diff := cmp.Diff(before, any(map[string]any(r))); diff != "" {
		t.Fatalf("the input changed: %s", diff)
	}
	want, fail := model{def, asDocumented}.patched(r, requests)
	gotType, wantType := "", ""
	if err != nil {
		var e *Error
		if !errors.As(err, &e) || e.Status != 400 || e.Detail == "" {
			t.Fatalf("%s: %v", body, err)
		}
		gotType = e.Type
	}
	if fail != nil {
		wantType = fail.Error()
	}
	if gotType != wantType {
		t.Fatalf("%s\non %v\ngot %v, want %q %v", body, before, err, wantType, want)
	}
	if err != nil {
		return nil, gotType
	}
	if diff := cmp.Diff(any(want), copied(map[string]any(got))); diff != "" {
		t.Fatalf("%s\non %v\n-want +got: %s", body, before, diff)
	}
	return got, ""
}

// Operations in two patches do what they do in one, and what is done twice is
// done once: a patch that changes nothing leaves an equal resource.
func TestPatchesFollowOneAnother(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		def := drawDefinition(t)
		r := drawResource(t, def)
		draw := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) request { return drawRequest(t, def) }), 1, 2)
		first, second := draw.Draw(t, "first"), draw.Draw(t, "second")
		one, err := applied(def, r, bodyOf(first))
		if err != nil {
			return
		}
		two, err := applied(def, one, bodyOf(second))
		if err != nil {
			return
		}
		both, err := applied(def, r, bodyOf(append(append([]request{}, first...), second...)))
		if err != nil {
			t.Fatalf("%s and %s: together %v", bodyOf(first), bodyOf(second), err)
		}
		if diff := cmp.Diff(two, both); diff != "" {
			t.Fatalf("%s and %s: %s", bodyOf(first), bodyOf(second), diff)
		}
		for urn, attributes := range map[string][]Attribute{"": def.Core.Attributes, toolURN: def.Extensions[0].Attributes} {
			for _, a := range attributes {
				v := r.attributes(urn)[a.Name]
				if v == nil || a.Mutability == ReadOnly || hasReadOnlyPart(a) {
					continue // a client need not send what is the server's
				}
				for _, op := range []string{"add", "replace"} {
					same := []request{{op: op, path: &place{urn: urn, attr: a.Name}, hasValue: true, value: v}}
					got, err := applied(def, r, bodyOf(same))
					if err != nil {
						t.Fatalf("%s: %v", bodyOf(same), err)
					}
					if diff := cmp.Diff(r, got); diff != "" {
						t.Fatalf("%s: %s", bodyOf(same), diff)
					}
				}
			}
		}
	})
}

func hasReadOnlyPart(a Attribute) bool {
	for _, sub := range a.SubAttributes {
		if sub.Mutability == ReadOnly {
			return true
		}
	}
	return false
}

// What a patch does to members is the same taken apart and whole.
func TestSplitMembersEqualsApply(t *testing.T) {
	ids := rapid.SampledFrom([]string{"a", "b", "c", "d", "A"})
	element := rapid.Custom(func(t *rapid.T) any {
		id := ids.Draw(t, "id")
		return rapid.SampledFrom([]any{id, map[string]any{"value": id}, map[string]any{"value": id, "display": "D", "$ref": nil},
			map[string]any{"value": ""}, json.Number("7")}).Draw(t, "member")
	})
	operation := rapid.Custom(func(t *rapid.T) map[string]any {
		list := rapid.SliceOfN(element, 0, 3).Draw(t, "members")
		id := ids.Draw(t, "id")
		return rapid.SampledFrom([]map[string]any{
			{"op": "add", "path": "members", "value": list},
			{"op": "remove", "path": "members", "value": list},
			{"op": "add", "path": "members", "value": map[string]any{"value": id}},
			{"op": "remove", "path": `members[value eq "` + id + `"]`},
			{"op": "remove", "path": `members[value eq "` + id + `" or value eq "b"]`},
			{"op": "add", "value": map[string]any{"members": list, "displayName": "n"}},
			{"op": "replace", "path": "displayName", "value": "m"},
			{"op": "replace", "path": "members", "value": list},
			{"op": "remove", "path": "members"},
		}).Draw(t, "operation")
	})
	rapid.Check(t, func(rt *rapid.T) {
		raw, err := json.Marshal(map[string]any{"Operations": rapid.SliceOfN(operation, 1, 5).Draw(rt, "operations")})
		if err != nil {
			rt.Fatal(err)
		}
		p, err := DecodePatch(raw)
		if err != nil {
			rt.Fatal(err)
		}
		checkSplit(t, p)
		if t.Failed() {
			rt.Fatalf("%s", raw)
		}
	})
}

// Each documented departure makes a difference: the RFC alone would have it
// otherwise, so the model does not excuse what nobody decided.
func TestDeparturesAreReal(t *testing.T) {
	def := Definition{Name: "Thing", Core: Schema{ID: "urn:example:2.0:Thing", Attributes: []Attribute{
		{Name: "title", Mutability: ReadWrite}, {Name: "flag", Type: Boolean, Mutability: ReadWrite},
		{Name: "mails", Type: Complex, MultiValued: true, Mutability: ReadWrite, SubAttributes: []Attribute{
			{Name: "value", Mutability: ReadWrite}, {Name: "type", Mutability: ReadWrite}}},
		{Name: "crew", Type: Complex, MultiValued: true, Mutability: ReadWrite, SubAttributes: []Attribute{
			{Name: "value", Mutability: Immutable}, {Name: "type", Mutability: ReadWrite}}},
	}}}
	work := []probe{{"type", "eq", "work"}}
	for name, test := range map[string]struct {
		without func(*departures)
		q       request
	}{
		"value paths create": {func(d *departures) { d.valuePathsCreate = false },
			request{"replace", &place{attr: "mails", tests: []probe{{"type", "eq", "home"}}, sub: "value"}, true, "h"}},
		"remove names values": {func(d *departures) { d.removeNamesValues = false },
			request{"remove", &place{attr: "crew"}, true, []any{map[string]any{"value": "a"}}}},
		"strangers may leave": {func(d *departures) { d.strangersMayLeave = false },
			request{"remove", &place{attr: "crew", tests: []probe{{"value", "eq", "z"}}}, false, nil}},
		"an empty replace clears":    {func(d *departures) { d.emptyReplaceClears = false }, request{"replace", &place{attr: "title"}, true, ""}},
		"forms are forgiven":         {func(d *departures) { d.formsAreForgiven = false }, request{"replace", &place{attr: "flag"}, true, "True"}},
		"foreign paths are ignored":  {func(d *departures) { d.foreignPathsIgnore = false }, request{"replace", &place{urn: "urn:x:y", attr: "z"}, true, "v"}},
		"a value path is no member":  {func(d *departures) { d.membersAreKeyed = false }, request{"add", &place{attr: "crew", tests: []probe{{"value", "eq", "z"}}, sub: "type"}, true, "User"}},
		"a path that RFC and we see": {func(*departures) {}, request{"replace", &place{attr: "mails", tests: work, sub: "value"}, true, "n"}},
	} {
		r := Resource{"title": "t", "flag": true, "mails": []any{map[string]any{"value": "w", "type": "work"}},
			"crew": []any{map[string]any{"value": "a"}, map[string]any{"value": "b"}}}
		strict := asDocumented
		test.without(&strict)
		ours, err := applied(def, r, bodyOf([]request{test.q}))
		theirs, fail := model{def, strict}.patched(r, []request{test.q})
		differs := (err == nil) != (fail == nil) || err == nil && cmp.Diff(any(theirs), copied(map[string]any(ours))) != ""
		if differs != (strict != asDocumented) {
			t.Errorf("%s: differs %v: ours %v %v, the RFC's %v %v", name, differs, ours, err, theirs, fail)
		}
	}
}

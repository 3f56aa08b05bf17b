package scim

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

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

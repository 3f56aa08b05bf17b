package scim

import (
	"bytes"
	"errors"
	"testing"
)

// lockers is a type with an attribute of every mutability.
func lockers() Definition {
	number := Attribute{Name: "number", Mutability: Immutable}
	return Definition{Name: "Locker", Endpoint: "Lockers", Core: Schema{ID: "urn:example:Locker", Name: "Locker", Attributes: withDefaults([]Attribute{
		{Name: "label"},
		{Name: "serial", Mutability: Immutable},
		{Name: "tags", MultiValued: true, Mutability: Immutable},
		{Name: "seen", Type: DateTime, Mutability: ReadOnly},
		{Name: "badge", SubAttributes: []Attribute{number, {Name: "colour", CanonicalValues: []string{"Red", "Green"}, Restricted: true}, {Name: "by", Mutability: ReadOnly}}},
		{Name: "owner", SubAttributes: []Attribute{{Name: "value", CaseExact: true}, {Name: "$ref", Mutability: ReadOnly}}, Mutability: Immutable},
	})}}
}

const locker = `{"label":"a","serial":"S1","tags":["x","y"],"badge":{"number":"7","colour":"Red"},"owner":{"value":"1"}}`

func lockerNow(t *testing.T) Resource {
	t.Helper()
	now, err := Decode([]byte(locker), lockers())
	if err != nil {
		t.Fatal(err)
	}
	now["seen"] = "2026-01-01T00:00:00Z"
	now["owner"].(map[string]any)["$ref"] = "../x"
	now["badge"].(map[string]any)["by"] = "Ann"
	return now
}

// A PUT keeps what the client may not change, whether it sends it or not, and
// says so where it sends something else.
func TestReplaceKeepsWhatIsFixed(t *testing.T) {
	def := lockers()
	for _, tc := range []struct{ body, fault string }{
		{`{}`, ""},
		{`{"serial":"s1","tags":["Y","x"],"owner":{"value":"1"},"badge":{"number":"7"}}`, ""},
		{`{"seen":"2000-01-01T00:00:00Z","badge":{"by":"Eve"},"owner":"1"}`, ""},
		{`{"serial":"S2"}`, "serial"},
		{`{"tags":["x"]}`, "tags"},
		{`{"tags":["x","y","z"]}`, "tags"},
		{`{"badge":{"number":"8"}}`, "badge.number"},
		{`{"owner":{"value":"2"}}`, "owner"},
	} {
		to, err := Decode([]byte(tc.body), def)
		if err != nil {
			t.Fatal(err)
		}
		sent := to.Clone()
		made, err := Replace(def, lockerNow(t), to)
		wantEqual(t, to, sent) // it is tried again after a lost race
		if tc.fault != "" {
			wantMutability(t, err, tc.fault)
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", tc.body, err)
			continue
		}
		badge, _ := made["badge"].(map[string]any)
		if made["serial"] != "S1" {
			t.Errorf("%s: serial is %v", tc.body, made["serial"])
		}
		if made["seen"] != "2026-01-01T00:00:00Z" || badge["number"] != "7" || badge["by"] != "Ann" || len(elements(made["tags"])) != 2 || made["owner"] == nil || made["serial"] == nil {
			t.Errorf("%s: %v", tc.body, made)
		}
		if made["label"] != nil || badge["colour"] != nil {
			t.Errorf("%s: what was left out is there: %v", tc.body, made)
		}
	}
	made, err := Replace(def, Resource{}, lockerNow(t))
	if err != nil || made["serial"] != "S1" {
		t.Errorf("what was not set yet cannot be set: %v, %v", made, err)
	}
}

// A client that sends back what it got must not remove what it was not shown.
func TestReplaceKeepsWhatIsShownOnRequestOnly(t *testing.T) {
	def := lockers()
	def.Core.Attributes = append(def.Core.Attributes, Attribute{Name: "photo", Type: Binary, Returned: ReturnedRequest}.WithDefaults())
	now := Resource{"photo": "AAEC", "label": "old"}
	for body, want := range map[string]any{`{"label":"new"}`: "AAEC", `{"label":"new","photo":"AQID"}`: "AQID"} {
		to, err := Decode([]byte(body), def)
		if err != nil {
			t.Fatal(err)
		}
		made, err := Replace(def, now, to)
		if err != nil || made["photo"] != want || made["label"] != "new" {
			t.Errorf("%s: %v, %v", body, made, err)
		}
	}
	if made, err := Replace(def, now, Resource{}); err != nil || made["label"] != nil || made["photo"] != "AAEC" {
		t.Errorf("%v, %v", made, err)
	}
}

func wantMutability(t *testing.T, err error, word string) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) || e.Status != 400 || e.Type != TypeMutability || !bytes.Contains([]byte(e.Detail), []byte(word)) {
		t.Errorf("got %v, want a 400 mutability about %s", err, word)
	}
}

// A PATCH can set what is immutable once, and say it again.
func TestPatchKeepsWhatIsImmutable(t *testing.T) {
	def := lockers()
	for _, tc := range []struct {
		operation string
		fixed     bool
	}{
		{`{"op":"add","path":"serial","value":"S1"}`, false},
		{`{"op":"replace","path":"serial","value":"s1"}`, false}, // the same, and not written
		{`{"op":"add","path":"tags","value":["x"]}`, false},
		{`{"op":"replace","path":"tags","value":["Y","x"]}`, false},
		{`{"op":"replace","path":"badge","value":{"number":"7","colour":"green"}}`, false},
		{`{"op":"replace","path":"serial","value":"S2"},{"op":"replace","path":"serial","value":"S1"}`, true},
		{`{"op":"replace","path":"badge.colour","value":"green"}`, false},
		{`{"op":"replace","value":{"label":"b","owner":{"value":"1"}}}`, false},
		{`{"op":"replace","path":"serial","value":"S2"}`, true},
		{`{"op":"remove","path":"serial"}`, true},
		{`{"op":"add","path":"tags","value":["z"]}`, true},
		{`{"op":"remove","path":"tags[value eq \"x\"]"}`, true},
		{`{"op":"remove","path":"badge"}`, true},
		{`{"op":"replace","path":"badge.number","value":"8"}`, true},
		{`{"op":"replace","path":"owner","value":"2"}`, true},
		{`{"op":"remove","path":"owner"}`, true},
	} {
		p, err := DecodePatch([]byte(`{"schemas":["` + PatchOpURN + `"],"Operations":[` + tc.operation + `]}`))
		if err != nil {
			t.Fatal(err)
		}
		now := lockerNow(t)
		got, err := Apply(def, now, p)
		if err == nil { // and the spelling is that of before
			wantEqual(t, got["serial"], now["serial"])
			wantEqual(t, got["tags"], now["tags"])
			wantEqual(t, got["owner"], now["owner"])
		}
		if tc.fixed {
			wantMutability(t, err, "")
		} else if err != nil {
			t.Errorf("%s: %v", tc.operation, err)
		}
		if tc.fixed && err == nil {
			t.Error(tc.operation)
		}
	}
}

func TestCanonicalValuesAreTheOnlyOnes(t *testing.T) {
	got, err := Decode([]byte(`{"badge":{"colour":"RED"}}`), lockers())
	if err != nil || got["badge"].(map[string]any)["colour"] != "Red" {
		t.Errorf("%v, %v", got, err)
	}
	_, err = Decode([]byte(`{"badge":{"colour":"blue"}}`), lockers())
	var e *Error
	if !errors.As(err, &e) || e.Type != TypeInvalidValue || e.Detail != `badge.colour: "blue" is none of its values, expected Red, Green` {
		t.Errorf("%v", err)
	}
	// Those of the standard are suggestions.
	if _, err := Decode([]byte(`{"emails":[{"type":"private","value":"a@x"}]}`), UserDefinition()); err != nil {
		t.Error(err)
	}
}

package scim

import (
	"encoding/json"
	"testing"
)

// One rule says which values are the same, wherever values are compared.
func TestAlike(t *testing.T) {
	exact := Attribute{Name: "code", CaseExact: true}
	person := Attribute{Name: "owner", SubAttributes: []Attribute{{Name: "value"}, {Name: "$ref"}, {Name: "display", Mutability: ReadOnly}, {Name: "role"}}}
	number := func(s string) any { return json.Number(s) }
	for _, tc := range []struct {
		a    Attribute
		x, y any
		want bool
	}{
		{Attribute{}, "Ä", "a\u0308", true},
		{Attribute{}, "ß", "ss", false},
		{exact, "A", "a", false},
		{exact, "\u00e4", "a\u0308", true},
		{Attribute{Type: Integer}, number("7"), number("7"), true},
		{Attribute{Type: Decimal}, number("1"), number("1.0"), true},
		{Attribute{Type: Decimal}, number("100"), number("1e2"), true},
		{Attribute{Type: Decimal}, number("0"), number("-0.0"), true},
		{Attribute{Type: Decimal}, number("1"), number("1.5"), false},
		{Attribute{Type: Integer}, number("9007199254740993"), number("9007199254740992"), false},
		{Attribute{Type: DateTime}, "2026-05-06T07:08:09Z", "2026-05-06T09:08:09.000+02:00", true},
		{Attribute{Type: DateTime}, "2026-05-06T07:08:09Z", "2026-05-06T07:08:09.5Z", false},
		{Attribute{Type: Binary}, "-_8", "+/8=", true},
		{Attribute{Type: Binary}, "YWJj", "ywjj", false},
		{Attribute{Type: Boolean}, true, true, true},
		{Attribute{Type: Boolean}, true, false, false},
		{Attribute{MultiValued: true}, []any{"A", "b"}, []any{"B", "a"}, true},
		{Attribute{MultiValued: true}, []any{"a", "a"}, []any{"a", "b"}, false},
		{Attribute{MultiValued: true}, []any{"a,b"}, []any{"a", "b"}, false},
		{person, map[string]any{"value": "1F", "$ref": "../1f", "display": "Ann"}, map[string]any{"value": "1f"}, true},
		{person, map[string]any{"value": "1f", "role": "x"}, map[string]any{"value": "1f"}, false},
		{person, map[string]any{"value": "1f"}, nil, false},
		{person, nil, nil, true},
	} {
		if got := alike(tc.a, tc.x, tc.y); got != tc.want {
			t.Errorf("%s %v and %v: %t", tc.a.Type, tc.x, tc.y, got)
		}
		if got := alike(tc.a, tc.y, tc.x); got != tc.want {
			t.Errorf("%s %v and %v: %t", tc.a.Type, tc.y, tc.x, got)
		}
	}
}

package scim

import (
	"cmp"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// sortable is a definition with an attribute of every type.
func sortable() Definition {
	def := UserDefinition()
	def.Extensions = append(def.Extensions, Schema{ID: "urn:x:Extra", Attributes: withDefaults([]Attribute{
		{Name: "level", Type: Integer}, {Name: "share", Type: Decimal}, {Name: "since", Type: DateTime}, {Name: "trusted", Type: Boolean},
		{Name: "tags", MultiValued: true}, {Name: "exact", CaseExact: true}, {Name: "scan", Type: Binary},
		{Name: "secret", Returned: ReturnedNever},
	})})
	return def
}

// Resources are sorted by the value that RFC 7644 section 3.4.2.3 means.
func TestOrdering(t *testing.T) {
	extra := func(name string, values ...string) []string {
		all := make([]string, len(values))
		for i, v := range values {
			if v != "" {
				all[i] = `{"urn:x:Extra":{"` + name + `":` + v + `}}`
			} else {
				all[i] = `{}`
			}
		}
		return all
	}
	for _, test := range []struct {
		name, path string
		sorted     []string // ascending, without equals
	}{
		{"without case", "userName", []string{`{"userName":"ann"}`, `{"userName":"Bob"}`, `{"userName":"CARL"}`, `{"userName":"Ö"}`, `{"title":"none"}`}},
		{"with case", "urn:x:Extra:exact", extra("exact", `"Bob"`, `"Carl"`, `"ann"`, ``)},
		{"whole numbers", "urn:x:Extra:level", extra("level", `-20`, `-3`, `0`, `7`, `10`, `9007199254740992`, `9007199254740993`, ``)},
		{"numbers", "urn:x:Extra:share", extra("share", `-1e300`, `-2.5`, `-0.5`, `0`, `0.25`, `3`, `20.5`, `1e20`, ``)},
		{"times", "urn:x:Extra:since", extra("since", `"2026-01-02T01:00:00+05:00"`, `"2026-01-01T21:00:00Z"`, `"2026-01-01T21:00:00.5Z"`, `"2026-01-01T18:00:00-04:00"`, ``)},
		{"booleans", "urn:x:Extra:trusted", extra("trusted", `false`, `true`, ``)},
		{"the first of many", "urn:x:Extra:tags", extra("tags", `["a","z"]`, `["b","a"]`, ``)},
		{"the primary one", "emails", []string{`{"emails":[{"value":"z"},{"value":"a","primary":true}]}`, `{"emails":[{"value":"b"},{"value":"a"}]}`,
			`{"emails":[{"value":"c","primary":false}]}`, `{"emails":[{"type":"work"}]}`}},
		{"a sub-attribute", "emails.type", []string{`{"emails":[{"value":"z","type":"home"}]}`, `{"emails":[{"value":"a","type":"work"}]}`, `{"emails":[{"value":"a"}]}`}},
		{"a value path", `emails[type eq "work"].value`, []string{`{"emails":[{"value":"z","type":"home"},{"value":"b","type":"work"}]}`,
			`{"emails":[{"value":"c","type":"WORK"}]}`, `{"emails":[{"value":"a","type":"home","primary":true}]}`}},
		{"part of a name", "NAME.familyname", []string{`{"name":{"familyName":"a"}}`, `{"name":{"familyName":"B"}}`, `{"name":{"givenName":"a"}}`}},
		{"in an extension", EnterpriseURN + ":department", []string{`{"` + EnterpriseURN + `":{"department":"a"}}`, `{"` + EnterpriseURN + `":{"department":"b"}}`, `{}`}},
		{"long text by its beginning", "title", []string{`{"title":"` + strings.Repeat("a", 300) + `"}`, `{"title":"` + strings.Repeat("b", 300) + `"}`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			def := sortable()
			o, ok, err := def.Ordering(mustPath(t, test.path))
			if !ok || err != nil {
				t.Fatal(ok, err)
			}
			for i, a := range test.sorted {
				for j, b := range test.sorted {
					x, y := o.Key(resource(t, a)), o.Key(resource(t, b))
					if cmp.Compare(x, y) != cmp.Compare(i, j) {
						t.Errorf("%.60s and %.60s: keys %q and %q", a, b, x, y)
					}
					if len(x) > keyBytes+1 {
						t.Errorf("a key of %d bytes", len(x))
					}
				}
			}
		})
	}
}

// What has no order is refused by name; what does not exist is the caller's to
// judge.
func TestOrderingIsRefused(t *testing.T) {
	for path, ok := range map[string]bool{
		"userName": true, "name.givenName": true, "emails": true, "emails.value": true, "id": true, "externalId": true, "active": true, "meta.created": true,
		"name": false, "addresses": false, "meta": false, "meta.location": false, "schemas": false, "password": false, "urn:x:Extra": false,
		"urn:x:Extra:scan": false, "urn:x:Extra:secret": false, EnterpriseURN: false, UserURN: false,
	} {
		_, known, err := sortable().Ordering(mustPath(t, path))
		var e *Error
		if !known || ok != (err == nil) || err != nil && (!errors.As(err, &e) || e.Status != 400 || e.Type != TypeInvalidPath || e.Detail == "") {
			t.Errorf("%s: %v %v", path, known, err)
		}
	}
	if _, known, err := sortable().Ordering(Path{Attr: "shoeSize"}); known || err != nil {
		t.Errorf("%v %v", known, err)
	}
}

// Text is cut between characters, and what is cut stays in order.
func TestLongKeysAreCut(t *testing.T) {
	long := strings.Repeat("ü", 200)
	if got := cutKey(long); len(got) != keyBytes || got != long[:keyBytes] {
		t.Errorf("%d bytes", len(got))
	}
	if got := cutKey("a" + long); len(got) != keyBytes-1 {
		t.Errorf("%d bytes", len(got))
	}
	if got := cutKey("short"); got != "short" {
		t.Error(got)
	}
}

func TestNumberKeysCompareAsNumbers(t *testing.T) {
	var keys []string
	for _, n := range []float64{-1e9, -255, -1.5, -1, -0.001, 0, 0.001, 1, 1.5, 2, 255, 256, 1e9, 1e18} {
		keys = append(keys, numberKey(strconv.FormatFloat(n, 'f', -1, 64)))
	}
	if !slices.IsSorted(keys) || numberKey("-0") != numberKey("0") || numberKey("1e2") > numberKey("101") {
		t.Errorf("%q", keys)
	}
	for _, same := range [][2]string{{"1", "1.0"}, {"100", "1e2"}, {"1000000000000000000", "1e18"}} {
		if numberKey(same[0]) != numberKey(same[1]) {
			t.Errorf("%s and %s are in an order", same[0], same[1])
		}
	}
}

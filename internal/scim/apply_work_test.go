package scim

import (
	"fmt"
	"strings"
	"testing"
)

// Required and immutable parts stay wherever an operation takes hold of them.
func TestApplyKeepsWhatMustStay(t *testing.T) {
	part := func(name string, mutability Mutability, required bool) Attribute {
		return Attribute{Name: name, Mutability: mutability, Required: required}
	}
	def := Definition{Name: "Thing", Core: Schema{ID: "urn:x:Thing", Attributes: withDefaults([]Attribute{
		part("born", Immutable, false), {Name: "kinds", MultiValued: true, Mutability: Immutable},
		{Name: "name", SubAttributes: []Attribute{part("first", ReadWrite, true), part("last", Immutable, false), part("nick", ReadWrite, false)}},
		{Name: "mails", MultiValued: true, SubAttributes: []Attribute{part("value", ReadWrite, false), part("type", ReadWrite, true), part("origin", Immutable, false)}},
	})}, Extensions: []Schema{{ID: "urn:x:Tool", Attributes: withDefaults([]Attribute{part("serial", ReadWrite, true), part("seen", ReadOnly, false)})},
		{ID: "urn:x:Gift", Attributes: withDefaults([]Attribute{part("giver", ReadWrite, false), part("seen", ReadOnly, false)})}}}
	before := `{"born":"1","kinds":["a"],"name":{"first":"f","last":"l","nick":"n"},"mails":[{"value":"v","type":"work","origin":"o"}],
		"urn:x:Tool":{"serial":"s","seen":"yes"},"urn:x:Gift":{"giver":"g","seen":"yes"}}`
	for _, operation := range []string{
		`{"op":"remove","path":"born"}`, `{"op":"replace","path":"born","value":""}`, `{"op":"replace","value":{"born":null}}`,
		`{"op":"add","path":"kinds","value":"b"}`, `{"op":"remove","path":"kinds[value eq \"a\"]"}`, `{"op":"replace","path":"kinds","value":[]}`,
		`{"op":"remove","path":"name.first"}`, `{"op":"remove","path":"name"}`, `{"op":"replace","path":"name","value":{"first":null}}`, `{"op":"remove","path":"name.last"}`,
		`{"op":"replace","path":"name","value":{"last":""}}`, `{"op":"replace","path":"name.last","value":"x"}`,
		`{"op":"remove","path":"mails.type"}`, `{"op":"remove","path":"mails[type eq \"work\"].type"}`,
		`{"op":"add","path":"mails[type eq \"work\"]","value":{"origin":"x"}}`, `{"op":"replace","path":"mails[type eq \"work\"]","value":{"value":"v","origin":"x"}}`,
		`{"op":"remove","path":"mails[type eq \"work\"].origin"}`, `{"op":"remove","path":"urn:x:Tool"}`, `{"op":"replace","path":"urn:x:Tool","value":null}`,
		`{"op":"replace","value":{"urn:x:Tool":null}}`,
	} {
		_, err := Apply(def, resource(t, before), patch(t, operation))
		var e *Error
		if !asError(err, &e) || e.Type != TypeMutability {
			t.Errorf("%s: got %v, want a 400 mutability", operation, err)
		}
	}
	got, err := Apply(def, resource(t, before), patch(t, `{"op":"remove","path":"urn:x:Gift"},{"op":"add","path":"mails","value":{"value":"v","type":"work","origin":"other"}},`+
		`{"op":"add","path":"kinds","value":["a"]},{"op":"remove","path":"name.nick"}`))
	if err != nil {
		t.Fatal(err)
	}
	wantEqual(t, got, resource(t, `{"born":"1","kinds":["a"],"name":{"first":"f","last":"l"},"mails":[{"value":"v","type":"work","origin":"o"}],
		"urn:x:Tool":{"serial":"s","seen":"yes"},"urn:x:Gift":{"seen":"yes"}}`))
}

// A change never leaves two elements with one value and type.
func TestApplyLeavesNoTwins(t *testing.T) {
	const two = `{"emails":[{"type":"work","value":"a"},{"type":"home","value":"a"},{"type":"home","value":"b","display":"B"}]}`
	for operation, after := range map[string]string{
		`{"op":"replace","path":"emails[value eq \"b\"].value","value":"a"}`:               `{"emails":[{"type":"work","value":"a"},{"type":"home","value":"a","display":"B"}]}`,
		`{"op":"replace","path":"emails[type eq \"work\"].type","value":"home"}`:           `{"emails":[{"type":"home","value":"a"},{"type":"home","value":"b","display":"B"}]}`,
		`{"op":"replace","path":"emails[display pr]","value":{"type":"work","value":"a"}}`: `{"emails":[{"type":"work","value":"a"},{"type":"home","value":"a"}]}`,
	} {
		got, err := Apply(UserDefinition(), resource(t, two), patch(t, operation))
		if err != nil {
			t.Fatalf("%s: %v", operation, err)
		}
		wantEqual(t, got, resource(t, after))
	}
	_, err := Apply(UserDefinition(), resource(t, two), patch(t, `{"op":"replace","path":"emails[value eq \"gone\"].value","value":"new"}`))
	wantError(t, err, TypeNoTarget, "no value of emails matches the filter")
	_, err = DecodePatch([]byte(`{"Operations":[{"op":"remove","path":"a"}],"operations":[{"op":"remove","path":"b"}]}`))
	wantError(t, err, TypeInvalidSyntax, `"Operations" is there twice`)
	_, err = DecodePatch([]byte(`{"Operations":[{"op":"remove","path":"a","Path":"b"}]}`))
	wantError(t, err, TypeInvalidSyntax, `operation 1: "path" is there twice`)
}

// A large body can ask for hundreds of millions of comparisons. What one may
// cost is counted and refused beyond a bound; the count does not depend on the
// machine.
func TestWorkIsBounded(t *testing.T) {
	var members, ors, few strings.Builder
	for i := range 20000 {
		fmt.Fprintf(&members, `{"value":"%d"},`, i)
	}
	for i := 0; ors.Len() < 60<<10; i++ {
		fmt.Fprintf(&ors, `type eq \"%d\" or `, i)
	}
	large := resource(t, `{"displayName":"g","members":[`+strings.TrimSuffix(members.String(), ",")+`]}`)
	_, err := Apply(GroupDefinition(), large, patch(t, `{"op":"remove","path":"members[`+ors.String()+`type eq \"x\"]"}`))
	wantError(t, err, TypeTooMany, "members: too many values to compare; send fewer operations at a time")

	// what is meant stays possible: a dozen changes to a large group
	for i := range 12 {
		fmt.Fprintf(&few, `{"op":"remove","path":"members[value eq \"%d\"]"},`, i)
	}
	got, err := Apply(GroupDefinition(), large, patch(t, few.String()+`{"op":"replace","path":"displayName","value":"h"}`))
	if err != nil || len(got.Values(GroupDefinition(), Path{Attr: "members"})) != 20000-12 {
		t.Errorf("a large group: %v", err)
	}

	// every key of a body that is a path looks at all the elements that the others made
	keys := map[string]any{}
	for i := range 100 {
		keys[fmt.Sprintf(`emails[type eq "%d"].value`, i)] = "x"
	}
	for spent, refused := range map[int]bool{0: false, maxWork - 5000: true} {
		e := editor{def: UserDefinition(), r: Resource{}, work: &spent, creating: true}
		if err := e.merge("add", "", keys); refused {
			wantError(t, err, TypeTooMany, "emails: too many")
		} else if err != nil {
			t.Error(err)
		}
	}
}

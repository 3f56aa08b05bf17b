package scim

import (
	"strings"
	"testing"
)

func TestProject(t *testing.T) {
	const full = `{"schemas":["` + UserURN + `"],"id":"1","userName":"u","password":"p","name":{"givenName":"g","familyName":"f"},
		"emails":[{"value":"a","type":"work"},{"value":"b"}],"meta":{"version":"v"},"stray":"x",` + enterprise + `:{"department":"d","manager":{"value":"m","displayName":"M"}}}`
	const always = `"schemas":["` + UserURN + `"],"id":"1"`
	for _, test := range []struct{ name, attributes, excluded, want string }{
		{"all", "", "", `{` + always + `,"userName":"u","name":{"givenName":"g","familyName":"f"},"emails":[{"value":"a","type":"work"},{"value":"b"}],"meta":{"version":"v"},` +
			enterprise + `:{"department":"d","manager":{"value":"m","displayName":"M"}}}`},
		{"one", "USERNAME", "", `{` + always + `,"userName":"u"}`},
		{"password never", "password,id", "", `{` + always + `}`},
		{"unknown", "nonsense", "", `{` + always + `}`},
		{"sub-attributes", "name.givenName emails.type", "", `{` + always + `,"name":{"givenName":"g"},"emails":[{"type":"work"}]}`},
		{"parent and sub", "name,name.givenName", "", `{` + always + `,"name":{"givenName":"g","familyName":"f"}}`},
		{"extension", EnterpriseURN, "", `{` + always + `,` + enterprise + `:{"department":"d","manager":{"value":"m","displayName":"M"}}}`},
		{"in an extension", EnterpriseURN + ":manager.value", "", `{` + always + `,` + enterprise + `:{"manager":{"value":"m"}}}`},
		{"bare extension name", "department", "", `{` + always + `,` + enterprise + `:{"department":"d"}}`},
		{"without", "", "name,emails.type,meta,id," + EnterpriseURN, `{` + always + `,"userName":"u","emails":[{"value":"a"},{"value":"b"}]}`},
		{"without a part", "", "name,emails,meta,department,manager.displayName", `{` + always + `,"userName":"u",` + enterprise + `:{"manager":{"value":"m"}}}`},
		{"both", "name,userName", "name.familyName", `{` + always + `,"userName":"u","name":{"givenName":"g"}}`},
		{"a name and all but one of its parts", "name", "name.givenName,name.formatted", `{` + always + `,"name":{"familyName":"f"}}`},
		{"excluded as a whole", "name.givenName,userName", "name", `{` + always + `,"userName":"u"}`},
		{"the same twice", "userName", "userName", `{` + always + `}`},
		{"unknown ones among others", "nonsense,name.nonsense,userName,urn:x:y:z", "rubbish", `{` + always + `,"userName":"u"}`},
		{"excluded by any case", "", "Name,EMAILS,Meta,USERNAME," + strings.ToUpper(EnterpriseURN), `{` + always + `}`},
		{"an element's value", "emails.value", "", `{` + always + `,"emails":[{"value":"a"},{"value":"b"}]}`},
		{"an extension without a part", EnterpriseURN, EnterpriseURN + ":manager", `{` + always + `,` + enterprise + `:{"department":"d"}}`},
		{"a part of an extension and the core", EnterpriseURN + ":department,userName", "", `{` + always + `,"userName":"u",` + enterprise + `:{"department":"d"}}`},
		{"meta in part", "meta.version", "", `{` + always + `,"meta":{"version":"v"}}`},
		{"core schema", UserURN, "emails,name,meta", `{` + always + `,"userName":"u"}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := resource(t, full)
			got := Project(UserDefinition(), r, paths(t, test.attributes), paths(t, test.excluded))
			wantEqual(t, got, resource(t, test.want))
			wantEqual(t, r, resource(t, full))
		})
	}
}

func TestProjectReturned(t *testing.T) {
	def := Definition{Name: "Thing", Core: Schema{ID: "urn:x:Thing", Attributes: []Attribute{
		{Name: "a", Returned: ReturnedRequest}, {Name: "b"}, {Name: "c", Returned: ReturnedAlways},
		{Name: "d", Type: Complex, SubAttributes: []Attribute{{Name: "x", Returned: ReturnedAlways}, {Name: "y", Returned: ReturnedRequest}, {Name: "z", Returned: ReturnedNever}}},
	}}}
	r := resource(t, `{"a":"1","b":"2","c":"3","d":{"x":"4","y":"5","z":"6"}}`)
	for _, test := range []struct{ attributes, excluded, want string }{
		{"", "", `{"b":"2","c":"3","d":{"x":"4"}}`},
		{"a", "", `{"a":"1","c":"3"}`},
		{"d.y", "", `{"c":"3","d":{"x":"4","y":"5"}}`},
		{"d.z", "", `{"c":"3","d":{"x":"4"}}`},
		{"", "c,d.x", `{"b":"2","c":"3","d":{"x":"4"}}`},
		{"a,b", "a", `{"b":"2","c":"3"}`},
		{"d", "", `{"c":"3","d":{"x":"4"}}`}, // what is returned on request is not brought by its parent
		{"urn:x:Thing", "", `{"b":"2","c":"3","d":{"x":"4"}}`},
		{"d,d.y", "", `{"c":"3","d":{"x":"4","y":"5"}}`},
		{"d.y", "d.y", `{"c":"3","d":{"x":"4"}}`},
		{"", "d.y,b", `{"c":"3","d":{"x":"4"}}`},
		{"c", "c", `{"c":"3"}`},
	} {
		wantEqual(t, Project(def, r, paths(t, test.attributes), paths(t, test.excluded)), resource(t, strings.TrimSpace(test.want)))
	}
}

// What is always returned has its parts that are never returned left out all
// the same, and the others cannot be chosen away.
func TestProjectAlwaysWithParts(t *testing.T) {
	def := Definition{Name: "Thing", Core: Schema{ID: "urn:x:Thing", Attributes: []Attribute{
		{Name: "list", MultiValued: true, Returned: ReturnedAlways, SubAttributes: []Attribute{{Name: "value"}, {Name: "secret", Returned: ReturnedNever}}},
		{Name: "tags", MultiValued: true},
	}}}
	r := resource(t, `{"list":[{"value":"1","secret":"s"},{"secret":"s"}],"tags":["a","b"]}`)
	for _, test := range []struct{ attributes, excluded, want string }{
		{"", "", `{"list":[{"value":"1"}],"tags":["a","b"]}`},
		{"tags", "list", `{"list":[{"value":"1"}],"tags":["a","b"]}`},
		{"tags.value", "", `{"list":[{"value":"1"}],"tags":["a","b"]}`},
		{"list.secret", "tags", `{"list":[{"value":"1"}]}`},
	} {
		wantEqual(t, Project(def, r, paths(t, test.attributes), paths(t, test.excluded)), resource(t, test.want))
	}
}

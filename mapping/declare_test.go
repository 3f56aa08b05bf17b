package mapping

import (
	"testing"

	"scimgate/internal/scim"
)

// declared compiles users with the lines as an extension and returns the
// attribute of a name.
func declared(t *testing.T, name string, lines ...RuleConfig) (*Mapping, scim.Attribute) {
	t.Helper()
	c := minimal()
	c.Extensions = []ExtensionConfig{{URN: badgeURN, Attributes: lines}}
	m := compile(t, c, "User")
	for _, s := range m.Schemas() {
		if a := named(s.Attributes, name); s.ID == badgeURN && a != nil {
			return m, *a
		}
	}
	t.Fatalf("%s is not announced", name)
	return nil, scim.Attribute{}
}

// What all lines of a complex attribute say holds for the whole of it.
func TestLinesThatAgreeSpeakForTheWhole(t *testing.T) {
	part := func(name, ldap, mutability, returned string) RuleConfig {
		return RuleConfig{SCIM: name, LDAP: ldap, Mutability: mutability, Returned: returned}
	}
	for name, tc := range map[string]struct {
		lines      []RuleConfig
		mutability scim.Mutability
		returned   scim.Returned
		part       scim.Mutability
	}{
		"read-only":        {[]RuleConfig{part("a.b", "x", "readOnly", ""), part("a.c", "y", "readOnly", "")}, scim.ReadOnly, scim.ReturnedDefault, scim.ReadOnly},
		"partly read-only": {[]RuleConfig{part("a.b", "x", "readOnly", ""), part("a.c", "y", "", "")}, scim.ReadWrite, scim.ReturnedDefault, scim.ReadOnly},
		"write-only":       {[]RuleConfig{part("a.b", "x", "writeOnly", ""), part("a.c", "y", "writeOnly", "")}, scim.WriteOnly, scim.ReturnedNever, scim.WriteOnly},
		"on request":       {[]RuleConfig{part("a.b", "x", "", "request"), part("a.c", "y", "", "request")}, scim.ReadWrite, scim.ReturnedRequest, scim.ReadWrite},
		"always":           {[]RuleConfig{part("a.b", "x", "", "always"), part("a.c", "y", "", "always")}, scim.ReadWrite, scim.ReturnedAlways, scim.ReadWrite},
		"immutable":        {[]RuleConfig{part("a.b", "x", "immutable", ""), part("a.c", "y", "immutable", "")}, scim.ReadWrite, scim.ReturnedDefault, scim.Immutable},
		"immutable, many":  {[]RuleConfig{part(`a[type eq "x"].b`, "x", "immutable", ""), part(`a[type eq "y"].b`, "y", "immutable", "")}, scim.Immutable, scim.ReturnedDefault, scim.ReadWrite},
		"reference":        {[]RuleConfig{{SCIM: "a", LDAP: "x", Reference: []string{"User"}, Mutability: "readOnly"}}, scim.ReadOnly, scim.ReturnedDefault, scim.ReadOnly},
	} {
		_, a := declared(t, "a", tc.lines...)
		if a.Mutability != tc.mutability || a.Returned != tc.returned || a.SubAttributes[0].Mutability != tc.part {
			t.Errorf("%s: %s, %s, its first part %s", name, a.Mutability, a.Returned, a.SubAttributes[0].Mutability)
		}
	}
}

// Of an attribute that shows on request alone, a client that asks for the whole
// gets the whole.
func TestRequestedWholesShow(t *testing.T) {
	m, _ := declared(t, "a", RuleConfig{SCIM: "a.b", LDAP: "x", Returned: "request"}, RuleConfig{SCIM: "a.c", LDAP: "y", Returned: "request"})
	res := scim.Resource{"id": "1", badgeURN: map[string]any{"a": map[string]any{"b": "1", "c": "2"}}}
	whole := scim.Path{URN: badgeURN, Attr: "a"}
	if got := asJSON(t, scim.Project(m.Definition(), res, nil, nil)); got != `{}` {
		t.Errorf("unasked it shows %s", got)
	}
	if got := asJSON(t, scim.Project(m.Definition(), res, []scim.Path{whole}, nil)); got != `{"`+badgeURN+`":{"a":{"b":"1","c":"2"}}}` {
		t.Errorf("asked for it shows %s", got)
	}
}

// The parts of one complex value are set once each.
func TestImmutablePartsAreSetOneByOne(t *testing.T) {
	m, _ := declared(t, "a", RuleConfig{SCIM: "a.b", LDAP: "x", Mutability: "immutable"}, RuleConfig{SCIM: "a.c", LDAP: "y", Mutability: "immutable"})
	now := scim.Resource{badgeURN: map[string]any{"a": map[string]any{"b": "1"}}}
	for value, fixed := range map[string]bool{`{"c":"2"}`: false, `{"b":"1","c":"2"}`: false, `{"b":"2"}`: true} {
		p, err := scim.DecodePatch([]byte(`{"schemas":["` + scim.PatchOpURN + `"],"Operations":[{"op":"add","path":"` + badgeURN + `:a","value":` + value + `}]}`))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := scim.Apply(m.Definition(), now, p); (err != nil) != fixed {
			t.Errorf("%s: %v", value, err)
		}
	}
}

// Schemas of types that share an extension have to agree; the type's own schema
// is its own.
func TestDisagreements(t *testing.T) {
	users := minimal()
	users.Extensions = []ExtensionConfig{{URN: badgeURN, Attributes: []RuleConfig{simple("a", "x"), {SCIM: "b", LDAP: "y", Type: "integer"}}}}
	other := groups()
	other.Extensions = []ExtensionConfig{{URN: badgeURN, Attributes: []RuleConfig{simple("A", "z"), simple("c", "w")}}}
	if faults := Disagreements(users, other); len(faults) > 0 {
		t.Error(faults)
	}
	other.Extensions[0].Attributes[1] = simple("B", "w")
	wantFault(t, Disagreements(users, other), "extensions[0].attributes[1].type", "differs")
	device := devices()
	device.Kind.Schema = badgeURN
	wantFault(t, Disagreements(users, device), "schema", "own")
	wantFault(t, Disagreements(device, users), "extensions[0].urn", "own")
}

package mapping

import (
	"testing"

	"scimgate/internal/directory"
	"scimgate/internal/scim"
)

// A number is given once, shows where the declaration says so, and no write ever
// touches it.
func TestNumbersAreGivenAtCreateOnly(t *testing.T) {
	badge := ExtensionConfig{URN: badgeURN, Attributes: []RuleConfig{{SCIM: "number", LDAP: "gidNumber", Type: "integer", Mutability: "readOnly",
		Allocate: &AllocateConfig{Min: 500, Max: 999, Counter: "cn=gidNext"}}}}
	c := minimal(RuleConfig{LDAP: "uidNumber", Allocate: &AllocateConfig{Min: 10000, Max: 59999}})
	c.Extensions = []ExtensionConfig{badge}
	m := compile(t, c, "User")
	want := mustWant(t, m, `{"userName":"ann","externalId":"00u1","`+badgeURN+`":{"number":7}}`)
	e := m.Create(want, stamp)
	same(t, e.Numbers, []directory.Number{
		{Attribute: "uidNumber", Min: 10000, Max: 59999},
		{Attribute: "gidNumber", Min: 500, Max: 999, Counter: "cn=gidNext", CounterAttribute: "gidNumber"},
	})
	if len(e.Attributes["uidNumber"])+len(e.Attributes["gidNumber"]) > 0 {
		t.Errorf("%v", e.Attributes)
	}
	old := entry(directory.Active, directory.Attributes{"uidNumber": {"10000"}, "gidNumber": {"500"}})
	now := m.Resource(old, known)
	for what, translate := range map[string]func(scim.Resource, Names) (Want, error){
		"replace": m.Replaced,
		"put":     func(res scim.Resource, names Names) (Want, error) { return m.ReplacedBy(now, res, names) },
		"patch":   func(res scim.Resource, names Names) (Want, error) { return m.Patched(now, res, names) },
	} {
		want, err := translate(decode(t, m, `{"userName":"ann","externalId":"00u1"}`), known.Names())
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range m.Change(old, known, want, stamp).Attributes() {
			if name == "uidNumber" || name == "gidNumber" {
				t.Errorf("%s changes %s", what, name)
			}
		}
	}
	for _, state := range []directory.State{directory.Deleting, directory.Deleted} {
		if got := m.Lock(old, state, stamp).Attributes(); len(got) != 1 {
			t.Errorf("%s: %v", state, got)
		}
	}
	for _, mod := range m.Aside(old, stamp).Mods {
		if mod.Attribute != "uid" {
			// uid names the entry, and nothing else is unique but the key
			t.Errorf("%+v", mod)
		}
	}
	if got := asJSON(t, now); got != `{"externalId":"00u1","`+badgeURN+`":{"number":500},"userName":"ann"}` {
		t.Error(got)
	}
}

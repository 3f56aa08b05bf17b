package mapping

import (
	"encoding/json"
	"testing"

	"scimgate/internal/directory"
)

// What follows from a reference in a value path stands in its own element, also
// where that is not the last.
func TestAReferenceInAValuePathTypesItsOwnElement(t *testing.T) {
	c := minimal()
	c.Extensions = []ExtensionConfig{{URN: badgeURN, Attributes: []RuleConfig{
		{SCIM: `crew[role eq "pilot"].note`, LDAP: "pilotNote"},
		{SCIM: `crew[role eq "cook"].note`, LDAP: "cookNote"},
		{SCIM: `crew[role eq "pilot"].value`, LDAP: "pilot", Reference: []string{"User", "Group"}},
	}}}
	m := compile(t, c, "User")
	res := m.Resource(directory.Entry{ID: "id-x", Attributes: directory.Attributes{
		"pilotNote": {"flies"}, "cookNote": {"cooks"}, "pilot": {dn("id-all"), dn("id-ann")}}}, known)
	extension, err := json.Marshal(res[badgeURN])
	const want = `{"crew":[{"note":"flies","role":"pilot","type":"Group","value":"id-all"},` +
		`{"note":"cooks","role":"cook"},{"role":"pilot","type":"User","value":"id-ann"}]}`
	if err != nil || string(extension) != want {
		t.Errorf("%s\nwant %s", extension, want)
	}
}

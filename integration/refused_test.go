//go:build integration

package integration

import (
	"net/http"
	"strings"
	"testing"
)

// A value that the directory cannot take is refused with what it would take, by
// the name that the client knows the attribute under.
func TestRefusalsSayWhatIsTaken(t *testing.T) {
	t.Parallel()
	s := usual()
	s.UserRules = []string{
		`{scim: 'phoneNumbers[type eq "work"].value', ldap: telephoneNumber, single: first}`,
		`{scim: 'phoneNumbers[type eq "fax"].value', ldap: facsimileTelephoneNumber, single: first}`,
		`{scim: 'enterprise:employeeNumber', ldap: x121Address}`,
		`{scim: 'enterprise:division', ldap: destinationIndicator}`,
		`{scim: x509Certificates, ldap: 'userCertificate;binary'}`,
		`{scim: photos, ldap: seeAlso}`,
	}
	g := serve(t, s)
	c := g.client(t)
	name := unlike("refused")
	id := c.create(person(name))
	for _, e := range []struct {
		path  string
		value any
		words []string
	}{
		{`emails[type eq "work"].value`, "jürgen@example.org", []string{`emails[type eq "work"].value: `, `"ü"`, "ASCII characters only"}},
		{`phoneNumbers[type eq "work"].value`, "Zürich 7", []string{`phoneNumbers[type eq "work"].value: it takes a telephone number`}},
		{`phoneNumbers[type eq "fax"].value`, "Zürich 7", []string{`phoneNumbers[type eq "fax"].value: it takes a fax number`}},
		{enterpriseURN + ":employeeNumber", "A-7", []string{`:employeeNumber: `, `"A"`, "digits and blanks only"}},
		{enterpriseURN + ":division", "R_D", []string{`:division: `, `"_"`, "ASCII letters, digits"}},
		{"x509Certificates", []object{{"value": "AAAA"}}, []string{"x509Certificates.value: it takes a certificate in DER"}},
		{"photos", []object{{"value": "https://example.org/a.jpg"}}, []string{"photos.value: it takes the distinguished name"}},
		{"userName", strings.Repeat("x", 600), []string{"userName is too long", "200 bytes", "shorten"}},
	} {
		// The new title shows whether something was written before the refusal.
		a := c.patch("/Users/"+id, object{"op": "replace", "path": "title", "value": "half"}, object{"op": "replace", "path": e.path, "value": e.value})
		a.want(http.StatusBadRequest)
		for _, word := range append(e.words, "invalidValue") {
			if !strings.Contains(strings.ReplaceAll(string(a.raw), `\"`, `"`), word) {
				t.Errorf("%s: no word of %q: %s", e.path, word, a.raw)
			}
		}
	}
	if e := g.tree(t).entry(id); e.GetAttributeValue("title") != "" || e.GetAttributeValue("uid") != name {
		t.Errorf("half of it is written: %v", e)
	}
}

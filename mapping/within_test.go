package mapping

import (
	"slices"
	"testing"

	"scimgate/internal/directory"
	"scimgate/internal/scim"
)

// What a value filter asks of an attribute with one value is asked and read.
func TestAValueFilterOnOneValue(t *testing.T) {
	m := compile(t, people(), "User")
	for text, want := range map[string]directory.Filter{
		`name[givenName eq "a"].familyName eq "b"`: directory.AndOf(directory.Eq("givenName", "a"), directory.Eq("sn", "b")),
		`name[givenName eq "a"].familyName ne "b"`: {Op: directory.All},
		`not (name[givenName pr].familyName pr)`:   {Op: directory.All},
	} {
		f, err := scim.ParseFilter(text)
		if err != nil {
			t.Fatal(err)
		}
		got, exact, err := m.Filter(f, nil)
		if err != nil || exact {
			t.Errorf("%s: exact %t, %v", text, exact, err)
		}
		same(t, simplify(got), simplify(want))
	}
	path, err := scim.ParsePath(`name[givenName pr].familyName`)
	if err != nil {
		t.Fatal(err)
	}
	if got := m.Reads([]scim.Path{path}); !slices.Contains(got, "givenName") || !slices.Contains(got, "sn") {
		t.Errorf("read are %q", got)
	}
}

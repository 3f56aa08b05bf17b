package mapping

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"scimgate/internal/directory"
	"scimgate/internal/scim"
)

// An entry of which only what Reads names was read has the same values, and
// whoever has them looks at no secret and computes nothing.
func TestReadsAreEnough(t *testing.T) {
	c := people()
	m := compile(t, c, "User")
	var all []scim.Path
	for _, text := range []string{
		"userName", "externalId", "name", "name.familyName", "emails", `emails[type eq "home"].value`, "emails.primary", "phoneNumbers.type", "addresses.locality",
		"urn:ietf:params:scim:schemas:core:2.0:User:title", "urn:ietf:params:scim:schemas:core:2.0:User:name.givenName", "department",
		"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:costCenter", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
		"urn:ietf:params:scim:schemas:core:2.0:User", "id", "nickName", "ims", "password",
	} {
		p, err := scim.ParsePath(text)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	rapid.Check(t, func(t *rapid.T) {
		whole := drawEntry(t, c, 2)
		paths := rapid.SliceOfN(rapid.SampledFrom(all), 1, 3).Draw(t, "paths")
		names := m.Reads(paths)
		part := whole
		part.Attributes = directory.Attributes{}
		for _, name := range names {
			if v, ok := whole.Attributes[name]; ok {
				part.Attributes[name] = v
			}
		}
		for _, p := range paths {
			if d := cmp.Diff(m.Resource(whole, nil).Values(m.def, p), m.Resource(part, nil).Values(m.def, p)); d != "" {
				t.Fatalf("%s of %v: -want +got:\n%s", p, names, d)
			}
		}
		if slices.Contains(names, "userPassword") || slices.Contains(names, "cn") {
			t.Fatalf("%v are read", names)
		}
	})
}

func TestReadsAreFew(t *testing.T) {
	m := compile(t, people(), "User")
	for text, want := range map[string][]string{
		"userName": {"uid"}, "title": {"uid", "title"}, "active": {"uid"}, "meta.created": {"uid"}, "name.familyName": {"uid", "sn"},
		"name": {"uid", "givenName", "sn", "scimMiddleName", "scimHonorificPrefix", "scimHonorificSuffix"}, "shoeSize": {"uid"},
		"emails.value": {"uid", "mail", "scimHomeMail", "scimOtherMail"}, "enterprise:manager.value": {"uid", "manager"},
	} {
		p, err := scim.ParsePath(text)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, m.Reads([]scim.Path{p})); d != "" {
			t.Errorf("%s: -want +got:\n%s", text, d)
		}
		if got, want := m.ReadsMarker([]scim.Path{{Attr: "title"}, p}), text == "active" || text == "meta.created"; got != want {
			t.Errorf("%s: the marker is read: %v", text, got)
		}
	}
}

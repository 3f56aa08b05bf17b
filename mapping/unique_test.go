package mapping

import (
	"slices"
	"strings"
	"testing"

	"scimgate/internal/scim"
)

func TestClaims(t *testing.T) {
	m, faults := Compile(people(), "User", "okta")
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	values, known := m.Claims(scim.Resource{"userName": "Ann", "externalId": "X1", "title": "boss"})
	if want := []string{"uid=ann", "scimexternalid=x1"}; !known || !slices.Equal(values, want) {
		t.Errorf("%v %v, want %v", values, known, want)
	}
	cfg := people()
	cfg.RDN.LDAP = "cn" // which is computed
	if m, faults = Compile(cfg, "User", "okta"); len(faults) > 0 {
		t.Fatal(faults)
	}
	if _, known := m.Claims(scim.Resource{"userName": "ann"}); known {
		t.Error("the name is made of other values, and yet it is known beforehand")
	}
	if p := (scim.Patch{Operations: []scim.Operation{{Op: "replace", Path: &scim.Path{Attr: "title"}, Value: "x"}}}); !m.MayClaim(p) {
		t.Error("a computed name may follow any change")
	}
}

func TestMayClaim(t *testing.T) {
	m, faults := Compile(people(), "User", "okta")
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	for body, want := range map[string]bool{
		`{"op":"replace","path":"title","value":"x"}`:                                                                   false,
		`{"op":"replace","path":"active","value":false}`:                                                                false,
		`{"op":"add","path":"emails[type eq \"work\"].value","value":"a@b"}`:                                            false,
		`{"op":"replace","path":"USERNAME","value":"x"}`:                                                                true,
		`{"op":"replace","path":"urn:ietf:params:scim:schemas:core:2.0:User:userName","value":"x"}`:                     true,
		`{"op":"remove","path":"externalId"}`:                                                                           true,
		`{"op":"replace","path":"shoeSize","value":"x"}`:                                                                true,
		`{"op":"replace","value":{"title":"x","active":true}}`:                                                          false,
		`{"op":"replace","value":{"title":"x","userName":"ann"}}`:                                                       true,
		`{"op":"replace","value":{"urn:ietf:params:scim:schemas:core:2.0:User":{"userName":"ann"}}}`:                    true,
		`{"op":"replace","value":{"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager":{"value":"x"}}}`: false,
		`{"op":"replace","value":[]}`:                                                                                   true,
		`{"op":"replace","path":"title","value":"x"},{"op":"replace","path":"userName","value":"x"}`:                    true,
	} {
		p, err := scim.DecodePatch([]byte(`{"Operations":[` + body + `]}`))
		if err != nil {
			t.Fatal(err)
		}
		if got := m.MayClaim(p); got != want {
			t.Errorf("%s: %v", body, got)
		}
	}
}

func TestIdentifying(t *testing.T) {
	cfg := people()
	for i := range cfg.Attributes {
		if cfg.Attributes[i].LDAP == "mobile" {
			cfg.Attributes[i].Unique = true // and the other numbers are not
		}
	}
	m, faults := Compile(cfg, "User", "okta")
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	for path, want := range map[string]string{
		"userName": "", "USERNAME": "", "externalId": "", "id": "", "emails.value": "is not unique", "title": "is not unique",
		"phoneNumbers.value": "is not unique", "password": "is not mapped", "name": "has parts", "shoeSize": "is no attribute",
		"emails": "has parts", "emails[type eq \"work\"].value": "is no attribute", "": "is no attribute", "1x": "is no attribute",
		"entitlements.value": "is not mapped", "emails.type": "is not mapped",
	} {
		got := m.Identifying(path)
		if (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}

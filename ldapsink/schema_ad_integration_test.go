//go:build ad && !ds389

package ldapsink

import (
	"slices"
	"testing"
)

// What Active Directory's published schema leaves out is known all the same.
func TestSchemaTellsWhatTheDirectoryTakes(t *testing.T) {
	_, sink := started(t)
	schema, err := sink.Schema(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]struct {
		single, readOnly bool
		equality         string
		length           int
	}{
		"CN": {true, false, "caseIgnoreMatch", 64}, "mail": {true, false, "caseIgnoreMatch", 256}, "url": {false, false, "caseIgnoreMatch", 0},
		"member": {false, false, "distinguishedNameMatch", 0}, "objectGUID": {true, true, "octetStringMatch", 16},
		"userAccountControl": {true, false, "integerMatch", 0}, "accountExpires": {true, false, "integerMatch", 0},
		"adminDescription": {true, false, "caseIgnoreMatch", 1024}, "memberOf": {false, true, "distinguishedNameMatch", 0},
		"whenCreated": {true, true, "generalizedTimeMatch", 0},
	} {
		a, ok := schema.Attribute(name)
		if !ok || a.Single != want.single || a.ReadOnly != want.readOnly || a.Equality != want.equality || a.Length != want.length {
			t.Errorf("%s: %+v", name, a)
		}
	}
	if _, ok := schema.Attribute("unheardOf"); ok {
		t.Error("knows what does not exist")
	}
	must, may, any := schema.Allowed([]string{"top", "person", "organizationalPerson", "USER"})
	for _, name := range []string{"mail", "sAMAccountName", "userPrincipalName", "info", "uidNumber", "adminDescription", "msDS-cloudExtensionAttribute1", "objectSid"} {
		if !slices.Contains(may, name) && !slices.Contains(must, name) {
			t.Errorf("a user may not have %s", name)
		}
	}
	if any || !slices.Equal(must, []string{"cn", "objectClass", "sAMAccountName"}) {
		t.Errorf("a user must have %q", must)
	}
	must, may, _ = schema.Allowed([]string{"top", "group"})
	if !slices.Equal(must, []string{"cn", "objectClass", "sAMAccountName"}) || !slices.Contains(may, "member") || slices.Contains(may, "sn") {
		t.Errorf("a group must have %q", must)
	}
}

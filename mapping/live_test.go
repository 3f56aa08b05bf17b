package mapping

import (
	"slices"
	"strings"
	"testing"

	"scimgate/internal/directory"
)

// schema is a directory's schema by the names of its attributes, with what its
// object classes together demand and allow.
type schema struct {
	attributes map[string]directory.AttributeType
	must, may  []string
	extensible bool
	unknown    string // an object class that it does not have
}

func (s schema) Attribute(name string) (directory.AttributeType, bool) {
	for known, a := range s.attributes {
		if strings.EqualFold(known, name) {
			return a, true
		}
	}
	return directory.AttributeType{}, false
}

func (s schema) Class(name string) (directory.ObjectClass, bool) {
	return directory.ObjectClass{Names: []string{name}}, name != s.unknown
}

func (s schema) Allowed([]string) (must, may []string, extensible bool) {
	return s.must, slices.Clone(s.may), s.extensible
}

// fits is a schema that the demo's people fit.
func fits() schema {
	s := schema{attributes: map[string]directory.AttributeType{}, must: []string{"objectClass", "sn", "cn"}}
	for _, name := range []string{"objectClass", "scimState", "scimSource"} {
		s.attributes[name] = directory.AttributeType{Names: []string{name}}
		s.may = append(s.may, name)
	}
	for _, r := range people().Attributes {
		s.attributes[r.LDAP] = directory.AttributeType{Names: []string{r.LDAP}}
		s.may = append(s.may, r.LDAP)
	}
	s.attributes[lock] = directory.AttributeType{Names: []string{lock}, Single: true, Operational: true}
	return s
}

// Each schema differs from the fitting one in one thing.
func TestTheDeclarationIsHeldAgainstTheSchema(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(*schema)
		key    string // "" where it still fits
		word   string
	}{
		{"fits", func(*schema) {}, "", ""},
		{"class is missing", func(s *schema) { s.unknown = "inetOrgPerson" }, "objectClasses[3]", "inetOrgPerson"},
		{"attribute is missing", func(s *schema) { delete(s.attributes, "title") }, "attributes[11].ldap", "title"},
		{"lock is missing", func(s *schema) { delete(s.attributes, lock) }, "deactivate[0].set.ldap", lock},
		{"marker is missing", func(s *schema) { delete(s.attributes, "scimState") }, "marker.state", "scimState"},
		{"attribute is not allowed", func(s *schema) { s.may = slices.DeleteFunc(s.may, func(n string) bool { return n == "title" }) },
			"attributes[11].ldap", "not allowed"},
		{"every attribute is allowed", func(s *schema) { s.may, s.extensible = nil, true }, "", ""},
		{"attribute has another first name", func(s *schema) { s.attributes["l"] = directory.AttributeType{Names: []string{"localityName", "l"}} },
			"attributes[25].ldap", "localityName"},
		{"attribute in another case", func(s *schema) { s.attributes["title"] = directory.AttributeType{Names: []string{"TITLE"}} }, "", ""},
		{"attribute is the directory's", func(s *schema) {
			s.attributes["title"] = directory.AttributeType{Names: []string{"title"}, ReadOnly: true}
		},
			"attributes[11].ldap", "alone"},
		{"one value only, several can come", func(s *schema) {
			s.attributes["mobile"] = directory.AttributeType{Names: []string{"mobile"}, Single: true}
		},
			"attributes[21].single", "primary"},
		{"one value only, one comes", func(s *schema) {
			s.attributes["title"] = directory.AttributeType{Names: []string{"title"}, Single: true}
		}, "", ""},
		{"one value only, single says which", func(s *schema) { s.attributes["mail"] = directory.AttributeType{Names: []string{"mail"}, Single: true} }, "", ""},
		{"a demand that nothing always meets", func(s *schema) { s.must = append(s.must, "title") }, "attributes", "title"},
		{"a demand that the marker meets", func(s *schema) { s.must = append(s.must, "scimState") }, "", ""},
		{"a demand that the name meets", func(s *schema) { s.must = append(s.must, "UID") }, "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := fits()
			tc.change(&s)
			faults := compile(t, people(), "User").Hold(s)
			if tc.key == "" {
				if len(faults) > 0 {
					t.Error(faults)
				}
				return
			}
			wantFault(t, faults, tc.key, tc.word)
			if len(faults) > 1 {
				t.Errorf("more than one fault: %v", faults)
			}
		})
	}
}

// The key of an extension's rule counts from the extension's beginning.
func TestFaultsOfExtensionsNameTheirKey(t *testing.T) {
	s := fits()
	for _, name := range []string{"employeeNumber", "badgeArmed", "badgeRate", "badgeDoor"} {
		s.attributes[name] = directory.AttributeType{Names: []string{name}, Single: name == "badgeDoor"}
		s.may = append(s.may, name)
	}
	s.must = nil
	faults := compile(t, badges(), "User").Hold(s)
	wantFault(t, faults, "extensions[0].attributes[2].ldap", "badgeLevel")
	wantFault(t, faults, "extensions[0].attributes[4].single", "badgeDoor")
	if len(faults) != 2 {
		t.Error(faults)
	}
}

// A group's member attribute is always there where something stands for nobody.
func TestTheStandInMeetsTheDemandForMembers(t *testing.T) {
	s := schema{must: []string{"cn", "member"}, attributes: map[string]directory.AttributeType{}}
	for _, name := range []string{"cn", "member", "scimExternalId", "scimState", "scimSource"} {
		s.attributes[name] = directory.AttributeType{Names: []string{name}}
		s.may = append(s.may, name)
	}
	if faults := compile(t, groups(), "Group").Hold(s); len(faults) > 0 {
		t.Error(faults)
	}
	c := groups()
	c.Attributes[2].EmptyMember = ""
	wantFault(t, compile(t, c, "Group").Hold(s), "attributes", "member")
}

package mapping

import (
	"errors"
	"strings"
	"testing"

	"scimgate/internal/directory"
	"scimgate/internal/scim"
)

// A character that the directory's syntax does not have is refused beforehand.
func TestAlphabets(t *testing.T) {
	for _, tc := range []struct {
		syntax, value string
		refused       string // the character; "" is taken
	}{
		{"26", "ann@example.org", ""}, {"26", "Ä", "Ä"}, {"26", "~\x7f", ""},
		{"36", "12 34", ""}, {"36", "1-2", "-"},
		{"44", "A 7 '()+,-./:?=", ""}, {"44", "a@b", "@"}, {"44", "é", "é"},
		{"15", "Ä", ""}, {"50", "Ä", ""}, // the directory's to judge
	} {
		m := compile(t, people(), "User")
		for i := range m.rules {
			if m.rules[i].config.LDAP == "title" {
				m.rules[i].learn(directory.AttributeType{Syntax: syntaxPrefix + tc.syntax, Length: 9})
			}
		}
		_, err := m.Want(scim.Resource{"userName": "ann", "externalId": "00u1", "title": tc.value}, nil)
		var e *scim.Error
		if errors.As(err, &e) != (tc.refused != "") {
			t.Errorf("%s %q: %v", tc.syntax, tc.value, err)
		} else if e != nil && (!strings.Contains(e.Detail, `title: the value "`+tc.value+`" has the character "`+tc.refused+`"`) || e.Type != scim.TypeInvalidValue) {
			t.Errorf("%s %q: %v", tc.syntax, tc.value, e)
		}
		if tc.syntax == "50" && !strings.Contains(m.Takes("Title"), "telephone number") {
			t.Errorf("it takes %q", m.Takes("Title"))
		}
	}
	if m := compile(t, people(), "User"); m.Takes("jpegPhoto") != "" {
		t.Error("what is not mapped is described")
	}
}

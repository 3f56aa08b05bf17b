package directory

import "testing"

func TestChild(t *testing.T) {
	const base = "ou=people,dc=example,dc=org"
	for dn, want := range map[string]bool{
		"uid=ann,ou=people,dc=example,dc=org":        true,
		"UID=Ann, OU=People, DC=example, DC=org":     true,
		`cn=Lee\, Ann,ou=people,dc=example,dc=org`:   true,
		`cn=a\;b,ou=people,dc=example,dc=org`:        true,
		"cn=Ann+uid=ann,ou=people,dc=example,dc=org": true,
		"uid=ann,ou=old,ou=people,dc=example,dc=org": false,
		base:                                   false,
		"uid=ann,ou=peoples,dc=example,dc=org": false,
		"uid=ann,ou=otherpeople,dc=example,dc=org": false,
		`uid=ann\,ou=people,dc=example,dc=org`:     false,
	} {
		if got := Child(dn, base); got != want {
			t.Errorf("%s: %v", dn, got)
		}
	}
}

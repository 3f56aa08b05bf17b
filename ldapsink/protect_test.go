package ldapsink

import (
	"testing"

	"github.com/go-ldap/ldap/v3"
)

// What an entry of Active Directory says of itself.
func TestProtectedByItself(t *testing.T) {
	domain := "\x01\x04\x00\x00\x00\x00\x00\x05\x15\x00\x00\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c"
	entry := func(attributes map[string]string) *ldap.Entry {
		e := &ldap.Entry{}
		for name, value := range attributes {
			e.Attributes = append(e.Attributes, &ldap.EntryAttribute{Name: name, Values: []string{value}, ByteValues: [][]byte{[]byte(value)}})
		}
		return e
	}
	for name, tc := range map[string]struct {
		attributes map[string]string
		why        string
	}{
		"somebody":                        {map[string]string{"objectSid": sidOf(domain, 1105), "primaryGroupID": "513"}, ""},
		"somebody who was never an admin": {map[string]string{"adminCount": "0"}, ""},
		"an administrator":                {map[string]string{"ADMINCOUNT": "1"}, "its adminCount is 1, so it is or was an administrator"},
		"Administrator":                   {map[string]string{"objectSid": sidOf(domain, 500)}, whyRID},
		"krbtgt":                          {map[string]string{"objectSid": sidOf(domain, 502)}, whyRID},
		"Domain Admins":                   {map[string]string{"objectSid": sidOf(domain, 512)}, whyRID},
		"Administrators":                  {map[string]string{"objectSid": sidOf(builtin, 544)}, whyRID},
		"in Domain Admins as the primary": {map[string]string{"objectSid": sidOf(domain, 1106), "primaryGroupID": "512"}, whyGroup},
		"what the directory is made of":   {map[string]string{"isCriticalSystemObject": "TRUE"}, "the directory itself depends on it"},
		"a broken identifier":             {map[string]string{"objectSid": "x"}, ""},
	} {
		if got := flavors[activeDirectory].protects.of(entry(tc.attributes)); got != tc.why {
			t.Errorf("%s: %q, want %q", name, got, tc.why)
		}
		if got := flavors[openLDAP].protects.of(entry(tc.attributes)); got != "" {
			t.Errorf("%s on another directory: %q", name, got)
		}
	}
	if sid := sidOf(builtin, 544); sid != "\x01\x02\x00\x00\x00\x00\x00\x05\x20\x00\x00\x00\x20\x02\x00\x00" {
		t.Errorf("S-1-5-32-544 is %x", sid)
	}
	if sid := sidOf(domain, 512); len(sid) != 28 || sid[1] != 5 {
		t.Errorf("Domain Admins is %x", sid)
	}
}

package ldapsink

import "testing"

func TestIDsAreReadAsTheyAreAskedFor(t *testing.T) {
	for _, tc := range []struct {
		name         string
		form         idForm
		text, stored string
	}{
		{"UUID", formUUID, "f81d4fae-7dec-11d0-a765-00a0c91e6bf6", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"},
		// The byte order of [MS-DTYP] section 2.3.4.2.
		{"GUID", formGUID, "00112233-4455-6677-8899-aabbccddeeff", "\x33\x22\x11\x00\x55\x44\x77\x66\x88\x99\xaa\xbb\xcc\xdd\xee\xff"},
		{"nsUniqueId", formUniqueID, "c5ef8a1e-1dd111b2-802daf2c-3e8b0000", "c5ef8a1e-1dd111b2-802daf2c-3e8b0000"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := tc.form.text(tc.stored); got != tc.text {
				t.Errorf("%q is read as %q", tc.stored, got)
			}
			if got, ok := tc.form.value(tc.text); !ok || got != tc.stored {
				t.Errorf("%q is asked for as %q, %t", tc.text, got, ok)
			}
			for _, no := range []string{"", "x", tc.text + "0", tc.text[1:], "g" + tc.text[1:], tc.text + "-", "*"} {
				if _, ok := tc.form.value(no); ok {
					t.Errorf("%q is taken for an id", no)
				}
			}
		})
	}
}

package scim

import "testing"

func TestTimesHaveOneForm(t *testing.T) {
	for text, want := range map[string]string{
		"2026-05-06T07:08:09Z": "2026-05-06T07:08:09Z", "2026-05-06T09:08:09.500+02:00": "2026-05-06T07:08:09.5Z", "2026-05-06T07:08:09": "2026-05-06T07:08:09Z",
		" 2026-05-06T07:08:09Z ": "2026-05-06T07:08:09Z", "9999-12-31T23:59:59-01:00": "", "0000-01-01T00:00:00+01:00": "", "2026-05-06": "", "now": "", "2026-13-01T00:00:00Z": "",
	} {
		at, ok := ParseDateTime(text)
		if got := FormatDateTime(at); ok != (want != "") || ok && got != want {
			t.Errorf("%q is %s, %t", text, got, ok)
		}
	}
}

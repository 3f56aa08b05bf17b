package scim

import "testing"

func TestBase64IsTakenInEveryForm(t *testing.T) {
	for text, want := range map[string]string{
		"+/8=": "\xfb\xff", "-_8=": "\xfb\xff", "-_8": "\xfb\xff", "+/8": "\xfb\xff", "YW\r\nJj\n": "abc", "YQ==": "a", "YQ": "a", "YQ=": "a",
	} {
		if got, ok := DecodeBinary(text); !ok || string(got) != want {
			t.Errorf("%q is %q, %t", text, got, ok)
		}
	}
	for _, text := range []string{"", "=", "A", "YQ===", "Y=Q=", "YR==", "!!!!", "YW-+Jj*"} {
		if got, ok := DecodeBinary(text); ok {
			t.Errorf("%q is taken for %q", text, got)
		}
	}
	if got := EncodeBinary([]byte("\xfb\xff")); got != "+/8=" {
		t.Error(got)
	}
}

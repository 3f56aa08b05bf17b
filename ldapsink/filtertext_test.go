package ldapsink

import (
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"
)

func TestCheckFilter(t *testing.T) {
	for text, want := range map[string]string{
		"(employeeType=staff)":            "",
		"(&(a=b)(|(c=*)(d>=1))(!(e~=f)))": "",
		`(cn=*\28x\29*)`:                  "",
		"(cn=)":                           "",
		"(memberOf:1.2.840.113556.1.4.1941:=cn=x,dc=example)": "",
		"(userAccountControl:1.2.840.113556.1.4.803:=2)":      "",
		"(cn;lang-de=x)":     "",
		"":                   "is empty",
		"employeeType=staff": "character 1 ",
		"(a=b":               "character 5 ",
		"(a=b))":             "character 6 ",
		"(a=b)(c=d)":         "character 6 ",
		"(&)":                "character 3 ",
		"(!(a=b)(c=d))":      "character 13 ",
		"(ä b=c)":            "character 2 ",
		"(a)":                "character 3 ",
		"(ä=b)":              "character 2 ",
		"(a=ü(b))":           "character 5 ",
		`(a=\4)`:             "character 4 ",
		"(&(a=b)c=d)":        "character 8 ",
		"(cn:x=y)":           "character 6 ",
		strings.Repeat("(!", 80) + "(a=b)" + strings.Repeat(")", 80): "more than 50",
	} {
		err := CheckFilter(text)
		switch {
		case want == "" && err != nil:
			t.Errorf("%s: %v", text, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

// A filter that passes stays one filter, wherever it is put.
func FuzzCheckFilter(f *testing.F) {
	for _, text := range []string{"(a=b)", "(&(a=b)(!(c=*)))", `(a=\28)`, "(a:b:=c)", "(|(a<=b)(c>=d))"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if CheckFilter(text) != nil {
			return
		}
		both, err := ldap.CompileFilter("(&(x=y)" + text + "(z=1))")
		if err != nil || len(both.Children) != 3 {
			t.Errorf("%q is not one filter: %v", text, err)
		}
	})
}

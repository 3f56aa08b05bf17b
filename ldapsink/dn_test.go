package ldapsink

import "testing"

func TestNamesAsDirectoriesWriteThem(t *testing.T) {
	for dn, want := range map[string]string{
		`CN=\?two&x\3D1\, Ann,DC=example`: "?two&x=1, Ann",
		`CN=a\?b\3F\\?,DC=example`:        `a?b?\?`,
		`CN=J\c3\bcrgen \"Q\"`:            `Jürgen "Q"`,
		`CN=\#x\+y\ `:                     "#x+y ",
		`CN=plain`:                        "plain",
	} {
		if got := nameValue(dn, "cn"); got != want {
			t.Errorf("%s: %q, want %q", dn, got, want)
		}
		if !sameSpelling(dn, relativeName("CN", want)+dn[len(dn)-len(restOf(dn)):]) {
			t.Errorf("%s is not what the gateway calls it", dn)
		}
	}
	if _, err := parseDN(`CN=a\`); err == nil {
		t.Error("half an escape is read")
	}
}

// restOf is what follows the first relative name, with its comma.
func restOf(dn string) string {
	if _, rest := splitName(dn); rest != "" {
		return "," + rest
	}
	return ""
}

package config

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"text/template"
)

// Every rule set loads before other directories than an OpenLDAP too: with the mappings
// that the tests serve before an Active Directory and a 389 Directory Server.
func TestEveryProfileLoadsBeforeOtherDirectories(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(secret, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	values := map[string]any{
		"PageSize": 100, "Timeout": "20s", "State": t.TempDir(), "URL": "ldaps://ldap.example.com", "BindDN": "cn=scimgate,dc=example,dc=org",
		"PasswordFile": secret, "CAFile": "", "StartTLS": false, "OnForeignLock": "keep", "Delete": "disable", "FilterEntries": 0, "Brake": "", "Me": "", "UserRules": nil,
	}
	for _, file := range []string{"serve-ad.yaml", "serve-389ds.yaml"} {
		source, err := template.New(file).Funcs(template.FuncMap{"quote": strconv.Quote}).ParseFiles("../../integration/testdata/" + file)
		if err != nil {
			t.Fatal(err)
		}
		var text bytes.Buffer
		if err := source.Execute(&text, values); err != nil {
			t.Fatal(err)
		}
		plain := strings.Replace(text.String(), `tls: {caFile: ""}`, "tls: {}", 1)
		for _, name := range Profiles() {
			with := strings.Replace(plain, "  - name: okta\n", "  - name: okta\n    profile: "+name+"\n", 1)
			c, _, err := read(file, []byte(with), func(string) (string, bool) { return "", false })
			if err != nil {
				t.Errorf("%s before %s: %v", name, file, err)
				continue
			}
			if got := c.Tenants[0]; got.Profile != name || got.Users.StableKey != "externalId" {
				t.Errorf("%s before %s: %+v", name, file, got)
			}
		}
	}
}

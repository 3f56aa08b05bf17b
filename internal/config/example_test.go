package config

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// example is the file that users begin with.
func example(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../config.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// loadExample loads it from a folder of its own, which has the files that it names.
func loadExample(t *testing.T, text string) (c *Config, dir string) {
	t.Helper()
	dir = t.TempDir()
	certificate := testCertificate(t)
	for name, text := range map[string][]byte{
		"scimgate.yaml": []byte(text), "ldap-password": []byte("secret\n"),
		"tls.crt": certificate, "tls.key": nil, "ca.pem": certificate,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, warnings, err := Load(filepath.Join(dir, "scimgate.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if len(warnings) > 0 {
		t.Errorf("warnings: %v", warnings)
	}
	return c, dir
}

// commented is a key in a comment: alone in its line, or with a value in brackets
// or quotes. Prose that begins with a word and a colon goes on with a letter.
var commented = regexp.MustCompile(`^( *)# ([A-Za-z]+):(?: [\[{"'].*)?$`)

// uncommented takes the marks of comments off every key of the example, and off
// what is below it: the lines after it that go in deeper. It returns the keys, too.
func uncommented(text string) (plain string, keys []string) {
	lines := strings.Split(text, "\n")
	inside := "" // the indentation of a block that is being taken out of its comment
	for i, line := range lines {
		if key := commented.FindStringSubmatch(line); key != nil {
			inside, keys = key[1]+"# ", append(keys, key[2])
		} else if inside == "" || !strings.HasPrefix(line, inside+"  ") {
			inside = ""
			continue
		}
		lines[i] = strings.Replace(line, "# ", "", 1)
	}
	return strings.Join(lines, "\n"), keys
}

// What the example shows in comments is right as well.
func TestTheExampleLoadsWithAllThatIsInComments(t *testing.T) {
	text, keys := uncommented(example(t))
	if !slices.Equal(keys, []string{"protected", "file", "me", "protocol", "limits", "resourceTypes"}) {
		t.Errorf("keys in comments: %v", keys)
	}
	c, _ := loadExample(t, strings.ReplaceAll(text, "reference: [User, Group]", "reference: [User, Group, Device]"))
	tenant := c.Tenants[0]
	if tenant.Me == nil || tenant.Me.By != "userName" || !slices.Equal(tenant.Me.Methods, []string{"GET"}) {
		t.Errorf("me is read as %+v", tenant.Me)
	}
	if tenant.Tokens.File != "/run/secrets/okta.json" {
		t.Errorf("the token file is %q", tenant.Tokens.File)
	}
	if p := tenant.Protocol; len(p.Off) != 3 || p.Members != (ProtocolMembers{100, true, MembersShownSingle}) || p.Patch.Users.PathFilters != PathFiltersEq {
		t.Errorf("protocol is read as %+v", p)
	}
	if tenant.Limits.PageSize != 50 || tenant.Limits.BodyBytes != 256<<10 {
		t.Errorf("limits are read as %+v", tenant.Limits)
	}
	if p := c.Directories["corp"].Protected; p.Filter != "(employeeType=admin)" || len(p.Groups) != 1 {
		t.Errorf("protected is read as %+v", p)
	}
	adopting, _ := loadExample(t, strings.Replace(text, "onExisting: conflict", `onExisting: {adopt: {by: [userName], filter: "(employeeType=staff)"}}`, 1))
	if adopt := adopting.Tenants[0].Users.OnExisting.Adopt; adopt == nil || len(adopt.By) != 1 {
		t.Errorf("adoption is read as %+v", adopt)
	}
	types := tenant.ResourceTypes
	if len(types) != 1 || types[0].Name != "Device" || types[0].Endpoint != "Devices" || types[0].Base != "ou=devices,dc=example,dc=org" ||
		len(types[0].Attributes) != 4 || types[0].Kind.Schema != types[0].Schema || types[0].Peers[0] != "Device" {
		t.Errorf("the further types are read as %+v", types)
	}
}

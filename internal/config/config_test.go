package config

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"scimgate/internal/directory"
)

// minimal is the shortest file that loads.
const minimal = "testdata/good/minimal.yaml"

// load reads the minimal file after replacements, which come in pairs.
func load(t *testing.T, replacements ...string) (*Config, []Warning, error) {
	t.Helper()
	text, err := os.ReadFile(minimal)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(replacements); i += 2 {
		if !strings.Contains(string(text), replacements[i]) {
			t.Fatalf("the minimal file has no %q", replacements[i])
		}
	}
	changed := strings.NewReplacer(replacements...).Replace(string(text))
	env := map[string]string{"TEST_PASSWORD": "secret", "NAME": "okta-2", "COUNT": "7"}
	return read("dir/scimgate.yaml", []byte(changed), func(name string) (string, bool) {
		value, ok := env[name]
		return value, ok
	})
}

// mustLoad is load for a file without faults.
func mustLoad(t *testing.T, replacements ...string) *Config {
	t.Helper()
	c, _, err := load(t, replacements...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestWhatTheFileLeavesOutHasDefaults(t *testing.T) {
	c := mustLoad(t)
	got := *c
	got.Directories, got.Tenants = nil, nil
	if d := cmp.Diff(Config{
		Server: Server{Listen: ":8443", Limits: Limits{1 << 20, 100, 1000, 20 * time.Second, 50000, 30}},
		Admin:  Admin{Listen: "127.0.0.1:8081"}, StateDir: "/var/lib/scimgate",
		Log: Log{MaxSize: 100e6, MaxAge: 90 * 24 * time.Hour},
	}, got, cmpopts.IgnoreUnexported(Config{})); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(Directory{
		Flavor: "openldap", URLs: []string{"ldaps://ldap.example.com"},
		Bind:        Bind{DN: "cn=scimgate,dc=example,dc=org", Password: "secret"},
		Connections: 4, Timeout: 5 * time.Second,
		Retry:    Retry{6, 50 * time.Millisecond, 2 * time.Second},
		ComeBack: 10 * time.Second, Lag: 30 * time.Second,
	}, c.Directories["corp"]); d != "" {
		t.Error(d)
	}
	tenant := c.Tenants[0]
	if tenant.BasePath != "/scim/v2" || tenant.Tokens != (Tokens{Max: 2, Lifetime: 8760 * time.Hour, Warn: 720 * time.Hour}) {
		t.Errorf("the tenant has the path %s and tokens %v", tenant.BasePath, tenant.Tokens)
	}
}

func TestTheExampleFileLoads(t *testing.T) {
	text := example(t)
	c, dir := loadExample(t, text)
	corp := c.Directories["corp"]
	if corp.Bind.Password.Reveal() != "secret" {
		t.Errorf("the password was read as %q", corp.Bind.Password.Reveal())
	}
	if corp.TLS.CAFile != filepath.Join(dir, "ca.pem") || c.Server.TLS.CertFile != filepath.Join(dir, "tls.crt") {
		t.Errorf("the certificates are looked for at %s and %s", corp.TLS.CAFile, c.Server.TLS.CertFile)
	}
	if d := cmp.Diff([]string{"/okta/scim/v2", "/scim/v2"}, c.Tenants[0].BasePaths()); d != "" {
		t.Error(d)
	}
	users := c.Tenants[0].Users
	if users.OnExisting.Action != "conflict" || len(users.Extensions) != 1 || users.Deactivate[0].Set == nil {
		t.Errorf("the users are read as %+v", users)
	}
	groups := c.Tenants[0].Groups
	if d := cmp.Diff([]string{"User", "Group"}, groups.Attributes[2].Reference); d != "" {
		t.Error(d)
	}
}

func TestVariablesAreReplaced(t *testing.T) {
	c := mustLoad(t,
		"name: okta", "name: ${NAME}",
		"    urls:", "    connections: ${COUNT}\n    urls:",
		"cn=nobody", "cn=$${NAME},ou=${NAME}")
	if got := c.Tenants[0].Name; got != "okta-2" {
		t.Errorf("the name is %q", got)
	}
	if got := c.Directories["corp"].Connections; got != 7 {
		t.Errorf("%d connections", got)
	}
	if got := c.Tenants[0].Groups.Attributes[2].EmptyMember; got != "cn=${NAME},ou=okta-2" {
		t.Errorf("the empty member is %q", got)
	}
}

func TestTextTakesEveryScalarAsItIsWritten(t *testing.T) {
	// LDAP's own words TRUE and 0001 are no text for YAML; as values they are.
	for written, want := range map[string]string{
		"TRUE": "TRUE", "0001": "0001", "1e3": "1e3", "0x1F": "0x1F", `"yes"`: "yes", "no": "no",
	} {
		c := mustLoad(t, `"000001010000Z"`, written)
		if got := c.Tenants[0].Users.Deactivate[0].Set.Inactive; got != want {
			t.Errorf("%s is read as %q", written, got)
		}
	}
}

func TestAListOfOneMayBeWrittenAsItsElement(t *testing.T) {
	c := mustLoad(t, "reference: [User, Group]", "reference: User")
	if d := cmp.Diff([]string{"User"}, c.Tenants[0].Groups.Attributes[2].Reference); d != "" {
		t.Error(d)
	}
}

func TestAnAliasStandsForItsAnchor(t *testing.T) {
	c := mustLoad(t,
		"objectClasses: [top, inetOrgPerson, scimgateObject]", "objectClasses: &classes [top, scimgateObject]",
		"objectClasses: [top, groupOfNames, scimgateObject]", "objectClasses: *classes")
	if d := cmp.Diff([]string{"top", "scimgateObject"}, c.Tenants[0].Groups.ObjectClasses); d != "" {
		t.Error(d)
	}
}

func TestATenantWithoutGroupsHasNone(t *testing.T) {
	text, err := os.ReadFile(minimal)
	if err != nil {
		t.Fatal(err)
	}
	_, groups, _ := strings.Cut(string(text), "    groups:\n")
	c := mustLoad(t, "    groups:\n"+groups, "")
	if c.Tenants[0].Groups != nil {
		t.Errorf("the groups are %+v", c.Tenants[0].Groups)
	}
}

func TestSeveralTenantsHaveAPathEach(t *testing.T) {
	text, err := os.ReadFile(minimal)
	if err != nil {
		t.Fatal(err)
	}
	_, tenant, _ := strings.Cut(string(text), "tenants:\n")
	c := mustLoad(t, tenant, tenant+strings.Replace(tenant, "okta", "entra", 1))
	for i, want := range []string{"/okta/scim/v2", "/entra/scim/v2"} {
		if got := c.Tenants[i].BasePath; got != want {
			t.Errorf("tenant %d has the path %s, wanted %s", i, got, want)
		}
	}
}

func TestAKeyWithoutEffectYetMayBeEmpty(t *testing.T) {
	mustLoad(t, "    directory: corp\n", `    directory: corp
    oidc: {issuer: "", audience: "", scope: ""}
    resourceTypes: []
`)
}

func TestAPasswordInPlainIsAWarning(t *testing.T) {
	_, warnings, err := load(t, "${TEST_PASSWORD}", "secret", "directories:", "server: {listen: 'localhost:0'}\ndirectories:")
	if err != nil {
		t.Fatal(err)
	}
	if len(warnings) != 1 || !strings.HasPrefix(warnings[0].String(), "dir/scimgate.yaml:5:49: directories.corp.bind.password: is written in plain") {
		t.Errorf("warnings: %v", warnings)
	}
	if strings.Contains(fmt.Sprint(warnings), "secret") {
		t.Errorf("the warning repeats the password: %v", warnings)
	}
}

func TestPlainHTTPBeyondThisMachineIsAWarning(t *testing.T) {
	for listen, want := range map[string]int{"127.0.0.1:0": 0, "'[::1]:80'": 0, "':8080'": 1, "192.0.2.1:80": 1} {
		_, warnings, err := load(t, "directories:", "server: {listen: "+listen+"}\ndirectories:")
		if err != nil || len(warnings) != want {
			t.Errorf("%s: warnings %v, error %v", listen, warnings, err)
		}
	}
}

func TestAPasswordFileLosesOneLineEnd(t *testing.T) {
	for text, want := range map[string]string{
		"secret": "secret", "secret\n": "secret", "secret\r\n": "secret", "sec ret \n\n": "sec ret \n",
	} {
		path := filepath.Join(t.TempDir(), "password")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c := mustLoad(t, `password: "${TEST_PASSWORD}"`, "passwordFile: "+path)
		if got := c.Directories["corp"].Bind.Password.Reveal(); got != want {
			t.Errorf("%q is read as %q", text, got)
		}
	}
}

func TestASecretIsNeverPrinted(t *testing.T) {
	bind := Bind{DN: "cn=x", Password: "hunter2"}
	var all []string
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		all = append(all, fmt.Sprintf(verb, bind), fmt.Sprintf(verb, bind.Password), fmt.Sprintf(verb, &bind))
	}
	asJSON, err := json.Marshal(bind)
	if err != nil {
		t.Fatal(err)
	}
	asYAML, err := yaml.Marshal(bind)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range append(all, string(asJSON), string(asYAML)) {
		if strings.Contains(text, "hunter2") || strings.Contains(text, "68756e74657232") {
			t.Errorf("printed: %s", text)
		}
	}
	if !strings.Contains(string(asYAML), "***") || !strings.Contains(string(asJSON), "***") {
		t.Errorf("encoded as %s and %s", asYAML, asJSON)
	}
}

func TestALaterFaultFindsItsLine(t *testing.T) {
	c := mustLoad(t)
	for key, want := range map[string]string{
		"attributes[2].ldap":       "dir/scimgate.yaml:17:35: tenants[0].users.attributes[2].ldap: x",
		"attributes[2].default":    "dir/scimgate.yaml:17:11: tenants[0].users.attributes[2].default: x",
		"attributes[9].ldap":       "dir/scimgate.yaml:14:7: tenants[0].users.attributes[9].ldap: x",
		"onExisting.adopt.by":      "dir/scimgate.yaml:8:5: tenants[0].users.onExisting.adopt.by: x",
		"":                         "dir/scimgate.yaml:8:5: tenants[0].users: x",
		"deactivate[0].set.active": "dir/scimgate.yaml:20:11: tenants[0].users.deactivate[0].set.active: x",
	} {
		got := c.Source().Locate("tenants[0].users", directory.Fault{Key: key, Problem: "x"}).String()
		if got != want {
			t.Errorf("%s is at\n%s, wanted\n%s", key, got, want)
		}
	}
}

func TestAMissingFileIsAReport(t *testing.T) {
	_, _, err := Load("no/such.yaml")
	if err == nil || err.Error() != "no/such.yaml: the file no/such.yaml cannot be read: no such file or directory\n1 fault" {
		t.Error(err)
	}
}

package config

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"scimgate/mapping"
)

// taking is the minimal file with a profile, and lines below it.
func taking(t *testing.T, profile string, more ...string) *Config {
	t.Helper()
	return mustLoad(t, append([]string{"  - name: okta\n", "  - name: okta\n    profile: " + profile + "\n"}, more...)...)
}

// Every rule set is read as strictly as a file is, says what it is for, and loads
// with the minimal mapping.
func TestEveryProfileLoads(t *testing.T) {
	if d := cmp.Diff([]string{"aws", "cloudsso", "entra", "okta", "onelogin", "scimsetup"}, Profiles()); d != "" {
		t.Fatal(d)
	}
	for _, name := range Profiles() {
		if _, _, err := profileOf(name); err != nil {
			t.Error(err)
		}
		if s := ProfileSummary(name); len(s) < 10 || len(s) > 100 {
			t.Errorf("%s is summed up as %q", name, s)
		}
		if got := taking(t, name).Tenants[0].Profile; got != name {
			t.Errorf("the profile is %q", got)
		}
	}
	if _, err := ProfileText("../presets/openldap"); err == nil {
		t.Error("a profile is found outside of their folder")
	}
}

func TestAProfileIsUnderneathTheFile(t *testing.T) {
	c := taking(t, "aws")
	tenant := c.Tenants[0]
	if tenant.Tokens.Max != 2 || tenant.Tokens.Lifetime != 8760*time.Hour || tenant.Limits.PageSize != 100 {
		t.Errorf("tokens are %v, limits %v", tenant.Tokens, tenant.Limits)
	}
	rules := tenant.Users.Rules
	if rules.ForbiddenCharacters != "<>;:%" || !rules.OneValue || len(rules.Together) != 1 || !slices.Contains(rules.Required, "displayName") {
		t.Errorf("the rules are %+v", rules)
	}
	if !slices.Contains(tenant.Protocol.Off, "PUT Groups") {
		t.Errorf("off are %v", tenant.Protocol.Off)
	}

	c = taking(t, "aws", "    users:\n", "    tokens: {max: 3}\n    limits: {pageSize: 20}\n    protocol: {off: [Me]}\n    users:\n      rules: {oneValue: false}\n")
	tenant = c.Tenants[0]
	if tenant.Tokens.Max != 3 || tenant.Tokens.Lifetime != 8760*time.Hour || tenant.Limits.PageSize != 20 {
		t.Errorf("tokens are %v, limits %v", tenant.Tokens, tenant.Limits)
	}
	if d := cmp.Diff([]string{"Me"}, tenant.Protocol.Off); d != "" {
		t.Error(d)
	}
	if len(tenant.Protocol.Filters.Users) == 0 {
		t.Error("what is beside off is gone")
	}
	if rules := tenant.Users.Rules; rules.OneValue || rules.ForbiddenCharacters != "<>;:%" {
		t.Errorf("the rules are %+v", rules)
	}
}

// The file's rules add to the profile's, an empty one nothing; those in without do
// not hold.
func TestRulesAddToThoseOfAProfile(t *testing.T) {
	rules := func(text string) (mapping.RulesConfig, []Warning) {
		t.Helper()
		c, warnings, err := load(t, "  - name: okta\n", "  - name: okta\n    profile: aws\n", "    users:\n", "    users:\n      rules: "+text+"\n")
		if err != nil {
			t.Fatal(err)
		}
		return c.Tenants[0].Users.Rules, slices.DeleteFunc(warnings, func(w Warning) bool { return !strings.Contains(w.Problem, "adds nothing") })
	}
	r, warnings := rules(`{forbiddenCharacters: "#<", required: [title, emails], together: [[userName, name.familyName]]}`)
	if r.ForbiddenCharacters != "#<>;:%" || len(r.Together) != 2 || r.Together[0][0] != "userName" || len(warnings) > 0 {
		t.Errorf("the rules are %+v, the warnings %v", r, warnings)
	}
	if d := cmp.Diff([]string{"title", "emails", "userName", "name.givenName", "name.familyName", "displayName"}, r.Required); d != "" {
		t.Error(d)
	}
	r, warnings = rules(`{forbiddenCharacters: "", together: []}`)
	if r.ForbiddenCharacters != "<>;:%" || len(r.Together) != 1 || len(warnings) != 2 || !strings.Contains(warnings[0].Problem, "without: [forbiddenCharacters]") {
		t.Errorf("the rules are %+v, the warnings %v", r, warnings)
	}
	r, warnings = rules(`{without: [forbiddenCharacters, together, oneValue], forbiddenCharacters: "#"}`)
	if r.ForbiddenCharacters != "#" || len(r.Together) > 0 || r.OneValue || len(r.Required) == 0 || len(warnings) > 0 {
		t.Errorf("the rules are %+v, the warnings %v", r, warnings)
	}
	_, _, err := load(t, "    users:\n", "    users:\n      rules: {without: [forbidden]}\n")
	if err == nil || !strings.Contains(err.Error(), `tenants[0].users.rules.without[0]: "forbidden" is no rule`) {
		t.Errorf("without a rule that is none: %v", err)
	}
}

// A line that says false takes its attribute out of a rule.
func TestALineTakesItsAttributeOut(t *testing.T) {
	c := taking(t, "aws", "{scim: userName, ldap: uid, required: true, unique: true}", "{scim: userName, ldap: uid, required: true, unique: true}\n        - {scim: displayName, ldap: displayName, required: false}\n        - {scim: emails.value, ldap: mail, unique: false}")
	for i, r := range c.Tenants[0].Users.Attributes {
		if r.Optional != (r.SCIM == "displayName") || r.Shared != (r.SCIM == "emails.value") {
			t.Errorf("line %d: %+v", i, r)
		}
	}
}

// A fault of what a profile says is told at the tenant, and names the profile.
func TestAFaultOfAProfileNamesIt(t *testing.T) {
	_, _, err := load(t, "  - name: okta\n", "  - name: okta\n    profile: aws\n    me: {by: userName}\n")
	if want := "dir/scimgate.yaml:6:5: tenants[0].protocol.off: Me cannot be off"; err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "the profile aws") {
		t.Errorf("got %v, want %s and the profile's name", err, want)
	}
	s := newSource("f.yaml")
	s.positions["tenants[0].users"] = Position{3, 5}
	s.by["tenants[0].users.rules.required"] = "the profile aws"
	s.fault("tenants[0].users.rules.required[2]", "%q is no attribute", "x")
	if got, want := s.faults[0].String(), `f.yaml:3:5: tenants[0].users.rules.required[2]: "x" is no attribute; the key comes from the profile aws`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// What a rule asks for and no line keeps is warned of, not refused: it is checked
// on what is sent all the same.
func TestRulesOfWhatIsNotMapped(t *testing.T) {
	text := "  - name: okta\n"
	_, warnings, err := load(t, text, text+"    profile: aws\n")
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, w := range warnings {
		found = found || strings.HasPrefix(w.Key, "tenants[0].users.rules.unique") && strings.Contains(w.Problem, "emails.value") && strings.Contains(w.Problem, "the profile aws")
	}
	if !found {
		t.Errorf("the warnings are %v", warnings)
	}
}

// A tenant without groups does not get any by a profile.
func TestAProfileMakesNothing(t *testing.T) {
	text, err := os.ReadFile(minimal)
	if err != nil {
		t.Fatal(err)
	}
	_, groups, _ := strings.Cut(string(text), "    groups:\n")
	for _, name := range Profiles() {
		if c := taking(t, name, "    groups:\n"+groups, ""); c.Tenants[0].Groups != nil {
			t.Errorf("%s makes the groups %+v", name, c.Tenants[0].Groups)
		}
	}
}

package mapping

import (
	"slices"
	"strings"
	"testing"

	"scimgate/internal/directory"
)

// Each declaration has one fault, found under the key that is to blame.
func TestFaultsNameTheirKey(t *testing.T) {
	with := func(r RuleConfig) func(*Config) {
		return func(c *Config) { c.Attributes = append(c.Attributes, r) } // becomes attributes[2]
	}
	badge := func(r RuleConfig) func(*Config) {
		return func(c *Config) { c.Extensions = []ExtensionConfig{{URN: badgeURN, Attributes: []RuleConfig{r}}} }
	}
	for _, tc := range []struct {
		name   string
		change func(*Config)
		key    string
		word   string // of the problem
	}{
		{"no LDAP attribute", with(simple("title", "")), "attributes[2].ldap", "missing"},
		{"neither path nor template", with(simple("", "cn")), "attributes[2].scim", "template"},
		{"path that cannot be read", with(simple("emails[", "mail")), "attributes[2].scim", "position"},
		{"unknown attribute", with(simple("shoeSize", "cn")), "attributes[2].scim", "shoeSize"},
		{"unknown part", with(simple("name.nick", "cn")), "attributes[2].scim", "name.nick"},
		{"unknown URN", with(simple("urn:example:nobody:x", "cn")), "attributes[2].scim", "urn:example:nobody:x"},
		{"complex attribute", with(simple("name", "cn")), "attributes[2].scim", "name.formatted"},
		{"complex elements", with(simple("addresses", "cn")), "attributes[2].scim", "complex"},
		{"whole schema", with(simple("enterprise", "cn")), "attributes[2].scim", ""},
		{"read-only attribute", with(simple("groups", "memberOf")), "attributes[2].scim", "read-only"},
		{"id", with(simple("id", "entryUUID")), "attributes[2].scim", "read-only"},
		{"read-only part", with(simple("enterprise:manager.displayName", "managerName")), "attributes[2].scim", "read-only"},
		{"active", with(simple("active", "loginShell")), "attributes[2].scim", "deactivate"},
		{"value path with or", with(simple(`emails[type eq "work" or type eq "home"].value`, "mail")), "attributes[2].scim", "equal values"},
		{"value path with ne", with(simple(`emails[type ne "work"].value`, "mail")), "attributes[2].scim", "equal values"},
		{"value path with pr", with(simple(`emails[type pr].value`, "mail")), "attributes[2].scim", "equal values"},
		{"value path on an unknown part", with(simple(`emails[kind eq "work"].value`, "mail")), "attributes[2].scim", "kind"},
		{"parts of elements that cannot be told apart", with(simple("addresses.locality", "l")), "attributes[2].single", "value path"},
		{"single on one value", with(RuleConfig{SCIM: "title", LDAP: "title", Single: SingleFirst}), "attributes[2].single", "one value"},
		{"unknown single", with(RuleConfig{SCIM: "emails", LDAP: "mail", Single: "last"}), "attributes[2].single", "reject or primary or first"},
		{"template that cannot be read", with(RuleConfig{LDAP: "cn", Template: "{{"}), "attributes[2].template", "template"},
		{"template with an unknown name", with(RuleConfig{LDAP: "cn", Template: "{{ .shoeSize }}"}), "attributes[2].template", "schema"},
		{"template with an unknown function", with(RuleConfig{LDAP: "cn", Template: "{{ shout .userName }}"}), "attributes[2].template", "template"},
		{"template and path", with(RuleConfig{SCIM: "title", LDAP: "title", Template: "x"}), "attributes[2].template", "default"},
		{"default that cannot be read", with(RuleConfig{SCIM: "title", LDAP: "title", Default: "{{ .shoeSize }}"}), "attributes[2].default", "schema"},
		{"type outside of an extension", with(RuleConfig{SCIM: "title", LDAP: "title", Type: "integer"}), "attributes[2]", "extensions"},
		{"multiValued outside of an extension", with(RuleConfig{SCIM: "title", LDAP: "title", MultiValued: true}), "attributes[2]", "extensions"},
		{"unknown type", badge(RuleConfig{SCIM: "badgeId", LDAP: "employeeNumber", Type: "text"}), "extensions[0].attributes[0].type", "boolean"},
		{"extension without LDAP attribute", badge(simple("badgeId", "")), "extensions[0].attributes[0].ldap", "missing"},
		{"extension with a taken LDAP attribute", badge(simple("badgeId", "UID")), "extensions[0].attributes[0].ldap", "attributes[0].ldap"},
		{"extension without a name", badge(simple("", "x")), "extensions[0].attributes[0].scim", "missing"},
		{"extension without URN", func(c *Config) {
			c.Extensions = []ExtensionConfig{{Attributes: []RuleConfig{simple("title", "title")}}}
		}, "extensions[0].urn", "missing"},
		{"extension under a URN of the standard", func(c *Config) {
			c.Extensions = []ExtensionConfig{{URN: "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
				Attributes: []RuleConfig{simple("badgeId", "employeeNumber")}}}
		}, "extensions[0].urn", "own"},
		{"unknown resource type", with(RuleConfig{SCIM: "enterprise:manager.value", LDAP: "manager", Reference: []string{"User", "Device"}}),
			"attributes[2].reference[1]", "Device"},
		{"emptyMember of a user", with(RuleConfig{SCIM: "title", LDAP: "title", EmptyMember: "cn=x"}), "attributes[2].emptyMember", "group"},
		{"attribute used twice", with(simple("title", "scimExternalId")), "attributes[2].ldap", "attributes[1].ldap"},
		{"attribute used by the marker", with(simple("title", "SCIMSTATE")), "attributes[2].ldap", "marker.state"},
		{"attribute used by a step", with(simple("title", "pwdAccountLockedTime")), "attributes[2].ldap", "deactivate[0].set.ldap"},
		{"two steps on one attribute", func(c *Config) { c.Deactivate = append(c.Deactivate, c.Deactivate[0]) }, "deactivate[1].set.ldap", "deactivate[0]"},
		{"one attribute for both halves of the marker", func(c *Config) { c.Marker.Source = c.Marker.State }, "marker.source", "marker.state"},
		{"nothing feeds the name", func(c *Config) { c.RDN.LDAP = "cn" }, "rdn", "cn"},
		{"nothing maps the stable key", func(c *Config) { c.StableKey = "nickName" }, "stableKey", "nickName"},
		{"together with an unknown path", func(c *Config) { c.Rules.Together = [][]string{{"userName"}, {"externalId", "title"}} },
			"rules.together[1][1]", "title"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := minimal()
			tc.change(&c)
			m, faults := Compile(c, "User", "okta")
			if m != nil && len(faults) > 0 {
				t.Error("a mapping despite a fault")
			}
			wantFault(t, faults, tc.key, tc.word)
			if len(faults) > 1 {
				t.Errorf("more than one fault: %v", faults)
			}
			if c := c.Validate("User"); !slices.Equal(c, faults) {
				t.Errorf("Validate says %v", c)
			}
		})
	}
}

func wantFault(t *testing.T, faults []directory.Fault, key, word string) {
	t.Helper()
	for _, f := range faults {
		if f.Key == key && strings.Contains(f.Problem, word) {
			return
		}
	}
	t.Errorf("%v, want a fault at %s that says %q", faults, key, word)
}

// What Compile does not need, a declaration needs all the same.
func TestValidateNamesWhatIsMissing(t *testing.T) {
	for _, tc := range []struct {
		name, typ string
		change    func(*Config)
		key, word string
	}{
		{"base", "User", func(c *Config) { c.Base = " " }, "base", "ou=people"},
		{"rdn", "User", func(c *Config) { c.RDN.LDAP = "" }, "rdn", "missing"},
		{"state", "User", func(c *Config) { c.Marker.State = "" }, "marker.state", "missing"},
		{"source", "User", func(c *Config) { c.Marker.Source = "" }, "marker.source", "missing"},
		{"stable key", "User", func(c *Config) { c.StableKey = "" }, "stableKey", "missing"},
		{"object classes", "User", func(c *Config) { c.ObjectClasses = nil }, "objectClasses", "missing"},
		{"onForeignLock", "User", func(c *Config) { c.OnForeignLock = "ask" }, "onForeignLock", "keep or override"},
		{"onExisting", "User", func(c *Config) { c.OnExisting.Action = "adopt" }, "onExisting", "conflict"},
		{"delete", "User", func(c *Config) { c.Delete = "hide" }, "delete", "disable or remove"},
		{"no step", "User", func(c *Config) { c.Deactivate = nil }, "deactivate", "sign in"},
		{"empty step", "User", func(c *Config) { c.Deactivate = []StepConfig{{}} }, "deactivate[0]", "set"},
		{"step without attribute", "User", func(c *Config) { c.Deactivate[0].Set.LDAP = "" }, "deactivate[0].set.ldap", "missing"},
		{"step without value", "User", func(c *Config) { c.Deactivate[0].Set.Inactive = "" }, "deactivate[0].set.inactive", "missing"},
		{"disabled group", "Group", func(c *Config) { c.Delete = DeleteDisable }, "delete", "remove"},
		{"inactive group", "Group", func(c *Config) { c.Deactivate = people().Deactivate }, "deactivate", "active"},
		{"members that are no reference", "Group", func(c *Config) { c.Attributes[2].Reference = nil }, "attributes[2].reference", "missing"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := people()
			if tc.typ == "Group" {
				c = groups()
			}
			tc.change(&c)
			wantFault(t, c.Validate(tc.typ), tc.key, tc.word)
		})
	}
	for typ, c := range map[string]Config{"User": people(), "Group": groups()} {
		if faults := c.Validate(typ); len(faults) > 0 {
			t.Errorf("%s: %v", typ, faults)
		}
	}
}

// All faults of a declaration come in one report.
func TestFaultsComeTogether(t *testing.T) {
	c := minimal(simple("shoeSize", "x"), simple("title", ""), RuleConfig{LDAP: "cn", Template: "{{"})
	_, faults := Compile(c, "User", "okta")
	for _, key := range []string{"attributes[2].scim", "attributes[3].ldap", "attributes[4].template"} {
		wantFault(t, faults, key, "")
	}
}

// The stable key may be written as any other path of the declaration.
func TestStableKeyIsAPath(t *testing.T) {
	for _, path := range []string{"externalId", "EXTERNALID", "enterprise:employeeNumber",
		"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber"} {
		c := minimal(simple("enterprise:employeeNumber", "employeeNumber"))
		c.StableKey = path
		if _, faults := Compile(c, "User", "okta"); len(faults) > 0 {
			t.Errorf("%s: %v", path, faults)
		}
	}
}

func TestTemplateFunctions(t *testing.T) {
	for text, want := range map[string]string{
		`{{ coalesce .title .userName }}`: "Ann", `{{ coalesce .title .nickName }}`: "",
		`{{ lower .userName }}`: "ann", `{{ upper .userName }}`: "ANN", `{{ trim "  x " }}`: "x",
		`{{ replace "n" "m" .userName }}`: "Amm", `  {{ .userName }}  `: "Ann", `{{ .externalId }}`: "7",
		`{{ .name.givenName }}|{{ .enterprise.manager.value }}|{{ .badge.badgeId }}`: "||B",
		`{{ .active }}`: "TRUE", `{{ .id }}`: "",
	} {
		c := badges()
		c.Attributes = append(c.Attributes, RuleConfig{LDAP: "cn", Template: text})
		m := compile(t, c, "User")
		got := mustWant(t, m, `{"userName":"Ann","externalId":7,"active":true,"`+badgeURN+`":{"badgeId":"B"}}`).Attributes.First("cn")
		if got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

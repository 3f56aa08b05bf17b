package mapping

import (
	"testing"

	"scimgate/internal/directory"
)

// No line of a declaration gives a client the passwords of an entry, its
// classes, or what the gateway keeps there.
func TestLinesReachNothingThatIsNotTheirs(t *testing.T) {
	for name, tc := range map[string]struct {
		rule RuleConfig
		key  string // "" where nothing is wrong
		word string
	}{
		"passwords shown":           {simple("nickName", "USERPASSWORD"), "ldap", "passwords"},
		"passwords in a language":   {simple("nickName", "userPassword;lang-de"), "ldap", "passwords"},
		"old passwords shown":       {RuleConfig{SCIM: "nickName", LDAP: "pwdHistory", Mutability: "readOnly"}, "ldap", "passwords"},
		"passwords written":         {simple("password", "userPassword"), "", ""},
		"passwords never returned":  {RuleConfig{SCIM: "nickName", LDAP: "userPassword", Returned: "never"}, "", ""},
		"passwords computed":        {RuleConfig{LDAP: "userPassword", Template: "{SASL}{{ .userName }}"}, "", ""},
		"password in a template":    {RuleConfig{LDAP: "cn", Template: "{{ .password }}"}, "template", "password"},
		"password in a default":     {RuleConfig{SCIM: "nickName", LDAP: "cn", Default: "{{ .password }}"}, "default", "password"},
		"classes":                   {simple("nickName", "objectclass"), "ldap", "objectClasses"},
		"classes computed":          {RuleConfig{LDAP: "objectClass", Template: "{{ .userName }}"}, "ldap", "objectClasses"},
		"marker with an option":     {simple("nickName", "scimState;lang-de"), "ldap", "marker.state"},
		"tenant with an option":     {simple("nickName", "SCIMSOURCE;lang-de"), "ldap", "marker.source"},
		"lock with an option":       {simple("nickName", lock+";lang-de"), "ldap", "deactivate[0]"},
		"name with an option":       {simple("nickName", "uid;lang-de"), "ldap", "rdn"},
		"option that nobody knows":  {simple("nickName", "title;x-mine"), "ldap", "x-mine"},
		"language of another thing": {simple("nickName", "title;lang-de"), "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, faults := Compile(minimal(tc.rule), "User", "okta")
			if tc.key == "" {
				if len(faults) > 0 {
					t.Error(faults)
				}
				return
			}
			wantFault(t, faults, "attributes[2]."+tc.key, tc.word)
			if len(faults) > 1 {
				t.Errorf("more than one fault: %v", faults)
			}
		})
	}
}

// What has to be unique is searched for, and a directory without a rule of
// equality would find nobody who has the value.
func TestWhatIsUniqueCanBeCompared(t *testing.T) {
	s := fits()
	s.must = nil
	s.attributes["fax"] = directory.AttributeType{Names: []string{"fax"}, Syntax: syntaxPrefix + "22"}
	s.may = append(s.may, "fax")
	fax := RuleConfig{SCIM: "nickName", LDAP: "fax", Unique: true}
	wantFault(t, compile(t, minimal(fax), "User").Hold(s), "attributes[2].ldap", "unique")
	fax.Unique = false
	if faults := compile(t, minimal(fax), "User").Hold(s); len(faults) > 0 {
		t.Error(faults)
	}
}

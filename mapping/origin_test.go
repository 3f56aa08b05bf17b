package mapping

import "testing"

// A preview shows no password, whoever has chosen it: an identity provider, a
// step of deactivation, or the gateway for an account that has none.
func TestOriginHidesPasswords(t *testing.T) {
	c := Config{Attributes: []RuleConfig{{SCIM: "userName", LDAP: "uid"}, {SCIM: "password", LDAP: "userPassword"}},
		Deactivate: []StepConfig{{Scramble: &ScrambleStep{LDAP: "unicodePwd"}}}}
	for name, want := range map[string]bool{"uid": false, "userPassword": true, "UNICODEPWD": true, "sn": false} {
		if _, _, hidden, _ := c.Origin(name); hidden != want {
			t.Errorf("%s: hidden is %v", name, hidden)
		}
	}
	if _, _, hidden, ok := (Config{}).Origin("unicodePwd"); !hidden || ok {
		t.Errorf("what nobody maps: hidden is %v, named %v", hidden, ok)
	}
}

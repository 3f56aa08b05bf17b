package mapping

import (
	"strings"
	"testing"

	"scimgate/internal/scim"
)

func TestIsAddress(t *testing.T) {
	for _, c := range []struct {
		text    string
		any, in bool // an address; one of example.com or example.org
	}{
		{"ann@example.com", true, true},
		{"ann@EXAMPLE.Org", true, true},
		{"ada+tag.x@example.com", true, true},
		{"a@b@example.com", true, true}, // what is in front of the last @ is the domain's affair
		{"jürgen@example.com", true, true},
		{"ann@example.net", true, false},
		{"ann@mail.example.com", true, false},
		{"ann@example.com.evil.test", true, false},
		{"ann@evilexample.com", true, false},
		{"ann@example.com@evil.test", true, false},
		{"ann@müller.example", true, false},
		{"ann@example", true, false},
		{"ann@\u212aexample.com", true, false},
		{"", false, false},
		{"ann", false, false},
		{"ann@", false, false},
		{"@example.com", false, false},
		{"ann@example..com", false, false},
		{"ann@example.com.", false, false},
		{"ann lee@example.com", false, false},
		{"ann@exam ple.com", false, false},
		{"Ann <ann@example.com>", false, false},
		{"ann@example.com\n", false, false},
		{"ann@[127.0.0.1]", false, false},
	} {
		if got := isAddress(c.text, nil); got != c.any {
			t.Errorf("%q is an address: %t", c.text, got)
		}
		if got := isAddress(c.text, []string{"example.com", "Example.ORG"}); got != c.in {
			t.Errorf("%q is in one of the domains: %t", c.text, got)
		}
	}
}

// A sign that folds to an ASCII letter is not that letter.
func TestDomainsCompareInASCII(t *testing.T) {
	if isAddress("ann@\u212aelvin.example", []string{"kelvin.example"}) {
		t.Error("the sign of the kelvin was taken for a k")
	}
}

// What has to be a mail address is refused with the value and what would be right,
// unless it was there before: who has another name can still be deactivated.
func TestMailAddressesAreAskedFor(t *testing.T) {
	c := minimal()
	c.Rules.MailAddresses, c.Rules.MailDomains = []string{"userName"}, []string{"example.com", "example.org"}
	m := compile(t, c, "User")
	user := func(name string, active bool) scim.Resource { return scim.Resource{"userName": name, "active": active} }
	if _, err := m.Want(user("ann@example.org", true), nil); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"ann", "ann@example.net"} {
		_, err := m.Want(user(name, true), nil)
		isBadRequest(t, err, scim.TypeInvalidValue, "userName", name, "example.com or example.org")
		if _, err := m.Patched(user(name, true), user(name, false), nil); err != nil {
			t.Errorf("%s cannot be deactivated: %v", name, err)
		}
		if _, err := m.ReplacedBy(user(name, true), user(name, false), nil); err != nil {
			t.Errorf("%s cannot be deactivated by a PUT: %v", name, err)
		}
		_, err = m.Patched(user("ann@example.org", true), user(name, true), nil)
		isBadRequest(t, err, scim.TypeInvalidValue, name)
		_, err = m.Patched(user("bob", true), user(name, true), nil)
		isBadRequest(t, err, scim.TypeInvalidValue, name)
	}
}

func TestWhatACreateFindsPeopleBy(t *testing.T) {
	c := minimal(RuleConfig{SCIM: `emails[type eq "work"].value`, LDAP: "mail", Single: SinglePrimary, Unique: true})
	c.Upsert.By = []string{"userName", `emails[type eq "work"].value`}
	m := compile(t, c, "User")
	ann := scim.Resource{"userName": "Ann", "emails": []any{map[string]any{"type": "work", "value": "a@x"}}}
	want, err := m.Want(ann, nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, k := range want.Finds {
		got = append(got, k.Attribute+"="+k.Value)
	}
	if text := strings.Join(got, " "); text != "uid=Ann mail=a@x" || !m.Upserts() {
		t.Errorf("found by %s", text)
	}
	if want, err = m.Want(scim.Resource{"userName": "Ann"}, nil); err != nil || len(want.Finds) > 0 {
		t.Errorf("found by a part of the values: %v %v", want.Finds, err)
	}
	if want, err = m.Replaced(ann, nil); err != nil || len(want.Finds) > 0 {
		t.Errorf("a PUT finds somebody: %v %v", want.Finds, err)
	}
}

func TestFaultsOfUpsertsAndAddresses(t *testing.T) {
	for _, tc := range []struct {
		name      string
		change    func(*Config)
		key, word string
	}{
		{"unmapped", func(c *Config) { c.Upsert.By = []string{"nickName"} }, "upsert.by[0]", "nickName"},
		{"not unique", func(c *Config) { c.Upsert.By = []string{"title"} }, "upsert.by[0]", "unique: true"},
		{"several values", func(c *Config) { c.Upsert.By = []string{"emails.value"} }, "upsert.by[0]", "single"},
		{"twice", func(c *Config) { c.Upsert.By = []string{"userName", "username"} }, "upsert.by[1]", "twice"},
		{"the password", func(c *Config) { c.Upsert.By = []string{"password"} }, "upsert.by[0]", "finds nobody"},
		{"no such attribute", func(c *Config) { c.Rules.MailAddresses = []string{"login"} }, "rules.mailAddresses[0]", "login"},
		{"domains of nothing", func(c *Config) { c.Rules.MailDomains = []string{"example.com"} }, "rules.mailDomains", "mailAddresses"},
		{"no domain", func(c *Config) {
			c.Rules.MailAddresses, c.Rules.MailDomains = []string{"userName"}, []string{"example.com", "@example.org"}
		}, "rules.mailDomains[1]", "example.com"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := minimal(simple("title", "title"), simple("password", "userPassword"), RuleConfig{SCIM: "emails.value", LDAP: "mail", Unique: true})
			tc.change(&c)
			_, faults := Compile(c, "User", "okta")
			wantFault(t, faults, tc.key, tc.word)
			if len(faults) > 1 {
				t.Errorf("more than one fault: %v", faults)
			}
		})
	}
	g := groups()
	g.Upsert.By = []string{"displayName"}
	_, faults := Compile(g, "Group", "okta")
	wantFault(t, faults, "upsert", "not for groups")
}

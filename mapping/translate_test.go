package mapping

import (
	"testing"

	"scimgate/internal/directory"
)

// Every kind of rule, from a body to attributes and back to a body. The
// mapping has the user name and the stable key besides the rules given; both
// are left out of the columns.
func TestRulesTranslateBothWays(t *testing.T) {
	mail := RuleConfig{SCIM: `emails[type eq "work"].value`, LDAP: "mail"}
	for _, tc := range []struct {
		name  string
		rules []RuleConfig
		in    string // members of the body
		ldap  directory.Attributes
		out   string // members of the resource; "" where it is in
	}{
		{"simple", []RuleConfig{simple("title", "title")}, `"title":"Boss"`,
			directory.Attributes{"title": {"Boss"}}, ``},
		{"simple, absent", []RuleConfig{simple("title", "title")}, ``, nil, ``},
		{"names in any case", []RuleConfig{simple("NAME.givenname", "givenName")}, `"name":{"givenName":"Ann"}`,
			directory.Attributes{"givenName": {"Ann"}}, ``},
		{"name parts", []RuleConfig{simple("name.givenName", "givenName"), simple("name.familyName", "sn")},
			`"name":{"familyName":"Smith","givenName":"Ann"}`,
			directory.Attributes{"givenName": {"Ann"}, "sn": {"Smith"}}, ``},
		{"not mapped", []RuleConfig{simple("title", "title")}, `"nickName":"A","title":"B"`,
			directory.Attributes{"title": {"B"}}, `"title":"B"`},
		{"value path", []RuleConfig{mail}, `"emails":[{"type":"work","value":"a@x"}]`,
			directory.Attributes{"mail": {"a@x"}}, ``},
		{"type in another case", []RuleConfig{mail}, `"emails":[{"type":"WORK","value":"a@x"}]`,
			directory.Attributes{"mail": {"a@x"}}, `"emails":[{"type":"work","value":"a@x"}]`},
		{"untyped element goes to the first rule", []RuleConfig{mail, simple(`emails[type eq "home"].value`, "homeMail")},
			`"emails":[{"value":"a@x"}]`,
			directory.Attributes{"mail": {"a@x"}}, `"emails":[{"type":"work","value":"a@x"}]`},
		{"element as bare text", []RuleConfig{mail}, `"emails":["a@x"]`,
			directory.Attributes{"mail": {"a@x"}}, `"emails":[{"type":"work","value":"a@x"}]`},
		{"element of a type that nothing maps", []RuleConfig{mail}, `"emails":[{"type":"other","value":"o@x"}]`, nil, `-`},
		{"several elements of one type", []RuleConfig{mail}, `"emails":[{"type":"work","value":"a@x"},{"type":"work","value":"b@x"}]`,
			directory.Attributes{"mail": {"a@x", "b@x"}}, ``},
		{"an element twice", []RuleConfig{mail}, `"emails":[{"type":"work","value":"a@x"},{"type":"work","value":"a@x"}]`,
			directory.Attributes{"mail": {"a@x"}}, `"emails":[{"type":"work","value":"a@x"}]`},
		{"elements of two types", []RuleConfig{mail, simple(`emails[type eq "home"].value`, "homeMail")},
			`"emails":[{"type":"work","value":"a@x"},{"type":"home","value":"h@x"}]`,
			directory.Attributes{"mail": {"a@x"}, "homeMail": {"h@x"}}, ``},
		{"a list without a value path", []RuleConfig{simple("roles", "employeeType")}, `"roles":[{"value":"a"},{"value":"b"}]`,
			directory.Attributes{"employeeType": {"a", "b"}}, ``},
		{"parts of one element", []RuleConfig{
			simple(`addresses[type eq "work"].streetAddress`, "street"), simple(`addresses[type eq "work"].locality`, "l")},
			`"addresses":[{"locality":"Rome","streetAddress":"Via 1","type":"work"}]`,
			directory.Attributes{"street": {"Via 1"}, "l": {"Rome"}}, ``},
		{"a part of an element alone", []RuleConfig{
			simple(`addresses[type eq "work"].streetAddress`, "street"), simple(`addresses[type eq "work"].locality`, "l")},
			`"addresses":[{"locality":"Rome","type":"work"}]`, directory.Attributes{"l": {"Rome"}}, ``},
		{"one attribute into two", []RuleConfig{simple("displayName", "displayName"), simple("displayName", "gecos")},
			`"displayName":"Ann"`, directory.Attributes{"displayName": {"Ann"}, "gecos": {"Ann"}}, ``},
		{"one element into two", []RuleConfig{mail, simple(`emails[type eq "work"].value`, "mailLocalAddress")},
			`"emails":[{"type":"work","value":"a@x"}]`, directory.Attributes{"mail": {"a@x"}, "mailLocalAddress": {"a@x"}}, ``},
		{"enterprise", []RuleConfig{simple("enterprise:department", "departmentNumber")},
			`"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"7"}`,
			directory.Attributes{"departmentNumber": {"7"}}, ``},
		{"reference", []RuleConfig{{SCIM: "enterprise:manager.value", LDAP: "manager", Reference: []string{"User"}}},
			`"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"value":"id-bob"}}`,
			directory.Attributes{"manager": {dn("id-bob")}}, ``},
		{"computed", []RuleConfig{{LDAP: "cn", Template: "{{ upper .userName }} {{ .enterprise.department }}"}}, ``,
			directory.Attributes{"cn": {"ANN"}}, ``},
		{"computed, empty", []RuleConfig{{LDAP: "cn", Template: "{{ .title }}"}}, ``, nil, ``},
		{"computed from a list", []RuleConfig{{LDAP: "cn", Template: "{{ range .emails }}{{ .value }}{{ end }}"}},
			`"emails":[{"value":"a@x"}]`, directory.Attributes{"cn": {"a@x"}}, `-`},
		{"default, not needed", []RuleConfig{{SCIM: "title", LDAP: "title", Default: "{{ .userName }}"}}, `"title":"Boss"`,
			directory.Attributes{"title": {"Boss"}}, ``},
		{"default", []RuleConfig{{SCIM: "title", LDAP: "title", Default: "{{ .userName }}"}}, ``,
			directory.Attributes{"title": {"ann"}}, `"title":"ann"`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m := compile(t, minimal(tc.rules...), "User")
			want := mustWant(t, m, body(tc.in))
			wanted := directory.Attributes{"uid": {"ann"}, "scimExternalId": {"00u1"}}
			for name, values := range tc.ldap {
				wanted[name] = values
			}
			same(t, want.Attributes, wanted)
			out := tc.out
			switch out {
			case "":
				out = tc.in
			case "-":
				out = ""
			}
			e := directory.Entry{ID: "id-ann", Attributes: wanted, Marker: directory.Marker{State: directory.Active}}
			if got, wanted := asJSON(t, m.Resource(e, known)), asJSON(t, decode(t, m, body(out))); got != wanted {
				t.Errorf("shown as %s, want %s", got, wanted)
			}
		})
	}
}

// body is ann with further members.
func body(members string) string {
	if members != "" {
		members = "," + members
	}
	return `{"userName":"ann","externalId":"00u1"` + members + `}`
}

func TestSingleKeepsOneOfSeveralValues(t *testing.T) {
	const three = `"emails":[{"type":"work","value":"a@x"},{"type":"work","value":"b@x","primary":true},{"type":"work","value":"c@x"}]`
	for _, tc := range []struct {
		single, in, want string
	}{
		{SinglePrimary, three, "b@x"},
		{SinglePrimary, `"emails":[{"type":"work","value":"a@x"},{"type":"work","value":"b@x"}]`, "a@x"},
		{SinglePrimary, `"emails":[{"type":"work","value":"a@x"},{"type":"home","value":"h@x","primary":true}]`, "a@x"},
		{SingleFirst, three, "a@x"},
		{SingleReject, three, ""},
		{SingleReject, `"emails":[{"type":"work","value":"a@x"},{"type":"home","value":"h@x"}]`, "a@x"},
	} {
		t.Run(tc.single, func(t *testing.T) {
			m := compile(t, minimal(RuleConfig{SCIM: `emails[type eq "work"].value`, LDAP: "mail", Single: tc.single}), "User")
			want, err := m.Want(decode(t, m, body(tc.in)), nil)
			if tc.want == "" {
				isBadRequest(t, err, "invalidValue", `emails[type eq "work"].value`, "3 values")
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			same(t, want.Attributes["mail"], []string{tc.want})
		})
	}
}

// What the directory holds beyond the one value does not show, and what is
// kept as the primary value shows as such.
func TestSingleShowsOneValue(t *testing.T) {
	for single, wanted := range map[string]string{
		SinglePrimary: `{"emails":[{"primary":true,"type":"work","value":"a@x"}],"userName":"ann"}`,
		SingleFirst:   `{"emails":[{"type":"work","value":"a@x"}],"userName":"ann"}`,
		SingleReject:  `{"emails":[{"type":"work","value":"a@x"}],"userName":"ann"}`,
		"":            `{"emails":[{"type":"work","value":"a@x"},{"type":"work","value":"b@x"}],"userName":"ann"}`,
	} {
		m := compile(t, minimal(RuleConfig{SCIM: `emails[type eq "work"].value`, LDAP: "mail", Single: single}), "User")
		e := directory.Entry{Attributes: directory.Attributes{"uid": {"ann"}, "mail": {"a@x", "b@x"}}}
		if got := asJSON(t, m.Resource(e, nil)); got != wanted {
			t.Errorf("%q: %s, want %s", single, got, wanted)
		}
	}
}

func TestOnlyOneElementShowsAsPrimary(t *testing.T) {
	m := compile(t, minimal(
		RuleConfig{SCIM: `emails[type eq "work"].value`, LDAP: "mail", Single: SinglePrimary},
		RuleConfig{SCIM: `emails[type eq "home"].value`, LDAP: "homeMail", Single: SinglePrimary},
	), "User")
	e := directory.Entry{Attributes: directory.Attributes{"uid": {"ann"}, "mail": {"a@x"}, "homeMail": {"h@x"}}}
	const wanted = `{"emails":[{"primary":true,"type":"work","value":"a@x"},{"type":"home","value":"h@x"}],"userName":"ann"}`
	if got := asJSON(t, m.Resource(e, nil)); got != wanted {
		t.Errorf("%s, want %s", got, wanted)
	}
}

// An element of several parts is the primary one whichever of its parts are
// there.
func TestAnAddressOfAnyPartShowsAsPrimary(t *testing.T) {
	m := compile(t, minimal(
		RuleConfig{SCIM: `addresses[type eq "work"].streetAddress`, LDAP: "street", Single: SinglePrimary},
		RuleConfig{SCIM: `addresses[type eq "work"].locality`, LDAP: "l", Single: SinglePrimary},
		RuleConfig{SCIM: `addresses[type eq "home"].locality`, LDAP: "homeL", Single: SinglePrimary},
	), "User")
	e := directory.Entry{Attributes: directory.Attributes{"uid": {"ann"}, "l": {"Rome"}, "homeL": {"Ostia"}}}
	const wanted = `{"addresses":[{"locality":"Rome","primary":true,"type":"work"},{"locality":"Ostia","type":"home"}],"userName":"ann"}`
	if got := asJSON(t, m.Resource(e, nil)); got != wanted {
		t.Errorf("%s, want %s", got, wanted)
	}
}

// Two values that the directory's matching takes for one cannot both be added
// (RFC 4512 section 2.2), and a client that repeats itself in another case
// means one value.
func TestValuesThatDifferInCaseAreOne(t *testing.T) {
	m := compile(t, minimal(simple("roles", "employeeType")), "User")
	want := mustWant(t, m, body(`"roles":[{"value":"Admin","type":"a"},{"value":"admin","type":"b"}]`))
	same(t, want.Attributes["employeeType"], []string{"Admin"})
}

func TestSecretsAreWrittenAndNeverRead(t *testing.T) {
	m := compile(t, minimal(simple("password", "userPassword")), "User")
	want := mustWant(t, m, body(`"password":"s3cret"`))
	same(t, want.Secrets, map[string]string{"userPassword": "s3cret"})
	if _, ok := want.Attributes["userPassword"]; ok {
		t.Error("the password is among the attributes")
	}
	e := entry(directory.Active, directory.Attributes{"userPassword": {"{SSHA}x"}})
	if got, wanted := asJSON(t, m.Resource(e, nil)), `{"externalId":"00u1","userName":"ann"}`; got != wanted {
		t.Errorf("shown as %s, want %s", got, wanted)
	}
	for _, name := range m.Collection().Attributes {
		if name == "userPassword" {
			t.Error("the password is read from the directory")
		}
	}
	if !m.WritesPasswords() || compile(t, groups(), "Group").WritesPasswords() {
		t.Error("WritesPasswords is wrong")
	}
}

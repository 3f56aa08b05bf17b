//go:build integration && !ad && !ds389

package integration

import (
	"context"

	"github.com/go-ldap/ldap/v3"

	"scimgate/internal/slapd"
)

var here = flavour{
	name:  "OpenLDAP",
	find:  func() error { _, err := slapd.Find(); return err },
	begin: func(ctx context.Context, s site, dir string) (server, error) { return slapd.Start(ctx, s.slapd(dir)) },
	serve: "serve.yaml",
	demo:  true,
	id:    "00000000-0000-4000-8000-000000000000",
	rdn:   "uid",
	groups: []groupKind{
		{"groupOfNames", "member", "cn=nobody,dc=example,dc=org"},
		{"groupOfUniqueNames", "uniqueMember", "cn=nobody,dc=example,dc=org"},
		{"groupOfMembers", "member", ""},
	},
	strangers: []string{"uid=elsewhere,dc=example,dc=com"},
	note:      "roomNumber",
	teamNote:  "businessCategory",
	home:      "homeDirectory",
	marked:    []string{"inetOrgPerson", "scimgateObject"},
	lock:      lock{attribute: "pwdAccountLockedTime", ways: []string{"000001010000Z", "20250101120000Z"}},
	refusals:  []refusal{{code: ldap.LDAPResultInvalidCredentials}},
	// RFC 3062, as ldappasswd does it.
	setPassword: func(conn *ldap.Conn, dn, password string) error {
		_, err := conn.PasswordModify(ldap.NewPasswordModifyRequest(dn, "", password))
		return err
	},
	secret:  "userPassword",
	bulk:    300,
	filters: 1500,
	malformed: []object{
		{"phoneNumbers": []object{{"type": "work", "value": "no telephone number ☎"}}},
		{"emails": []object{{"type": "work", "value": "ü@example.org"}}},
	},
	person: inetOrgPerson,
	crowd:  groupOfNames,
}

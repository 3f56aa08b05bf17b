//go:build integration && ds389

package integration

import (
	"context"
	"slices"

	"github.com/go-ldap/ldap/v3"

	"scimgate/internal/ds389"
)

var here = flavour{
	name: "389 Directory Server",
	find: func() error { _, err := ds389.Find(); return err },
	begin: func(ctx context.Context, s site, dir string) (server, error) {
		server, err := ds389.Start(ctx, ds389.Config{
			Dir: dir, ScimSchema: true, Entries: s.Entries,
			Plugins: ds389.Plugins{USN: true, MemberOf: slices.Contains(s.Overlays, "memberof"), RefInt: slices.Contains(s.Overlays, "refint")},
		})
		return server, err
	},
	serve:     "serve-389ds.yaml",
	words:     map[string]string{"entryUUID": "nsUniqueId", "entryCSN": "entryusn"},
	hidden:    []string{"nsUniqueId", "entryusn", "nsAccountLock"},
	id:        "00000000-00000000-00000000-00000000",
	rdn:       "uid",
	groups:    []groupKind{{"groupOfNames", "member", ""}},
	strangers: []string{"uid=elsewhere,dc=example,dc=com"},
	note:      "roomNumber",
	teamNote:  "businessCategory",
	home:      "homeDirectory",
	marked:    []string{"inetOrgPerson", "scimgateObject"},
	lock:      lock{attribute: "nsAccountLock", ways: []string{"true", "TRUE"}},
	refusals: []refusal{
		{code: ldap.LDAPResultInvalidCredentials},
		{ldap.LDAPResultUnwillingToPerform, "Account inactivated"},
	},
	setPassword: func(conn *ldap.Conn, dn, password string) error {
		request := ldap.NewModifyRequest(dn, nil)
		request.Replace("userPassword", []string{password})
		return conn.Modify(request)
	},
	badNames:  `[^ -~]`, // plugin 7-bit check
	bytewise:  true,
	blanks:    true,
	touched:   true,
	bulk:      60,
	filters:   1500,
	secret:    "userPassword",
	malformed: []object{{"emails": []object{{"type": "work", "value": "ü@example.org"}}}},
	person:    inetOrgPerson,
	crowd:     groupOfNames,
	absent: map[string]string{
		"TestARefusedRenameKeepsThePassword": "it takes names of any length",
	},
}

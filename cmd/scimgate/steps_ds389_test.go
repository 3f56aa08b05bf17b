//go:build ds389

package main

import (
	"slices"
	"testing"

	"scimgate/internal/ds389"
)

const stepsOn389 = `
server: {listen: "127.0.0.1:0"}
admin: {listen: "127.0.0.1:0"}
stateDir: STATE
directories:
  corp:
    flavor: 389ds
    urls: [URL]
    bind: {dn: "DN", passwordFile: PASSWORD}
    tls: {caFile: CA}
tenants:
  - name: okta
    directory: corp
    users:
      base: ou=people,dc=example,dc=org
      objectClasses: [top, person, organizationalPerson, inetOrgPerson, scimgateObject]
      rdn: uid
      marker: {state: scimState, source: scimSource}
      stableKey: externalId
      attributes:
        - {scim: userName, ldap: uid, required: true, unique: true}
        - {scim: externalId, ldap: scimExternalId, unique: true}
        - {scim: password, ldap: userPassword}
        - {scim: name.familyName, ldap: sn, default: '{{ .userName }}'}
        - {ldap: cn, template: '{{ .userName }}'}
      deactivate:
        - set: {ldap: nsAccountLock, inactive: "true"}
        - move: {to: "ou=disabled,dc=example,dc=org"}
        - leave: {}
        - scramble: {ldap: userPassword}
    groups:
      base: ou=groups,dc=example,dc=org
      objectClasses: [top, groupOfNames, scimgateObject]
      rdn: cn
      marker: {state: scimState, source: scimSource}
      stableKey: externalId
      attributes:
        - {scim: displayName, ldap: cn, required: true, unique: true}
        - {scim: externalId, ldap: scimExternalId}
        - {scim: members, ldap: member, reference: [User, Group]}
`

// In 389 DS nsAccountLock keeps somebody out, whatever password comes; they are
// moved, leave their groups and get all back but the scrambled password.
func TestStepsOn389(t *testing.T) {
	for name, plugins := range map[string]ds389.Plugins{"plain": {USN: true}, "refint and memberof": {USN: true, RefInt: true, MemberOf: true}} {
		t.Run(name, func(t *testing.T) {
			s, err := ds389.Start(t.Context(), ds389.Config{Dir: t.TempDir(), ScimSchema: true, Plugins: plugins,
				Entries: "dn: ou=disabled,dc=example,dc=org\nobjectClass: organizationalUnit\nou: disabled\n"})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := s.Stop(); err != nil {
					t.Error(err)
				}
			})
			l := serveOver(t, s, s.TLSURL(), stepsOn389)
			const home, away = "uid=ann,ou=people,dc=example,dc=org", "uid=ann,ou=disabled,dc=example,dc=org"
			id, _ := l.ask("POST", "/Users", `{"userName":"ann","externalId":"x1","password":"the old one"}`, 201)["id"].(string)
			team, _ := l.ask("POST", "/Groups", `{"displayName":"team","members":[{"value":"`+id+`"}]}`, 201)["id"].(string)
			lock := func(when, dn string, want ...string) {
				t.Helper()
				e := l.entry("(uid=ann)", "nsAccountLock")
				if got := e.GetAttributeValues("nsAccountLock"); e.DN != dn || !slices.Equal(got, want) {
					t.Errorf("%s: %s, locked %v", when, e.DN, got)
				}
			}
			if !l.opens(home, "the old one") {
				t.Fatal("does not get in to begin with")
			}
			for range 2 {
				l.active(id, false)
				lock("inactive", away, "true")
			}
			if l.opens(away, "the old one") || len(l.members(team)) != 0 {
				t.Error("inactive, and gets in or is in a group")
			}
			l.ask("PATCH", "/Users/"+id, `{"Operations":[{"op":"replace","path":"password","value":"the new one"}]}`, 200)
			if l.opens(away, "the new one") {
				t.Error("a password lets an inactive person in")
			}
			l.active(id, true)
			lock("active", home)
			if !l.opens(home, "the new one") || l.opens(home, "the old one") || !slices.Equal(l.members(team), []string{id}) {
				t.Errorf("active: members are %v", l.members(team))
			}
			// Locked by hand, as dsidm does it, and in other letters.
			for _, value := range []string{"true", "TRUE"} {
				l.set(home, "nsAccountLock", value)
				l.active(id, false)
				l.active(id, true)
				lock("locked by hand", home, value)
			}
			l.set(home, "nsAccountLock")
			l.ask("DELETE", "/Users/"+id, "", 204)
			if l.opens(away, "the new one") {
				t.Error("deleted, and gets in")
			}
			back := l.ask("POST", "/Users", `{"userName":"ann","externalId":"x1","password":"the third one"}`, 201)
			if back["id"] != id || !l.opens(home, "the third one") {
				t.Errorf("revived as %v", back["id"])
			}
		})
	}
}

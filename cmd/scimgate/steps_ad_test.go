//go:build ad

package main

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"scimgate/internal/samba"
)

const stepsOnAD = `
server: {listen: "127.0.0.1:0"}
admin: {listen: "127.0.0.1:0"}
stateDir: STATE
directories:
  corp:
    flavor: activeDirectory
    urls: [URL]
    bind: {dn: "DN", passwordFile: PASSWORD}
    tls: {caFile: CA}
tenants:
  - name: entra
    directory: corp
    users:
      base: OU=people,DC=example,DC=org
      objectClasses: [top, person, organizationalPerson, user]
      rdn: cn
      marker: {state: adminDescription, source: extensionName}
      stableKey: externalId
      attributes:
        - {scim: userName, ldap: sAMAccountName, required: true, unique: true}
        - {scim: externalId, ldap: employeeNumber, unique: true}
        - {scim: displayName, ldap: displayName}
        - {ldap: cn, template: '{{ coalesce .displayName .userName }}'}
      deactivate:
        - bit: {ldap: userAccountControl, bit: 2, initial: 544}
        - set: {ldap: accountExpires, inactive: "1"}
        - move: {to: "OU=disabled,DC=example,DC=org"}
        - leave: {}
    groups:
      base: OU=groups,DC=example,DC=org
      objectClasses: [top, group]
      rdn: cn
      marker: {state: adminDescription, source: extensionName}
      stableKey: externalId
      attributes:
        - {scim: displayName, ldap: cn, required: true, unique: true}
        - {ldap: sAMAccountName, template: '{{ .displayName }}'}
        - {scim: externalId, ldap: info}
        - {scim: members, ldap: member, reference: [User, Group]}
`

// In Active Directory somebody is disabled by one bit of userAccountControl and
// by an expiry, moved away and taken out of their groups, and gets all of it back.
// Whatever else administrators have set stays, and so does what they have locked.
func TestStepsOnActiveDirectory(t *testing.T) {
	var entries strings.Builder
	for _, ou := range []string{"people", "groups", "disabled"} {
		entries.WriteString("dn: OU=" + ou + ",DC=example,DC=org\nobjectClass: organizationalUnit\n\n")
	}
	s, err := samba.Start(t.Context(), samba.Config{Dir: t.TempDir(), Entries: entries.String()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	l := serveOver(t, s, s.URL(), stepsOnAD)
	const password, home, away = "Some-Password-1", "CN=Ann Lee,OU=people,DC=example,DC=org", "CN=Ann Lee,OU=disabled,DC=example,DC=org"
	ann := l.ask("POST", "/Users", `{"userName":"ann","displayName":"Ann Lee","externalId":"x1"}`, 201)
	id, _ := ann["id"].(string)
	at := func(when, dn, control, expires string) {
		t.Helper()
		e := l.entry("(sAMAccountName=ann)", "userAccountControl", "accountExpires")
		if e.DN != dn || e.GetAttributeValue("userAccountControl") != control || e.GetAttributeValue("accountExpires") != expires {
			t.Errorf("%s: %s %v %v", when, e.DN, e.GetAttributeValues("userAccountControl"), e.GetAttributeValues("accountExpires"))
		}
	}
	const never = "9223372036854775807"
	l.set(home, "unicodePwd", quoted(password))
	if !l.opens(home, password) {
		t.Fatal("does not get in to begin with")
	}
	at("created", home, "544", never)
	l.set(home, "userAccountControl", "66048") // no password not required, never expires
	team, _ := l.ask("POST", "/Groups", `{"displayName":"team","members":[{"value":"`+id+`"}]}`, 201)["id"].(string)
	gone, _ := l.ask("POST", "/Groups", `{"displayName":"gone","members":[{"value":"`+id+`"}]}`, 201)["id"].(string)

	for range 2 {
		l.active(id, false)
		at("disabled", away, "66050", "1")
	}
	if l.opens(away, password) || len(l.members(team)) != 0 {
		t.Error("disabled, and gets in or is in a group")
	}
	if list := l.ask("GET", "/Users", "", 200); list["totalResults"] != 1.0 {
		t.Errorf("the list has %v", list["totalResults"])
	}
	l.ask("POST", "/Users", `{"userName":"ANN","displayName":"Another"}`, 409)
	l.ask("PATCH", "/Groups/"+gone, `{"Operations":[{"op":"remove","path":"members","value":[{"value":"`+id+`"}]}]}`, 204)
	l.set(away, "userAccountControl", "514") // somebody lets the password expire again
	l.active(id, true)
	at("enabled", home, "512", never)
	if !l.opens(home, password) || !slices.Equal(l.members(team), []string{id}) || len(l.members(gone)) != 0 {
		t.Errorf("enabled: in %v and %v", l.members(team), l.members(gone))
	}

	// Both ways to say never come back as they were; who was disabled by hand stays so.
	l.set(home, "accountExpires", "0")
	l.set(home, "userAccountControl", "514")
	l.active(id, false)
	l.active(id, true)
	at("disabled by hand before", home, "514", "0")
	if l.opens(home, password) {
		t.Error("a lock by hand was lifted")
	}
	l.set(home, "userAccountControl", "512")

	// Each of the two alone keeps somebody out.
	l.active(id, false)
	l.set(away, "userAccountControl", "512")
	if l.opens(away, password) {
		t.Error("expired, and gets in")
	}
	l.set(away, "userAccountControl", "514")
	l.set(away, "accountExpires", "0")
	if l.opens(away, password) {
		t.Error("disabled, and gets in")
	}
	l.ask("DELETE", "/Users/"+id, "", 204)
	l.ask("GET", "/Users/"+id, "", 404)
	back := l.ask("POST", "/Users", `{"userName":"ann","displayName":"Ann Lee","externalId":"x1"}`, 201)
	if back["id"] != id || !l.opens(home, password) {
		t.Errorf("revived as %v", back["id"])
	}
	later := l.ask("POST", "/Users", `{"userName":"later","displayName":"Later","active":false}`, 201)
	if e := l.entry("(sAMAccountName=later)", "userAccountControl"); later["active"] != false || !strings.Contains(e.DN, "OU=disabled") || e.GetAttributeValue("userAccountControl") != "546" {
		t.Errorf("created inactive: %s %v", e.DN, e.GetAttributeValues("userAccountControl"))
	}

	// The marker of Active Directory has its limit; nobody stays enabled for it.
	var many []string
	for i := range 45 {
		name := "many" + string(rune('a'+i/26)) + string(rune('a'+i%26))
		group, _ := l.ask("POST", "/Groups", `{"displayName":"`+name+`","members":[{"value":"`+id+`"}]}`, 201)["id"].(string)
		many = append(many, group)
	}
	l.active(id, false)
	if l.opens(away, password) {
		t.Error("in many groups, and gets in")
	}
	for _, g := range many {
		if len(l.members(g)) != 0 {
			t.Error("disabled, and still in one of many groups")
		}
	}
	l.active(id, true)
	came := 0
	for _, g := range many {
		came += len(l.members(g))
	}
	if came < 15 || came == len(many) || !l.opens(home, password) {
		t.Errorf("came back into %d of %d groups", came, len(many))
	}
}

// quoted is a password as unicodePwd takes it.
func quoted(password string) string {
	var b []byte
	for _, c := range utf16.Encode([]rune(`"` + password + `"`)) {
		b = binary.LittleEndian.AppendUint16(b, c)
	}
	return string(b)
}

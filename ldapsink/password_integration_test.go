//go:build integration && !ad && !ds389

package ldapsink

import (
	"testing"

	"github.com/go-ldap/ldap/v3"

	"scimgate/internal/directory"
	"scimgate/internal/slapd"
)

// What a password policy refuses is Invalid, and says why in the policy's words.
func TestPasswordPolicySaysWhy(t *testing.T) {
	const account = "cn=service,dc=example,dc=org"
	server := serve(t, slapd.Config{
		Overlays: []string{"ppolicy"},
		// The administrator is above the policy, so the gateway is somebody else here.
		Access:  []string{"to * by dn.exact=\"" + account + "\" write by anonymous auth"},
		Entries: "dn: " + account + "\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\ncn: service\nuserPassword: secret\n",
	})
	conn := raw(t, server)
	policy := func(values ...string) {
		t.Helper()
		request := ldap.NewModifyRequest("cn=default,ou=policies,dc=example,dc=org", nil)
		for i := 0; i < len(values); i += 2 {
			request.Replace(values[i], []string{values[i+1]})
		}
		if err := conn.Modify(request); err != nil {
			t.Fatal(err)
		}
	}
	cfg := configured(server)
	cfg.Bind = Bind{account, "secret"}
	store := open(t, cfg).Store(users())
	why := func(err error, want string) {
		t.Helper()
		wantKind(t, err, directory.Invalid)
		if e := err.(*directory.Error); e.Attribute != "userPassword" || e.Reason != want {
			t.Errorf("%q about %q, wanted %q: %v", e.Reason, e.Attribute, want, err)
		}
	}
	set := func(e directory.Entry, passwords ...string) (directory.Entry, error) {
		return store.Update(t.Context(), e, directory.Change{Marker: active("p"), Mods: []directory.Mod{
			{Op: directory.ModReplace, Attribute: "userPassword", Values: passwords},
			{Op: directory.ModReplace, Attribute: "description", Values: passwords}}})
	}

	policy("pwdCheckQuality", "2", "pwdMinLength", "8", "pwdInHistory", "3")
	_, err := store.Add(t.Context(), person("ann", "userPassword", "short"))
	why(err, "Password fails quality checking policy (it is too short)")
	_, err = store.Add(t.Context(), person("ann", "userPassword", "long enough", "userPassword", "long enough too"))
	why(err, "Password policy only allows one password value")
	ann := add(t, store, person("ann", "userPassword", "long enough"))
	_, err = set(ann, "tiny")
	why(err, "Password fails quality checking policy (it is too short)")
	for _, password := range []string{"the second one", "the third one"} {
		if ann, err = set(ann, password); err != nil {
			t.Fatal(err)
		}
	}
	_, err = set(ann, "the second one")
	why(err, "Password is in history of old passwords")
	_, err = set(ann, "the third one")
	why(err, "Password is not being changed from existing value")
	_, err = set(ann, "one of them", "and another")
	why(err, "Password policy only allows one password value")
	policy("pwdMinAge", "3600")
	_, err = set(ann, "the fourth one")
	why(err, "Password is too young to change")
	if now := the(t, store, ann.ID); now.Version != ann.Version {
		t.Errorf("something was written: %+v", now)
	}
	// Other refusals are nobody's business.
	_, err = store.Update(t.Context(), ann, directory.Change{Marker: active("p"),
		Mods: []directory.Mod{{Op: directory.ModReplace, Attribute: "mail", Values: []string{"jörg"}}}})
	wantKind(t, err, directory.Invalid)
	if e := err.(*directory.Error); e.Reason != "" {
		t.Errorf("%q", e.Reason)
	}
}

//go:build integration

package integration

import (
	"net/http"
	"strings"
	"testing"
)

// A password that the directory's policy refuses is the client's to change, and
// the answer says why in the policy's words. Nothing else of the request is done.
func TestPasswordPolicySaysWhy(t *testing.T) {
	t.Parallel()
	s := usual()
	s.BindDN, s.Password, s.Entries = "cn=scimgate,ou=services,dc=example,dc=org", "example secret", serviceAccount
	s.Access = []string{ // who may manage a password is above the policy
		`to attrs=userPassword by dn.exact="cn=scimgate,ou=services,dc=example,dc=org" write by anonymous auth`,
		`to * by dn.exact="cn=scimgate,ou=services,dc=example,dc=org" write`,
	}
	g := serve(t, s)
	c, d := g.client(t), g.tree(t)
	policy := "cn=default,ou=policies," + g.suffix
	d.setAll(policy, map[string][]string{"pwdCheckQuality": {"2"}, "pwdMinLength": {"12"}}, "pwdInHistory", "3")
	refused := func(a *answer, words string) {
		t.Helper()
		a.wantError(http.StatusBadRequest, "invalidValue")
		if detail := a.text("$.detail"); !strings.Contains(detail, words) || !strings.Contains(detail, "password") {
			t.Errorf("the detail is %q, want %q in it", detail, words)
		}
	}
	name := unlike("ann")
	refused(c.post("/Users", person(name, object{"password": "short one"})), "Password fails quality checking policy (it is too short)")
	if found := c.find("Users", `userName eq "`+name+`"`); found.total() != 0 {
		t.Errorf("something was made: %s", found.raw)
	}
	id := c.create(person(name, object{"password": "the first of them"}))
	title := object{"op": "replace", "path": "title", "value": "boss"}
	set := func(password string) object { return object{"op": "replace", "path": "password", "value": password} }
	refused(c.patch("/Users/"+id, title, set("short one")), "Password fails quality checking policy (it is too short)")
	refused(c.put("/Users/"+id, person(name, object{"title": "boss", "password": "x"})), "Password fails quality checking policy (it is too short)")
	c.patch("/Users/"+id, set("the second of them")).want(http.StatusOK)
	refused(c.patch("/Users/"+id, title, set("the first of them")), "Password is in history of old passwords")
	refused(c.patch("/Users/"+id, title, set("the second of them")), "Password is not being changed from existing value")
	d.set(policy, "pwdMinAge", "3600")
	refused(c.patch("/Users/"+id, title, set("the third of them")), "Password is too young to change")
	rename := object{"op": "replace", "path": "userName", "value": unlike("eve")}
	refused(c.patch("/Users/"+id, rename, title, set("the third of them")), "Password is too young to change")
	if got := d.entry(id).GetAttributeValue("uid"); got != name {
		t.Errorf("the name is %q", got)
	}
	if d.entry(id).GetAttributeValue("title") != "" || !d.opens(id, "the second of them") {
		t.Error("something was done")
	}
}

//go:build integration

package integration

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"
)

// Passwords that satisfy every directory's policy.
const (
	firstPassword  = "Correct-Horse-1"
	secondPassword = "Battery-Staple-2"
)

// provision is what the configuration of a page has to be good for, with the rights that
// the page gives and no others: a person and a group come, change and go. It returns the
// person's id.
func provision(t *testing.T, c *client, h *host) string {
	t.Helper()
	enters := func(when, login, password string, want bool) {
		t.Helper()
		if h.enters(login, password) != want {
			t.Fatalf("%s: %s gets in: %v, want %v", when, login, !want, want)
		}
	}
	set := func(path string, value any) object { return object{"op": "replace", "path": path, "value": value} }
	ann := person("ann@example.org", object{"externalId": "42", "displayName": "Ann Lee", "password": firstPassword})
	bob := person("bob@example.org", object{"externalId": "43", "displayName": "Bob Ray", "password": firstPassword,
		"name": object{"givenName": "Bob", "familyName": "Ray"}, "emails": []object{{"type": "work", "primary": true, "value": "bob@example.org"}}})
	id := c.create(ann)
	entry := h.person(h.short("ann@example.org"))
	if slices.Contains(entry.GetAttributeValues("userPassword"), firstPassword) {
		t.Error("the directory keeps the password as it came")
	}
	login := h.short("ann@example.org")
	enters("created", login, firstPassword, true)

	c.patch("/Users/"+id, set("active", false)).want(http.StatusOK)
	enters("deactivated", login, firstPassword, false)
	c.patch("/Users/"+id, set("password", secondPassword)).want(http.StatusOK)
	enters("with a password while inactive", login, secondPassword, false)
	c.patch("/Users/"+id, set("active", true)).want(http.StatusOK)
	enters("activated", login, secondPassword, true)
	enters("with the old password", login, firstPassword, false)

	c.patch("/Users/"+id, set("title", "Director")).want(http.StatusOK)
	if got := h.person(login).GetAttributeValue("title"); got != "Director" {
		t.Errorf("the title is %q", got)
	}
	b := c.create(bob)
	c.patch("/Users/"+b, set("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager", object{"value": id})).want(http.StatusOK)
	staff := c.createGroup("staff", b)
	c.patch("/Groups/"+staff, object{"op": "add", "path": "members", "value": values(id)}).want(http.StatusNoContent)
	h.lists(t, "staff", login, h.short("bob@example.org"))

	c.patch("/Users/"+id, set("userName", "anna@example.org")).want(http.StatusOK)
	login = h.short("anna@example.org")
	enters("renamed", login, secondPassword, true)
	h.lists(t, "staff", login, h.short("bob@example.org"))
	c.patch("/Groups/"+staff, object{"op": "remove", "path": `members[value eq "` + b + `"]`}).want(http.StatusNoContent)
	h.lists(t, "staff", login)
	if got := c.get("/Groups/" + staff).want(http.StatusOK).members(); !slices.Equal(got, []string{id}) {
		t.Errorf("members of the group over SCIM: %v", got)
	}
	c.patch("/Groups/"+staff, set("displayName", "everybody")).want(http.StatusNoContent)

	c.delete("/Users/" + id).want(http.StatusNoContent)
	enters("deleted", login, secondPassword, false)
	c.get("/Users/"+id).wantError(http.StatusNotFound, "")
	h.lists(t, "everybody")
	if again := c.create(ann); again != id {
		t.Errorf("the same externalId came back as %s, not %s", again, id)
	}
	enters("revived", h.short("ann@example.org"), firstPassword, true)
	if h.id(h.person(h.short("ann@example.org"))) != h.id(entry) {
		t.Error("it is another entry")
	}
	if groups := c.get("/Users/" + id).want(http.StatusOK).at("$.groups"); groups != nil {
		t.Errorf("revived into groups: %v", groups)
	}
	c.delete("/Groups/" + staff).want(http.StatusNoContent)
	if left := h.find("(cn=%s)", "everybody"); len(left) != 0 {
		t.Errorf("the group is left: %v", left[0].DN)
	}
	return id
}

// short is what the directory calls the person that SCIM calls name.
func (h *host) short(name string) string {
	if h.beforeAt {
		name, _, _ = strings.Cut(name, "@")
	}
	return name
}

// id is the entry's own, in whatever form.
func (h *host) id(e *ldap.Entry) string {
	for _, name := range []string{"entryUUID", "objectGUID", "nsUniqueId"} {
		if id := e.GetRawAttributeValue(name); len(id) > 0 {
			return string(id)
		}
	}
	h.t.Fatalf("%s has no id", e.DN)
	return ""
}

// lists holds the members of a group against those with the logins.
func (h *host) lists(t *testing.T, group string, logins ...string) {
	t.Helper()
	found := h.find("(&(cn=%s)(!("+h.login+"=nobody)))", group)
	if len(found) != 1 {
		t.Fatalf("%d groups are called %s", len(found), group)
	}
	var want, got []string
	for _, login := range logins {
		if h.member == "memberUid" {
			want = append(want, login)
		} else {
			want = append(want, strings.ToLower(h.person(login).DN))
		}
	}
	for _, value := range found[0].GetAttributeValues(h.member) {
		if !strings.HasPrefix(value, "cn=nobody,") {
			got = append(got, strings.ToLower(value))
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("%s lists %q, want %q", group, got, want)
	}
}

// denied tries what the service account must not be able to do.
func (h *host) denied(t *testing.T, what string, try func(conn *ldap.Conn) error) {
	t.Helper()
	if err := try(h.as(h.service, h.servicePassword)); !ldap.IsErrorWithCode(err, ldap.LDAPResultInsufficientAccessRights) {
		t.Errorf("%s: %v, want the directory to refuse it for want of rights", what, err)
	}
}

// adding is an Add.
func adding(dn string, attributes ...string) func(*ldap.Conn) error {
	request := ldap.NewAddRequest(dn, nil)
	for i := 0; i < len(attributes); i += 2 {
		request.Attribute(attributes[i], strings.Split(attributes[i+1], " "))
	}
	return func(conn *ldap.Conn) error { return conn.Add(request) }
}

// replacing is a Modify of one attribute.
func replacing(dn, attribute string, values ...string) func(*ldap.Conn) error {
	request := ldap.NewModifyRequest(dn, nil)
	request.Replace(attribute, values)
	return func(conn *ldap.Conn) error { return conn.Modify(request) }
}

// putting is a Modify that adds to an attribute.
func putting(dn, attribute string, values ...string) func(*ldap.Conn) error {
	request := ldap.NewModifyRequest(dn, nil)
	request.Add(attribute, values)
	return func(conn *ldap.Conn) error { return conn.Modify(request) }
}

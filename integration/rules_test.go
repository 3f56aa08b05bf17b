//go:build integration

package integration

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
)

// rule is one line of what the server must do for identity providers, as
// idp-behaviour.md numbers them: a request about a person or a group, and what
// has to be so afterwards. Rules that a transcript or another test holds are
// not repeated here.
type rule struct {
	number int
	what   string
	ops    []object          // a PATCH of the person
	put    object            // or a PUT of the person, merged into what was created
	want   map[string]any    // path -> value over SCIM; nil for absent
	ldap   map[string]string // attribute -> value in the directory; "" for absent
	few    bool              // at a mapping that carries few attributes, not the demo's
}

const department = "$." + enterpriseURN + ".department"

func op(name, path string, value any) object {
	o := object{"op": name, "value": value}
	if path != "" {
		o["path"] = path
	}
	return o
}

var userRules = []rule{
	{number: 5, what: "op in any case", ops: []object{op("REPLACE", "title", "a"), op("aDD", "nickName", "b")},
		want: map[string]any{"$.title": "a", "$.nickName": "b"}, ldap: map[string]string{"title": "a"}},
	{number: 6, what: "a boolean as text in any case", ops: []object{op("replace", "active", "FALSE")}, want: map[string]any{"$.active": false}},
	{number: 6, what: "a boolean in a list of one", ops: []object{op("replace", "active", []any{false})}, want: map[string]any{"$.active": false}},
	{number: 6, what: "a boolean as text in a list of one", ops: []object{op("replace", "", object{"active": []any{"False"}})},
		want: map[string]any{"$.active": false}},
	{number: 6, what: "primary as text", put: object{"emails": []object{{"value": "p@example.org", "type": "work", "primary": "True"}}},
		want: map[string]any{"$.emails[0].value": "p@example.org"}, ldap: map[string]string{"mail": "p@example.org"}},
	{number: 7, what: "a path-less replace merges", ops: []object{op("replace", "", object{"title": "t"})},
		want: map[string]any{"$.title": "t", "$.name.givenName": "Ann", "$.emails[0].value": "ann@example.org", "$.active": true}},
	{number: 7, what: "a path-less add merges", ops: []object{op("add", "", object{"name": object{"familyName": "Ray"}})},
		want: map[string]any{"$.name.familyName": "Ray", "$.name.givenName": "Ann"}, ldap: map[string]string{"sn": "Ray", "givenName": "Ann"}},
	{number: 8, what: "keys that are paths", ops: []object{op("replace", "", object{
		"name.givenName": "Eve", enterpriseURN + ":employeeNumber": "9", `emails[type eq "work"].value`: "eve@example.org"})},
		want: map[string]any{"$.name.givenName": "Eve", "$." + enterpriseURN + ".employeeNumber": "9", "$.name.familyName": "Lee"},
		ldap: map[string]string{"givenName": "Eve", "employeeNumber": "9", "mail": "eve@example.org"}},
	{number: 9, what: "read-only keys in a PATCH", ops: []object{op("replace", "", object{"id": "x", "meta": object{"version": "x"},
		"schemas": []string{"x"}, "groups": []object{{"value": "x"}}, "title": "t"})}, want: map[string]any{"$.title": "t"}},
	{number: 9, what: "read-only keys in a PUT", put: object{"id": "x", "meta": object{"created": "x"}, "groups": []object{{"value": nobody}}, "title": "t"},
		want: map[string]any{"$.title": "t"}},
	{number: 11, what: "what is not there is made", ops: []object{op("Replace", `phoneNumbers[type eq "mobile"].value`, "+1 555 1"),
		op("Add", `addresses[type eq "work"].locality`, "Kiel"), op("Replace", `addresses[type eq "work"].country`, "DE")},
		want: map[string]any{"$.phoneNumbers[0].type": "mobile", "$.phoneNumbers[0].value": "+1 555 1", "$.addresses[0].locality": "Kiel",
			"$.addresses[0].country": "DE", "$.addresses[1]": nil}, ldap: map[string]string{"mobile": "+1 555 1", "l": "Kiel", "co": "DE"}},
	{number: 16, what: "operations in their order", ops: []object{op("add", "title", "1"), op("replace", "title", "2"), {"op": "remove", "path": "title"},
		op("add", "title", "3")}, want: map[string]any{"$.title": "3"}},
	{number: 19, what: "null, empty text and empty list clear in a PUT", put: object{"displayName": nil, "nickName": "", "emails": []any{}, "title": ""},
		want: map[string]any{"$.displayName": nil, "$.nickName": nil, "$.emails": nil, "$.title": nil},
		ldap: map[string]string{"mail": "", "displayName": "", "title": ""}},
	{number: 19, what: "null clears in a PATCH", ops: []object{op("replace", "", object{"emails": nil})},
		want: map[string]any{"$.emails": nil}, ldap: map[string]string{"mail": ""}},
	{number: 20, what: "unknown attributes and schemas", put: object{"schemas": []string{userURN, "urn:unknown"}, "urn:unknown": object{"a": 1},
		"favouriteColour": "blue", "title": "t"}, want: map[string]any{"$.title": "t", "$.favouriteColour": nil}},
	{number: 20, what: "parts and types that are not mapped", ops: []object{
		op("Add", "roles", []object{{"value": "x", "type": "WindowsAzureActiveDirectoryRole", "display": "X", "primary": "True"}}),
		op("add", `phoneNumbers[type eq "carrier pigeon"].value`, "+1 555 1"), op("add", `ims[type eq "skype"].display`, "x"), op("Replace", "title", "t")},
		want: map[string]any{"$.title": "t", "$.roles[0].value": "x", "$.roles[0].type": nil, "$.roles[0].primary": nil, "$.phoneNumbers": nil, "$.ims": nil}},
	{number: 20, few: true, what: "unknown keys and attributes that are not mapped in a PATCH", ops: []object{op("replace", "", object{"x": 1, "title": "t"}),
		op("add", "ims", []object{{"value": "x"}}), op("Replace", `photos[type eq "photo"].value`, "https://example.org/x"),
		op("Add", "roles", []object{{"value": "x", "primary": "True"}})}, want: map[string]any{"$.title": "t", "$.roles": nil, "$.ims": nil}},
	{number: 8, what: "a URN path", ops: []object{op("Replace", enterpriseURN+":department", "Sales")},
		want: map[string]any{department: "Sales"}, ldap: map[string]string{"departmentNumber": "Sales"}},
	{number: 8, what: "the extension as a whole", ops: []object{op("add", enterpriseURN, object{"department": "Sales"})},
		want: map[string]any{department: "Sales"}},
}

// Each rule holds for a person.
func TestRulesOfPeople(t *testing.T) {
	t.Parallel()
	for _, r := range userRules {
		t.Run(fmt.Sprintf("rule %d %s", r.number, r.what), func(t *testing.T) {
			t.Parallel()
			g := shared(t)
			if r.few {
				g = sharedOverlays(t)
			}
			c, d := g.client(t), g.tree(t)
			p := person(unlike("rule"), object{"displayName": "Ann Lee", "nickName": "Annie"})
			id := c.create(p)
			if r.put != nil {
				for key, value := range r.put {
					p[key] = value
				}
				c.put("/Users/"+id, p).want(http.StatusOK)
			} else {
				c.patch("/Users/"+id, r.ops...).want(http.StatusOK)
			}
			a := c.get("/Users/" + id).want(http.StatusOK)
			if a.id() != id {
				t.Errorf("the id is %s now", a.id())
			}
			for path, want := range r.want {
				if got := a.at(path); got != want {
					t.Errorf("%s is %v, want %v: %s", path, got, want, a.raw)
				}
			}
			for attribute, want := range r.ldap {
				if got := d.entry(id).GetAttributeValue(attribute); got != want {
					t.Errorf("in the directory %s is %q, want %q", attribute, got, want)
				}
			}
		})
	}
}

// Rule 18: a manager comes in every form that there is, and is shown in one.
func TestManagerForms(t *testing.T) {
	t.Parallel()
	g := shared(t)
	c, d := g.client(t), g.tree(t)
	boss := c.create(person(unlike("boss")))
	bossDN := d.entry(boss).DN
	id := c.create(person(unlike("report"), object{enterpriseURN: object{"manager": boss}}))
	path := "$." + enterpriseURN + ".manager.value"
	has := func(what string, want bool) {
		t.Helper()
		a, e := c.get("/Users/"+id), d.entry(id)
		if got := a.text(path) == boss; got != want || (e.GetAttributeValue("manager") == bossDN) != want {
			t.Errorf("%s: over SCIM %q, in the directory %q, want one: %v", what, a.text(path), e.GetAttributeValue("manager"), want)
		}
	}
	has("text in a create", true)
	manager := enterpriseURN + ":manager"
	gone := []object{op("replace", manager, object{"value": ""}), op("Replace", manager, ""), {"op": "Remove", "path": manager},
		{"op": "remove", "path": "manager"}, op("replace", manager, nil), {"op": "remove", "path": manager + ".value"}}
	for i, form := range []object{
		op("add", manager, boss), op("Add", "manager", []object{{"$ref": "http://../Users/" + boss, "value": boss}}),
		op("replace", manager, object{"value": boss}), op("replace", manager+".value", boss),
		op("replace", "", object{manager: boss}), op("replace", "", object{enterpriseURN: object{"manager": object{"value": boss}}}),
	} {
		c.patch("/Users/"+id, gone[i]).want(http.StatusOK)
		has(fmt.Sprint(gone[i]), false)
		c.patch("/Users/"+id, form).want(http.StatusOK)
		has(fmt.Sprint(form), true)
	}
	c.delete("/Users/" + boss).want(http.StatusNoContent)
	if a := c.get("/Users/" + id).want(http.StatusOK); a.at(path) != nil {
		t.Errorf("a deleted manager is shown: %s", a.raw)
	}
	c.put("/Users/"+id, c.get("/Users/"+id).body).want(http.StatusOK)
}

// Rule 17: members come as bare values and with all kinds of company.
func TestMemberForms(t *testing.T) {
	t.Parallel()
	g := shared(t)
	c := g.client(t)
	id := c.create(person(unlike("member")))
	for _, form := range []object{
		{"value": id}, {"value": id, "display": "Ann"}, {"value": id, "$ref": nil}, {"value": id, "$ref": "Users/" + id},
		{"value": id, "$ref": "../Users/" + id, "type": "User"}, {"value": id, "type": nil}, {"value": id, "unknown": 1},
	} {
		team := c.post("/Groups", object{"displayName": unlike("team"), "members": []object{form}}).want(http.StatusCreated).id()
		if got := c.get("/Groups/" + team).members(); !slices.Equal(got, []string{id}) {
			t.Errorf("POST %v: %v", form, got)
		}
		c.patch("/Groups/"+team, object{"op": "Remove", "path": "members", "value": []object{form}}).want(http.StatusNoContent)
		if got := c.get("/Groups/" + team).members(); len(got) != 0 {
			t.Errorf("remove %v: %v", form, got)
		}
		c.patch("/Groups/"+team, op("add", "", object{"members": []object{form}})).want(http.StatusNoContent)
		if got := c.get("/Groups/" + team).members(); !slices.Equal(got, []string{id}) {
			t.Errorf("add %v: %v", form, got)
		}
	}
}

// OneLogin's body with an empty template, and its one object where a list
// belongs, are taken.
func TestOneLoginOddities(t *testing.T) {
	t.Parallel()
	g := shared(t)
	c, d := g.client(t), g.tree(t)
	name := unlike("kelly")
	a := c.post("/Users", object{"schemas": []string{userURN, enterpriseURN}, "id": nil, "userName": name, "active": "true", "title": "",
		"name":        object{"familyName": "", "givenName": "", "formatted": " "},
		"emails":      object{"value": name + "@example.org", "type": "work", "primary": true},
		enterpriseURN: object{"department": "", "manager": object{"value": "", "displayName": " "}},
	}).want(http.StatusCreated)
	e := d.entry(a.id())
	if e.GetAttributeValue("mail") != name+"@example.org" || e.GetAttributeValue("sn") != name {
		t.Errorf("mail %q, sn %q", e.GetAttributeValue("mail"), e.GetAttributeValue("sn"))
	}
	team := c.createGroup(unlike("team"), a.id())
	c.do("PATCH", "/Groups/"+team, object{"members": []object{{"value": a.id(), "operation": "delete"}}}).want(http.StatusBadRequest)
	if got := c.get("/Groups/" + team).members(); len(got) != 1 {
		t.Errorf("the group has %v", got)
	}
}

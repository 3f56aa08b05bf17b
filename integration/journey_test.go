//go:build integration

package integration

import (
	"net/http"
	"testing"
)

const (
	oktaOff = `{"schemas":["` + patchURN + `"],"Operations":[{"op":"replace","value":{"active":false}}]}`
	entraOn = `{"schemas":["` + patchURN + `"],"Operations":[{"op":"Replace","path":"active","value":"True"}]}`
)

// A person goes the whole way through the directory that the company already
// runs: created, given a password, deactivated, activated, deleted, revived.
func TestJourneyOfAPerson(t *testing.T) {
	t.Parallel()
	g := shared(t)
	journey(t, g.client(t), g.tree(t))
}

// journey is the main job, end to end.
func journey(t *testing.T, c *client, d *tree) {
	t.Helper()
	name := unlike("ann")
	ann := person(name, object{"externalId": name + "-42", "displayName": name + " Lee",
		"emails": []object{{"type": "work", "primary": true, "value": name + "@example.org"}}})

	created := c.post("/Users", ann).want(http.StatusCreated)
	id := created.id()
	if got, want := created.header.Get("Location"), c.base+"/Users/"+id; got != want {
		t.Errorf("Location is %s, want %s", got, want)
	}
	e := d.entry(id)
	if e.GetAttributeValue("entryUUID") != id {
		t.Errorf("entryUUID is %s, the id %s", e.GetAttributeValue("entryUUID"), id)
	}
	for attribute, want := range map[string]string{
		"uid": name, "sn": "Lee", "givenName": "Ann", "cn": name + " Lee", "displayName": name + " Lee",
		"mail": name + "@example.org", "scimExternalId": name + "-42",
	} {
		if got := e.GetAttributeValues(attribute); len(got) != 1 || got[0] != want {
			t.Errorf("%s is %q, want %q", attribute, got, want)
		}
	}
	d.setPassword(id, oldPass)
	gets := func(what string, in bool) {
		t.Helper()
		if d.opens(id, oldPass) != in {
			t.Fatalf("%s: gets in: %v, want %v", what, !in, in)
		}
	}
	gets("with a password", true)

	c.do("PATCH", "/Users/"+id, []byte(oktaOff)).want(http.StatusOK)
	gets("deactivated as Okta does it", false)
	if c.get("/Users/"+id).want(http.StatusOK).at("$.active") != false {
		t.Error("active is not false")
	}
	if found := c.find("Users", `userName eq "`+name+`"`); found.total() != 1 {
		t.Error("an inactive person is not found by name")
	}
	c.do("PATCH", "/Users/"+id, []byte(entraOn)).want(http.StatusOK)
	gets("activated as Entra does it", true)

	c.delete("/Users/" + id).want(http.StatusNoContent)
	gets("deleted", false)
	c.get("/Users/"+id).wantError(http.StatusNotFound, "")
	c.delete("/Users/"+id).wantError(http.StatusNotFound, "")
	if found := c.find("Users", `userName eq "`+name+`"`); found.total() != 0 {
		t.Error("a deleted person is in a list")
	}
	if d.entry(id).DN != e.DN {
		t.Error("the entry has another name")
	}
	if again := c.post("/Users", ann).want(http.StatusCreated).id(); again != id {
		t.Errorf("the same externalId came back as %s, not %s", again, id)
	}
	gets("revived", true)
}

//go:build integration

package integration

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// fullUser is the user of RFC 7643 section 8.2, all of it, under a name and an
// externalId of its own.
func fullUser(t *testing.T, name string) object {
	t.Helper()
	raw, err := os.ReadFile("testdata/full-user.json")
	if err != nil {
		t.Fatal(err)
	}
	var user object
	if err := json.Unmarshal(raw, &user); err != nil {
		t.Fatal(err)
	}
	user["userName"], user["externalId"] = name, name
	return user
}

// shownOf is what a resource of the standard's examples has to come back as:
// without what belongs to the server, and what is never shown.
func shownOf(sent object) object {
	shown := maps.Clone(sent)
	for _, name := range []string{"id", "meta", "groups", "password"} {
		delete(shown, name)
	}
	return shown
}

// sameUser compares resources, in which the elements of a list have no order.
func sameUser(want, got object) string {
	return cmp.Diff(want, got, cmpopts.SortSlices(func(a, b any) bool { return fmt.Sprint(a) < fmt.Sprint(b) }))
}

// The full users of RFC 7643 sections 8.2 and 8.3 come back as they were sent,
// and sent back they change nothing.
func TestTheFullUserComesBack(t *testing.T) {
	t.Parallel()
	c := shared(t).client(t)
	full := fullUser(t, unlike("bjensen"))
	enterprise := fullUser(t, unlike("enterprise"))
	manager := c.create(person(unlike("jsmith"), object{"displayName": "John Smith"}))
	enterprise["schemas"] = []any{userURN, enterpriseURN}
	enterprise[enterpriseURN] = object{
		"employeeNumber": "701984", "costCenter": "4130", "organization": "Universal Studios", "division": "Theme Park",
		"department": "Tour Operations",
		"manager":    object{"value": manager, "$ref": c.base + "/Users/" + manager, "displayName": "John Smith"},
	}
	for section, sent := range map[string]object{"8.2": full, "8.3": enterprise} {
		made := c.post("/Users", sent).want(http.StatusCreated)
		for _, a := range []*answer{made, c.get("/Users/" + made.id()).want(http.StatusOK)} {
			if diff := sameUser(shownOf(sent), shownOf(a.body)); diff != "" {
				t.Errorf("section %s, %s (-sent +shown):\n%s", section, a.what, diff)
			}
		}
		again := c.put("/Users/"+made.id(), made.body).want(http.StatusOK)
		if diff := cmp.Diff(made.body, again.body); diff != "" {
			t.Errorf("section %s: a PUT of the answer changed something:\n%s", section, diff)
		}
	}
}

// Whatever Schemas announces for the demo's people can be written, is shown and
// found again, element by element.
func TestEverythingAnnouncedIsKept(t *testing.T) {
	t.Parallel()
	c := shared(t).client(t)
	sent := object{"schemas": []any{userURN}, "active": true}
	announced := c.get("/Schemas/" + userURN).want(http.StatusOK).at("$.attributes").([]any)
	name := unlike("whole")
	for _, a := range announced {
		a := a.(object)
		if a["mutability"] != "readOnly" && a["name"] != "active" && a["name"] != "schemas" {
			sent[a["name"].(string)] = sample(a, name)
		}
	}
	for attribute, types := range map[string]int{ // all that RFC 7643 section 8.7.1 has
		"emails": 3, "phoneNumbers": 6, "addresses": 3, "ims": 8, "photos": 2, "roles": 1, "entitlements": 1, "x509Certificates": 1,
	} {
		if list, _ := sent[attribute].([]any); len(list) != types {
			t.Errorf("%d types of %s are announced, want %d", len(list), attribute, types)
		}
	}
	for attribute, parts := range map[string]int{"name": 6, "addresses": 7} {
		one := at(sent, "$."+attribute)
		if list, ok := one.([]any); ok {
			one = list[0]
		}
		if one, _ := one.(object); len(one) != parts {
			t.Errorf("%d parts of %s are announced, want %d", len(one), attribute, parts)
		}
	}
	made := c.post("/Users", sent).want(http.StatusCreated)
	shown := shownOf(made.body)
	for _, a := range made.body["emails"].([]any) { // the only one of its type is the primary one
		delete(a.(object), "primary")
	}
	for _, a := range made.body["addresses"].([]any) {
		delete(a.(object), "primary")
	}
	if diff := sameUser(shownOf(sent), shown); diff != "" {
		t.Errorf("-sent +shown:\n%s", diff)
	}
	for attribute, list := range sent {
		elements, _ := list.([]any)
		for _, e := range elements {
			e, _ := e.(object)
			for part, value := range e {
				filter := fmt.Sprintf(`id eq "%s" and %s[%s eq %q]`, made.id(), attribute, part, value)
				if kind := e["type"]; kind != nil {
					filter = fmt.Sprintf(`id eq "%s" and %s[type eq %q and %s eq %q]`, made.id(), attribute, kind, part, value)
				}
				if found := c.find("Users", filter); !slices.Equal(found.ids(), []string{made.id()}) {
					t.Errorf("%s finds %d", filter, found.total())
				}
			}
		}
	}

	const fax = `phoneNumbers[type eq "fax" and value eq "+1 555 2"]` // LDAP compares no fax numbers
	a := c.patch("/Users/"+made.id(), op("add", "phoneNumbers", []object{{"type": "fax", "value": "+1 555 2"}}),
		op("replace", `x509Certificates[value pr].display`, "x")).want(http.StatusOK)
	if numbers := a.at("$.phoneNumbers").([]any); len(numbers) != 7 {
		t.Errorf("with another fax number there are %v", numbers)
	}
	var removals []object
	for attribute, value := range sent {
		if _, ok := value.([]any); ok && attribute != "schemas" {
			removals = append(removals, object{"op": "remove", "path": attribute})
		}
	}
	c.patch("/Users/"+made.id(), object{"op": "remove", "path": fax}).want(http.StatusOK)
	left := c.patch("/Users/"+made.id(), removals...).want(http.StatusOK)
	for _, r := range removals {
		if value := left.body[r["path"].(string)]; value != nil {
			t.Errorf("%s is left: %v", r["path"], value)
		}
	}
}

// sample is a value for an announced attribute: of several types one of each.
func sample(a object, text string) any {
	subs, _ := a["subAttributes"].([]any)
	if len(subs) == 0 {
		if a["type"] == "reference" {
			return "https://example.org/" + text
		}
		return text
	}
	element := func(kind string) object {
		e := object{}
		for _, s := range subs {
			s := s.(object)
			switch s["name"] {
			case "type":
				e["type"] = kind
			case "primary":
			case "value":
				e["value"] = valueOf(a["name"].(string), kind, text)
			default:
				e[s["name"].(string)] = text + " " + kind
			}
		}
		return e
	}
	if a["multiValued"] != true {
		e := object{}
		for _, s := range subs {
			e[s.(object)["name"].(string)] = text
		}
		return e
	}
	for _, s := range subs {
		if s := s.(object); s["name"] == "type" {
			var all []any
			kinds, _ := s["canonicalValues"].([]any)
			for _, kind := range kinds {
				all = append(all, element(kind.(string)))
			}
			return all
		}
	}
	return []any{element("")}
}

// valueOf is a value that fits the syntax of the directory.
func valueOf(attribute, kind, text string) string {
	switch attribute {
	case "emails":
		return kind + "@example.org"
	case "phoneNumbers":
		return fmt.Sprintf("+1 555 %d", 1000+len(kind)*7+int(kind[0]))
	case "photos":
		return "https://example.org/" + kind + "?of=" + text
	case "x509Certificates":
		raw, _ := os.ReadFile("testdata/full-user.json")
		var user object
		_ = json.Unmarshal(raw, &user)
		return at(user, "$.x509Certificates[0].value").(string)
	}
	return text + kind
}

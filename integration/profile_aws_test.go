//go:build integration

package integration

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"
)

// What AWS IAM Identity Center takes and refuses, item by item as its guide and the
// advice for its administrators have it, of a tenant with the rule set aws. Where a
// thing is refused the detail names it, and the refusal is a 400 unless said
// otherwise.

// awsPerson is somebody whom the rule set has nothing against.
func awsPerson(name string, changes ...object) object {
	return person(name, append([]object{{"displayName": "Ann " + name, "emails": awsMail(name + "@example.org")}}, changes...)...)
}

func awsMail(address string) []object {
	return []object{{"type": "work", "primary": true, "value": address}}
}

func TestAWS(t *testing.T) {
	t.Parallel()
	g := ruled(t, "aws")
	for _, item := range []struct {
		name string
		test func(*testing.T, *gate)
	}{
		{"operations", awsOperations},
		{"required on create and PUT", awsRequired},
		{"one value of an attribute", awsOneValue},
		{"the address is primary", awsPrimary},
		{"not supported", awsNotSupported},
		{"forbidden characters", awsForbidden},
		{"an address is whole", awsWholeAddress},
		{"the mail address is unique", awsUnique},
		{"patches of users", awsPatchUser},
		{"patches of groups", awsPatchGroup},
		{"members are not shown", awsMembersHidden},
		{"filters", awsFilters},
		{"what was broken before may stay", awsBrokenBefore},
		{"a detail names attribute, value and rule", awsDetail},
	} {
		t.Run(item.name, func(t *testing.T) { item.test(t, g) })
	}
}

// refuses ends the test unless the answer is that a value is wrong, with words in the
// detail.
func (a *answer) refuses(words ...string) {
	a.t.Helper()
	a.wantError(http.StatusBadRequest, "invalidValue")
	for _, w := range words {
		if !strings.Contains(a.text("$.detail"), w) {
			a.t.Errorf("%s: the detail lacks %q: %s", a.what, w, a.raw)
		}
	}
}

func awsOperations(t *testing.T, g *gate) {
	c := g.client(t)
	team := c.createGroup(unlike("team"))
	c.put("/Groups/"+team, group(unlike("team"))).want(http.StatusMethodNotAllowed)
	c.get("/Me").want(http.StatusNotImplemented)
	c.post("/Bulk", object{"Operations": []object{{"method": "DELETE", "path": "/Groups/" + team}}}).want(http.StatusNotImplemented)
	for _, endpoint := range []string{"", "/Users", "/Groups"} {
		c.post(endpoint+"/.search", object{"count": 1}).want(http.StatusNotImplemented)
	}
	c.delete("/Groups/" + team).want(http.StatusNoContent)

	name := unlike("ann")
	id := c.create(awsPerson(name))
	c.get("/Users/" + id).want(http.StatusOK)
	c.get("/Users").want(http.StatusOK)
	c.put("/Users/"+id, awsPerson(name, object{"title": "Boss"})).want(http.StatusOK)
	c.patch("/Users/"+id, op("replace", "title", "Chief")).want(http.StatusOK)
	c.delete("/Users/" + id).want(http.StatusNoContent)
	for _, path := range []string{"/Schemas", "/Schemas/" + userURN, "/ResourceTypes", "/ServiceProviderConfig"} {
		c.get(path).want(http.StatusOK)
	}
	if bulk := c.get("/ServiceProviderConfig").at("$.bulk.supported"); bulk != false {
		t.Errorf("bulk is announced: %v", bulk)
	}
}

func awsRequired(t *testing.T, g *gate) {
	c := g.client(t)
	name := unlike("required")
	id := c.create(awsPerson(name))
	without := func(name, attribute string) object {
		p := awsPerson(name)
		switch parent, sub, nested := strings.Cut(attribute, "."); {
		case nested:
			delete(p[parent].(object), sub)
		default:
			delete(p, attribute)
		}
		return p
	}
	for _, attribute := range []string{"name.givenName", "name.familyName", "userName", "displayName", "emails"} {
		c.post("/Users", without(unlike("new"), attribute)).refuses(attribute, "required")
		c.put("/Users/"+id, without(name, attribute)).refuses(attribute, "required")
	}
	for _, attribute := range []string{"name.givenName", "name.familyName", "displayName", "emails"} {
		c.patch("/Users/"+id, object{"op": "remove", "path": attribute}).refuses(attribute, "required")
		c.patch("/Users/"+id, op("replace", attribute, "")).refuses(attribute, "required")
	}
	c.patch("/Users/"+id, object{"op": "remove", "path": "name"}).refuses("name.givenName", "required")
	c.post("/Users", awsPerson(unlike("new"), object{"displayName": " "})).refuses("displayName", "required")
	c.post("/Groups", object{"schemas": []string{groupURN}}).refuses("displayName", "required")
}

func awsOneValue(t *testing.T, g *gate) {
	c := g.client(t)
	name := unlike("one")
	id := c.create(awsPerson(name, object{"phoneNumbers": []object{{"type": "work", "value": "1"}}, "roles": []object{{"value": "r"}}}))
	address := func(kind string) object {
		return object{"type": kind, "streetAddress": "1 Main St", "locality": "Rome", "region": "RM", "postalCode": "1", "country": "IT"}
	}
	two := map[string][]object{
		"emails":       {{"type": "work", "primary": true, "value": name + "@a.org"}, {"type": "home", "value": name + "@b.org"}},
		"phoneNumbers": {{"type": "work", "value": "1"}, {"type": "mobile", "value": "2"}},
		"addresses":    {address("work"), address("home")},
		"roles":        {{"value": "a"}, {"value": "b"}},
	}
	for attribute, values := range two {
		c.post("/Users", awsPerson(unlike("new"), object{attribute: values})).refuses(attribute, "2 values")
		c.put("/Users/"+id, awsPerson(name, object{attribute: values})).refuses(attribute, "2 values")
		c.patch("/Users/"+id, op("replace", attribute, values)).refuses(attribute, "2 values")
	}
	c.patch("/Users/"+id, op("add", "emails", []object{{"type": "home", "value": name + "@b.org"}})).refuses("emails", "2 values")
	c.patch("/Users/"+id, op("replace", `phoneNumbers[type eq "mobile"].value`, "2")).refuses("phoneNumbers", "2 values")
	c.patch("/Users/"+id, object{"op": "remove", "path": `phoneNumbers[type eq "work"]`}, op("add", `phoneNumbers[type eq "mobile"].value`, "2")).want(http.StatusOK)
}

func awsPrimary(t *testing.T, g *gate) {
	c := g.client(t)
	name := unlike("primary")
	id := c.create(awsPerson(name))
	for _, mail := range []object{
		{"type": "work", "value": name + "@x.org"},
		{"type": "work", "value": name + "@x.org", "primary": false},
		{"type": "work", "value": name + "@x.org", "primary": "False"},
	} {
		c.post("/Users", awsPerson(unlike("new"), object{"emails": []object{mail}})).refuses("emails", name+"@x.org", "primary")
		c.put("/Users/"+id, awsPerson(name, object{"emails": []object{mail}})).refuses("emails", "primary")
	}
	c.patch("/Users/"+id, op("replace", "emails", []object{{"type": "home", "value": name + "@x.org"}})).refuses("emails", "primary")
	c.patch("/Users/"+id, op("replace", `emails[type eq "work"].value`, name+"@y.org")).want(http.StatusOK)
	c.post("/Users", awsPerson(unlike("home"), object{"emails": []object{{"type": "home", "primary": true, "value": name + "@home.org"}}})).want(http.StatusCreated)
}

func awsNotSupported(t *testing.T, g *gate) {
	c := g.client(t)
	name := unlike("unsupported")
	id := c.create(awsPerson(name))
	mail := awsMail(name + "@x.org")
	mail[0]["display"] = "Ann"
	for attribute, values := range map[string]object{
		"password":             {"password": "s3cret-Password"},
		"ims":                  {"ims": []object{{"type": "xmpp", "value": "ann"}}},
		"photos":               {"photos": []object{{"type": "photo", "value": "https://x.org/ann.png"}}},
		"entitlements":         {"entitlements": []object{{"value": "e"}}},
		"x509Certificates":     {"x509Certificates": []object{{"value": "MIIB"}}},
		"emails.display":       {"emails": mail},
		"phoneNumbers.display": {"phoneNumbers": []object{{"type": "work", "value": "1", "display": "one"}}},
		"roles.display":        {"roles": []object{{"value": "r", "display": "R"}}},
	} {
		a := c.post("/Users", awsPerson(unlike("new"), values))
		a.refuses(attribute, "not supported")
		if strings.Contains(string(a.raw), "s3cret") {
			t.Errorf("a password is shown: %s", a.raw)
		}
		c.put("/Users/"+id, awsPerson(name, values)).refuses(attribute, "not supported")
		top, _, _ := strings.Cut(attribute, ".")
		c.patch("/Users/"+id, op("add", top, values[top])).want(http.StatusBadRequest)
		c.patch("/Users/"+id, op("replace", "", object{top: values[top]})).want(http.StatusBadRequest)
	}
	c.post("/Users", awsPerson(unlike("new"), object{"groups": []object{{"value": "x"}}})).refuses("groups", "not supported")
	c.post("/Users", awsPerson(unlike("new"), object{enterpriseURN: object{"manager": object{"value": id, "displayName": "Boss"}}})).refuses("manager.displayName", "not supported")
	c.post("/Users", awsPerson(unlike("new"), object{enterpriseURN + ":manager": object{"value": id, "DisplayName": "Boss"}})).refuses("manager.displayName", "not supported")

	// What is empty is none, and so is what comes back of an answer.
	c.post("/Users", awsPerson(unlike("empty"), object{"groups": []object{}, "photos": []object{}, "ims": nil, "password": "",
		enterpriseURN: object{"manager": object{"value": id, "displayName": " "}}})).want(http.StatusCreated)
	c.createGroup(unlike("team"), id)
	shown := c.get("/Users/" + id).want(http.StatusOK).body
	if groups, _ := shown["groups"].([]any); len(groups) != 1 {
		t.Fatalf("the group does not show: %v", shown)
	}
	shown["title"] = "Boss"
	c.put("/Users/"+id, shown).want(http.StatusOK)
}

func awsForbidden(t *testing.T, g *gate) {
	c := g.client(t)
	name := unlike("forbidden")
	id := c.create(awsPerson(name))
	team := c.createGroup(unlike("team"))
	for _, character := range "<>;:%" {
		bad := "a" + string(character) + "b"
		for _, attribute := range []string{"userName", "externalId", "displayName", "title", "nickName"} {
			value := bad + unlike("")
			c.post("/Users", awsPerson(unlike("new"), object{attribute: value})).refuses(attribute, value, `"`+string(character)+`"`)
		}
		c.post("/Users", awsPerson(unlike("new"), object{"name": object{"givenName": bad, "familyName": "Lee"}})).refuses("name.givenName", bad)
		c.post("/Users", awsPerson(unlike("new"), object{"emails": awsMail(bad + "@x.org")})).refuses("emails", bad)
		c.post("/Users", awsPerson(unlike("new"), object{enterpriseURN: object{"department": bad}})).refuses("department", bad)
		c.put("/Users/"+id, awsPerson(name, object{"title": bad})).refuses("title", bad)
		c.patch("/Users/"+id, op("replace", "title", bad)).refuses("title", bad)
		c.patch("/Users/"+id, op("replace", "", object{"displayName": bad})).refuses("displayName", bad)
		c.post("/Groups", group(bad)).refuses("displayName", bad)
		c.patch("/Groups/"+team, op("replace", "displayName", bad)).refuses("displayName", bad)
	}
	// A URL is no text, nor is the name of a schema.
	c.patch("/Users/"+id, op("replace", "profileUrl", "https://example.org/ann?x=%20;y")).want(http.StatusOK)
	c.patch("/Users/"+id, op("replace", enterpriseURN+":department", "Sales")).want(http.StatusOK)
}

func awsWholeAddress(t *testing.T, g *gate) {
	c := g.client(t)
	name := unlike("address")
	id := c.create(awsPerson(name))
	whole := func() object {
		return object{"type": "work", "streetAddress": "1 Main St", "locality": "Rome", "region": "RM", "postalCode": "1", "country": "IT"}
	}
	for part := range whole() {
		if part == "type" {
			continue
		}
		address := whole()
		delete(address, part)
		for _, kind := range []string{"work", "home"} {
			address["type"] = kind
			c.post("/Users", awsPerson(unlike("new"), object{"addresses": []object{address}})).refuses("without addresses." + part)
		}
		c.put("/Users/"+id, awsPerson(name, object{"addresses": []object{address}})).refuses("without addresses." + part)
	}
	c.patch("/Users/"+id, op("add", `addresses[type eq "work"].locality`, "Rome")).refuses("addresses.locality", "without")
	c.patch("/Users/"+id, op("add", "addresses", []object{whole()})).want(http.StatusOK)
	c.patch("/Users/"+id, object{"op": "remove", "path": `addresses[type eq "work"].region`}).refuses("without addresses.region")
	c.patch("/Users/"+id, op("replace", `addresses[type eq "work"].region`, "MI")).want(http.StatusOK)
	c.patch("/Users/"+id, object{"op": "remove", "path": "addresses"}).want(http.StatusOK)
	c.post("/Users", awsPerson(unlike("formatted"), object{"addresses": []object{{"type": "work", "formatted": "1 Main St, Rome"}}})).want(http.StatusCreated)
}

func awsUnique(t *testing.T, g *gate) {
	c := g.client(t)
	name := unlike("unique")
	mail := name + "@x.org"
	id := c.create(awsPerson(name, object{"emails": awsMail(mail)}))
	taken := func(a *answer) { t.Helper(); a.wantError(http.StatusConflict, "uniqueness") }
	taken(c.post("/Users", awsPerson(unlike("new"), object{"emails": awsMail(strings.ToUpper(mail))})))
	home := []object{{"type": "home", "primary": true, "value": mail}}
	taken(c.post("/Users", awsPerson(unlike("new"), object{"emails": home})))
	other := unlike("other")
	second := c.create(awsPerson(other))
	taken(c.put("/Users/"+second, awsPerson(other, object{"emails": home})))
	taken(c.patch("/Users/"+second, op("replace", `emails[type eq "work"].value`, mail)))
	// One's own may change its type, and changes nobody else's.
	c.put("/Users/"+id, awsPerson(name, object{"emails": home})).want(http.StatusOK)
	taken(c.patch("/Users/"+second, op("replace", `emails[type eq "work"].value`, mail)))
	// Somebody deleted gives theirs up.
	c.delete("/Users/" + id).want(http.StatusNoContent)
	c.patch("/Users/"+second, op("replace", `emails[type eq "work"].value`, mail)).want(http.StatusOK)
}

func awsPatchUser(t *testing.T, g *gate) {
	c := g.client(t)
	name := unlike("patched")
	id := c.create(awsPerson(name))
	c.patch("/Users/"+id, object{"op": "remove"}).want(http.StatusBadRequest)
	for _, attribute := range []string{"userName", "active"} {
		c.patch("/Users/"+id, object{"op": "remove", "path": attribute}).want(http.StatusBadRequest)
	}
	c.patch("/Users/"+id, op("replace", "active", false), op("replace", "active", true)).want(http.StatusBadRequest)
	c.patch("/Users/"+id, op("replace", "userName", name), op("replace", "", object{"userName": name + "x"})).want(http.StatusBadRequest)
	c.patch("/Users/"+id, object{"op": "replace", "path": "title"}).want(http.StatusBadRequest)
	c.patch("/Users/"+id, object{"op": "add", "path": "title"}).want(http.StatusBadRequest)
	c.patch("/Users/"+id, op("replace", `emails[type sw "w"].value`, name+"@y.org")).want(http.StatusBadRequest)
	c.patch("/Users/"+id, op("replace", "x509Certificates", []object{{"value": "MIIB"}})).want(http.StatusBadRequest)
	if shown := c.get("/Users/" + id).want(http.StatusOK); shown.at("$.active") != true || shown.text("$.userName") != name {
		t.Errorf("something was changed: %s", shown.raw)
	}
	a := c.patch("/Users/"+id, op("replace", "active", "false"), op("replace", `emails[type eq "work"].value`, name+"@y.org")).want(http.StatusOK)
	if a.at("$.active") != false {
		t.Errorf("not inactive: %s", a.raw)
	}
}

func awsPatchGroup(t *testing.T, g *gate) {
	c := g.client(t)
	ann := c.create(awsPerson(unlike("ann")))
	bob := c.create(awsPerson(unlike("bob")))
	team := c.createGroup(unlike("team"), ann)
	many := make([]string, 101)
	for i := range many {
		many[i] = uuid.NewString()
	}
	c.post("/Groups", group(unlike("many"), many...)).refuses("101", "100")
	c.patch("/Groups/"+team, op("add", "members", values(many...))).refuses("101", "100")
	c.patch("/Groups/"+team, op("add", "members", values(bob))).want(http.StatusNoContent)
	for _, all := range []object{
		op("replace", "members", []object{}), op("replace", "members", values(bob)), {"op": "remove", "path": "members"},
		op("replace", "", object{"members": values(bob)}), op("replace", "members", []object{{"value": ""}}),
	} {
		c.patch("/Groups/"+team, all).want(http.StatusBadRequest)
	}
	for _, attribute := range []string{"description", "id", "meta"} {
		c.patch("/Groups/"+team, op("replace", attribute, "x")).want(http.StatusBadRequest)
	}
	for _, member := range []string{ann, bob} {
		if n := c.find("Groups", `id eq "`+team+`" and members eq "`+member+`"`).total(); n != 1 {
			t.Errorf("%s is no member any more", member)
		}
	}
	c.patch("/Groups/"+team, op("replace", "displayName", unlike("renamed")), op("replace", "externalId", unlike("x"))).want(http.StatusNoContent)
	c.patch("/Groups/"+team, object{"op": "remove", "path": `members[value eq "` + ann + `"]`}).want(http.StatusNoContent)
	if n := c.find("Groups", `id eq "`+team+`" and members eq "`+ann+`"`).total(); n != 0 {
		t.Error("who was removed is a member")
	}
}

func awsMembersHidden(t *testing.T, g *gate) {
	c := g.client(t)
	name := unlike("team")
	team := c.createGroup(name, c.create(awsPerson(unlike("ann"))))
	one := c.get("/Groups/" + team).want(http.StatusOK)
	list := c.find("Groups", `displayName eq "`+name+`"`)
	for _, shown := range []any{one.at("$.members"), list.at("$.Resources[0].members")} {
		if members, is := shown.([]any); !is || len(members) != 0 {
			t.Errorf("members are %v, want an empty list", shown)
		}
	}
}

func awsFilters(t *testing.T, g *gate) {
	c := g.client(t)
	name := unlike("found")
	boss := c.create(awsPerson(unlike("boss")))
	id := c.create(awsPerson(name, object{"externalId": name, enterpriseURN: object{"manager": object{"value": boss}}}))
	team := c.createGroup(name, id)
	for _, query := range []string{
		`userName eq "` + name + `"`, `externalId eq "` + name + `"`, `groups.value eq "` + team + `"`, `id eq "` + id + `" and manager eq "` + boss + `"`,
	} {
		if got := c.find("Users", query).ids(); len(got) != 1 || got[0] != id {
			t.Errorf("%s finds %v", query, got)
		}
	}
	for _, query := range []string{`displayName eq "` + name + `"`, `id eq "` + team + `" and members eq "` + id + `"`, `externalId eq "none"`} {
		c.find("Groups", query)
	}
	for _, query := range []string{"userName co \"a\"", "userName eq \"a\" or userName eq \"b\"", "not (userName eq \"a\")", "title eq \"a\"", "userName pr"} {
		c.get("/Users?filter="+strings.NewReplacer(" ", "+", `"`, "%22").Replace(query)).wantError(http.StatusBadRequest, "invalidFilter")
	}
}

// An entry that does not keep to the rules, because it was there before them, can
// still be changed: what a request leaves as it is is no reason to refuse it, and
// what it makes worse is.
func awsBrokenBefore(t *testing.T, g *gate) {
	c, d := g.client(t), g.tree(t)
	name := unlike("before")
	id := c.create(awsPerson(name))
	dn := d.entry(id).DN
	d.set(dn, "displayName", "Ann <Lee>")
	d.set(dn, "givenName")
	d.set(dn, "scimHomeMail", name+"@home.org")
	d.set(dn, "scimEntitlement", "all")
	d.set(dn, "street", "1 Main St")

	c.patch("/Users/"+id, op("replace", "active", false)).want(http.StatusOK)
	c.patch("/Users/"+id, op("replace", "active", true), op("replace", "title", "Boss")).want(http.StatusOK)
	shown := c.get("/Users/" + id).want(http.StatusOK).body
	shown["active"] = false
	if a := c.put("/Users/"+id, shown).want(http.StatusOK); a.at("$.active") != false {
		t.Errorf("not inactive: %s", a.raw)
	}
	if got := d.read(d.entry(id).DN, "scimHomeMail"); len(got) != 1 {
		t.Errorf("the second address went: %v", got)
	}

	c.patch("/Users/"+id, op("replace", "displayName", "Ann <L>")).refuses("displayName", "Ann <L>")
	c.patch("/Users/"+id, op("add", `emails[type eq "other"].value`, name+"@other.org")).refuses("emails", "3 values")
	c.patch("/Users/"+id, object{"op": "remove", "path": "name.familyName"}).refuses("name.familyName")
	c.patch("/Users/"+id, op("add", `addresses[type eq "home"].locality`, "Rome")).refuses("addresses")

	c.patch("/Users/"+id, object{"op": "remove", "path": `emails[type eq "home"]`}, op("replace", "displayName", "Ann Lee"), op("add", "name.givenName", "Ann"),
		object{"op": "remove", "path": "addresses"}).want(http.StatusOK)
	c.patch("/Users/"+id, object{"op": "remove", "path": "name.givenName"}).refuses("name.givenName")
}

// The detail names attribute, value and rule, and none of the directory's words.
func awsDetail(t *testing.T, g *gate) {
	c := g.client(t)
	name := unlike("j") + "<"
	a := c.post("/Users", awsPerson(name, object{"displayName": "Ann Lee"}))
	if want := `userName: the value "` + name + `" has the character "<"; none of <>;:% is allowed, so correct it at the identity provider`; a.text("$.detail") != want {
		t.Errorf("the detail is %q, want %q", a.text("$.detail"), want)
	}
}

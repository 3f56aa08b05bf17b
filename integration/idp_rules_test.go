//go:build integration

package integration

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// The rules of docs/identity-providers.md that are about requests rather than
// values. That table names the test of each rule.

// Nothing found is 200 and an empty list.
func TestRule01NothingFoundIsAnEmptyList(t *testing.T) {
	t.Parallel()
	c := shared(t).client(t)
	for _, query := range []string{
		`/Users?filter=userName eq "` + unlike("nobody") + `"`, `/Users?filter=externalId eq "` + nobody + `"`, `/Users?filter=id eq "` + nobody + `"`,
		`/Users?filter=emails[type eq "work"].value eq "` + nobody + `"`, `/Users?filter=manager eq "` + nobody + `"`,
		`/Users?filter=id eq "` + nobody + `" and manager eq "` + nobody + `"`, `/Users?startIndex=1000000`, `/Users?count=0`,
		`/Groups?filter=displayName eq "` + unlike("none") + `"`, `/Groups?filter=members eq "` + nobody + `"`,
		`/Groups?excludedAttributes=members&filter=externalId eq "` + nobody + `"`,
	} {
		path, rest, _ := strings.Cut(query, "?")
		values, err := url.ParseQuery(strings.ReplaceAll(rest, " ", "+"))
		if err != nil {
			t.Fatal(err)
		}
		a := c.get(path + "?" + values.Encode()).want(http.StatusOK)
		if !bytes.Contains(a.raw, []byte(`"Resources":[]`)) {
			t.Errorf("%s: no empty list: %s", query, a.raw)
		}
		if strings.Contains(rest, "filter") && !bytes.Contains(a.raw, []byte(`"totalResults":0,`)) {
			t.Errorf("%s: %s", query, a.raw)
		}
	}
}

// Somebody inactive is read by id, listed, and found by every filter.
func TestRule04TheInactiveAreFound(t *testing.T) {
	t.Parallel()
	c := shared(t).client(t)
	name := unlike("inactive")
	id := c.create(person(name, object{"externalId": name, "active": false}))
	later := c.create(person(name + ".later"))
	c.patch("/Users/"+later, op("Replace", "active", "False")).want(http.StatusOK)
	for _, id := range []string{id, later} {
		if a := c.get("/Users/" + id).want(http.StatusOK); a.at("$.active") != false {
			t.Errorf("active is %v", a.at("$.active"))
		}
	}
	for _, filter := range []string{
		`userName eq "` + name + `"`, `externalId eq "` + name + `"`, `id eq "` + id + `"`, `active eq false and userName eq "` + name + `"`,
		`userName sw "` + name + `" and not (userName ew ".later")`,
	} {
		if found := c.find("Users", filter); !slices.Equal(found.ids(), []string{id}) {
			t.Errorf("%s: %s", filter, found.raw)
		}
	}
}

// A password is taken, opens the account, and is never shown.
func TestRule10PasswordsAreNotShown(t *testing.T) {
	t.Parallel()
	g := shared(t)
	c, d := g.client(t), g.tree(t)
	const first, second, third = "1mz050nq-First", "1mz050nq-Second", "1mz050nq-Third"
	name := unlike("secret")
	a := c.post("/Users?attributes=password,userName", person(name, object{"password": first})).want(http.StatusCreated)
	id := a.id()
	answers := []*answer{a}
	opens := func(password string) {
		t.Helper()
		if !d.opens(id, password) {
			t.Errorf("the password %s does not open the account", password)
		}
	}
	opens(first)
	answers = append(answers, c.patch("/Users/"+id, op("replace", "", object{"password": second})))
	opens(second)
	answers = append(answers, c.put("/Users/"+id, person(name, object{"password": third})))
	opens(third)
	answers = append(answers, c.put("/Users/"+id, person(name)))
	opens(third)
	answers = append(answers, c.get("/Users/"+id), c.get("/Users/"+id+"?attributes=password"), c.find("Users", `id eq "`+id+`"`),
		c.patch("/Users/"+id, object{"op": "remove", "path": "password"}), c.get("/Users?filter="+url.QueryEscape(`password eq "`+third+`"`)))
	for _, a := range answers {
		if bytes.Contains(a.raw, []byte("1mz050nq")) || a.body["password"] != nil {
			t.Errorf("%s shows a password: %s", a.what, a.raw)
		}
	}
	opens(third)
}

// Filters are read as the clients write them, on the wire.
func TestRule21FiltersOnTheWire(t *testing.T) {
	t.Parallel()
	c := shared(t).client(t)
	name, boss := unlike("wire"), c.create(person(unlike("boss")))
	mail := name + "@example.org"
	id := c.create(person(name, object{"externalId": "X" + name, "emails": []object{{"type": "work", "primary": true, "value": mail}},
		enterpriseURN: object{"manager": boss}}))
	team := c.createGroup(name+" team", id)
	plus := c.create(person(name + "+tag"))
	for query, want := range map[string]string{
		"Users?filter=userName+eq+%22" + name + "%22":                                         id,
		"Users?filter=userName%20eq%20%22" + strings.ToUpper(name) + "%22":                    id,
		"Users?filter=USERNAME%20EQ%20%22" + name + "%22":                                     id,
		"Users?filter=userName+eq+" + name:                                                    id,
		"Users?filter=userName+eq+%22" + name + "%2Btag%22":                                   plus,
		"Users?filter=externalId+eq+X" + name:                                                 id,
		"Users?filter=externalId%20eq%20%22x" + name + "%22":                                  "",
		"Users?filter=id+eq+%22" + id + "%22":                                                 id,
		"Users?filter=emails+eq+%22" + mail + "%22":                                           id,
		"Users?filter=emails.value+eq+%22" + mail + "%22":                                     id,
		"Users?filter=email.value+eq+%22" + mail + "%22":                                      id,
		"Users?filter=emails[type+eq+%22work%22].value+eq+%22" + mail + `"`:                   id,
		"Users?filter=emails%5Bprimary%20eq%20true%5D.value%20eq%20%22" + mail + "%22":        id,
		"Users?filter=id+eq+%22" + id + "%22+and+manager+eq+%22" + boss + "%22&attributes=id": id,
		"Users?filter=id+eq+%22" + id + "%22+and+manager+eq+%22" + nobody + "%22":             "",
		"Groups?excludedAttributes=members&filter=displayName+eq+%22" + name + "%20team%22":   team,
		"Groups?filter=id+eq+%22" + team + "%22+and+members+eq+%22" + id + "%22":              team,
		"Groups?filter=id+eq+%22" + team + "%22+and+members+eq+%22" + boss + "%22":            "",
		// A value that is percent-encoded a second time is the text that it is: somebody
		// may be called so.
		"Users?filter=emails+eq+%22" + strings.ReplaceAll(mail, "@", "%2540") + "%22": "",
	} {
		a := c.get("/" + query)
		if got := strings.Join(a.want(http.StatusOK).ids(), " "); got != want {
			t.Errorf("%s: found %q, want %q", query, got, want)
		}
	}
	for query, place := range map[string]string{
		"userName+is+%22x%22": "position 10: found \"is\"", "userName+eq+": "position 13", "(userName+pr": "position 13: found the end",
		"userName+pr+or+": "position 16", "emails[type+eq+%22work%22": "close the '[' at position 7",
	} {
		a := c.get("/Users?filter="+query).wantError(http.StatusBadRequest, "invalidFilter")
		if !strings.Contains(a.text("$.detail"), place) {
			t.Errorf("%s: the detail %q does not say %s", query, a.text("$.detail"), place)
		}
	}
}

// What a client does not want to see is left out of lists and of single answers.
func TestRule22WhatIsNotAskedForIsNotShown(t *testing.T) {
	t.Parallel()
	c := shared(t).client(t)
	name := unlike("seen")
	id := c.create(person(name))
	team := c.createGroup(name, id)
	only := url.QueryEscape(`displayName eq "` + name + `"`)
	for query, shown := range map[string]bool{
		"": true, "excludedAttributes=members": false, "excludedAttributes=MEMBERS": false, "excludedAttributes=" + groupURN + ":members": false,
		"attributes=displayName": false, "attributes=id": false, "attributes=displayName,members": true, "attributes=members.value": true,
		"excludedAttributes=displayName": true,
	} {
		one := c.get("/Groups/" + team + "?" + query).want(http.StatusOK)
		list := c.get("/Groups?" + query + "&filter=" + only).want(http.StatusOK)
		if len(list.resources()) != 1 {
			t.Fatalf("%s: %s", query, list.raw)
		}
		if (one.body["members"] != nil) != shown || (list.resources()[0]["members"] != nil) != shown {
			t.Errorf("%s: members shown %v expected: %s %s", query, shown, one.raw, list.raw)
		}
		if one.id() != team || list.ids()[0] != team {
			t.Errorf("%s: the id is not shown", query)
		}
	}
	for _, query := range []string{"attributes=userName", "excludedAttributes=name,emails"} {
		one := c.get("/Users/" + id + "?" + query).want(http.StatusOK).body
		list := c.get("/Users?" + query + "&filter=" + url.QueryEscape(`id eq "`+id+`"`)).want(http.StatusOK).resources()[0]
		for _, r := range []object{one, list} {
			if r["name"] != nil || r["emails"] != nil || r["userName"] != name || r["id"] != id || r["schemas"] == nil {
				t.Errorf("%s: %v", query, r)
			}
		}
	}
}

// Two cannot have one name, whichever way the second comes by it.
func TestRule23DuplicatesAre409(t *testing.T) {
	t.Parallel()
	c := shared(t).client(t)
	name := unlike("twin")
	c.create(person(name, object{"externalId": name}))
	other := c.create(person(name + "x"))
	c.createGroup(name)
	team := c.createGroup(name + "x")
	for _, a := range []*answer{
		c.post("/Users", person(name)), c.post("/Users", person(strings.ToUpper(name))), c.post("/Users", person(unlike("y"), object{"externalId": name})),
		c.put("/Users/"+other, person(name)), c.patch("/Users/"+other, op("Replace", "userName", name)), c.patch("/Users/"+other, op("add", "externalId", name)),
		c.post("/Groups", group(name)), c.put("/Groups/"+team, group(name)), c.patch("/Groups/"+team, op("replace", "", object{"id": team, "displayName": name})),
	} {
		a.wantError(http.StatusConflict, "uniqueness")
		if detail := a.text("$.detail"); !strings.Contains(detail, "userName") && !strings.Contains(detail, "externalId") && !strings.Contains(detail, "displayName") {
			t.Errorf("%s: the detail %q does not say what is taken", a.what, detail)
		}
	}
}

// Whom the gateway does not know is 404, also the second time.
func TestRule24UnknownIs404(t *testing.T) {
	t.Parallel()
	c := shared(t).client(t)
	id, team, someone := c.create(person(unlike("gone"))), c.createGroup(unlike("gone")), c.create(person(unlike("here")))
	c.delete("/Users/" + id).want(http.StatusNoContent)
	c.delete("/Groups/" + team).want(http.StatusNoContent)
	for _, path := range []string{"/Users/" + id, "/Groups/" + team, "/Users/" + nobody, "/Groups/" + nobody, "/Users/7", "/Groups/none"} {
		body := any(person("x"))
		change := op("replace", "title", "t")
		if strings.HasPrefix(path, "/Groups") {
			body, change = group("x"), op("add", "members", values(someone))
		}
		for _, a := range []*answer{c.get(path), c.put(path, body), c.patch(path, change), c.delete(path), c.delete(path)} {
			a.wantError(http.StatusNotFound, "")
		}
	}
}

// Both media types are taken, with and without a charset, and SCIM's is what
// comes back.
func TestRule26MediaTypes(t *testing.T) {
	t.Parallel()
	c := shared(t).client(t)
	for _, kind := range []string{
		"application/scim+json", "application/json", "application/scim+json; charset=utf-8", "application/json;charset=UTF-8", "Application/JSON",
	} {
		for _, accept := range []string{"application/scim+json", "application/json", "application/json; charset=utf-8", "*/*", ""} {
			c := c.with("Content-Type", kind).with("Accept", accept)
			a := c.post("/Users", person(unlike("kind"))).want(http.StatusCreated)
			c.patch("/Users/"+a.id(), op("add", "title", "t")).want(http.StatusOK)
			for _, a := range []*answer{a, c.get("/Users/" + a.id()), c.get("/Users?count=1"), c.get("/Users/" + nobody)} {
				if got := a.header.Get("Content-Type"); !strings.HasPrefix(got, "application/scim+json") {
					t.Errorf("%s: Content-Type %q", a.what, got)
				}
			}
		}
	}
	c.with("Content-Type", "application/xml").post("/Users", person(unlike("kind"))).want(http.StatusUnsupportedMediaType)
}

// Headers that a client leaves out or adds make no difference, nor do missing
// schemas.
func TestRule27HeadersDoNotMatter(t *testing.T) {
	t.Parallel()
	c := shared(t).client(t)
	id, team := c.create(person(unlike("head"))), c.createGroup(unlike("head"))
	okta := c.with("Accept-Charset", "utf-8").with("Accept-Encoding", "gzip,deflate").with("User-Agent", "Okta SCIM Client 1.0.0").with("Connection", "Keep-Alive")
	bare := c.with("Accept", "")
	bare.header["User-Agent"] = []string{""} // or Go sends its own
	for i, c := range []*client{okta, bare} {
		for _, body := range []string{
			`{"Operations":[{"op":"replace","path":"title","value":"%d"}]}`, `{"schemas":[],"Operations":[{"op":"replace","path":"title","value":"%d"}]}`,
			`{"schemas":null,"operations":[{"op":"replace","path":"title","value":"%d"}]}`, `{"schemas":["urn:other"],"Operations":[{"op":"replace","path":"title","value":"%d"}]}`,
		} {
			a := c.do("PATCH", "/Users/"+id, fmt.Appendf(nil, body, i)).want(http.StatusOK)
			if a.text("$.title") != fmt.Sprint(i) {
				t.Errorf("%s: %s", body, a.raw)
			}
		}
		c.do("PATCH", "/Groups/"+team, []byte(`{"Operations":[{"op":"add","path":"members","value":[{"value":"`+id+`"}]}]}`)).want(http.StatusNoContent)
		c.do("POST", "/Users", []byte(`{"userName":"`+unlike("bare")+`"}`)).want(http.StatusCreated)
		c.get("/Users/" + id).want(http.StatusOK)
	}
}

// Slashes that are one too many are not there.
func TestRule28Slashes(t *testing.T) {
	t.Parallel()
	g := shared(t)
	c := g.client(t)
	root := *c
	root.base = strings.TrimSuffix(c.base, "/scim/v2")
	id := c.create(person(unlike("slash")))
	team := c.createGroup(unlike("slash"), id)
	for _, path := range []string{"/Users", "/Groups", "/Users/" + id, "/Groups/" + team, "/ServiceProviderConfig", "/ResourceTypes", "/ResourceTypes/User",
		"/Schemas", "/Schemas/" + userURN} {
		for _, form := range []string{"/scim/v2" + path, "/scim/v2" + path + "/", "/scim/v2/" + path, "//scim//v2" + path, "/scim/v2" + path + "//"} {
			root.get(form).want(http.StatusOK)
		}
	}
	filter := "?filter=id+eq+%22" + id + "%22"
	for _, form := range []string{"/scim/v2/Users" + filter, "/scim/v2/Users/" + filter, "/scim/v2//Users" + filter} {
		if found := root.get(form).want(http.StatusOK); found.total() != 1 {
			t.Errorf("%s: %s", form, found.raw)
		}
	}
	made := root.post("/scim/v2//Users/", person(unlike("slash"))).want(http.StatusCreated)
	root.do("PATCH", "/scim/v2/Users/"+made.id()+"/", []byte(`{"Operations":[{"op":"add","path":"title","value":"t"}]}`)).want(http.StatusOK)
	root.put("//scim/v2/Users/"+made.id(), person(unlike("slash"))).want(http.StatusOK)
	root.delete("/scim/v2//Users/" + made.id() + "/").want(http.StatusNoContent)
	if location := made.header.Get("Location"); location != c.base+"/Users/"+made.id() {
		t.Errorf("Location is %s", location)
	}
}

// A directory that takes requests and answers none keeps nobody waiting beyond
// the gateway's own limit, and it is a 503 that says when to come again.
func TestRule31AnAnswerComesInTime(t *testing.T) {
	t.Parallel()
	s := usual()
	s.Timeout = "2s"
	var wire *proxy
	s.Through = func(address string) string {
		wire = newProxy(t, address)
		return wire.address()
	}
	c := serve(t, s).client(t)
	id := c.create(person(unlike("wait")))
	resume := wire.halt()
	defer resume()
	for _, a := range []*answer{c.get("/Users/" + id), c.post("/Users", person(unlike("wait"))), c.get("/Users?count=1"),
		c.patch("/Users/"+id, op("replace", "title", "t"))} {
		a.want(http.StatusServiceUnavailable)
		if a.header.Get("Retry-After") == "" {
			t.Errorf("%s: no Retry-After", a.what)
		}
	}
	resume()
	c.get("/Users/" + id).want(http.StatusOK)
}

// What the gateway shows is what its schemas announce: every attribute, of the
// type it is said to have.
func TestRule32AnswersFollowTheSchemas(t *testing.T) {
	t.Parallel()
	c := shared(t).client(t)
	boss := c.create(person(unlike("boss")))
	id := c.create(person(unlike("whole"), object{"externalId": unlike("x"), "displayName": "D", "nickName": "N", "title": "T", "userType": "E",
		"locale": "en", "timezone": "UTC", "preferredLanguage": "en", "profileUrl": "https://example.org/x", "password": "1mz050nq-Whole",
		"phoneNumbers": []object{{"type": "work", "value": "+1 555 1"}}, "addresses": []object{{"type": "work", "country": "DE", "locality": "Kiel"}},
		enterpriseURN: object{"department": "d", "employeeNumber": "1", "costCenter": "c", "division": "v", "organization": "o", "manager": boss}}))
	team := c.createGroup(unlike("whole"), id)
	for path, types := range map[string][]string{"/Users/" + id: {userURN, enterpriseURN}, "/Groups/" + team: {groupURN}} {
		a := c.get(path).want(http.StatusOK)
		shown, _ := a.body["schemas"].([]any)
		for i, urn := range types {
			announced, _ := c.get("/Schemas/" + urn).want(http.StatusOK).body["attributes"].([]any)
			from := a.body
			if i > 0 {
				from, _ = a.body[urn].(object)
			}
			if !slices.Contains(shown, any(urn)) || from == nil {
				t.Errorf("%s shows nothing of %s: %s", path, urn, a.raw)
			}
			for name, value := range from {
				if slices.Contains([]string{"schemas", "id", "externalId", "meta", enterpriseURN}, name) {
					continue // RFC 7643 section 3.1
				}
				for _, fault := range unannounced(announced, name, value) {
					t.Errorf("%s: %s: %s", path, fault, a.raw)
				}
			}
		}
	}
}

// unannounced says where a value is not what its definition announces.
func unannounced(definitions []any, name string, value any) []string {
	a, ok := partNamed(definitions, name)
	if !ok {
		return []string{name + " is not announced"}
	}
	list, isList := value.([]any)
	if isList != (a["multiValued"] == true) {
		return []string{fmt.Sprintf("%s: a list is %v, multiValued %v", name, isList, a["multiValued"])}
	}
	if !isList {
		list = []any{value}
	}
	var faults []string
	for _, v := range list {
		ok := false
		switch v := v.(type) {
		case string:
			ok = slices.Contains([]any{"string", "reference", "dateTime", "binary"}, a["type"])
		case bool:
			ok = a["type"] == "boolean"
		case float64:
			ok = a["type"] == "integer" || a["type"] == "decimal"
		case object:
			ok = a["type"] == "complex"
			subs, _ := a["subAttributes"].([]any)
			for sub, part := range v {
				for _, f := range unannounced(subs, sub, part) {
					faults = append(faults, name+"."+f)
				}
			}
		}
		if !ok {
			faults = append(faults, fmt.Sprintf("%s is a %T and announced as %v", name, v, a["type"]))
		}
	}
	return faults
}

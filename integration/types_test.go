//go:build integration

package integration

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"scimgate/internal/slapd"
	"scimgate/internal/testcert"
)

const (
	badgeURN   = "urn:example:params:scim:schemas:extension:badge:2.0:User"
	deviceURN  = "urn:example:params:scim:schemas:core:2.0:Device"
	roleURN    = "urn:example:params:scim:schemas:core:2.0:Role"
	accountURN = "urn:example:params:scim:schemas:core:2.0:Account"
)

// typed is a directory with an attribute for every type of SCIM, and a tenant
// that uses them.
func typed(t *testing.T) *company {
	t.Helper()
	s := usual()
	s.Template = "types.yaml"
	const oid = "1.3.6.1.4.1.4203.666.11.99"
	for i, a := range []struct{ name, rest string }{
		{"testArmed", "EQUALITY booleanMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.7 SINGLE-VALUE"},
		{"testLevel", "EQUALITY integerMatch ORDERING integerOrderingMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE"},
		{"testRate", "EQUALITY caseExactMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15"},
		{"testIssued", "EQUALITY generalizedTimeMatch ORDERING generalizedTimeOrderingMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.24 SINGLE-VALUE"},
		{"testNumber", "EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE"},
		{"testFront", "EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15"},
		{"testBack", "EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15"},
		{"testPin", "EQUALITY octetStringMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.40"},
		{"testDevice", "EQUALITY distinguishedNameMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.12"},
		{"testAccess", "EQUALITY distinguishedNameMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.12"},
	} {
		s.Global = append(s.Global, fmt.Sprintf("attributetype ( %s.1.%d NAME '%s' %s )", oid, i+1, a.name, a.rest))
	}
	s.Global = append(s.Global, fmt.Sprintf("objectclass ( %s.2.1 NAME 'testObject' SUP top AUXILIARY MAY ( testArmed $ testLevel $ "+
		"testRate $ testIssued $ testNumber $ testFront $ testBack $ testPin $ testDevice $ testAccess $ userPassword ) )", oid))
	s.Entries = "dn: ou=devices,dc=example,dc=org\nobjectClass: organizationalUnit\nou: devices\n\n" +
		"dn: ou=roles,dc=example,dc=org\nobjectClass: organizationalUnit\nou: roles\n\n" +
		"dn: ou=accounts,dc=example,dc=org\nobjectClass: organizationalUnit\nou: accounts\n"
	return serve(t, s)
}

// badged is a person with values of the extension.
func badged(name string, values object, changes ...object) object {
	p := person(name, append([]object{{badgeURN: values, enterpriseURN: object{"costCenter": "7"}}}, changes...)...)
	p["schemas"] = []string{userURN, enterpriseURN, badgeURN}
	return p
}

// A value of every type is written as LDAP has it, comes back in one form, and
// is found by filters in any form.
func TestEveryTypeIsKept(t *testing.T) {
	t.Parallel()
	g := typed(t)
	c, d := g.client(t), g.tree(t)
	jpeg := append([]byte{0xff, 0xd8, 0xff, 0xe0, 0, '+', '/'}, 0xfb, 0xef, 0xbe, 0xff, 0xd9)
	der := testcert.SelfSigned().Certificate.Raw
	id := c.create(badged("ann", object{
		"plates": []string{"AB-1", "cd-2"}, "armed": "True", "level": "-17", "rates": []any{1.50, "2e3"},
		"photo":    base64.RawURLEncoding.EncodeToString(jpeg),
		"homepage": "https://example.org/~ann", "badge": object{"number": "B1", "issued": "2026-05-06T09:08:09.25+02:00"},
		"doors": []object{{"type": "front", "value": "F1"}, {"type": "back", "value": "K1"}, {"type": "side", "value": "S1"}},
	}, object{"x509Certificates": []object{{"value": base64.StdEncoding.EncodeToString(der)}}}))
	c.create(badged("bob", object{"armed": false, "level": 5, "badge": object{"issued": "2025-01-01T00:00:00Z"}}))
	c.create(badged("eve", object{}))

	raw := d.entry(id)
	for attribute, want := range map[string]string{
		"testArmed": "TRUE", "testLevel": "-17", "testIssued": "20260506070809.25Z", "jpegPhoto": string(jpeg),
		"userCertificate;binary": string(der), "testFront": "F1", "testBack": "K1",
	} {
		if got := raw.GetAttributeValues(attribute); len(got) != 1 || got[0] != want {
			t.Errorf("%s is %q, want %q", attribute, got, want)
		}
	}
	for _, u := range []string{"/Users/" + id, "/Users/" + id + "?attributes=" + url.QueryEscape(badgeURN+",x509Certificates,"+badgeURN+":photo")} {
		a := c.get(u).want(http.StatusOK)
		b, _ := a.body[badgeURN].(object)
		if photo, shown := b["photo"]; shown != strings.Contains(u, "photo") || shown && photo != base64.StdEncoding.EncodeToString(jpeg) {
			t.Errorf("%s: photo is %v", u, photo)
		}
		for name, want := range map[string]any{
			"armed": true, "level": -17.0, "homepage": "https://example.org/~ann",
			"badge": object{"number": "B1", "issued": "2026-05-06T07:08:09.25Z"},
			"doors": []any{object{"type": "front", "value": "F1"}, object{"type": "back", "value": "K1"}},
		} {
			if !reflect.DeepEqual(b[name], want) {
				t.Errorf("%s: %s is %v, want %v", u, name, b[name], want)
			}
		}
		if got, _ := b["rates"].([]any); len(got) != 2 || !slices.Contains(got, any(1.5)) || !slices.Contains(got, any(2000.0)) {
			t.Errorf("rates are %v", b["rates"])
		}
		if got, _ := b["plates"].([]any); len(got) != 2 {
			t.Errorf("plates are %v", b["plates"])
		}
		if got := a.text("$.x509Certificates[0].value"); got != base64.StdEncoding.EncodeToString(der) {
			t.Errorf("the certificate is %q", got)
		}
	}
	for filter, want := range map[string]string{
		`armed eq true`: "ann", `armed eq "False"`: "bob", `not (armed eq true)`: "bob eve", `armed pr`: "ann bob",
		`level eq -17`: "ann", `level lt 5`: "ann", `level ge 5`: "bob", `level ne 5`: "ann eve", `not (level pr)`: "eve",
		`rates eq 1.500`: "ann", `rates gt 1999`: "ann", `rates eq 2000`: "ann",
		`badge.issued eq "2026-05-06T07:08:09.250Z"`:                    "ann",
		`badge.issued eq "2026-05-06T03:08:09.25-04:00"`:                "ann",
		`badge.issued lt "2026-05-06T07:08:09.25Z"`:                     "bob",
		`badge.issued ge "2025-01-01T01:00:00+01:00"`:                   "ann bob",
		`badge.number eq "b1"`:                                          "ann",
		`badge pr`:                                                      "ann bob",
		`photo pr`:                                                      "ann",
		`photo eq "` + base64.RawURLEncoding.EncodeToString(jpeg) + `"`: "ann",
		`x509Certificates.value eq "` + base64.RawStdEncoding.EncodeToString(der) + `"`: "ann",
		`x509Certificates pr`:                      "ann",
		`doors[type eq "back" and value eq "k1"]`:  "ann",
		`doors[type eq "front" and value eq "k1"]`: "",
		`homepage sw "https://"`:                   "ann",
		badgeURN + `:plates eq "ab-1"`:             "", badgeURN + `:plates eq "AB-1"`: "ann",
	} {
		a := c.find("Users", filter+` and userName pr`)
		var names []string
		for _, r := range a.resources() {
			names = append(names, r["userName"].(string))
		}
		slices.Sort(names)
		if got := strings.Join(names, " "); got != want {
			t.Errorf("%s finds %q, want %q", filter, got, want)
		}
	}
	for _, filter := range []string{`level eq "many"`, `badge.issued gt "yesterday"`, `armed gt true`, `photo gt "AAAA"`} {
		c.get("/Users?filter="+url.QueryEscape(filter)).wantError(http.StatusBadRequest, "invalidFilter")
	}
	for _, bad := range []object{
		{"level": 1.5}, {"level": "x"}, {"armed": "maybe"}, {"rates": []any{"x"}}, {"photo": "%%%"}, {"photo": 17}, {"photo": "A"},
		{"badge": object{"issued": "yesterday"}}, {"colour": "blue"}, {"plates": []any{object{"a": 1}}},
	} {
		a := c.post("/Users", badged("zoe", bad)).wantError(http.StatusBadRequest, "invalidValue")
		for name := range bad {
			if !strings.Contains(a.text("$.detail"), name) {
				t.Errorf("%v: the detail does not name it: %s", bad, a.raw)
			}
		}
	}
	if a := c.post("/Users", badged("zoe", object{}, object{"x509Certificates": []object{{"value": "AAAA"}}})); a.status != http.StatusBadRequest {
		t.Errorf("a certificate that is none: %d %s", a.status, a.raw)
	}
}

// PATCH and PUT change single values of every type, and what is the same in
// another form changes nothing.
func TestEveryTypeIsPatched(t *testing.T) {
	t.Parallel()
	g := typed(t)
	c, d := g.client(t), g.tree(t)
	first, second := []byte{0xff, 0xd8, 1}, []byte{0xff, 0xd8, 2}
	values := object{"level": 1, "rates": []any{1.5}, "photo": base64.StdEncoding.EncodeToString(first),
		"badge": object{"issued": "2026-01-01T00:00:00Z"}, "doors": []object{{"type": "front", "value": "F1"}}}
	der, other := testcert.SelfSigned().Certificate.Raw, testcert.SelfSigned().Certificate.Raw
	made := c.post("/Users", badged("ann", values, object{"x509Certificates": []object{{"value": base64.StdEncoding.EncodeToString(der)}}})).want(http.StatusCreated)
	id := made.id()
	d.set(d.entry(id).DN, "testIssued", "20260101010000.0+0100")
	version := c.get("/Users/" + id).header.Get("ETag")
	at := func(path string) string { return badgeURN + ":" + path }
	c.patch("/Users/"+id, object{"op": "replace", "path": at("badge.issued"), "value": "2026-01-01T02:00:00+02:00"},
		object{"op": "replace", "path": at("level"), "value": "1"},
		object{"op": "add", "path": at("photo"), "value": base64.RawURLEncoding.EncodeToString(first)},
		object{"op": "add", "path": "x509Certificates", "value": []object{{"value": base64.RawURLEncoding.EncodeToString(der)}}},
	).want(http.StatusOK, http.StatusNoContent)
	if got := c.get("/Users/" + id).header.Get("ETag"); got != version {
		t.Errorf("what was there already has made a version: %s, %s", version, got)
	}
	c.patch("/Users/"+id, object{"op": "replace", "path": at("badge.issued"), "value": "2026-01-01T02:00:00.001+02:00"},
		object{"op": "replace", "path": at("level"), "value": -9007199254740993},
		object{"op": "add", "path": at("rates"), "value": []any{2.25}},
		object{"op": "replace", "path": at("photo"), "value": base64.StdEncoding.EncodeToString(second)},
		object{"op": "replace", "path": at(`doors[type eq "back"].value`), "value": "K9"},
		object{"op": "add", "path": "x509Certificates", "value": []object{{"value": base64.StdEncoding.EncodeToString(other)}}},
	).want(http.StatusOK, http.StatusNoContent)
	raw := d.entry(id)
	for attribute, want := range map[string][]string{
		"testIssued": {"20260101000000.001Z"}, "testLevel": {"-9007199254740993"}, "testRate": {"1.5", "2.25"},
		"jpegPhoto": {string(second)}, "testFront": {"F1"}, "testBack": {"K9"}, "userCertificate;binary": {string(der), string(other)},
	} {
		got := raw.GetAttributeValues(attribute)
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s is %q, want %q", attribute, got, want)
		}
	}
	if a := c.get("/Users/" + id); !strings.Contains(string(a.raw), "-9007199254740993") {
		t.Errorf("a large number has lost digits: %s", a.raw)
	}
	c.patch("/Users/"+id, object{"op": "remove", "path": at("photo")}, object{"op": "remove", "path": at("badge.issued")},
		object{"op": "remove", "path": at(`rates[value eq 1.50]`)},
		object{"op": "remove", "path": `x509Certificates[value eq "` + base64.StdEncoding.EncodeToString(der) + `"]`},
	).want(http.StatusOK, http.StatusNoContent)
	raw = d.entry(id)
	if got := raw.GetAttributeValues("jpegPhoto"); len(got) != 0 {
		t.Errorf("the photo is %q", got)
	}
	if got := raw.GetAttributeValues("userCertificate;binary"); len(got) != 1 || got[0] != string(other) {
		t.Errorf("%d certificates", len(got))
	}
	if got := raw.GetAttributeValues("testRate"); !slices.Equal(got, []string{"2.25"}) {
		t.Errorf("rates are %q", got)
	}
	c.patch("/Users/"+id, object{"op": "replace", "path": at("level"), "value": 1.5}).wantError(http.StatusBadRequest, "invalidValue")
	c.patch("/Users/"+id, object{"op": "replace", "path": at("colour"), "value": "blue"}).wantError(http.StatusBadRequest, "invalidValue")
	c.patch("/Users/"+id, object{"op": "replace", "path": at("nothing"), "value": "x"}).wantError(http.StatusBadRequest, "invalidPath")
}

// Mutability, returned and canonical values are kept, for the standard's
// attributes too.
func TestCharacteristicsAreKept(t *testing.T) {
	t.Parallel()
	g := typed(t)
	c, d := g.client(t), g.tree(t)
	at := func(path string) string { return badgeURN + ":" + path }
	made := c.post("/Users", badged("ann", object{"colour": "red", "pin": "1234", "desk": "D1", "created": "2001-01-01T00:00:00Z",
		"badge": object{"number": "B1"}}, object{"title": "Boss", "userType": "employee",
		enterpriseURN: object{"employeeNumber": "666", "costCenter": "7"}})).want(http.StatusCreated)
	id := made.id()
	raw := d.entry(id)
	if got := raw.GetAttributeValue("testPin"); got != "1234" {
		t.Errorf("the pin is %q", got)
	}
	if got := raw.GetAttributeValue("employeeNumber"); got != "" {
		t.Errorf("a read-only attribute was written: %q", got)
	}
	if raw.GetAttributeValue("roomNumber") != "Red" || raw.GetAttributeValue("employeeType") != "Employee" {
		t.Errorf("canonical values are written as %q and %q", raw.GetAttributeValue("roomNumber"), raw.GetAttributeValue("employeeType"))
	}
	if strings.Contains(string(made.raw), "1234") || made.body["title"] != nil {
		t.Errorf("the answer shows too much: %s", made.raw)
	}
	if created := made.text("$." + "meta.created"); created == "" || made.body[badgeURN].(object)["created"] != created {
		t.Errorf("created is %v, meta.created %v", made.body[badgeURN], created)
	}
	if got := c.get("/Users/" + id + "?attributes=title," + url.QueryEscape(at("pin"))).want(200); got.text("$.title") != "Boss" ||
		strings.Contains(string(got.raw), "1234") || got.body[badgeURN].(object)["desk"] != "D1" {
		t.Errorf("asked for: %s", got.raw)
	}
	d.set(d.entry(id).DN, "employeeNumber", "4711")
	// Read-only values in a PUT are ignored, and stay; what only can be written stays too.
	put := c.put("/Users/"+id, badged("ann", object{"desk": "D2"}, object{enterpriseURN: object{"employeeNumber": "666", "costCenter": "8"}})).want(http.StatusOK)
	if put.body[enterpriseURN].(object)["employeeNumber"] != "4711" || put.body[badgeURN].(object)["badge"].(object)["number"] != "B1" {
		t.Errorf("after PUT: %s", put.raw)
	}
	if got := d.entry(id).GetAttributeValue("testPin"); got != "1234" {
		t.Errorf("the pin is %q after a PUT without it", got)
	}
	c.put("/Users/"+id, badged("ann", object{"badge": object{"number": "b1"}})).want(http.StatusOK)
	c.put("/Users/"+id, badged("ann", object{"badge": object{"number": "B2"}})).wantError(http.StatusBadRequest, "mutability")
	for _, o := range []object{
		{"op": "replace", "path": at("badge.number"), "value": "B2"}, {"op": "remove", "path": at("badge.number")},
		{"op": "remove", "path": at("badge")}, {"op": "replace", "value": object{badgeURN: object{"badge": object{"number": "B2"}}}},
		{"op": "replace", "path": enterpriseURN + ":employeeNumber", "value": "1"}, {"op": "add", "path": at("created"), "value": "2001-01-01T00:00:00Z"},
		{"op": "remove", "path": at("pin")},
	} {
		c.patch("/Users/"+id, o).wantError(http.StatusBadRequest, "mutability")
	}
	c.patch("/Users/"+id, object{"op": "replace", "path": at("pin"), "value": "999"}, object{"op": "replace", "path": at("desk"), "value": "D3"}).want(200, 204)
	if got := d.entry(id).GetAttributeValues("testPin"); !slices.Equal(got, []string{"999"}) {
		t.Errorf("the pin is %q", got)
	}
	c.patch("/Users/"+id, object{"op": "replace", "path": at("desk"), "value": "D4"}).want(200, 204)
	if got := d.entry(id).GetAttributeValues("testPin"); !slices.Equal(got, []string{"999"}) {
		t.Errorf("the pin is %q after a PATCH of something else", got)
	}
	c.get("/Users?filter="+url.QueryEscape(`pin eq "999"`)).wantError(http.StatusBadRequest, "invalidFilter")
	c.post("/Users", badged("bob", object{"badge": object{"number": "b1"}})).wantError(http.StatusConflict, "uniqueness")
	c.post("/Users", person("bob")).wantError(http.StatusBadRequest, "invalidValue") // costCenter is required
	c.post("/Users", badged("bob", object{}, object{"userType": "Alien"})).wantError(http.StatusBadRequest, "invalidValue")
	bob := c.create(badged("bob", object{}))
	c.patch("/Users/"+bob, object{"op": "add", "path": at("badge.number"), "value": "B7"}).want(200, 204)
	c.patch("/Users/"+bob, object{"op": "add", "path": at("badge.number"), "value": "B8"}).wantError(http.StatusBadRequest, "mutability")
}

// An attribute that has no rule of equality in the directory is changed like any
// other, and found whatever rules it has.
func TestAttributesWithoutMatchingRules(t *testing.T) {
	t.Parallel()
	s := usual()
	s.UserRules = []string{`{scim: 'phoneNumbers[type eq "fax"].value', ldap: facsimileTelephoneNumber}`, `{scim: profileUrl, ldap: labeledURI}`}
	g := serve(t, s)
	c, d := g.client(t), g.tree(t)
	id := c.create(person("ann", object{"profileUrl": "https://example.org/Ann", "phoneNumbers": []object{{"type": "fax", "value": "+1 555"}}}))
	c.patch("/Users/"+id, object{"op": "replace", "path": `phoneNumbers[type eq "fax"].value`, "value": "+1 666"}).want(200, 204)
	c.patch("/Users/"+id, object{"op": "add", "path": "phoneNumbers", "value": []object{{"type": "fax", "value": "+1 777"}}}).want(200, 204)
	got := d.entry(id).GetAttributeValues("facsimileTelephoneNumber")
	slices.Sort(got)
	if !slices.Equal(got, []string{"+1 666", "+1 777"}) {
		t.Errorf("fax is %q", got)
	}
	for _, filter := range []string{`phoneNumbers[type eq "fax" and value eq "+1 777"]`, `profileUrl sw "https://"`, `profileUrl eq "HTTPS://example.org/ann"`} {
		if got := c.find("Users", filter).ids(); !slices.Equal(got, []string{id}) {
			t.Errorf("%s finds %v", filter, got)
		}
	}
}

// A type that the directory's attribute cannot hold is a fault at start, with
// its line.
func TestTypesThatTheDirectoryCannotHold(t *testing.T) {
	t.Parallel()
	s := usual()
	s.UserRules = []string{`{scim: nickName, ldap: jpegPhoto}`, `{scim: x509Certificates, ldap: userCertificate}`, `{scim: locale, ldap: createTimestamp, mutability: readOnly}`}
	server, err := slapd.Start(t.Context(), s.slapd(t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	config := s.write(t, t.TempDir(), server)
	code, _, complaint := run(t, "serve", "--config", config)
	for _, words := range []string{
		"attributes[10].ldap: jpegPhoto holds bytes, and nickName is text", "attributes[11].ldap: userCertificate has to be asked for as userCertificate;binary", "\n2 faults",
	} {
		if !strings.Contains(complaint, words) {
			t.Errorf("no word of %q:\n%s", words, complaint)
		}
	}
	if code != 2 || !strings.Contains(complaint, "scimgate.yaml:34:") {
		t.Errorf("exit code %d:\n%s", code, complaint)
	}
}

//go:build integration

package integration

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

// attributesOf returns the paths that a schema announces.
func attributesOf(schema object) []string {
	var paths []string
	var walk func(prefix string, list any)
	walk = func(prefix string, list any) {
		all, _ := list.([]any)
		for _, a := range all {
			a, _ := a.(object)
			name, _ := a["name"].(string)
			paths = append(paths, prefix+name)
			walk(prefix+name+".", a["subAttributes"])
		}
	}
	walk("", schema["attributes"])
	slices.Sort(paths)
	return paths
}

// Schemas announces what this mapping carries and nothing else.
func TestSchemasAnnounceTheMapping(t *testing.T) {
	t.Parallel()
	s := usual()
	s.UserRules = []string{`{scim: 'phoneNumbers[type eq "mobile"].value', ldap: mobile}`}
	g := serve(t, s)
	c := g.client(t)
	list := c.get("/Schemas").want(http.StatusOK)
	if list.total() != 7 || len(list.resources()) != 7 { // three of the discovery endpoints, and the provenance
		t.Errorf("%d schemas, want seven: %s", list.total(), list.raw)
	}
	for urn, want := range map[string][]string{
		userURN: {"active", "displayName", "emails", "emails.primary", "emails.type", "emails.value", "name", "name.familyName",
			"name.givenName", "password", "phoneNumbers", "phoneNumbers.type", "phoneNumbers.value", "title", "userName"},
		enterpriseURN: {"manager", "manager.value"},
		groupURN:      {"displayName", "members", "members.value"},
	} {
		a := c.get("/Schemas/" + urn).want(http.StatusOK)
		if a.id() != urn {
			t.Errorf("%s has the id %s", urn, a.id())
		}
		got := attributesOf(a.body)
		for _, path := range want {
			if !slices.Contains(got, path) {
				t.Errorf("%s does not announce %s: %v", urn, path, got)
			}
		}
		for _, path := range got {
			root, _, _ := strings.Cut(path, ".")
			if !slices.Contains(want, root) && !slices.Contains([]string{"id", "externalId", "meta", "schemas", "groups"}, root) {
				t.Errorf("%s announces %s, which is not mapped", urn, path)
			}
		}
		if !slices.ContainsFunc(list.ids(), func(id string) bool { return id == urn }) {
			t.Errorf("%s is not in the list", urn)
		}
		for _, name := range []string{"nickName", "addresses", "ims", "photos", "roles", "name.middleName", "department"} {
			if slices.Contains(got, name) {
				t.Errorf("%s announces %s, which is not mapped", urn, name)
			}
		}
	}
	password := attribute(c.get("/Schemas/"+userURN), "password")
	if password["mutability"] != "writeOnly" || password["returned"] != "never" {
		t.Errorf("password is announced as %v", password)
	}
	name := attribute(c.get("/Schemas/"+userURN), "userName")
	if name["required"] != true || name["uniqueness"] == "none" || name["caseExact"] != false {
		t.Errorf("userName is announced as %v", name)
	}
}

// attribute returns the definition of one attribute of a schema.
func attribute(a *answer, name string) object {
	list, _ := a.at("$.attributes").([]any)
	for _, one := range list {
		if one, ok := one.(object); ok && one["name"] == name {
			return one
		}
	}
	return nil
}

// The other discovery endpoints say what this server does, and hold a client's
// parser no surprise.
func TestDiscovery(t *testing.T) {
	t.Parallel()
	g := shared(t)
	c := g.client(t)
	config := c.get("/ServiceProviderConfig").want(http.StatusOK)
	for path, want := range map[string]any{
		"$.patch.supported": true, "$.filter.supported": true, "$.etag.supported": true, "$.changePassword.supported": true,
		"$.bulk.supported": true, "$.sort.supported": true, "$.pagination.cursor": true, "$.pagination.index": true,
		"$.pagination.defaultPaginationMethod": "index", "$.pagination.defaultPageSize": float64(100), "$.pagination.maxPageSize": float64(100),
		"$.pagination.cursorTimeout": float64(86400), "$.filter.maxResults": float64(100),
		"$.bulk.maxOperations": float64(1000), "$.bulk.maxPayloadSize": float64(1 << 20),
		"$.authenticationSchemes[0].type": "oauthbearertoken",
		"$.schemas[0]":                    "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig",
	} {
		if got := config.at(path); got != want {
			t.Errorf("%s is %v, want %v", path, got, want)
		}
	}
	types := c.get("/ResourceTypes").want(http.StatusOK)
	if types.total() != 2 {
		t.Errorf("%d resource types", types.total())
	}
	user := c.get("/ResourceTypes/User").want(http.StatusOK)
	for path, want := range map[string]any{
		"$.endpoint": "/Users", "$.schema": userURN, "$.schemaExtensions[0].schema": enterpriseURN, "$.schemaExtensions[0].required": false,
	} {
		if got := user.at(path); got != want {
			t.Errorf("%s is %v, want %v", path, got, want)
		}
	}
	if got := c.get("/ResourceTypes/Group").want(http.StatusOK).text("$.endpoint"); got != "/Groups" {
		t.Errorf("the endpoint of Group is %q", got)
	}
	for _, path := range []string{"/ServiceProviderConfig", "/ResourceTypes", "/Schemas"} {
		a := c.get(path)
		if strings.Contains(string(a.raw), ":null") {
			t.Errorf("%s has a null: %s", path, a.raw)
		}
		if a.body["Resources"] != nil && a.body["schemas"].([]any)[0] != listURN {
			t.Errorf("%s is no list: %s", path, a.raw)
		}
		c.get(path+"?filter=id+eq+%22x%22").wantError(http.StatusForbidden, "")
	}
}

// Health is answered on its own listener, and SCIM is not.
func TestHealth(t *testing.T) {
	t.Parallel()
	g := serve(t, usual())
	status := func(path string) int {
		t.Helper()
		got, err := http.Get("http://" + hostOf(g.health) + path)
		if err != nil {
			t.Fatal(err)
		}
		got.Body.Close()
		return got.StatusCode
	}
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 200, "/scim/v2/Users": 404} {
		if got := status(path); got != want {
			t.Errorf("%s: %d, want %d", path, got, want)
		}
	}
	root := g.client(t)
	root.base = "http://" + hostOf(g.base)
	for _, path := range []string{"/healthz", "/readyz", "/metrics"} {
		root.get(path).want(http.StatusNotFound, http.StatusUnauthorized)
	}
	if err := g.server.Kill(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "readyz notices that the directory is away", func() bool { return status("/readyz") == 503 })
	if got := status("/healthz"); got != 200 {
		t.Errorf("healthz: %d, want 200", got)
	}
	if err := g.server.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	g.awaitHealthy(t)
}

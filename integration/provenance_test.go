//go:build integration

package integration

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"scimgate/internal/scim"
)

// Who manages a resource shows to a client that asks, and where the tenant wants
// it to everybody; nobody writes it.
func TestProvenance(t *testing.T) {
	t.Parallel()
	s := settled()
	s.OnExisting = `{adopt: {by: [userName], filter: "(employeeType=staff)"}}`
	g, clients := serveTenants(t, s, map[string]*strings.Replacer{"cloudsso": strings.NewReplacer("    users:\n", "    provenance: default\n    users:\n")})
	idp, open, d := clients["okta"], clients["cloudsso"], g.tree(t)
	const urn = scim.ProvenanceURN
	origin := func(a *answer) object {
		t.Helper()
		found, _ := a.want(http.StatusOK, http.StatusCreated).body[urn].(object)
		return found
	}
	lists := func(a *answer) bool {
		schemas, _ := a.body["schemas"].([]any)
		return slices.Contains(schemas, any(urn))
	}

	// On request alone.
	made := idp.post("/Users", person("ann", object{urn: object{"source": "mine", "state": "deleting"}})).want(http.StatusCreated)
	ann := made.id()
	for _, a := range []*answer{made, idp.get("/Users/" + ann), idp.get("/Users/" + ann + "?attributes=userName,state,source")} {
		if origin(a) != nil || lists(a) {
			t.Errorf("it shows unasked: %s", a.raw)
		}
	}
	a := idp.get("/Users/" + ann + "?attributes=" + urn)
	got := origin(a)
	want := object{"managedBy": "scimgate", "source": "okta", "adopted": false, "state": "active", "since": idp.get("/Users/" + ann).text("$.meta.created"),
		"lastRequest": made.header.Get("X-Request-Id")}
	for name, value := range want {
		if got[name] != value {
			t.Errorf("%s: %v, want %v", name, got[name], value)
		}
	}
	if _, err := time.Parse(time.RFC3339, got["stateSince"].(string)); err != nil || !lists(a) || a.body["userName"] != nil {
		t.Errorf("%s", a.raw)
	}
	if one := origin(idp.get("/Users/" + ann + "?attributes=" + urn + ":state")); len(one) != 1 || one["state"] != "active" {
		t.Errorf("one attribute: %v", one)
	}

	// Nobody writes it, and who sends it back changes nothing.
	version := idp.get("/Users/" + ann).header.Get("ETag")
	idp.patch("/Users/"+ann, object{"op": "replace", "path": urn + ":source", "value": "x"}).wantError(http.StatusBadRequest, "mutability")
	idp.patch("/Users/"+ann, object{"op": "remove", "path": urn + ":state"}).wantError(http.StatusBadRequest, "mutability")
	sent := idp.get("/Users/" + ann + "?attributes=userName,active,name,emails," + urn).body
	sent[urn] = object{"source": "x", "state": "inactive"}
	if idp.put("/Users/"+ann, sent).want(http.StatusOK).header.Get("ETag") != version {
		t.Error("a PUT of what was read changed the entry")
	}

	// It follows the life of an entry, and tells who was there before.
	off := idp.patch("/Users/"+ann, object{"op": "replace", "path": "active", "value": false}).want(http.StatusOK)
	if got := origin(idp.get("/Users/" + ann + "?attributes=" + urn)); got["state"] != "inactive" || got["lastRequest"] != off.header.Get("X-Request-Id") {
		t.Errorf("inactive: %v", got)
	}
	there := d.foreignPerson("bob", map[string][]string{"employeeType": {"staff"}})
	if err := here.setPassword(d.conn, there, oldPass); err != nil {
		t.Fatal(err)
	}
	d.unlock(there)
	before := time.Now().Add(-time.Second).UTC().Truncate(time.Second)
	bob := idp.create(person("bob"))
	got = origin(idp.get("/Users/" + bob + "?attributes=" + urn))
	since, err := time.Parse(time.RFC3339, got["since"].(string))
	if got["adopted"] != true || err != nil || since.Before(before) {
		t.Errorf("adopted: %v", got)
	}
	team := idp.createGroup("team", ann)
	if got := origin(idp.get("/Groups/" + team + "?attributes=" + urn)); got["state"] != "active" || got["source"] != "okta" {
		t.Errorf("a group: %v", got)
	}

	// Filters and order.
	for filter, ids := range map[string][]string{
		`state eq "inactive"`: {ann}, `state ne "active"`: {ann}, `adopted eq true`: {bob}, `adopted eq false`: {ann},
		`source eq "okta"`: {ann, bob}, `source eq "cloudsso"`: {}, `lastRequest eq "` + off.header.Get("X-Request-Id") + `"`: {ann},
		`since ge "2020-01-01T00:00:00Z"`: {ann, bob}, `stateSince lt "2020-01-01T00:00:00Z"`: {}, `lastRequest pr`: {ann, bob},
	} {
		found := idp.find("Users", urn+":"+filter).ids()
		slices.Sort(found)
		slices.Sort(ids)
		if !slices.Equal(found, ids) {
			t.Errorf("%s: %v, want %v", filter, found, ids)
		}
	}
	if got := idp.get("/Users?sortBy=" + urn + ":state").want(http.StatusOK).ids(); !slices.Equal(got, []string{bob, ann}) {
		t.Errorf("sorted by state: %v", got)
	}
	if got := idp.post("/Users/.search", object{"attributes": []string{urn}, "filter": `userName eq "ann"`}).want(http.StatusOK); at(got.resources()[0], "$.userName") != nil || got.resources()[0][urn] == nil {
		t.Errorf("a search: %s", got.raw)
	}

	// By default.
	made = open.post("/Users", person("eve")).want(http.StatusCreated)
	for _, a := range []*answer{made, open.get("/Users/" + made.id()), open.put("/Users/"+made.id(), person("eve", object{"title": "x"}))} {
		if got := origin(a); got["source"] != "cloudsso" || got["state"] != "active" || !lists(a) {
			t.Errorf("by default: %s", a.raw)
		}
	}
	if a := open.get("/Users").want(http.StatusOK); a.resources()[0][urn] == nil {
		t.Errorf("a list: %s", a.raw)
	}
	for _, query := range []string{"?excludedAttributes=" + urn, "?attributes=userName"} {
		if a := open.get("/Users/" + made.id() + query); origin(a) != nil {
			t.Errorf("%s: %s", query, a.raw)
		}
	}
	if got := open.find("Users", `schemas eq "`+urn+`"`).total() + open.find("Users", `schemas co "Provenance"`).total(); got != 2 {
		t.Errorf("by schemas: %d", got)
	}
	if got := idp.find("Users", `schemas eq "`+urn+`"`).total(); got != 0 {
		t.Errorf("by schemas that do not show: %d", got)
	}

	// And it is announced.
	for c, returned := range map[*client]string{idp: "request", open: "default"} {
		schema := c.get("/Schemas/" + urn).want(http.StatusOK)
		list, _ := schema.body["attributes"].([]any)
		if len(list) != 7 {
			t.Errorf("%s", schema.raw)
		}
		for i := range list {
			if at(list[i], "$.mutability") != "readOnly" || at(list[i], "$.returned") != returned {
				t.Errorf("%v", list[i])
			}
		}
		for _, kind := range []string{"User", "Group"} {
			if raw := string(c.get("/ResourceTypes/" + kind).raw); !strings.Contains(raw, `{"required":false,"schema":"`+urn+`"}`) {
				t.Errorf("%s: %s", kind, raw)
			}
		}
	}
}

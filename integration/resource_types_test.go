//go:build integration

package integration

import (
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"scimgate/internal/scim"
)

// Devices and roles are resources like users and groups, and all refer to each
// other.
func TestFurtherResourceTypes(t *testing.T) {
	t.Parallel()
	g := typed(t)
	c, d := g.client(t), g.tree(t)
	device := func(label string, more object) object {
		o := object{"schemas": []string{deviceURN}, "label": label}
		maps.Copy(o, more)
		return o
	}
	ann := c.create(badged("ann", object{}))
	made := c.post("/Devices", device("printer", object{"externalId": "d-1", "serial": "S1", "owner": object{"value": ann},
		"bought": "2026-01-02T03:04:05Z", "parts": []any{1.5}})).want(http.StatusCreated)
	printer := made.id()
	if made.header.Get("Location") != c.base+"/Devices/"+printer || made.text("$.meta.resourceType") != "Device" ||
		made.text("$.owner.$ref") != c.base+"/Users/"+ann || made.text("$.owner.type") != "User" || made.text("$.bought") != "2026-01-02T03:04:05Z" {
		t.Errorf("the device is %s", made.raw)
	}
	if got := d.entry(printer); got.DN != "cn=printer,ou=devices,dc=example,dc=org" || got.GetAttributeValue("owner") != "uid=ann,ou=people,dc=example,dc=org" {
		t.Errorf("in the directory: %v", got.DN)
	}
	c.post("/Devices", device("Printer", nil)).wantError(http.StatusConflict, "uniqueness")
	c.post("/Devices", object{"schemas": []string{deviceURN}}).wantError(http.StatusBadRequest, "invalidValue")
	c.post("/Devices", device("x", object{"owner": object{"value": printer}})).wantError(http.StatusBadRequest, "invalidValue")
	role := c.post("/Roles", object{"schemas": []string{roleURN}, "title": "admins", "holders": values(ann)}).want(http.StatusCreated).id()

	// References from everywhere, of every type.
	c.patch("/Users/"+ann, object{"op": "add", "path": badgeURN + ":device", "value": printer},
		object{"op": "add", "path": badgeURN + ":access", "value": values(printer, role)}).want(200, 204)
	team := c.createGroup("team", ann)
	c.patch("/Groups/"+team, object{"op": "add", "path": "members", "value": values(printer)},
		object{"op": "add", "path": badgeURN + ":level", "value": 3}).want(200, 204)
	if got := c.find("Groups", badgeURN+`:level ge 3 and members[type eq "Device"]`); !slices.Equal(got.ids(), []string{team}) ||
		got.resources()[0][badgeURN].(object)["level"] != 3.0 {
		t.Errorf("the group is %s", got.raw)
	}
	show := c.get("/Users/" + ann).want(http.StatusOK)
	badge := show.body[badgeURN].(object)
	if got := badge["device"].(object); got["value"] != printer || got["$ref"] != c.base+"/Devices/"+printer {
		t.Errorf("device is %v", got)
	}
	for _, one := range badge["access"].([]any) {
		one := one.(object)
		want := map[any]object{
			printer: {"value": printer, "type": "Device", "$ref": c.base + "/Devices/" + printer},
			role:    {"value": role, "type": "Role", "$ref": c.base + "/Roles/" + role},
		}[one["value"]]
		if !reflect.DeepEqual(one, want) {
			t.Errorf("access is %v, want %v", one, want)
		}
	}
	for _, m := range c.get("/Groups/" + team).body["members"].([]any) {
		if m := m.(object); m["value"] == printer && (m["type"] != "Device" || m["$ref"] != c.base+"/Devices/"+printer) {
			t.Errorf("the device is the member %v", m)
		}
	}
	for filter, want := range map[string]string{
		badgeURN + `:device eq "` + printer + `"`: ann, badgeURN + `:device.value eq "` + printer + `"`: ann,
		badgeURN + `:access[value eq "` + role + `"]`: ann, badgeURN + `:access[type eq "Role"]`: ann, badgeURN + `:access[type eq "User"]`: "",
	} {
		if got := strings.Join(c.find("Users", filter).ids(), " "); got != want {
			t.Errorf("%s finds %q, want %q", filter, got, want)
		}
	}
	for filter, want := range map[string]string{
		`owner.value eq "` + ann + `"`: printer, `owner.type eq "User"`: printer, `label eq "PRINTER"`: printer, `bought gt "2026-01-02T03:04:04Z"`: printer,
		`externalId eq "d-1"`: printer, `externalId eq "D-1"`: "", `id eq "` + printer + `"`: printer, `parts eq 1.5`: printer, `meta.created pr`: printer,
	} {
		if got := strings.Join(c.find("Devices", filter).ids(), " "); got != want {
			t.Errorf("%s finds %q, want %q", filter, got, want)
		}
	}
	// A new name is followed everywhere, and PUT and PATCH do what they do to users.
	c.patch("/Devices/"+printer, object{"op": "replace", "path": "label", "value": "plotter"}).want(200, 204)
	if got := d.entry(ann).GetAttributeValue("testDevice"); got != "cn=plotter,ou=devices,dc=example,dc=org" {
		t.Errorf("ann's device is %s", got)
	}
	if got := c.get("/Groups/" + team).members(); !slices.Contains(got, printer) {
		t.Errorf("the device has left the group by its new name: %v", got)
	}
	c.put("/Devices/"+printer, device("plotter", object{"serial": "S2"})).wantError(http.StatusBadRequest, "mutability")
	put := c.put("/Devices/"+printer, device("plotter", nil)).want(http.StatusOK)
	if put.body["owner"] != nil || put.text("$.serial") != "S1" || put.text("$.externalId") != "d-1" {
		t.Errorf("after PUT: %s", put.raw)
	}
	c.with("If-Match", `W/"other"`).delete("/Devices/"+printer).wantError(http.StatusPreconditionFailed, "")
	c.delete("/Devices/" + printer).want(http.StatusNoContent)
	c.get("/Devices/"+printer).wantError(http.StatusNotFound, "")
	if len(d.named("serialNumber", "S1")) != 0 {
		t.Error("the entry of a deleted device is still there")
	}
	if got := c.get("/Groups/" + team).members(); !slices.Equal(got, []string{ann}) {
		t.Errorf("members are %v", got)
	}
	// Whoever gets the name next inherits nothing.
	next := c.post("/Devices", device("plotter", nil)).want(http.StatusCreated).id()
	after := c.get("/Users/" + ann).want(http.StatusOK)
	if strings.Contains(string(after.raw), next) || len(d.entry(ann).GetAttributeValues("testDevice")) != 0 {
		t.Errorf("the new device is ann's: %s", after.raw)
	}
	c.delete("/Roles/" + role).want(http.StatusNoContent)
	if a := c.get("/Nothing"); a.status != http.StatusNotFound || !strings.Contains(a.text("$.detail"), "Users, Groups, Devices, Roles and Accounts") {
		t.Errorf("a path that leads nowhere: %s", a.raw)
	}
}

// Accounts of a further type are disabled and found again as people are.
func TestAFurtherTypeIsDeactivated(t *testing.T) {
	t.Parallel()
	g := typed(t)
	c, d := g.client(t), g.tree(t)
	account := object{"schemas": []string{accountURN}, "login": "robot", "externalId": "r-1", "password": oldPass, "active": true, "purpose": "Backups"}
	id := c.post("/Accounts", account).want(http.StatusCreated).id()
	if !d.opens(id, oldPass) {
		t.Fatal("the password does not work")
	}
	if a := c.patch("/Accounts/"+id, object{"op": "replace", "path": "active", "value": "False"}).want(http.StatusOK); a.at("$.active") != false || a.body["password"] != nil {
		t.Errorf("deactivated: %s", a.raw)
	}
	if d.opens(id, oldPass) {
		t.Error("deactivated, and gets in")
	}
	if got := c.find("Accounts", `active eq false and purpose eq "backups"`).ids(); !slices.Equal(got, []string{id}) {
		t.Errorf("found %v", got)
	}
	c.patch("/Accounts/"+id, object{"op": "replace", "value": object{"active": true}}).want(http.StatusOK)
	if !d.opens(id, oldPass) {
		t.Error("activated, and does not get in")
	}
	c.delete("/Accounts/" + id).want(http.StatusNoContent)
	c.get("/Accounts/"+id).wantError(http.StatusNotFound, "")
	if d.opens(id, oldPass) {
		t.Error("deleted, and gets in")
	}
	if again := c.post("/Accounts", account).want(http.StatusCreated).id(); again != id || !d.opens(id, oldPass) {
		t.Errorf("the same account comes back as %s, was %s", again, id)
	}
	if active := attribute(c.get("/Schemas/"+accountURN), "active"); active["type"] != "boolean" {
		t.Errorf("active is announced as %v", active)
	}
	if password := attribute(c.get("/Schemas/"+accountURN), "password"); password["mutability"] != "writeOnly" || password["returned"] != "never" {
		t.Errorf("password is announced as %v", password)
	}
}

// The discovery endpoints tell all of it.
func TestDiscoveryTellsTheDeclaration(t *testing.T) {
	t.Parallel()
	c := typed(t).client(t)
	list := c.get("/Schemas").want(http.StatusOK)
	ids := list.ids()
	slices.Sort(ids)
	want := []string{userURN, groupURN, enterpriseURN, badgeURN, deviceURN, roleURN, accountURN, scim.ProvenanceURN,
		"urn:ietf:params:scim:schemas:core:2.0:Schema", "urn:ietf:params:scim:schemas:core:2.0:ResourceType", "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"}
	slices.Sort(want)
	if !slices.Equal(ids, want) {
		t.Errorf("schemas are %v, want %v", ids, want)
	}
	badge := c.get("/Schemas/" + badgeURN).want(http.StatusOK)
	for path, want := range map[string]object{
		"plates":       {"type": "string", "multiValued": true, "caseExact": true, "description": "Number plates.", "mutability": "readWrite", "returned": "default", "uniqueness": "none", "required": false},
		"colour":       {"canonicalValues": []any{"Red", "Green"}, "caseExact": false},
		"armed":        {"type": "boolean"},
		"level":        {"type": "integer"},
		"rates":        {"type": "decimal", "multiValued": true},
		"photo":        {"type": "binary", "returned": "request", "caseExact": true},
		"homepage":     {"type": "reference", "referenceTypes": []any{"external"}, "caseExact": true},
		"device":       {"type": "complex", "multiValued": false},
		"device.value": {"type": "string", "caseExact": false},
		"device.$ref":  {"type": "reference", "referenceTypes": []any{"Device"}, "mutability": "readOnly"},
		"access.type":  {"canonicalValues": []any{"Device", "Role"}, "mutability": "readOnly"},
		"badge.number": {"mutability": "immutable", "uniqueness": "server"},
		"badge.issued": {"type": "dateTime"},
		"doors":        {"type": "complex", "multiValued": true},
		"doors.type":   {"canonicalValues": []any{"front", "back"}},
		"pin":          {"mutability": "writeOnly", "returned": "never"},
		"created":      {"type": "dateTime", "mutability": "readOnly"},
		"desk":         {"returned": "always"},
		"floor":        {"type": "string"}, // of groups
	} {
		root, sub, _ := strings.Cut(path, ".")
		a := attribute(badge, root)
		if sub != "" {
			subs, _ := a["subAttributes"].([]any)
			a = nil
			for _, s := range subs {
				if s := s.(object); s["name"] == sub {
					a = s
				}
			}
		}
		for key, value := range want {
			if !reflect.DeepEqual(a[key], value) {
				t.Errorf("%s: %s is %v, want %v", path, key, a[key], value)
			}
		}
	}
	if a := attribute(c.get("/Schemas/"+enterpriseURN), "employeeNumber"); a["mutability"] != "readOnly" {
		t.Errorf("employeeNumber is announced as %v", a)
	}
	members := attribute(c.get("/Schemas/"+groupURN), "members")
	if !strings.Contains(fmt.Sprint(members), "[User Group Device]") {
		t.Errorf("members are announced as %v", members)
	}
	types := c.get("/ResourceTypes").want(http.StatusOK)
	if types.total() != 5 {
		t.Errorf("%d resource types", types.total())
	}
	for path, want := range map[string]any{
		"$.id": "Device", "$.name": "Device", "$.endpoint": "/Devices", "$.schema": deviceURN, "$.description": "Things with a plug",
		"$.meta.resourceType": "ResourceType", "$.meta.location": c.base + "/ResourceTypes/Device",
	} {
		if got := c.get("/ResourceTypes/Device").want(http.StatusOK).at(path); got != want {
			t.Errorf("%s is %v, want %v", path, got, want)
		}
	}
	user := c.get("/ResourceTypes/User").want(http.StatusOK)
	for _, e := range user.body["schemaExtensions"].([]any) {
		e := e.(object)
		if e["required"] != (e["schema"] == enterpriseURN) { // whose cost center is required
			t.Errorf("the extension %v", e)
		}
	}
	if got := c.get("/ResourceTypes/Group").text("$.schemaExtensions[0].schema"); got != badgeURN {
		t.Errorf("the extension of groups is %s", got)
	}
}

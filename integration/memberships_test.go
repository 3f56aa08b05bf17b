//go:build integration

package integration

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"scimgate/internal/scim"
	"scimgate/internal/slapd"
)

// in lists the groups of a user as "name type".
func (a *answer) in() []string {
	list, _ := a.body["groups"].([]any)
	var all []string
	for _, g := range list {
		g, _ := g.(object)
		all = append(all, fmt.Sprint(g["display"], " ", g["type"]))
	}
	return all
}

// A user shows the groups that they are in, directly and by groups in groups,
// as they are at that moment. What the view does not show is not there.
func TestGroupsOfAUser(t *testing.T) {
	t.Parallel()
	g := serve(t, usual())
	c, d := g.client(t), g.tree(t)
	made := c.post("/Users", person("ann", object{"groups": []object{{"value": nobody}}})).want(http.StatusCreated)
	ann := made.id()
	bob := c.create(person("bob"))
	inner := c.createGroup("inner", ann)
	middle := c.createGroup("middle", inner)
	outer := c.createGroup("outer", middle, ann)
	c.patch("/Groups/"+inner, object{"op": "add", "path": "members", "value": values(outer)}).want(http.StatusNoContent) // a circle
	other := c.createGroup("other", bob)
	d.foreignGroup("theirs", d.entry(ann).DN, d.entry(inner).DN)

	want := []string{"inner direct", "outer direct", "middle indirect"}
	show := func(when string, a *answer, want []string) {
		t.Helper()
		if diff := cmp.Diff(want, a.want(http.StatusOK, http.StatusCreated).in()); diff != "" {
			t.Errorf("%s: -want +got:\n%s", when, diff)
		}
	}
	show("created", made, nil)
	show("GET", c.get("/Users/"+ann), want)
	show("PUT, where groups of the client's are nothing", c.put("/Users/"+ann, person("ann", object{"groups": []object{{"value": other}}})), want)
	show("PATCH", c.patch("/Users/"+ann, object{"op": "replace", "path": "title", "value": "boss"}), want)
	show("attributes=groups.display,groups.type", c.get("/Users/"+ann+"?attributes=groups.display,groups.type"), want)
	show("attributes=userName", c.get("/Users/"+ann+"?attributes=userName"), nil)
	show("excludedAttributes=groups", c.get("/Users/"+ann+"?excludedAttributes=groups"), nil)
	show("nobody's", c.get("/Users/"+bob), []string{"other direct"})
	element, _ := c.get("/Users/" + ann).at("$.groups[0]").(object)
	if diff := cmp.Diff(object{"value": inner, "$ref": c.base + "/Groups/" + inner, "display": "inner", "type": "direct"}, element); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for _, r := range c.get("/Users?sortBy=userName").resources() {
		a := answer{t: t, status: 200, body: r}
		show("in a list", &a, map[string][]string{"ann": want, "bob": {"other direct"}}[a.text("$.userName")])
	}
	c.patch("/Groups/"+middle, object{"op": "remove", "path": `members[value eq "` + inner + `"]`}).want(http.StatusNoContent)
	c.patch("/Groups/"+outer, object{"op": "replace", "path": "displayName", "value": "Outside"}).want(http.StatusNoContent)
	show("after changes", c.get("/Users/"+ann), []string{"Outside direct", "inner direct"})
	c.delete("/Groups/" + inner).want(http.StatusNoContent)
	show("after a delete", c.get("/Users/"+ann), []string{"Outside direct"})

	c.delete("/Users/" + ann).want(http.StatusNoContent)
	show("who comes back is in no group", c.post("/Users", person("ann")), nil)
	announced := c.get("/Schemas/" + userURN).raw
	if !bytes.Contains(announced, []byte(`"groups"`)) {
		t.Errorf("groups is not announced: %s", announced)
	}
}

// Those who are referred to show what they are called: a manager always, members
// where a client asks for it, so that large groups stay cheap.
func TestDisplayOfOthers(t *testing.T) {
	t.Parallel()
	c := serve(t, usual()).client(t)
	boss := c.create(person("boss", object{"displayName": "The Boss"}))
	ann := c.post("/Users", person("ann", object{enterpriseURN: object{"manager": object{"value": boss, "displayName": "Somebody"}}})).want(http.StatusCreated)
	manager := object{"value": boss, "$ref": c.base + "/Users/" + boss, "displayName": "The Boss"}
	for when, a := range map[string]*answer{"POST": ann, "GET": c.get("/Users/" + ann.id())} {
		extension, _ := a.body[enterpriseURN].(object)
		if diff := cmp.Diff(any(manager), extension["manager"]); diff != "" {
			t.Errorf("%s: -want +got:\n%s", when, diff)
		}
	}
	inner := c.createGroup("inner")
	team := c.createGroup("team", boss, ann.id(), inner)
	first := func(query string) object {
		list, _ := c.get("/Groups/" + team + query).want(http.StatusOK).body["members"].([]any)
		for _, m := range list {
			if m, ok := m.(object); ok && (m["value"] == boss || m["display"] == "The Boss") {
				return m
			}
		}
		return nil
	}
	plain := object{"value": boss, "type": "User", "$ref": c.base + "/Users/" + boss}
	with := object{"value": boss, "type": "User", "$ref": c.base + "/Users/" + boss, "display": "The Boss"}
	for query, want := range map[string]object{
		"": plain, "?attributes=members": plain, "?attributes=members.display": {"display": "The Boss"},
		"?attributes=members,members.display": with, "?attributes=members.display&excludedAttributes=members": nil,
	} {
		if diff := cmp.Diff(want, first(query)); diff != "" {
			t.Errorf("%s: -want +got:\n%s", query, diff)
		}
	}
	names := map[string]bool{}
	for _, m := range c.get("/Groups/" + team + "?attributes=members.display").body["members"].([]any) {
		names[fmt.Sprint(m.(object)["display"])] = true
	}
	if want := map[string]bool{"The Boss": true, "ann": true, "inner": true}; !cmp.Equal(names, want) {
		t.Errorf("the members are called %v", names)
	}
	for urn, attribute := range map[string]string{groupURN: `"display"`, enterpriseURN: `"displayName"`} {
		if raw := c.get("/Schemas/" + urn).raw; !bytes.Contains(raw, []byte(attribute)) {
			t.Errorf("%s does not announce %s", urn, attribute)
		}
	}
}

// Groups nest deeper than anybody follows, and in circles: everything ends.
func TestDeepAndCircularGroups(t *testing.T) {
	t.Parallel()
	c := serve(t, usual()).client(t)
	ann := c.create(person("ann"))
	first := c.createGroup("g00", ann)
	last := first
	for i := 1; i < 15; i++ {
		last = c.createGroup(fmt.Sprintf("g%02d", i), last)
	}
	if got := c.get("/Users/" + ann).in(); len(got) != 11 || got[10] != "g10 indirect" {
		t.Errorf("%v", got)
	}
	c.patch("/Groups/"+first, object{"op": "add", "path": "members", "value": values(last, first)}).want(http.StatusNoContent)
	if got := c.get("/Users/" + ann).in(); len(got) != 11 {
		t.Errorf("in a circle: %v", got)
	}
	for _, name := range []string{"g00", "g05", "g10", "g11", "g14"} {
		group := c.find("Groups", `displayName eq "`+name+`"`).ids()[0]
		listed := slices.ContainsFunc(c.get("/Users/"+ann).in(), func(g string) bool { return strings.HasPrefix(g, name) })
		if found := c.find("Users", `groups eq "`+group+`"`).total() == 1; found != listed {
			t.Errorf("%s: found %v, listed %v", name, found, listed)
		}
	}
}

// Two tenants of one directory do not see each other's groups, and one without
// groups shows and finds none.
func TestGroupsOfTenantsAreApart(t *testing.T) {
	t.Parallel()
	s := usual()
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
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	_, okta, _ := strings.Cut(string(text), "tenants:\n")
	entra := strings.Replace(okta, "name: okta", "name: entra", 1)
	users, _, _ := strings.Cut(okta, "    groups:\n")
	text = append(text, entra+strings.Replace(users, "name: okta", "name: plain", 1)...)
	config = filepath.Join(filepath.Dir(config), "three.yaml")
	if err := os.WriteFile(config, text, 0o600); err != nil {
		t.Fatal(err)
	}
	g, err := startServe(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	g.endWith(t)
	of := func(tenant string) *client {
		g.of(server, makeToken(t, config, tenant))
		c := g.client(t)
		c.base = strings.TrimSuffix(c.base, "/scim/v2") + "/" + tenant + "/scim/v2"
		return c
	}
	one, two, none := of("okta"), of("entra"), of("plain")
	d := g.tree(t)
	ann, eve, pat := one.create(person("ann")), two.create(person("eve")), none.create(person("pat"))
	mine, theirs := one.createGroup("mine", ann), two.createGroup("theirs", eve)
	for _, id := range []string{ann, eve, pat} { // somebody crosses the lines by hand
		for _, group := range []string{mine, theirs} {
			if member := d.entry(id).DN; !d.hasMember(d.entry(group).DN, member) {
				d.put(d.entry(group).DN, "member", member)
			}
		}
	}
	d.put(d.entry(theirs).DN, "member", d.entry(mine).DN) // one tenant's group in the other's
	if got := one.get("/Users/" + ann).in(); !slices.Equal(got, []string{"mine direct"}) {
		t.Errorf("ann: %v", got)
	}
	if got := two.get("/Users/" + eve).in(); !slices.Equal(got, []string{"theirs direct"}) {
		t.Errorf("eve: %v", got)
	}
	if got := none.get("/Users/" + pat).in(); got != nil {
		t.Errorf("pat: %v", got)
	}
	if got := one.get("/Groups/" + mine).members(); !slices.Equal(got, []string{ann}) {
		t.Errorf("members of mine: %v", got)
	}
	for filter, want := range map[string]int{
		`groups eq "` + mine + `"`: 1, `groups eq "` + theirs + `"`: 0, `groups.display eq "theirs"`: 0,
		`not (groups eq "` + theirs + `")`: 1, `groups pr`: 1,
	} {
		if got := one.find("Users", filter).total(); got != want {
			t.Errorf("%s: %d, want %d", filter, got, want)
		}
	}
	for filter, want := range map[string]int{
		`groups pr`: 0, `not (groups pr)`: 1, `groups eq "` + mine + `"`: 0, `groups ne "` + mine + `"`: 1,
		`groups[display sw "m"]`: 0, `groups.display co "m"`: 0,
	} {
		if got := none.find("Users", filter).total(); got != want {
			t.Errorf("without groups: %s: %d, want %d", filter, got, want)
		}
	}
	if raw := none.get("/Schemas/" + userURN).raw; bytes.Contains(raw, []byte(`"groups"`)) {
		t.Errorf("a tenant without groups announces them: %s", raw)
	}
}

// What a filter over references finds is what an evaluator finds in the
// resources that are shown.
func TestFiltersOfReferencesAgreeWithWhatIsShown(t *testing.T) {
	t.Parallel()
	g := serve(t, usual())
	c, d := g.client(t), g.tree(t)
	boss := c.create(person("boss", object{"displayName": "The Boss"}))
	ann := c.create(person("ann", object{"title": "clerk", enterpriseURN: object{"manager": object{"value": boss}}}))
	bob := c.create(person("bob", object{"active": false, enterpriseURN: object{"manager": object{"value": ann}}}))
	eve := c.create(person("eve"))
	sales := c.createGroup("Sales", ann, bob)
	south := c.createGroup("Sales  South", bob)
	all := c.createGroup("all", sales, boss, south)
	empty := c.createGroup("empty")
	loop := c.createGroup("loop", empty, boss)
	c.patch("/Groups/"+empty, object{"op": "add", "path": "members", "value": values(loop)}).want(http.StatusNoContent)
	foreign := c.createGroup("foreign only", eve)
	d.put(d.entry(foreign).DN, "member", here.strangers...)
	c.patch("/Groups/"+foreign, object{"op": "remove", "path": "members", "value": values(eve)}).want(http.StatusNoContent)
	d.set(d.entry(eve).DN, "manager", d.admin)

	users, groups := c.shown("Users", userURN+","+enterpriseURN), c.shown("Groups", groupURN+",members.display")
	var filters []string
	around := func(list ...string) {
		for _, f := range list {
			filters = append(filters, f, "not ("+f+")", f+` and active eq true`, `userName sw "b" or `+f, f+` and not (userName eq "bob") and title pr`)
		}
	}
	for _, id := range []string{sales, all, empty, loop, nobody, "nonsense", ann} {
		around(`groups eq "`+id+`"`, `groups.value eq "`+id+`"`, `groups[value eq "`+id+`"]`, `groups ne "`+id+`"`,
			`groups[value eq "`+id+`" and type eq "direct"]`, `groups[type eq "indirect"].value eq "`+id+`"`,
			`groups.$ref eq "`+c.base+`/Groups/`+id+`"`, `groups.$ref eq "https://elsewhere.example/Groups/`+id+`"`)
	}
	around(`groups pr`, `groups[type eq "direct"]`, `groups.type eq "indirect"`, `groups.display eq "sales"`, `groups.display eq "Sales South"`,
		`groups[display sw "S"]`, `groups.display co "a"`, `groups.display ew "h"`, `groups.display gt "b"`, `groups eq null`, `groups ne null`,
		`groups[display eq "Sales" or value eq "`+all+`"]`, `groups[not (display eq "all")]`, `groups[display eq "sales" and type eq "indirect"]`,
		`groups eq "`+sales+`" and groups eq "`+all+`"`, `groups eq "`+sales+`" or groups eq "`+loop+`"`, `groups.display eq ""`, `groups sw "a"`)
	around(`manager eq "`+boss+`"`, `manager.displayName co "o"`, `manager.displayName eq "ann"`, `manager.displayName pr`, `manager.displayName ne "ann"`,
		`manager.$ref eq "`+c.base+`/Users/`+boss+`"`, `manager.$ref pr`, `manager.$ref co "`+ann+`"`, `manager pr`, `manager eq null`, `manager.value sw "a"`, `manager ne "`+ann+`"`,
		`manager eq "nonsense"`, `manager.$ref eq "nonsense"`)
	around(`schemas eq "`+userURN+`"`, `schemas eq "`+enterpriseURN+`"`, `schemas ne "`+userURN+`"`, `schemas co "enterprise"`, `schemas pr`, `schemas eq "urn:x:y:z"`,
		`schemas[value eq "`+enterpriseURN+`"]`, `meta.resourceType eq "User"`, `meta.resourceType eq "Group"`, `meta.resourceType sw "U"`,
		`meta.location eq "`+c.base+`/Users/`+ann+`"`, `meta.location eq "https://elsewhere.example/`+ann+`"`, `meta.location ew "`+ann+`"`,
		`meta.version eq "`+strings.ReplaceAll(fmt.Sprint(users[0]["meta"].(map[string]any)["version"]), `"`, `\"`)+`"`, `meta pr`, `meta.version pr`,
		`meta[resourceType eq "User"]`)
	c.agree("Users", scim.UserDefinition(), users, filters)

	filters = nil
	around = func(list ...string) {
		for _, f := range list {
			filters = append(filters, f, "not ("+f+")", f+` and displayName co "a"`, `displayName sw "s" or `+f, f+` and not (displayName eq "all")`)
		}
	}
	for _, id := range []string{ann, sales, nobody, "nonsense"} {
		around(`members eq "`+id+`"`, `members.value eq "`+id+`"`, `members[value eq "`+id+`"]`, `members ne "`+id+`"`,
			`members[value eq "`+id+`" and type eq "User"]`, `members[value eq "`+id+`"].type eq "User"`,
			`members.$ref eq "`+c.base+`/Users/`+id+`"`, `members[$ref ew "`+id+`"]`)
	}
	around(`members pr`, `members eq null`, `members[type eq "Group"]`, `members.type eq "User"`, `members.display eq "ann"`, `members[display sw "the"]`,
		`members.display pr`, `members[type eq "Group" and display co "South"]`, `id eq "`+sales+`" and members eq "`+ann+`"`,
		`members eq "`+ann+`" and members eq "`+bob+`"`, `schemas eq "`+groupURN+`"`, `meta.resourceType eq "Group"`, `meta.location ew "`+all+`"`)
	c.agree("Groups", scim.GroupDefinition(), groups, filters)
}

// shown lists all resources of an endpoint with the attributes.
func (c *client) shown(endpoint, attributes string) []scim.Resource {
	c.t.Helper()
	var list struct{ Resources []scim.Resource }
	decoder := json.NewDecoder(bytes.NewReader(c.get("/" + endpoint + "?attributes=" + url.QueryEscape(attributes)).want(http.StatusOK).raw))
	decoder.UseNumber()
	if err := decoder.Decode(&list); err != nil {
		c.t.Fatal(err)
	}
	if len(list.Resources) < 3 {
		c.t.Fatalf("%s: %d resources", endpoint, len(list.Resources))
	}
	return list.Resources
}

// agree compares what filters find with what they say of the resources.
func (c *client) agree(endpoint string, def scim.Definition, all []scim.Resource, filters []string) {
	c.t.Helper()
	some := 0
	for _, text := range filters {
		f, err := scim.ParseFilter(text)
		if err != nil {
			c.t.Errorf("%s: %v", text, err)
			continue
		}
		var want []string
		for _, r := range all {
			ok, err := scim.Match(f, r, def)
			if err != nil {
				c.t.Errorf("%s: %v", text, err)
			}
			if ok {
				want = append(want, r["id"].(string))
			}
		}
		a := c.get("/" + endpoint + "?attributes=id&filter=" + url.QueryEscape(text))
		if a.status != http.StatusOK {
			c.t.Errorf("%s: %d %s", text, a.status, a.raw)
			continue
		}
		got := a.ids()
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			c.t.Errorf("%s: found %v, want %v", text, got, want)
		}
		if len(want) > 0 && len(want) < len(all) {
			some++
		}
	}
	if some < len(filters)/4 {
		c.t.Errorf("%d of %d filters tell resources apart", some, len(filters))
	}
}

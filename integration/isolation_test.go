//go:build integration

package integration

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// estate are two tenants with the same bases, and what each of them has. Somebody
// has crossed the lines between them by hand, where LDAP lets them.
type estate struct {
	t              *testing.T
	g              *company
	mine, theirs   *client
	d              *tree
	ann, bob, team string // mine; bob's manager is theirs
	eve, crew      string // theirs
	leaving, gone  string // theirs, being deleted and deleted
	others         []string
	before         map[string]map[string][]string // what is theirs, by name
}

func newEstate(t *testing.T) *estate {
	s := settled()
	s.OnExisting = `{adopt: {by: [userName], filter: "(objectClass=*)"}}`
	s.GroupsOnExisting = `{adopt: {by: [displayName], filter: "(objectClass=*)"}}`
	s.Me = "{by: userName, methods: [GET, PUT, PATCH, DELETE]}"
	g, clients := serveTenants(t, s, map[string]*strings.Replacer{"entra": nil})
	e := &estate{t: t, g: g, mine: clients["okta"], theirs: clients["entra"], d: g.tree(t)}
	e.eve = e.theirs.create(person("eve", object{"externalId": "key-eve", "displayName": "Eve Secret", "title": "spy"}))
	e.leaving = e.theirs.create(person("leaving", object{"externalId": "key-leaving"}))
	e.gone = e.theirs.create(person("gone", object{"externalId": "key-gone"}))
	e.theirs.create(person("mallory", object{"externalId": "key-mallory", enterpriseURN: object{"manager": object{"value": e.eve}}}))
	e.crew = e.theirs.post("/Groups", object{"displayName": "crew", "externalId": "key-crew", "members": values(e.eve)}).want(http.StatusCreated).id()
	e.theirs.delete("/Users/" + e.gone).want(http.StatusNoContent)
	e.ann = e.mine.create(person("ann", object{"externalId": "key-ann"}))
	e.bob = e.mine.create(person("bob", object{"externalId": "key-bob"}))
	e.team = e.mine.post("/Groups", object{"displayName": "team", "externalId": "key-team", "members": values(e.ann)}).want(http.StatusCreated).id()

	dn := func(id string) string { return e.d.entry(id).DN }
	e.d.put(dn(e.team), "member", dn(e.eve))
	e.d.put(dn(e.team), "member", dn(e.crew))
	e.d.put(dn(e.crew), "member", dn(e.ann))
	e.d.put(dn(e.crew), "member", dn(e.team))
	e.d.set(dn(e.bob), "manager", dn(e.eve))
	marker := strings.Replace(e.d.entry(e.leaving).GetAttributeValue("scimState"), ":active ", ":deleting ", 1)
	e.d.set(dn(e.leaving), "scimState", marker)
	e.others = []string{e.eve, e.leaving, e.gone, e.crew}
	e.before = e.snapshot()
	return e
}

// snapshot is everything that is theirs, with the version of each entry.
func (e *estate) snapshot() map[string]map[string][]string {
	e.t.Helper()
	all := map[string]map[string][]string{}
	for _, entry := range e.d.named("scimSource", "entra") {
		all[entry.DN] = without(entry)
	}
	if len(all) != 5 {
		e.t.Fatalf("they have %d entries", len(all))
	}
	return all
}

// untouched compares what is theirs with what it was.
func (e *estate) untouched(what string) {
	e.t.Helper()
	if d := cmp.Diff(e.before, e.snapshot()); d != "" {
		e.t.Errorf("%s: what is the other tenant's was changed: %s", what, d)
	}
}

// in returns the same estate for a subtest, which must leave what is theirs as it is.
func (e *estate) in(t *testing.T) *estate {
	other := *e
	other.t, other.mine, other.theirs, other.d = t, e.mine.in(t), e.theirs.in(t), e.d.in(t)
	t.Cleanup(func() { other.untouched(t.Name()) })
	return &other
}

// shows says what of theirs is in an answer; "" is nothing.
func (e *estate) shows(raw []byte) string {
	for _, secret := range append([]string{"eve", "Eve Secret", "key-eve", "crew", "key-crew", "leaving", "gone", "mallory", "entra"}, e.others...) {
		if strings.Contains(string(raw), secret) {
			return secret
		}
	}
	return ""
}

// Two tenants share one directory and one base. Neither reads, finds, refers to,
// changes, removes or takes over what is the other's, by any route: it is 404, as
// if it were not there. Where a reference is sent, that is 400, as for an id of
// nobody; a token of the other is 401; a unique value that is really taken is 409.
func TestTenantsUnderOneBaseAreApart(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	for name, step := range map[string]func(*estate){
		"by id": (*estate).byID, "lists and filters": (*estate).lists, "what is shown": (*estate).shown,
		"references": (*estate).references, "Bulk": (*estate).bulk, "unique values": (*estate).unique,
		"tokens and Me": (*estate).tokens, "commands": (*estate).commands, "life": (*estate).life,
	} {
		t.Run(name, func(t *testing.T) { step(e.in(t)) })
	}
}

// byID asks for what is theirs by its id, with every method.
func (e *estate) byID() {
	for _, id := range e.others {
		for _, endpoint := range []string{"/Users/", "/Groups/"} {
			for _, query := range []string{"", "?attributes=userName", "?attributes=members", "?excludedAttributes=groups"} {
				path := endpoint + id + query
				nobodys := endpoint + here.id + query
				for _, r := range []struct {
					method string
					body   any
				}{
					{"GET", nil}, {"PUT", person("eve2")}, {"PUT", group("crew2", e.ann)}, {"DELETE", nil},
					{"PATCH", object{"Operations": []object{{"op": "replace", "path": "title", "value": "x"}}}},
					{"PATCH", object{"Operations": []object{{"op": "replace", "path": "active", "value": false}}}},
					{"PATCH", object{"Operations": []object{{"op": "replace", "path": "displayName", "value": "x"}}}},
					{"PATCH", object{"Operations": []object{{"op": "add", "path": "members", "value": values(e.ann)}}}},
					{"PATCH", object{"Operations": []object{{"op": "remove", "path": "members", "value": values(e.ann)}}}},
					{"PATCH", object{"Operations": []object{{"op": "remove", "path": "members"}}}},
				} {
					for _, c := range []*client{e.mine, e.mine.with("If-Match", "*"), e.mine.with("If-None-Match", "*")} {
						a, b := c.do(r.method, path, r.body), c.do(r.method, nobodys, r.body)
						if a.status != b.status || strings.ReplaceAll(string(a.raw), id, here.id) != string(b.raw) {
							e.t.Errorf("%s %s is answered otherwise than for nobody: %d %s and %d %s", r.method, path, a.status, a.raw, b.status, b.raw)
						}
						if r.method == "GET" || r.method == "DELETE" {
							a.want(http.StatusNotFound, http.StatusPreconditionFailed)
						}
					}
				}
				if a, err := e.mine.try("HEAD", path, nil); err != nil || a.status != http.StatusNotFound || len(a.raw) > 0 {
					e.t.Errorf("HEAD %s: %v %v", path, a, err)
				}
			}
		}
	}
	for _, endpoint := range []string{"/Users/" + e.eve, "/Groups/" + e.crew} {
		e.mine.get(endpoint).want(http.StatusNotFound)
		e.mine.delete(endpoint).want(http.StatusNotFound)
		e.mine.patch(endpoint, object{"op": "replace", "path": "externalId", "value": "mine now"}).want(http.StatusNotFound)
	}
	e.mine.put("/Users/"+e.eve, person("eve", object{"externalId": "key-eve"})).want(http.StatusNotFound)
	e.mine.put("/Groups/"+e.crew, group("crew", e.ann)).want(http.StatusNotFound)
}

// lists looks for what is theirs in every kind of list.
func (e *estate) lists() {
	everybody := map[string][]string{"Users": {e.ann, e.bob}, "Groups": {e.team}}
	for endpoint, ours := range everybody {
		for _, query := range []string{"", "?sortBy=externalId", "?sortBy=displayName&sortOrder=descending", "?sortBy=id", "?count=1", "?startIndex=2", "?cursor=", "?cursor=&count=1", "?sortBy=meta.created&cursor="} {
			a := e.mine.get("/" + endpoint + query).want(http.StatusOK)
			if got := a.total(); got != len(ours) || e.shows(a.raw) != "" {
				e.t.Errorf("%s%s: %d resources and %q: %s", endpoint, query, got, e.shows(a.raw), a.raw)
			}
		}
	}
	for endpoint, filters := range map[string][]string{
		"Users": {
			`userName eq "eve"`, `userName sw "ev"`, `userName co "v"`, `displayName eq "Eve Secret"`, `title eq "spy"`, `title sw "s"`,
			`externalId eq "key-eve"`, `externalId eq "key-gone"`, `id eq "` + e.eve + `"`, `id eq "` + e.gone + `"`, `id eq "` + e.leaving + `"`, `id co "` + e.eve[1:] + `"`,
			`groups.value eq "` + e.crew + `"`, `groups eq "` + e.crew + `"`, `groups.display eq "crew"`, `groups[display sw "c"]`, `groups.$ref co "` + e.crew + `"`,
			`manager.value eq "` + e.eve + `"`, `manager eq "` + e.eve + `"`, `manager pr`, `manager.displayName co "Eve"`, `manager.$ref co "` + e.eve + `"`, `manager.displayName pr`,
			`meta.location eq "` + e.mine.base + `/Users/` + e.eve + `"`, `meta.location ew "` + e.eve + `"`, `userName eq "ann" and groups.value eq "` + e.crew + `"`,
			`not (userName eq "ann" or userName eq "bob")`, `userName gt "bob"`, `id eq "` + e.crew + `"`,
		},
		"Groups": {
			`displayName eq "crew"`, `displayName co "re"`, `externalId eq "key-crew"`, `id eq "` + e.crew + `"`, `not (id eq "` + e.team + `")`,
			`members.value eq "` + e.eve + `"`, `members eq "` + e.eve + `"`, `members[value eq "` + e.eve + `"]`, `members.value eq "` + e.crew + `"`, `members eq "` + e.leaving + `"`,
			`members.display eq "Eve Secret"`, `members.display sw "c"`, `members.$ref co "` + e.eve + `"`, `members[type eq "Group"]`, `displayName gt "team"`,
		},
	} {
		for _, f := range filters {
			for _, a := range []*answer{
				e.mine.get("/" + endpoint + "?filter=" + url.QueryEscape(f)),
				e.mine.get("/" + endpoint + "?cursor=&filter=" + url.QueryEscape(f)),
				e.mine.post("/"+endpoint+"/.search", object{"filter": f}),
			} {
				if a.want(http.StatusOK).total() != 0 || len(a.resources()) != 0 || e.shows(a.raw) != "" {
					e.t.Errorf("%s: %s finds %s", endpoint, f, a.raw)
				}
			}
			nots := e.mine.find(endpoint, "not ("+f+")")
			if nots.total() != len(everybody[endpoint]) && !strings.HasPrefix(f, "not") {
				e.t.Errorf("%s: not (%s) finds %s", endpoint, f, nots.raw)
			}
		}
	}
	for _, f := range []string{`id eq "` + e.eve + `"`, `id eq "` + e.crew + `"`, `externalId sw "key-e"`, `displayName co "re"`} {
		for _, a := range []*answer{e.mine.get("?filter=" + url.QueryEscape(f)), e.mine.post("/.search", object{"filter": f})} {
			if a.want(http.StatusOK).total() != 0 {
				e.t.Errorf("the root: %s finds %s", f, a.raw)
			}
		}
	}
	if a := e.mine.get("").want(http.StatusOK); a.total() != 3 || e.shows(a.raw) != "" {
		e.t.Errorf("the root lists %s", a.raw)
	}
	for _, endpoint := range []string{"/Users", ""} {
		theirs := e.theirs.get(endpoint + "?cursor=&count=1").text("$.nextCursor")
		if theirs == "" {
			e.t.Fatal("they have no second page")
		}
		e.mine.get(endpoint+"?count=1&cursor="+theirs).wantError(http.StatusBadRequest, "invalidCursor")
		e.mine.post(endpoint+"/.search", object{"cursor": theirs, "count": 1}).wantError(http.StatusBadRequest, "invalidCursor")
		// Walks by index are of a token and a tenant.
		e.theirs.get(endpoint + "?count=1").want(http.StatusOK)
		if a := e.mine.get(endpoint + "?count=1&startIndex=2").want(http.StatusOK); e.shows(a.raw) != "" {
			e.t.Errorf("page 2 shows %s", a.raw)
		}
	}
}

// shown looks at resources of one's own that lead to theirs in the directory.
func (e *estate) shown() {
	for _, path := range []string{
		"/Users/" + e.ann, "/Users/" + e.bob, "/Groups/" + e.team, "/Groups/" + e.team + "?attributes=members.display,members.$ref,members.type",
		"/Users/" + e.bob + "?attributes=manager", "/Users/" + e.ann + "?attributes=groups", "/Users?attributes=manager,groups", "/Groups?attributes=members.display",
	} {
		a := e.mine.get(path).want(http.StatusOK)
		if secret := e.shows(a.raw); secret != "" {
			e.t.Errorf("%s shows %s: %s", path, secret, a.raw)
		}
	}
	if got := e.mine.get("/Groups/" + e.team).members(); !slices.Equal(got, []string{e.ann}) {
		e.t.Errorf("members of team: %v", got)
	}
	if a := e.mine.patch("/Groups/"+e.team+"?attributes=members", object{"op": "add", "path": "members", "value": values(e.bob)}).want(http.StatusOK); e.shows(a.raw) != "" {
		e.t.Errorf("PATCH shows %s", a.raw)
	}
	if a := e.mine.put("/Groups/"+e.team, group("team", e.ann)).want(http.StatusOK); e.shows(a.raw) != "" {
		e.t.Errorf("PUT shows %s", a.raw)
	}
	for _, lost := range []string{e.eve, e.crew} {
		if !e.d.hasMember(e.d.entry(e.team).DN, e.d.entry(lost).DN) {
			e.t.Error("a member that somebody put there by hand is gone")
		}
	}
}

// references refers to what is theirs: that is 400, with the words that an id of
// nobody gets.
func (e *estate) references() {
	for _, id := range e.others {
		for what, send := range map[string]func(id string) *answer{
			"POST manager": func(id string) *answer {
				return e.mine.post("/Users", person("new", object{enterpriseURN: object{"manager": object{"value": id}}}))
			},
			"PUT manager": func(id string) *answer {
				return e.mine.put("/Users/"+e.ann, person("ann", object{enterpriseURN: object{"manager": object{"value": id}}}))
			},
			"PATCH manager": func(id string) *answer {
				return e.mine.patch("/Users/"+e.ann, object{"op": "add", "path": enterpriseURN + ":manager", "value": object{"value": id}})
			},
			"PATCH manager as Entra has it": func(id string) *answer {
				return e.mine.patch("/Users/"+e.ann, object{"op": "Add", "path": enterpriseURN + ":manager", "value": id})
			},
			"POST member":  func(id string) *answer { return e.mine.post("/Groups", group("new", id)) },
			"POST members": func(id string) *answer { return e.mine.post("/Groups", group("new", e.ann, id)) },
			"PUT member":   func(id string) *answer { return e.mine.put("/Groups/"+e.team, group("team", e.ann, id)) },
			"PATCH member": func(id string) *answer {
				return e.mine.patch("/Groups/"+e.team, object{"op": "add", "path": "members", "value": values(id)})
			},
			"PATCH name, too": func(id string) *answer {
				return e.mine.patch("/Groups/"+e.team, object{"op": "add", "path": "members", "value": values(id)}, object{"op": "replace", "path": "displayName", "value": "team"})
			},
			"PATCH all members": func(id string) *answer {
				return e.mine.patch("/Groups/"+e.team, object{"op": "replace", "path": "members", "value": values(e.ann, id)})
			},
		} {
			a, b := send(id), send(here.id)
			if a.status != b.status || strings.ReplaceAll(string(a.raw), id, here.id) != string(b.raw) {
				e.t.Errorf("%s is answered otherwise than for nobody: %d %s and %d %s", what, a.status, a.raw, b.status, b.raw)
			}
			a.want(http.StatusBadRequest)
		}
		// Who is not there needs no removing, and stays where others have put them.
		e.mine.patch("/Groups/"+e.team, object{"op": "remove", "path": "members", "value": values(id)}).want(http.StatusNoContent)
		e.mine.patch("/Groups/"+e.team, object{"op": "remove", "path": `members[value eq "` + id + `"]`}).want(http.StatusNoContent)
	}
	for _, there := range []string{e.eve, e.crew} {
		if !e.d.hasMember(e.d.entry(e.team).DN, e.d.entry(there).DN) {
			e.t.Error("a member that somebody put there by hand is gone")
		}
	}
	if e.mine.find("Users", `userName eq "new"`).total()+e.mine.find("Groups", `displayName eq "new"`).total() != 0 {
		e.t.Error("something was made all the same")
	}
}

// bulk tries the same within a Bulk, by paths of every form.
func (e *estate) bulk() {
	type operation = object
	var operations []operation
	var want []string
	add := func(status string, o operation) {
		operations, want = append(operations, o), append(want, status)
	}
	for _, id := range e.others {
		for _, endpoint := range []string{"/Users/", "Users/", e.mine.base + "/Users/"} {
			add("404", operation{"method": "PUT", "path": endpoint + id, "data": person("eve3")})
			add("404", operation{"method": "PATCH", "path": endpoint + id, "data": object{"Operations": []object{{"op": "replace", "path": "title", "value": "x"}}}})
			add("404", operation{"method": "DELETE", "path": endpoint + id})
		}
		add("404", operation{"method": "PATCH", "path": "/Groups/" + id, "data": object{"Operations": []object{{"op": "add", "path": "members", "value": values(e.ann)}}}})
		add("404", operation{"method": "DELETE", "path": "/Groups/" + id})
		for _, base := range []string{"/entra/scim/v2", e.theirs.base} { // paths of the other tenant are none
			add("400", operation{"method": "DELETE", "path": base + "/Users/" + id})
			add("400", operation{"method": "PATCH", "path": base + "/Groups/" + id, "data": object{"Operations": []object{}}})
		}
		add("400", operation{"method": "POST", "path": "/Groups", "bulkId": "g" + id, "data": group("by bulk", id)})
		add("400", operation{"method": "POST", "path": "/Users", "bulkId": "u" + id, "data": person("bybulk", object{enterpriseURN: object{"manager": object{"value": id}}})})
		add("400", operation{"method": "PATCH", "path": "/Groups/" + e.team, "data": object{"Operations": []object{{"op": "add", "path": "members", "value": values(id)}}}})
	}
	add("409", operation{"method": "POST", "path": "/Users", "bulkId": "eve", "data": person("eve")})
	add("409", operation{"method": "POST", "path": "/Groups", "bulkId": "needs eve", "data": group("needs", "bulkId:eve")})
	for _, body := range []object{{"Operations": operations}} {
		a := e.mine.post("/Bulk", body).want(http.StatusOK)
		results, _ := a.body["Operations"].([]any)
		if len(results) != len(want) {
			e.t.Fatalf("%d results of %d", len(results), len(want))
		}
		for i, r := range results {
			if got := fmt.Sprint(at(r, "$.status")); got != want[i] {
				e.t.Errorf("%v: %v, want %s", operations[i], r, want[i])
			}
		}
	}
}

// unique asks for values that they have. That is a conflict, told in the same
// words as one between two of one's own.
func (e *estate) unique() {
	own := func(send func(name, key string) *answer) [2]*answer {
		return [2]*answer{send("bob", "new"), send("new", "key-bob")}
	}
	for what, send := range map[string]func(name, key string) *answer{
		"POST": func(name, key string) *answer {
			return e.mine.post("/Users", person(name, object{"externalId": key}))
		},
		"PUT": func(name, key string) *answer {
			return e.mine.put("/Users/"+e.ann, person(name, object{"externalId": key}))
		},
		"PATCH": func(name, key string) *answer {
			return e.mine.patch("/Users/"+e.ann, object{"op": "replace", "value": object{"userName": name, "externalId": key}})
		},
	} {
		like := own(send)
		for _, name := range []string{"eve", "EVE", "leaving", "gone"} {
			a := send(name, "new")
			a.wantError(http.StatusConflict, "uniqueness")
			if string(a.raw) != string(like[0].raw) {
				e.t.Errorf("%s: the name of one of theirs: %s\nof one's own: %s", what, a.raw, like[0].raw)
			}
		}
		for _, key := range []string{"key-eve", "key-leaving", "key-gone"} {
			a := send("new", key)
			a.wantError(http.StatusConflict, "uniqueness")
			if string(a.raw) != string(like[1].raw) {
				e.t.Errorf("%s: the key of one of theirs: %s\nof one's own: %s", what, a.raw, like[1].raw)
			}
		}
		send("gone", "key-gone").wantError(http.StatusConflict, "uniqueness") // nobody revives it
		send("eve", "key-eve").wantError(http.StatusConflict, "uniqueness")   // nor takes it over
	}
	e.mine.post("/Groups", group("crew")).wantError(http.StatusConflict, "uniqueness")
	e.mine.post("/Groups", object{"displayName": "new", "externalId": "key-crew"}).wantError(http.StatusConflict, "uniqueness")
	e.mine.put("/Groups/"+e.team, group("crew", e.ann)).wantError(http.StatusConflict, "uniqueness")
	e.mine.patch("/Groups/"+e.team, object{"op": "replace", "path": "displayName", "value": "crew"}).wantError(http.StatusConflict, "uniqueness")
	if got := e.mine.find("Users", `userName pr`).total(); got != 2 {
		e.t.Errorf("there are %d users", got)
	}
}

// tokens tries the token of each tenant at the other's paths, and Me with people
// of the other.
func (e *estate) tokens() {
	for _, path := range []string{"/Users", "/Users/" + e.eve, "/Groups", "/Bulk", "/Me", "/Schemas", "/ServiceProviderConfig", "", "/.search", "/nowhere"} {
		for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
			// Too many wrong tokens from one address are another answer.
			e.mine.at(e.theirs.base).elsewhere(e.t).do(method, path, object{}).wantError(http.StatusUnauthorized, "")
			e.theirs.at(e.mine.base).elsewhere(e.t).do(method, path, object{}).wantError(http.StatusUnauthorized, "")
		}
	}
	code, _, complaint := run(e.t, "token", "create", "--config", e.g.config, "--tenant", "okta", "--subject", "eve")
	if code != 1 || !strings.Contains(complaint, "names nobody") {
		e.t.Errorf("a token for one of theirs: exit code %d: %s", code, complaint)
	}
	eve := e.theirs.with("Authorization", "Bearer "+makeToken(e.t, e.g.config, "entra", "--subject", "eve"))
	eventually(e.t, "the token is known", func() bool {
		a, err := eve.try("GET", "/Me", nil)
		return err == nil && a.status == http.StatusOK
	})
	eve.at(e.mine.base).get("/Me").wantError(http.StatusUnauthorized, "")
	eve.at(e.mine.base).delete("/Me").wantError(http.StatusUnauthorized, "")
}

// commands look at one tenant.
func (e *estate) commands() {
	_, out, complaint := run(e.t, "adopt", "--dry-run", "--config", e.g.config, "--tenant", "okta", "--json")
	if strings.Contains(out, `"adopt"`) || !strings.Contains(out, `"tenant"`) {
		e.t.Errorf("what the dry run says: %s%s", out, complaint)
	}
}

// life lets somebody of one's own be renamed, locked, deleted and made anew, who is
// in one of their groups by hand.
func (e *estate) life() {
	cat := e.mine.create(person("cat", object{"externalId": "key-cat"}))
	e.mine.patch("/Users/"+cat, object{"op": "replace", "path": "active", "value": false}).want(http.StatusOK)
	e.mine.delete("/Users/" + cat).want(http.StatusNoContent)
	e.theirs.post("/Users", person("other", object{"externalId": "key-cat"})).wantError(http.StatusConflict, "uniqueness")
	e.theirs.post("/Users", person("cat", object{"externalId": "key-cat-2"})).wantError(http.StatusConflict, "uniqueness")
	if back := e.mine.create(person("cat", object{"externalId": "key-cat"})); back != cat {
		e.t.Errorf("came back as %s, not %s", back, cat)
	}
	e.mine.delete("/Users/" + cat).want(http.StatusNoContent)
	e.mine.delete("/Groups/" + e.mine.createGroup("passing", e.ann)).want(http.StatusNoContent)
}

//go:build integration

package integration

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

const bulkURN = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"

// bulk sends operations and returns the results by their place.
func (c *client) bulk(operations []object, more ...object) []object {
	c.t.Helper()
	body := object{"schemas": []string{bulkURN}, "Operations": operations}
	for _, m := range more {
		for k, v := range m {
			body[k] = v
		}
	}
	a := c.post("/Bulk", body).want(http.StatusOK)
	list, _ := a.body["Operations"].([]any)
	all := make([]object, len(list))
	for i := range list {
		all[i], _ = list[i].(object)
		response, _ := all[i]["response"].(object)
		if response != nil {
			if detail, _ := response["detail"].(string); detail == "" || strings.Contains(detail, "dc=") || response["status"] != all[i]["status"] {
				c.t.Errorf("operation %d: %v", i, all[i])
			}
		}
	}
	return all
}

// status checks what came of the operations.
func status(t *testing.T, results []object, want ...string) {
	t.Helper()
	var got []string
	for _, r := range results {
		text, _ := r["status"].(string)
		got = append(got, text)
	}
	if !slices.Equal(got, want) {
		t.Fatalf("%v, want %v\n%v", got, want, results)
	}
}

// idOf is the id in the location of a result.
func idOf(r object) string {
	location, _ := r["location"].(string)
	return location[strings.LastIndexByte(location, '/')+1:]
}

func add(path, bulkID string, data object) object {
	return object{"method": "POST", "path": path, "bulkId": bulkID, "data": data}
}

// One request makes a company: the groups come before those who are in them,
// the managers after those who report to them, two groups are in each other and
// so are two people each other's manager.
func TestBulkJourney(t *testing.T) {
	everywhere(t, func(t *testing.T, c *client, d *tree) {
		ann, bob, crew, team, duo := unlike("ann"), unlike("bob"), unlike("crew"), unlike("team"), unlike("duo")
		manager := func(id string) object { return object{enterpriseURN: object{"manager": object{"value": id}}} }
		got := c.bulk([]object{
			add("/Groups", "crew", group(crew, "bulkId:team", "bulkId:ann")),
			add("/Groups", "team", group(team, "bulkId:crew", "bulkId:bob")),
			add("/Groups", "duo", group(duo)),
			{"method": "PATCH", "path": "/Groups/bulkId:duo", "data": []object{{"op": "add", "path": "members", "value": values("bulkId:ann", "bulkId:bob")}}},
			{"method": "PATCH", "path": "/Groups/bulkId:duo", "data": object{"Operations": []object{{"op": "remove", "path": `members[value eq "bulkId:ann"]`}}}},
			add("/Users", "ann", person(ann, manager("bulkId:bob"))),
			add("/Users", "bob", person(bob, manager("bulkId:ann"))),
		})
		status(t, got, "201", "201", "201", "204", "204", "201", "201")
		ids := map[string]string{}
		for _, r := range got {
			if name, _ := r["bulkId"].(string); name != "" {
				ids[name] = idOf(r)
			}
		}
		for name, want := range map[string][]string{"crew": {ids["team"], ids["ann"]}, "team": {ids["crew"], ids["bob"]}, "duo": {ids["bob"]}} {
			members := c.get("/Groups/" + ids[name]).want(http.StatusOK).members()
			slices.Sort(members)
			if slices.Sort(want); !slices.Equal(members, want) {
				t.Errorf("%s has %v, want %v", name, members, want)
			}
		}
		for name, boss := range map[string]string{"ann": "bob", "bob": "ann"} {
			a := c.get("/Users/" + ids[name])
			urn, _ := a.body[enterpriseURN].(object)
			if m, _ := urn["manager"].(object); m["value"] != ids[boss] {
				t.Errorf("the manager of %s is %v", name, urn)
			}
			if inside := d.entry(ids[name]).GetAttributeValue("manager"); inside != d.entry(ids[boss]).DN {
				t.Errorf("the directory has %q", inside)
			}
		}
		for _, r := range got[5:] { // what it says of the version is what is there
			tag := c.get("/Users/" + idOf(r)).header.Get("ETag")
			if tag != r["version"] && !here.touched {
				t.Errorf("the version is %v, GET says %s", r["version"], tag)
			}
		}
		status(t, c.bulk([]object{
			{"method": "DELETE", "path": "/Users/" + ids["ann"]}, {"method": "DELETE", "path": "/Groups/" + ids["crew"]},
			{"method": "PUT", "path": c.base + "/Users/" + ids["bob"], "data": person(bob)},
			add("/Users", "ann", person(ann)),
		}), "204", "204", "200", "201")
		if members := c.get("/Groups/" + ids["team"]).members(); !slices.Equal(members, []string{ids["bob"]}) {
			t.Errorf("the team has %v", members)
		}
	})
}

// A name goes from one to the next in the order of the request, though what is
// independent is done at the same time.
func TestBulkKeepsTheOrder(t *testing.T) {
	t.Parallel()
	c := shared(t).client(t)
	names := []string{unlike("a"), unlike("b"), unlike("c")}
	var ids []string
	for _, n := range names {
		ids = append(ids, c.create(person(n)))
	}
	free := unlike("free")
	rename := func(i int, name string) object {
		return object{"method": "PATCH", "path": "/Users/" + ids[i], "data": []object{{"op": "replace", "path": "userName", "value": name}}}
	}
	for range 5 {
		status(t, c.bulk([]object{
			rename(0, free), rename(1, names[0]), rename(2, names[1]), // everybody moves up
			rename(2, names[2]), rename(1, names[1]), rename(0, names[0]), // and down again
			rename(1, names[0]), // who is there
			{"method": "DELETE", "path": "/Users/" + ids[0]}, rename(1, names[0]), add("/Users", "x", person(names[1])),
			{"method": "DELETE", "path": "/Users/bulkId:x"}, rename(1, names[1]), add("/Users", "y", person(names[0])),
		}), "200", "200", "200", "200", "200", "200", "409", "204", "200", "201", "204", "200", "201")
		found := c.find("Users", `userName eq "`+names[0]+`"`)
		ids[0] = found.ids()[0]
	}
}

// Changes of one person are made in their order, and each sees the last.
func TestBulkChangesOfOnePerson(t *testing.T) {
	t.Parallel()
	c := shared(t).client(t)
	id := c.create(person(unlike("one")))
	var operations []object
	var want []string
	for i := range 40 {
		operations = append(operations, object{"method": "PATCH", "path": "/Users/" + id, "data": []object{{"op": "replace", "path": "title", "value": fmt.Sprint(i)}}})
		want = append(want, "200")
	}
	status(t, c.bulk(operations), want...)
	if got := c.get("/Users/" + id).text("$.title"); got != "39" {
		t.Errorf("the title is %q", got)
	}
}

func TestBulkVersionsAndErrors(t *testing.T) {
	t.Parallel()
	g := shared(t)
	c := g.client(t)
	id := c.create(person(unlike("v")))
	team := c.createGroup(unlike("v"))
	tag, groupTag := c.get("/Users/"+id).header.Get("ETag"), c.get("/Groups/"+team).header.Get("ETag")
	title := func(version, value string) object {
		return object{"method": "PATCH", "path": "/Users/" + id, "version": version, "data": []object{{"op": "replace", "path": "title", "value": value}}}
	}
	join := object{"method": "PATCH", "path": "/Groups/" + team, "version": groupTag, "data": []object{{"op": "add", "path": "members", "value": values(id)}}}
	mark := g.log.mark()
	a := c.post("/Bulk", object{"Operations": []object{title(tag, "x"), title(tag, "y"), join, join,
		{"method": "DELETE", "path": "/Users/" + id, "version": tag}}}).want(http.StatusOK)
	list, _ := a.body["Operations"].([]any)
	var got []string
	for _, r := range list {
		text, _ := r.(object)["status"].(string)
		got = append(got, text)
	}
	if want := []string{"200", "412", "204", "412", "412"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v: %s", got, want, a.raw)
	}
	if text := c.get("/Users/" + id).text("$.title"); text != "x" {
		t.Errorf("the title is %q", text)
	}
	lines := regexp.MustCompile(`(?m)^.*"bulk":"`+a.header.Get("X-Request-Id")+`".*$`).FindAllString(g.log.String()[mark:], -1)
	if len(lines) != 5 {
		t.Errorf("%d lines in the log, want one for each operation:\n%s", len(lines), strings.Join(lines, "\n"))
	}

	taken := unlike("taken")
	status(t, c.bulk([]object{
		add("/Users", "a", person(taken)), add("/Users", "b", person(taken)), add("/Groups", "g", group(unlike("g"), "bulkId:b")),
		add("/Groups", "h", group(unlike("h"), "bulkId:a")), add("/Users", "c", object{"title": "nobody"}),
		{"method": "DELETE", "path": "/Users/" + nobody}, add("/Nothing", "n", object{}),
	}), "201", "409", "409", "201", "400", "404", "400")
	stopped := c.bulk([]object{
		{"method": "PUT", "path": "/Users/" + id, "data": object{}}, {"method": "PUT", "path": "/Users/" + id, "data": person(unlike("p"))},
		{"method": "PUT", "path": "/Users/" + id, "data": object{}}, {"method": "PUT", "path": "/Users/" + id, "data": person(unlike("p"))},
	}, object{"failOnErrors": 2})
	status(t, stopped, "400", "200", "400")

	many := make([]object, 1001)
	for i := range many {
		many[i] = object{"method": "DELETE", "path": "/Users/" + nobody}
	}
	if a := c.post("/Bulk", object{"Operations": many}).want(http.StatusRequestEntityTooLarge); !strings.Contains(a.text("$.detail"), "1000") {
		t.Errorf("the limit is not in %s", a.raw)
	}
	if a := c.post("/Bulk", object{"x": strings.Repeat("x", 1<<20)}).want(http.StatusRequestEntityTooLarge); !strings.Contains(a.text("$.detail"), "1048576") {
		t.Errorf("the limit is not in %s", a.raw)
	}
}

// As many operations as are announced are done in one request, if it has the time
// that a busy machine takes.
func TestBulkOfAThousand(t *testing.T) {
	t.Parallel()
	s := usual()
	s.Timeout, s.BodyBytes = "200s", 1<<20
	c := serve(t, s).client(t)
	prefix := unlike("k")
	operations := []object{add("/Groups", "all", group(prefix))}
	var members []string
	for i := range 999 {
		id := fmt.Sprint("u", i)
		members = append(members, "bulkId:"+id)
		operations = append(operations, add("/Users", id, person(fmt.Sprint(prefix, ".", i), object{"externalId": fmt.Sprint(prefix, i)})))
	}
	operations[0]["data"] = group(prefix, members...)
	start := time.Now()
	for i, r := range c.bulk(operations) {
		if r["status"] != "201" {
			t.Fatalf("operation %d: %v", i, r)
		}
	}
	t.Logf("1,000 operations in %s", time.Since(start))
	found := c.find("Groups", `displayName eq "`+prefix+`"`)
	if n := len(c.get("/Groups/" + found.ids()[0]).members()); n != 999 {
		t.Errorf("the group has %d members", n)
	}
}

// The directory dies in the middle of a Bulk: every operation is done or a 503,
// and the same Bulk again makes those who are missing, and nobody twice.
func TestDirectoryDiesInABulk(t *testing.T) {
	t.Parallel()
	s := usual()
	s.Timeout = "4s"
	g := serve(t, s)
	c := g.client(t)
	var operations []object
	for i := range here.bulk {
		operations = append(operations, add("/Users", fmt.Sprint(i), object{"userName": fmt.Sprint("b", i), "externalId": fmt.Sprint("b", i)}))
	}
	answered := make(chan []object)
	go func() {
		defer close(answered)
		a, err := c.try("POST", "/Bulk", object{"Operations": operations})
		if err != nil || a.status != http.StatusOK {
			t.Errorf("%v %v", a, err)
			return
		}
		list, _ := a.body["Operations"].([]any)
		results := make([]object, len(list))
		for i := range list {
			results[i], _ = list[i].(object)
		}
		answered <- results
	}()
	eventually(t, "some are made", func() bool { return strings.Count(g.log.String(), `"status":201`) > 20 })
	if err := g.server.Kill(); err != nil {
		t.Fatal(err)
	}
	first := <-answered
	if len(first) != len(operations) {
		t.Fatalf("%d answers", len(first))
	}
	counts := map[any]int{}
	for _, r := range first {
		counts[r["status"]]++
	}
	if counts["201"] < 20 || counts["503"] == 0 || counts["201"]+counts["503"] != len(operations) {
		t.Errorf("%v", counts)
	}
	if err := g.server.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	g.awaitHealthy(t)
	// What could not be done is sent again, as an identity provider does.
	before := first
	eventually(t, "all are made", func() bool {
		done := true
		for i, r := range c.bulk(operations) {
			switch was := before[i]["status"]; {
			case r["status"] == "503" && was == "503":
				done = false
			case r["status"] == "409", r["status"] == "201" && was == "503":
				before[i] = r
			default:
				t.Errorf("operation %d: %v, and before %v", i, r, before[i])
			}
		}
		return done
	})
	d := g.tree(t)
	if n := len(d.search("(uid=b*)")); n != len(operations) {
		t.Errorf("%d people, want %d", n, len(operations))
	}
}

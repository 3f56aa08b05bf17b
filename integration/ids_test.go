//go:build integration

package integration

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// Ids compare without case wherever a client sends them, and answers have the
// directory's spelling.
func TestIdsInCapitals(t *testing.T) {
	t.Parallel()
	c := shared(t).client(t)
	capital := strings.ToUpper
	ann, bob, cyd := c.create(person(unlike("ann"))), c.create(person(unlike("bob"))), c.create(person(unlike("cyd")))
	team := unlike("team")
	id := c.createGroup(team, capital(ann))
	members := func(step string, want ...string) {
		t.Helper()
		slices.Sort(want)
		got := c.get("/Groups/" + id).members()
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", step, got, want)
		}
	}
	members("POST", ann)
	c.put("/Groups/"+id, group(team, ann, capital(ann), capital(bob))).want(http.StatusOK)
	members("PUT", ann, bob)
	version := c.get("/Groups/" + id).text("$.meta.version")
	c.put("/Groups/"+id, group(team, capital(ann), bob)).want(http.StatusOK)
	c.patch("/Groups/"+capital(id), object{"op": "add", "path": "members", "value": values(capital(ann), bob)}).want(http.StatusNoContent)
	c.patch("/Groups/"+id, object{"op": "replace", "path": "members", "value": values(capital(bob), ann)}).want(http.StatusNoContent)
	members("the same", ann, bob)
	if got := c.get("/Groups/" + id).text("$.meta.version"); got != version {
		t.Errorf("the same members made %s of %s", got, version)
	}
	for step, operations := range map[string][]object{
		"filter":               {{"op": "remove", "path": `members[value eq "` + capital(bob) + `"]`}},
		"filter of two parts":  {{"op": "remove", "path": `members[value eq "` + capital(bob) + `" and type eq "User"]`}},
		"value":                {{"op": "remove", "path": "members", "value": values(capital(bob))}},
		"the last word":        {{"op": "add", "path": "members", "value": values(bob)}, {"op": "remove", "path": "members", "value": values(capital(bob))}},
		"among the whole list": {{"op": "replace", "path": "members", "value": values(ann, bob)}, {"op": "remove", "path": "members", "value": values(capital(bob))}},
	} {
		c.patch("/Groups/"+id, object{"op": "add", "path": "members", "value": values(bob)}).want(http.StatusNoContent)
		c.patch("/Groups/"+id, operations...).want(http.StatusNoContent)
		members(step, ann)
	}

	boss := object{"manager": object{"value": capital(ann)}}
	p := person(unlike("dan"), object{enterpriseURN: boss})
	dan := c.create(p)
	before := c.get("/Users/" + dan)
	if got := at(before.body[enterpriseURN], "$.manager.value"); got != ann {
		t.Errorf("the manager is %v, want %s", got, ann)
	}
	after := c.put("/Users/"+capital(dan), p).want(http.StatusOK)
	if after.text("$.meta.version") != before.text("$.meta.version") || after.id() != dan || !strings.HasSuffix(after.text("$.meta.location"), dan) {
		t.Errorf("the same manager: %v after %v", after.body["meta"], before.body["meta"])
	}
	c.patch("/Users/"+dan, object{"op": "replace", "path": enterpriseURN + ":manager.value", "value": capital(ann)}).want(http.StatusOK, http.StatusNoContent)
	if got := c.get("/Users/" + dan).text("$.meta.version"); got != before.text("$.meta.version") {
		t.Error("the same manager, patched, makes a new version")
	}
	for filter, want := range map[string]string{
		`groups.value eq "` + capital(id) + `"`:                        ann,
		`groups[value eq "` + capital(id) + `"]`:                       ann,
		enterpriseURN + `:manager.value eq "` + capital(ann) + `"`:     dan,
		enterpriseURN + `:manager.value eq "` + capital(ann[:8]) + `"`: "",
		`id eq "` + capital(bob) + `"`:                                 bob,
	} {
		if got := strings.Join(c.find("/Users", filter).ids(), " "); got != want {
			t.Errorf("%s finds %s, want %s", filter, got, want)
		}
	}

	results := c.bulk([]object{
		{"method": "PATCH", "path": "/Groups/" + capital(id), "data": object{"schemas": []string{patchURN}, "Operations": []object{{"op": "add", "path": "members", "value": values(capital(cyd), cyd)}}}},
		{"method": "PATCH", "path": "/Users/" + capital(cyd), "data": object{"schemas": []string{patchURN}, "Operations": []object{{"op": "replace", "path": "title", "value": "x"}}}},
		{"method": "DELETE", "path": "/Users/" + capital(bob)},
	})
	status(t, results, "204", results[1]["status"].(string), "204")
	if got, want := fmt.Sprint(idOf(results[0]), idOf(results[1]), idOf(results[2])), fmt.Sprint(id, cyd, bob); got != want {
		t.Errorf("locations %s, want %s", got, want)
	}
	members("Bulk", ann, cyd)
}

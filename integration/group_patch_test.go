//go:build integration

package integration

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// writes is a directory's own list of the writes that it has made.
type writes struct {
	t    *testing.T
	file string
	seen int
}

// listing adds the list to a site.
func listing(t *testing.T, s *site) *writes {
	w := &writes{t: t, file: filepath.Join(t.TempDir(), "writes.ldif")}
	s.Overlays = append(s.Overlays, "auditlog\nauditlog "+w.file)
	return w
}

// since returns the kinds of the writes that were made since it was last asked.
func (w *writes) since() []string {
	w.t.Helper()
	text, err := os.ReadFile(w.file)
	if err != nil {
		w.t.Fatal(err)
	}
	var kinds []string
	for _, line := range strings.Split(string(text), "\n") {
		if kind, ok := strings.CutPrefix(line, "changetype: "); ok {
			kinds = append(kinds, kind)
		}
	}
	w.seen, kinds = len(kinds), kinds[w.seen:]
	return kinds
}

// A PATCH of a group's attributes and members at once is one write, made whole
// or not at all; one that changes nothing is none.
func TestPatchOfAttributesAndMembersIsOneWrite(t *testing.T) {
	t.Parallel()
	s := usual()
	list := listing(t, &s)
	g := serve(t, s)
	c, d := g.client(t), g.tree(t)
	var p []string
	for range 4 {
		p = append(p, c.create(person(unlike("p"))))
	}
	name := unlike("team")
	id := c.createGroup(name, p[0], p[1])
	call := func(value string) object { return object{"op": "replace", "path": "externalId", "value": value} }
	rename := func(value string) object { return object{"op": "replace", "path": "displayName", "value": value} }
	add := func(ids ...string) object { return object{"op": "add", "path": "members", "value": values(ids...)} }
	drop := func(id string) object { return object{"op": "remove", "path": `members[value eq "` + id + `"]`} }
	version := func() string { return c.get("/Groups/" + id).text("$.meta.version") }
	for _, tc := range []struct {
		name       string
		operations []object
		status     int
		writes     []string
		members    []string // afterwards
	}{
		{"add two, remove one", []object{call("a"), add(p[1], p[2]), drop(p[0])}, 204, []string{"modify"}, []string{p[1], p[2]}},
		{"the same again", []object{call("a"), add(p[1], p[2]), drop(p[0])}, 204, nil, []string{p[1], p[2]}},
		{"partly so", []object{add(p[1], p[3]), call("b"), drop(p[0])}, 204, []string{"modify"}, []string{p[1], p[2], p[3]}},
		{"attributes only", []object{call("c"), add(p[1])}, 204, []string{"modify"}, []string{p[1], p[2], p[3]}},
		{"members only", []object{call("c"), drop(p[3])}, 204, []string{"modify"}, []string{p[1], p[2]}},
		{"all go", []object{call("d"), drop(p[1]), drop(p[2])}, 204, []string{"modify"}, nil},
		{"one comes", []object{call("e"), add(p[0])}, 204, []string{"modify"}, []string{p[0]}},
		{"with a new name", []object{rename(name + "x"), call("f"), add(p[1]), drop(p[0])}, 204, []string{"modify", "modrdn", "modify"}, []string{p[1]}},
		{"no such member", []object{call("g"), add(p[0], nobody)}, 400, nil, []string{p[1]}},
		{"no name", []object{call("g"), add(p[0]), rename("")}, 400, nil, []string{p[1]}},
		{"too long a name", []object{call("g"), rename(strings.Repeat("x", 2000)), add(p[0]), drop(p[1])}, 400, []string{"modify", "modify"}, []string{p[1]}}, // and back
		{"alone: is there", []object{add(p[1])}, 204, nil, []string{p[1]}},
		{"alone: is not there", []object{drop(p[0])}, 204, nil, []string{p[1]}},
		{"alone: partly so", []object{drop(p[0]), add(p[1], p[2])}, 204, []string{"modify"}, []string{p[1], p[2]}},
	} {
		list.since()
		before, entry := version(), d.entry(id)
		c.patch("/Groups/"+id, tc.operations...).want(tc.status)
		if made := list.since(); !slices.Equal(made, tc.writes) {
			t.Errorf("%s: the writes are %v, want %v", tc.name, made, tc.writes)
		}
		if same := version() == before; same != (len(tc.writes) == 0) {
			t.Errorf("%s: the same version: %v", tc.name, same)
		}
		if tc.status != http.StatusNoContent {
			was, is := without(entry, "entryCSN", "modifyTimestamp"), without(d.entry(id), "entryCSN", "modifyTimestamp")
			if fmt.Sprint(was) != fmt.Sprint(is) {
				t.Errorf("%s: %v became %v", tc.name, was, is)
			}
		}
		got := c.get("/Groups/" + id).members()
		if slices.Sort(got); !slices.Equal(got, slices.Sorted(slices.Values(tc.members))) {
			t.Errorf("%s: the members are %v, want %v", tc.name, got, tc.members)
		}
	}
	tag := c.get("/Groups/" + id).header.Get("ETag")
	for _, operations := range [][]object{{call("f"), add(p[3])}, {call("h"), add(p[3])}, {add(p[3])}} {
		c.with("If-Match", `W/"other"`).patch("/Groups/"+id, operations...).want(http.StatusPreconditionFailed)
		c.with("If-Match", "*").patch("/Groups/"+id, operations...).want(http.StatusNoContent)
		c.with("If-Match", tag).patch("/Groups/"+id, drop(p[3]), call("i")).want(http.StatusPreconditionFailed)
		tag = c.get("/Groups/" + id).header.Get("ETag")
		c.with("If-Match", tag).patch("/Groups/"+id, drop(p[3]), operations[0]).want(http.StatusNoContent)
	}
}

// Clients that patch attributes and members of one group at once lose nothing
// of each other.
func TestPatchesOfAttributesAndMembersAtOnce(t *testing.T) {
	everywhere(t, func(t *testing.T, c *client, d *tree) {
		const n = 8
		leave, come := make([]string, n), make([]string, n)
		for i := range n {
			leave[i], come[i] = c.create(person(unlike("leave"))), c.create(person(unlike("come")))
		}
		common := c.create(person(unlike("common")))
		id := c.createGroup(unlike("team"), leave...)
		var mu sync.Mutex
		var said []string
		got := statuses(t, c, 2*n, func(i int) (string, string, any) {
			members := []object{
				{"op": "add", "path": "members", "value": values(come[i/2], common)},
				{"op": "remove", "path": `members[value eq "` + leave[i/2] + `"]`},
			}
			if i%2 == 0 { // some change members alone, beside the others
				return "PATCH", "/Groups/" + id, object{"Operations": members}
			}
			value := unlike("external")
			mu.Lock()
			said = append(said, value)
			mu.Unlock()
			return "PATCH", "/Groups/" + id, object{"Operations": append(members, object{"op": "replace", "path": "externalId", "value": value})}
		})
		if got[http.StatusNoContent] != 2*n {
			t.Errorf("answers %v", got)
		}
		group := c.get("/Groups/" + id)
		members := group.members()
		want := append(slices.Clone(come), common)
		if slices.Sort(members); !slices.Equal(members, slices.Sorted(slices.Values(want))) {
			t.Errorf("the members are %v, want %v", members, want)
		}
		if !slices.Contains(said, group.text("$.externalId")) {
			t.Errorf("externalId %q is nobody's", group.text("$.externalId"))
		}
	})
}

//go:build integration

package integration

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// world is one of two equal companies: what happens in one as a Bulk happens in
// the other request by request.
type world struct {
	c             *client
	prefix        string
	users, groups []string // ids
	tags          map[string]string
}

func newWorld(c *client) *world {
	w := &world{c: c, prefix: unlike("w"), tags: map[string]string{}}
	for i := range 5 {
		w.users = append(w.users, c.create(person(w.name(i))))
	}
	for i := range 3 {
		w.groups = append(w.groups, c.createGroup(w.name(i), w.users[i], w.users[i+1]))
	}
	for _, path := range w.paths() {
		w.tags[path] = c.get(path).header.Get("ETag")
	}
	return w
}

func (w *world) name(i int) string { return fmt.Sprint(w.prefix, ".", i) }

func (w *world) paths() []string {
	var all []string
	for _, id := range w.users {
		all = append(all, "/Users/"+id)
	}
	for _, id := range w.groups {
		all = append(all, "/Groups/"+id)
	}
	return all
}

// story is an operation that can be told in any world. made are the bulkIds of
// creates before it.
type story func(w *world) object

func tell(r *rand.Rand, number int, made *[]string) story {
	u, v, g, n := r.IntN(5), r.IntN(5), r.IntN(3), r.IntN(8)
	user := func(w *world) string { return "/Users/" + w.users[u] }
	team := func(w *world) string { return "/Groups/" + w.groups[g] }
	patch := func(path func(*world) string, version bool, op string, attribute func(*world) string, value func(*world) any) story {
		return func(w *world) object {
			o := object{"op": op, "path": attribute(w)}
			if value != nil {
				o["value"] = value(w)
			}
			made := object{"method": "PATCH", "path": path(w), "data": object{"Operations": []object{o}}}
			if version {
				made["version"] = w.tags[path(w)]
			}
			return made
		}
	}
	text := func(s string) func(*world) string { return func(*world) string { return s } }
	title := func(*world) any { return fmt.Sprint("title ", number) }
	one := func(w *world) any { return values(w.users[v]) }
	id := fmt.Sprint("made", number)
	switch k := r.IntN(17); k {
	case 0, 1:
		*made = append(*made, id)
		return func(w *world) object { return add("/Users", id, person(w.name(n), object{"title": title(w)})) }
	case 2:
		return func(w *world) object { return object{"method": "DELETE", "path": user(w)} }
	case 3, 4:
		return patch(user, false, "replace", text("userName"), func(w *world) any { return w.name(n) })
	case 5:
		return patch(user, false, "replace", text("title"), title)
	case 6:
		return func(w *world) object {
			return object{"method": "PUT", "path": user(w), "data": person(w.name(n), object{"title": title(w)})}
		}
	case 7:
		return patch(team, false, "add", text("members"), one)
	case 8:
		return patch(team, false, "remove", func(w *world) string { return `members[value eq "` + w.users[v] + `"]` }, nil)
	case 9:
		return func(w *world) object {
			return object{"method": "PUT", "path": team(w), "data": group(w.name(n), w.users[u], w.users[v])}
		}
	case 10:
		return patch(team, false, "replace", text("displayName"), func(w *world) any { return w.name(n) })
	case 11:
		return func(w *world) object { return object{"method": "DELETE", "path": team(w)} }
	case 12:
		return patch(user, true, "replace", text("title"), title)
	case 13:
		return patch(team, true, "add", text("members"), one)
	case 14:
		return patch(user, false, "replace", text(enterpriseURN+":manager"), func(w *world) any { return object{"value": w.users[v]} })
	case 15:
		return func(w *world) object {
			return object{"method": "DELETE", "path": user(w), "version": w.tags[user(w)]}
		}
	}
	if len(*made) == 0 {
		return tell(r, number, made)
	}
	before := (*made)[r.IntN(len(*made))]
	*made = append(*made, id)
	return func(w *world) object { return add("/Groups", id, group(w.name(n), "bulkId:"+before, w.users[u])) }
}

// alone does an operation as a request of its own, with the ids of those that
// were made before.
func (w *world) alone(o object, made map[string]string) string {
	data := o["data"]
	if d, ok := data.(object); ok {
		if members, ok := d["members"].([]object); ok {
			for _, m := range members {
				text, _ := m["value"].(string)
				if id, refers := strings.CutPrefix(text, "bulkId:"); refers {
					if m["value"], ok = made[id], made[id] != ""; !ok {
						return "409"
					}
				}
			}
		}
	}
	c := w.c
	if version, ok := o["version"].(string); ok {
		c = c.with("If-Match", version)
	}
	method, _ := o["method"].(string)
	path, _ := o["path"].(string)
	a := c.do(method, path, data)
	if id, ok := o["bulkId"].(string); ok && a.status == http.StatusCreated {
		made[id] = a.id()
	}
	return fmt.Sprint(a.status)
}

// state is what everybody in the world looks like, without ids and versions.
func (w *world) state() []string {
	w.c.t.Helper()
	names := map[string]string{}
	var all []string
	for i := range 8 {
		for _, r := range w.c.find("Users", `userName eq "`+w.name(i)+`"`).resources() {
			id, _ := r["id"].(string)
			names[id] = fmt.Sprint("user ", i)
		}
	}
	for i := range 8 {
		for _, r := range w.c.find("Users", `userName eq "`+w.name(i)+`"`).resources() {
			urn, _ := r[enterpriseURN].(object)
			manager, _ := urn["manager"].(object)
			boss, _ := manager["value"].(string)
			all = append(all, fmt.Sprint("user ", i, " ", r["title"], " reports to ", names[boss]))
		}
		for _, r := range w.c.find("Groups", `displayName eq "`+w.name(i)+`"`).resources() {
			var members []string
			for _, id := range (&answer{t: w.c.t, body: r}).members() {
				members = append(members, names[id])
			}
			slices.Sort(members)
			all = append(all, fmt.Sprint("group ", i, " ", members))
		}
	}
	return all
}

// A Bulk, much of which is done at the same time, comes to what its operations
// come to one after the other.
func TestBulkEqualsItsRequests(t *testing.T) {
	t.Parallel()
	c := shared(t).client(t)
	for seed := range uint64(10) {
		r := rand.New(rand.NewPCG(seed, 7))
		together, single := newWorld(c), newWorld(c)
		var made []string
		var operations []object
		var want []string
		ids := map[string]string{}
		for i := range 30 {
			s := tell(r, i, &made)
			operations = append(operations, s(together))
			want = append(want, single.alone(s(single), ids))
		}
		var got []string
		for _, r := range together.c.bulk(operations) {
			got = append(got, fmt.Sprint(r["status"]))
		}
		if !slices.Equal(got, want) {
			for i := range got {
				if got[i] != want[i] {
					t.Errorf("seed %d: operation %d is %s, alone %s: %v", seed, i, got[i], want[i], operations[i])
				}
			}
		}
		if a, b := together.state(), single.state(); !slices.Equal(a, b) {
			t.Errorf("seed %d: as a Bulk\n%s\nalone\n%s", seed, strings.Join(a, "\n"), strings.Join(b, "\n"))
		}
		if t.Failed() {
			t.Fatalf("the Bulk was %v", operations)
		}
	}
}

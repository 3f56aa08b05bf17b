//go:build integration

package integration

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
)

const clients = 32

// together does something n times at once and returns when all are done.
func together(n int, do func(i int)) {
	var work sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		work.Go(func() {
			<-start
			do(i)
		})
	}
	close(start)
	work.Wait()
}

// statuses sends requests at once and counts the answers by status.
func statuses(t *testing.T, c *client, n int, request func(i int) (method, path string, body any)) map[int]int {
	t.Helper()
	var mu sync.Mutex
	counts := map[int]int{}
	together(n, func(i int) {
		method, path, body := request(i)
		a, err := c.try(method, path, body)
		mu.Lock()
		defer mu.Unlock()
		if err != nil {
			t.Errorf("%s %s: %v", method, path, err)
			return
		}
		a.check()
		counts[a.status]++
	})
	return counts
}

// The same person is created once, however many clients try at the same time,
// and so is one with the same stable key or a group with the same name.
func TestCreatedOnce(t *testing.T) {
	t.Parallel()
	g := shared(t)
	c, d := g.client(t), g.tree(t)
	name := unlike("once")
	for what, try := range map[string]struct {
		endpoint, filter string
		make             func(i int) object
	}{
		"userName": {"/Users", "(uid=" + name + ")",
			func(i int) object { return person(name, object{"externalId": fmt.Sprint(name, i)}) }},
		"userName in another case": {"/Users", "(uid=x" + name + ")",
			func(i int) object { return person([]string{"x", "X"}[i%2] + name) }},
		"externalId": {"/Users", "(scimExternalId=" + name + ")",
			func(i int) object { return person(fmt.Sprint(name, ".", i), object{"externalId": name}) }},
		"displayName": {"/Groups", "(&(objectClass=" + here.groups[0].class + ")(cn=team " + name + "))", func(int) object { return group("team " + name) }},
	} {
		got := statuses(t, c, clients, func(i int) (string, string, any) { return "POST", try.endpoint, try.make(i) })
		if want := map[int]int{http.StatusCreated: 1, http.StatusConflict: clients - 1}; !maps.Equal(got, want) {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
		if found := d.search(try.filter); len(found) != 1 {
			t.Errorf("%s: %d entries", what, len(found))
		}
	}
}

// The same tombstone is revived once.
func TestRevivedOnce(t *testing.T) {
	t.Parallel()
	g := shared(t)
	c, d := g.client(t), g.tree(t)
	name := unlike("lazarus")
	p := person(name, object{"externalId": name})
	id := c.create(p)
	c.delete("/Users/" + id).want(http.StatusNoContent)
	got := statuses(t, c, clients, func(int) (string, string, any) { return "POST", "/Users", p })
	if want := map[int]int{http.StatusCreated: 1, http.StatusConflict: clients - 1}; !maps.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if found := d.search("(scimExternalId=" + name + ")"); len(found) != 1 || found[0].GetAttributeValue("entryUUID") != id {
		t.Errorf("%d entries", len(found))
	}
}

// Two people never get one name by being renamed to it at once.
func TestRenamedToOneName(t *testing.T) {
	t.Parallel()
	g := shared(t)
	c, d := g.client(t), g.tree(t)
	ids := make([]string, 8)
	for i := range ids {
		ids[i] = c.create(person(unlike("many")))
	}
	name := unlike("one")
	got := statuses(t, c, len(ids), func(i int) (string, string, any) { return "PUT", "/Users/" + ids[i], person(name) })
	if want := map[int]int{http.StatusOK: 1, http.StatusConflict: len(ids) - 1}; !maps.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if found := d.named("uid", name); len(found) != 1 {
		t.Errorf("%d entries have the name", len(found))
	}
}

// Members that many clients add to one group at once are all there.
func TestMembersAddedAtOnce(t *testing.T) {
	everywhere(t, func(t *testing.T, c *client, d *tree) {
		team := c.createGroup(unlike("busy"))
		ids := make([]string, clients)
		for i := range ids {
			ids[i] = c.create(person(unlike("m")))
		}
		got := statuses(t, c, clients, func(i int) (string, string, any) {
			return "PATCH", "/Groups/" + team, memberPatch("add", ids[i])
		})
		if got[http.StatusNoContent] != clients {
			t.Errorf("%v, want %d times 204", got, clients)
		}
		members := c.get("/Groups/" + team).members()
		if slices.Sort(members); !slices.Equal(members, slices.Sorted(slices.Values(ids))) {
			t.Errorf("%d members, want %d", len(members), clients)
		}
		if inside := d.entry(team).GetAttributeValues("member"); len(inside) != clients {
			t.Errorf("%d members in the directory, want %d", len(inside), clients)
		}
	})
}

func memberPatch(op, id string) object {
	operation := object{"op": "add", "path": "members", "value": values(id)}
	if op == "remove" {
		operation = object{"op": "remove", "path": `members[value eq "` + id + `"]`}
	}
	return object{"schemas": []string{patchURN}, "Operations": []object{operation}}
}

// Members come and go at once, the last one too: who was added last is there,
// who was removed last is not, and the group never gets stuck.
func TestMembersComeAndGoAtOnce(t *testing.T) {
	everywhere(t, func(t *testing.T, c *client, d *tree) {
		team := c.createGroup(unlike("revolving"))
		ids := make([]string, 12)
		for i := range ids {
			ids[i] = c.create(person(unlike("r")))
		}
		const turns = 4
		got := map[int]int{}
		var mu sync.Mutex
		together(len(ids), func(i int) {
			for turn := range turns + i%2 { // the odd ones end inside
				op := []string{"add", "remove"}[turn%2]
				a, err := c.try("PATCH", "/Groups/"+team, memberPatch(op, ids[i]))
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				got[a.status]++
				mu.Unlock()
			}
		})
		if len(got) != 1 || got[http.StatusNoContent] == 0 {
			t.Errorf("answers %v, want 204 only", got)
		}
		var want []string
		for i, id := range ids {
			if i%2 == 1 {
				want = append(want, id)
			}
		}
		members := c.get("/Groups/" + team).members()
		if slices.Sort(members); !slices.Equal(members, slices.Sorted(slices.Values(want))) {
			t.Errorf("%d members, want %d", len(members), len(want))
		}
		for _, id := range want {
			c.do("PATCH", "/Groups/"+team, memberPatch("remove", id)).want(http.StatusNoContent)
		}
		if inside := d.entry(team).GetAttributeValue("member"); inside != here.groups[0].empty {
			t.Errorf("the empty group has %v", inside)
		}
	})
}

// Changes of different attributes of one person at once are all kept, and so
// are a deactivation and a new place in a group among them.
func TestChangesOfOnePersonAtOnce(t *testing.T) {
	t.Parallel()
	g := shared(t)
	c, d := g.client(t), g.tree(t)
	id := c.create(person(unlike("patched")))
	team := c.createGroup(unlike("team"))
	paths := []string{
		"displayName", "nickName", "title", "userType", "preferredLanguage", "locale", "timezone", "profileUrl", "externalId",
		"name.givenName", "name.familyName", "name.middleName", "name.honorificPrefix", "name.honorificSuffix",
		`emails[type eq "work"].value`, `emails[type eq "home"].value`, `emails[type eq "other"].value`,
		`phoneNumbers[type eq "work"].value`, `phoneNumbers[type eq "mobile"].value`, `phoneNumbers[type eq "home"].value`,
		`phoneNumbers[type eq "pager"].value`, `addresses[type eq "work"].streetAddress`, `addresses[type eq "work"].locality`,
		`addresses[type eq "work"].region`, `addresses[type eq "work"].postalCode`, `addresses[type eq "work"].country`,
		enterpriseURN + ":employeeNumber", enterpriseURN + ":department", enterpriseURN + ":division",
		enterpriseURN + ":costCenter", enterpriseURN + ":organization",
	}
	value := func(i int) string { return fmt.Sprintf("%d%06d", i%9+1, i) } // fits a telephone number too
	got := statuses(t, c, clients, func(i int) (string, string, any) {
		if i < len(paths) {
			return "PATCH", "/Users/" + id, object{"Operations": []object{{"op": "Replace", "path": paths[i], "value": value(i)}}}
		}
		return "PATCH", "/Groups/" + team, memberPatch("add", id)
	})
	if got[http.StatusOK] != len(paths) {
		t.Errorf("%v, want %d times 200", got, len(paths))
	}
	inside := map[string]bool{}
	for _, a := range d.entry(id).Attributes {
		for _, v := range a.Values {
			inside[v] = true
		}
	}
	for i, path := range paths {
		if !inside[value(i)] {
			t.Errorf("%s is lost in the directory", path)
		}
		if found := c.find("Users", `id eq "`+id+`" and `+path+` eq "`+value(i)+`"`); found.total() != 1 {
			t.Errorf("%s is lost over SCIM", path)
		}
	}
}

// A PUT and a deactivation at once never end with a person who gets in though
// the last word was no.
func TestDeactivationAmongChanges(t *testing.T) {
	t.Parallel()
	g := shared(t)
	c, d := g.client(t), g.tree(t)
	name := unlike("contested")
	id := c.create(person(name, object{"password": oldPass}))
	silent := person(name)
	delete(silent, "active")
	got := statuses(t, c, 12, func(i int) (string, string, any) {
		switch i % 3 {
		case 0:
			return "PATCH", "/Users/" + id, []byte(oktaOff)
		case 1:
			return "PUT", "/Users/" + id, silent
		}
		return "PATCH", "/Users/" + id, object{"Operations": []object{{"op": "replace", "value": object{"password": newPas}}}}
	})
	if got[http.StatusOK] != 12 {
		t.Errorf("%v, want 200 only", got)
	}
	if d.opens(id, oldPass) || d.opens(id, newPas) {
		t.Error("gets in")
	}
}

// Entra ID sends a tenant 25 requests in a second, of every kind. All are
// answered, and each with what its sender asked for.
func TestRule31TwentyFiveClientsAtOnce(t *testing.T) {
	t.Parallel()
	const senders = 25
	c := shared(t).client(t)
	team := c.createGroup(unlike("busy"))
	ids := make([]string, senders)
	var failed atomic.Int32
	send := func(i int, method, path string, body any, status int) *answer {
		a, err := c.try(method, path, body)
		if err != nil || a.status != status {
			t.Errorf("client %d, %s %s: %v %v", i, method, path, err, a)
			failed.Add(1)
			return nil
		}
		return a
	}
	operation := func(o object) object { return object{"schemas": []string{patchURN}, "Operations": []object{o}} }
	together(senders, func(i int) {
		name := unlike("busy")
		a := send(i, "POST", "/Users", person(name), http.StatusCreated)
		if a == nil {
			return
		}
		ids[i] = a.id()
		title := fmt.Sprint("number ", i)
		a = send(i, "PATCH", "/Users/"+ids[i], operation(op("replace", "title", title)), http.StatusOK)
		if a == nil || a.text("$.title") != title || a.text("$.userName") != name {
			t.Errorf("client %d: the PATCH of %s answers %v", i, name, a)
		}
		a = send(i, "GET", "/Users?filter="+url.QueryEscape(`userName eq "`+name+`"`), nil, http.StatusOK)
		if a == nil || !slices.Equal(a.ids(), ids[i:i+1]) {
			t.Errorf("client %d: the search for %s answers %v", i, name, a)
		}
		send(i, "PATCH", "/Groups/"+team, operation(object{"op": "add", "path": "members", "value": values(ids[i])}), http.StatusNoContent)
		a = send(i, "GET", "/Users/"+ids[i], nil, http.StatusOK)
		if a == nil || a.text("$.userName") != name || a.text("$.title") != title {
			t.Errorf("client %d: the GET of %s answers %v", i, name, a)
		}
	})
	if failed.Load() > 0 {
		return
	}
	members := c.get("/Groups/" + team).members()
	slices.Sort(members)
	slices.Sort(ids)
	if !slices.Equal(members, ids) {
		t.Errorf("the group has %d members, want the %d that were added", len(members), senders)
	}
}

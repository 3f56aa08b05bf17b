//go:build integration

package integration

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// outage is a steady load of all kinds of writes, and what came of it.
type outage struct {
	c    *client
	team string

	successes, refusals atomic.Int64
	stop                atomic.Bool

	mu      sync.Mutex
	faults  []string
	created map[string]string // id -> userName
	tried   map[string]bool   // userNames of creates, answered or refused
	titles  map[string]int    // id -> last title that was confirmed
	joined  []string          // ids of confirmed members
}

// send sends a write and says whether it succeeded. Anything but a success or
// a 503 that says when to come again is a fault.
func (o *outage) send(method, path string, body any, success int) (*answer, bool) {
	a, err := o.c.try(method, path, body)
	if err != nil {
		o.fault(fmt.Sprintf("%s %s: no answer: %v", method, path, err))
		return nil, false
	}
	for _, f := range a.faults() {
		o.fault(fmt.Sprintf("%s: %s: %s", a.what, f, a.raw))
	}
	switch a.status {
	case success:
		o.successes.Add(1)
		return a, true
	case http.StatusServiceUnavailable:
		o.refusals.Add(1)
		time.Sleep(50 * time.Millisecond) // it was told to come again later
		if n, err := strconv.Atoi(a.header.Get("Retry-After")); err != nil || n < 1 {
			o.fault(fmt.Sprintf("%s: Retry-After is %q", a.what, a.header.Get("Retry-After")))
		}
		return a, false
	}
	o.fault(fmt.Sprintf("%s: %d %s", a.what, a.status, a.raw))
	return a, false
}

func (o *outage) fault(text string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.faults = append(o.faults, text)
}

// work is one client: it makes people, changes one of them and fills a group.
func (o *outage) work(worker int, own string) {
	for i := 1; !o.stop.Load(); i++ {
		name := unlike(fmt.Sprintf("load%d", worker))
		o.mu.Lock()
		o.tried[name] = true
		o.mu.Unlock()
		if a, ok := o.send("POST", "/Users", person(name, object{"externalId": name}), http.StatusCreated); ok {
			o.mu.Lock()
			o.created[a.id()] = name
			o.mu.Unlock()
			if _, ok := o.send("PATCH", "/Groups/"+o.team, memberPatch("add", a.id()), http.StatusNoContent); ok {
				o.mu.Lock()
				o.joined = append(o.joined, a.id())
				o.mu.Unlock()
			}
		}
		method, body := "PATCH", object{"Operations": []object{{"op": "replace", "path": "title", "value": strconv.Itoa(i)}}}
		if i%2 == 0 {
			method, body = "PUT", person("own"+strconv.Itoa(worker), object{"title": strconv.Itoa(i)})
		}
		if _, ok := o.send(method, "/Users/"+own, body, http.StatusOK); ok {
			o.mu.Lock()
			o.titles[own] = i
			o.mu.Unlock()
		}
	}
}

// The directory dies in the middle of a steady load, several times: every
// answer is a success or a 503 that says when to come again, every success is
// in the directory, and nothing is there twice.
func TestDirectoryDies(t *testing.T) {
	t.Parallel()
	g := serve(t, usual())
	c := g.client(t)
	o := &outage{c: c, team: c.createGroup("team"), created: map[string]string{}, tried: map[string]bool{}, titles: map[string]int{}}
	var load sync.WaitGroup
	for worker := range 8 {
		own := c.create(person("own" + strconv.Itoa(worker)))
		load.Go(func() { o.work(worker, own) })
	}
	for range 3 {
		n := o.successes.Load()
		eventually(t, "the load flows", func() bool { return o.successes.Load() > n+60 })
		refused := o.refusals.Load()
		if err := g.server.Kill(); err != nil {
			t.Fatal(err)
		}
		eventually(t, "requests are refused", func() bool { return o.refusals.Load() > refused+3 })
		if err := g.server.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	n := o.successes.Load()
	eventually(t, "the load flows again", func() bool { return o.successes.Load() > n+60 })
	o.stop.Store(true)
	load.Wait()
	for i, f := range o.faults {
		if t.Error(f); i == 10 {
			t.Fatalf("and %d more", len(o.faults)-i)
		}
	}
	o.verify(t, g.tree(t))
}

// A blink of the directory, over before a request gives up, is not noticed.
func TestDirectoryBlinks(t *testing.T) {
	t.Parallel()
	g := serve(t, usual())
	c := g.client(t)
	id := c.create(person("blink"))
	for i := range 3 {
		if err := g.server.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
		c.patch("/Users/"+id, object{"op": "replace", "path": "title", "value": strconv.Itoa(i)}).want(http.StatusOK)
		c.create(person(unlike("blink")))
		c.get("/Users").want(http.StatusOK)
	}
}

// verify holds the directory against the answers.
func (o *outage) verify(t *testing.T, d *tree) {
	t.Helper()
	inside := map[string]string{} // userName -> id
	for _, e := range d.search("(&(objectClass=person)(uid=*))") {
		name := e.GetAttributeValue("uid")
		if inside[name] != "" || len(d.named("scimExternalId", name)) > 1 {
			t.Errorf("%s is there twice", name)
		}
		inside[name] = e.GetAttributeValue("entryUUID")
	}
	for id, name := range o.created {
		if inside[name] != id {
			t.Errorf("%s was created as %s, the directory has %q", name, id, inside[name])
		}
	}
	for id, title := range o.titles {
		if got, _ := strconv.Atoi(d.entry(id).GetAttributeValue("title")); got < title {
			t.Errorf("the title of %s is %d, confirmed was %d", id, got, title)
		}
	}
	members := o.c.get("/Groups/" + o.team).want(http.StatusOK).members()
	for _, id := range o.joined {
		if !slices.Contains(members, id) {
			t.Errorf("%s was added to the group and is not in it", id)
		}
	}
	for name := range o.tried { // the identity provider sends again what was refused
		a := o.c.post("/Users", person(name, object{"externalId": name}))
		if _, there := inside[name]; there {
			a.want(http.StatusConflict)
		} else {
			a.want(http.StatusCreated)
		}
	}
	t.Logf("%d successes, %d refusals, %d people", o.successes.Load(), o.refusals.Load(), len(inside))
}

// The demo's own directory is started again when it dies, and what was written
// is still there.
func TestDemoRestartsItsDirectory(t *testing.T) {
	t.Parallel()
	g := demo(t)
	c := g.client(t)
	id := c.create(person("survivor"))
	for range 2 {
		pids := children(t, g.cmd.Process.Pid)
		if len(pids) != 1 {
			t.Fatalf("the demo has the children %v, want one slapd", pids)
		}
		kill(t, pids[0])
		eventually(t, "a new slapd", func() bool {
			now := children(t, g.cmd.Process.Pid)
			return len(now) == 1 && now[0] != pids[0]
		})
		g.awaitHealthy(t)
		c.get("/Users/" + id).want(http.StatusOK)
		c.create(person(unlike("after")))
	}
}

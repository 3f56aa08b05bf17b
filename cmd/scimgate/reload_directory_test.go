//go:build integration

package main

import (
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// A directory keeps its connections as long as nothing changes that they depend
// on, whatever else does; after that the new ones take over, and the old ones end.
func TestConnectionsOutliveReloads(t *testing.T) {
	t.Parallel()
	w := newWorkshop(t)
	s := w.site(declaredTenant("one"))
	s.directory = "connections: 2"
	w.write(s)
	w.start()
	ann := w.create("one", "ann")
	busy := func() {
		for range 8 {
			w.want(http.StatusOK, "GET", "one", "/Users/"+ann, nil)
		}
	}
	busy()
	if open, ever := w.wire.connections(); open != 2 || ever != 2 {
		t.Fatalf("%d connections, %d ever; want 2", open, ever)
	}
	s.tenants = []string{declaredTenant("one", "{scim: nickName, ldap: displayName}"), declaredTenant("two")}
	w.reload(s)
	busy()
	if open, ever := w.wire.connections(); open != 2 || ever != 2 {
		t.Errorf("%d connections, %d ever; want the 2 that there were", open, ever)
	}
	s.directory = "connections: 3"
	w.reload(s)
	busy()
	w.eventually("the old connections end", func() bool { open, _ := w.wire.connections(); return open == 3 })
	if _, ever := w.wire.connections(); ever != 5 {
		t.Errorf("%d connections ever, want 5", ever)
	}
	// Another name of the same directory.
	w.outcome(reloaded, func() {
		w.put("etc/scimgate.yaml", strings.ReplaceAll(strings.ReplaceAll(s.text(w), "directory: corp", "directory: main"), "  corp:", "  main:"))
	})
	busy()
	w.eventually("the connections under the old name end", func() bool { open, _ := w.wire.connections(); return open == 3 })
}

// What was begun is finished under the configuration that it began with, though
// its tenant is gone and its directory another by then.
func TestRequestsInFlightAreFinished(t *testing.T) {
	t.Parallel()
	w := newWorkshop(t)
	before := w.site(declaredTenant("one"), declaredTenant("two", "{scim: nickName, ldap: displayName}"))
	w.write(before)
	w.start()
	w.create("two", "first")

	w.wire.flow.Lock() // from now on every request hangs at the directory
	const n = 6
	var all sync.WaitGroup
	statuses := make([]int, n)
	for i := range n {
		all.Go(func() {
			statuses[i], _ = w.send("POST", "two", "/Users", map[string]any{"userName": "late" + string(rune('a'+i)), "nickName": "L"})
		})
	}
	w.eventually("all requests are begun", func() bool { return w.wire.waiting.Load() > 0 && inFlight(w) == n })
	// The directory of the new configuration is the same, not by the wire.
	after := w.site(declaredTenant("one"))
	after.url = w.server.URL()
	w.reload(after)
	w.want(http.StatusNotFound, "GET", "two", "/Users", nil)
	w.want(http.StatusOK, "GET", "one", "/Users", nil)
	if open, _ := w.wire.connections(); open == 0 {
		t.Error("connections were ended under the requests")
	}
	w.wire.flow.Unlock()
	all.Wait()
	for i, status := range statuses {
		if status != http.StatusCreated {
			t.Errorf("request %d: %d", i, status)
		}
	}
	w.eventually("the old connections end", func() bool { open, _ := w.wire.connections(); return open == 0 })
	w.reload(before)
	for i := range n {
		found := w.want(http.StatusOK, "GET", "two", "/Users?filter=userName+eq+%22late"+string(rune('a'+i))+"%22", nil)
		if found["totalResults"] != 1.0 {
			t.Errorf("late%c: %v", 'a'+i, found)
		}
	}
}

// inFlight counts the requests that a service answers now.
func inFlight(w *workshop) int {
	p := w.process
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now.requests
}

// A directory that works is not given up for one that does not: a wrong address
// or password is a fault of the file.
func TestDirectoryThatDoesNotAnswerIsNotTaken(t *testing.T) {
	t.Parallel()
	w := newWorkshop(t)
	good := w.site(declaredTenant("one"))
	w.write(good)
	w.start()
	ann := w.create("one", "ann")

	w.put("wrong", "no such password")
	wrong := w.site(declaredTenant("one"), declaredTenant("two"))
	wrong.password = "wrong"
	line := w.outcome(notTaken, func() { w.write(wrong) })
	if faults := faultsIn(line.ContextMap()); !strings.Contains(faults, "directories.corp: does not answer under what is declared now") || strings.Contains(faults, "no such password") {
		t.Errorf("the log has %s", faults)
	}
	if again, ok := line.ContextMap()["again"]; ok {
		t.Errorf("a refused account is tried again after %v", again)
	}
	w.want(http.StatusOK, "GET", "one", "/Users/"+ann, nil)
	w.want(http.StatusNotFound, "GET", "two", "/Users", nil)

	closed, err := net.Listen("tcp", "127.0.0.1:0")
	w.must(err)
	w.must(closed.Close())
	elsewhere := w.site(declaredTenant("one"), declaredTenant("two"))
	elsewhere.url = "ldap://" + closed.Addr().String()
	line = w.outcome(notTaken, func() { w.write(elsewhere) })
	if _, ok := line.ContextMap()["again"]; !ok {
		t.Error("a directory that cannot be reached is not asked again")
	}
	w.want(http.StatusOK, "GET", "one", "/Users/"+ann, nil)
	if open, _ := w.wire.connections(); open == 0 {
		t.Error("the directory before has no connections")
	}

	// A password that is changed back mends it without anybody's doing.
	w.write(good)
	w.eventually("the good file", func() bool { return strings.Contains(w.ready(), "in force since") })
}

// A directory that is away keeps no file from being taken: what was learned of it
// holds, and the new tenant is served as soon as it is back.
func TestReloadWhileTheDirectoryIsAway(t *testing.T) {
	t.Parallel()
	w := newWorkshop(t)
	w.write(w.site(declaredTenant("one")))
	w.start()
	ann := w.create("one", "ann")
	w.must(w.server.Kill())
	w.eventually("the directory is away", func() bool {
		status, _ := w.send("GET", "one", "/Users/"+ann, nil)
		return status == http.StatusServiceUnavailable
	})
	w.reload(w.site(declaredTenant("one"), declaredTenant("two", "{scim: nickName, ldap: displayName}")))
	w.want(http.StatusServiceUnavailable, "GET", "two", "/Users", nil)
	w.must(w.server.Restart(t.Context()))
	w.eventually("the directory is back", func() bool {
		status, _ := w.send("GET", "one", "/Users/"+ann, nil)
		return status == http.StatusOK
	})
	w.create("two", "ben", "nickName", "B")
	w.eventually("its schema is known", func() bool {
		return w.log.FilterMessage("the directory's schema is known now").Len() == 1
	})
}

//go:build integration

package main

import (
	"fmt"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// slack is how many connections more than before there may be: how many the
// gateway has opened to its directory by chance is up to the load.
const slack = 4 * 4

// footprint is what a process holds.
type footprint struct {
	goroutines, descriptors int
	heap                    uint64
}

// footprint waits until the gateway is at rest, and looks.
func (w *workshop) footprint() footprint {
	w.Helper()
	w.client.CloseIdleConnections()
	w.eventually("no request is under way", func() bool { return inFlight(w) == 0 })
	w.process.ending.Wait()
	runtime.GC()
	runtime.GC() // what has a finalizer goes with the second
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	files, err := os.ReadDir("/proc/self/fd")
	w.must(err)
	return footprint{runtime.NumGoroutine(), len(files), memory.HeapAlloc}
}

// traffic is a steady load, and what of it failed.
type traffic struct {
	w       *workshop
	stop    atomic.Bool
	workers sync.WaitGroup
	sent    atomic.Int64

	mu     sync.Mutex
	faults []string
}

// expect sends a request of which only some statuses are right.
func (l *traffic) expect(method, tenant, path string, body any, statuses ...int) map[string]any {
	got, answer := l.w.send(method, tenant, path, body)
	l.sent.Add(1)
	for _, status := range statuses {
		if got == status {
			return answer
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.faults = append(l.faults, fmt.Sprintf("%s /%s%s: %d %v, want %v", method, tenant, path, got, answer, statuses))
	return answer
}

// begin starts workers that make, read, change, list and remove people of tenant
// one, which is in every good file, and one that asks for tenant two, which is not.
func (l *traffic) begin(workers int) {
	for n := range workers {
		l.workers.Go(func() {
			for i := 0; !l.stop.Load(); i++ {
				name := fmt.Sprintf("load-%d-%d", n, i)
				id, _ := l.expect("POST", "one", "/Users", map[string]any{"userName": name, "externalId": name}, http.StatusCreated)["id"].(string)
				l.expect("PUT", "one", "/Users/"+id, map[string]any{"userName": name, "externalId": name, "name": map[string]any{"familyName": "Lee"}}, http.StatusOK)
				found := l.expect("GET", "one", "/Users?filter=userName+eq+%22"+name+"%22", nil, http.StatusOK)
				if found["totalResults"] != 1.0 {
					l.mu.Lock()
					l.faults = append(l.faults, fmt.Sprintf("%s is found %v times", name, found["totalResults"]))
					l.mu.Unlock()
				}
				l.expect("DELETE", "one", "/Users/"+id, nil, http.StatusNoContent)
				l.expect("GET", "one", "/Users/"+id, nil, http.StatusNotFound)
			}
		})
	}
	l.workers.Go(func() {
		for !l.stop.Load() {
			l.expect("GET", "two", "/Users?count=5", nil, http.StatusOK, http.StatusNotFound)
		}
	})
}

func (l *traffic) end() {
	l.w.Helper()
	l.stop.Store(true)
	l.workers.Wait()
	for i, fault := range l.faults {
		if i == 10 {
			l.w.Errorf("and %d more", len(l.faults)-i)
			break
		}
		l.w.Error(fault)
	}
}

// Two hundred reloads under load, every other one of a file that must not be
// taken: nothing is dropped, and the process holds no more afterwards than after
// the first few.
func TestReloadsUnderLoad(t *testing.T) {
	const first, all = 20, 200
	w := newWorkshop(t)
	good := []func() site{
		func() site { return w.site(declaredTenant("one")) },
		func() site { return w.site(declaredTenant("one"), declaredTenant("two")) },
		func() site { // another mapping
			return w.site(declaredTenant("one", "{scim: nickName, ldap: displayName}"), declaredTenant("two"))
		},
		func() site { // other connections to the directory, and callers and a brake
			s := w.site(strings.Replace(declaredTenant("one"), "    users:",
				"    brake: {changes: 1000000}\n    oidc: {issuer: \"https://127.0.0.1:1\", audience: scim}\n    users:", 1))
			s.directory = "connections: 2"
			return s
		},
	}
	wrong := w.site(declaredTenant("one"), declaredTenant("two"))
	wrong.password = "wrong"
	w.put("wrong", "no such password")
	bad := []string{
		"tenants: [",
		w.site(declaredTenant("one", "{scim: nickName, ldap: noSuchAttribute}")).text(w),
		wrong.text(w),
		w.site(declaredTenant("one"), declaredTenant("one")).text(w),
	}
	w.write(good[0]())
	w.start()
	turn := func(i int) {
		if i%2 == 0 {
			w.reload(good[i/2%len(good)]())
			return
		}
		w.refuse(bad[i/2%len(bad)])
	}
	l := &traffic{w: w}
	l.begin(3)
	for i := range first {
		turn(i)
	}
	l.end()
	before := w.footprint()
	l = &traffic{w: w}
	l.begin(3)
	for i := first; i < all; i++ {
		turn(i)
	}
	l.end()
	w.reload(good[0]())
	w.eventually("old connections end", func() bool { open, _ := w.wire.connections(); return open <= 4 })
	// Others may be on their way out: clients' connections, the wire's.
	w.eventually("no more goroutines and descriptors than before", func() bool {
		now := w.footprint()
		return now.goroutines <= before.goroutines+slack && now.descriptors <= before.descriptors+slack
	})
	// A service that is not let go is some hundred kilobytes.
	now := w.footprint()
	if now.heap > before.heap+8<<20 {
		t.Errorf("the heap has grown from %d to %d bytes", before.heap, now.heap)
	}
	t.Logf("%d requests; at first %+v, in the end %+v", l.sent.Load(), before, now)
	if n := len(w.process.uses); n != 1 {
		t.Errorf("%d directories are open", n)
	}
}

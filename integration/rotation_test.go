//go:build integration

package integration

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// rotation is load that changes its token one client at a time.
type rotation struct {
	w       *twice
	stop    atomic.Bool
	workers []*worker
	mu      sync.Mutex
	faults  []string
}

// worker is an identity provider with a person of its own, at both gateways in turn.
type worker struct {
	*rotation
	number int
	id     string
	token  atomic.Pointer[string]
	done   atomic.Int64 // requests that went well
}

// work sends requests until it is told to stop, and notes each that goes wrong.
func (o *worker) work(t *testing.T) {
	clients := [2]*client{o.w.gates[0].client(t), o.w.gates[1].client(t)}
	for n := 0; !o.stop.Load(); n++ {
		token := *o.token.Load()
		c := clients[n%2].with("Authorization", "Bearer "+token)
		title := fmt.Sprint("title ", o.number, " ", n)
		for _, step := range []struct {
			method, path string
			body         any
		}{
			{"PATCH", "/Users/" + o.id, object{"schemas": []string{patchURN}, "Operations": []object{{"op": "replace", "path": "title", "value": title}}}},
			{"GET", "/Users/" + o.id, nil},
			{"GET", "/Users?count=5", nil},
		} {
			a, err := c.try(step.method, step.path, step.body)
			switch {
			case err != nil:
				o.fault("%s %s with %s: %v", step.method, step.path, tokenID(token), err)
			case a.status != http.StatusOK:
				o.fault("%s with %s: %d %s", a.what, tokenID(token), a.status, a.raw)
			case a.body["Resources"] == nil && a.text("$.title") != title:
				o.fault("%s: the title is %q, wanted %q", a.what, a.text("$.title"), title)
			default:
				o.done.Add(1)
			}
		}
	}
}

func (r *rotation) fault(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.faults = append(r.faults, fmt.Sprintf(format, args...))
}

// flows waits until a worker has done some more with the token that it has.
func (o *worker) flows(t *testing.T) {
	t.Helper()
	n := o.done.Load()
	eventually(t, "the load flows", func() bool { return o.done.Load() > n+9 })
}

// Token two is made, the clients are moved to it one by one, token one is revoked,
// all while they work at two gateways: not one request fails, and token one is
// refused within a second. Somebody who goes on with it, at the same address, is
// told to wait, and no client is.
func TestARotationUnderLoad(t *testing.T) {
	t.Parallel()
	r := &rotation{w: serveTwice(t)}
	one := r.w.command(t, "create", "--label", "one")
	var load sync.WaitGroup
	defer load.Wait()
	defer r.stop.Store(true)
	for i := range 5 {
		o := &worker{rotation: r, number: i, id: bearer(t, r.w.gates[0], one).create(person("rotated" + strconv.Itoa(i)))}
		o.token.Store(&one)
		r.workers = append(r.workers, o)
		load.Go(func() { o.work(t) })
	}
	all := func() {
		t.Helper()
		for _, o := range r.workers {
			o.flows(t)
		}
	}
	all()
	two := r.w.command(t, "create", "--label", "two")
	for _, o := range r.workers {
		o.token.Store(&two)
		o.flows(t) // and whatever it had begun with the old one is done
	}
	r.w.command(t, "revoke", tokenID(one))
	for _, g := range r.w.gates {
		refusedWithinASecond(t, g, one)
	}
	for _, g := range r.w.gates {
		c := bearer(t, g, one)
		eventually(t, "who goes on with the old one is told to wait", func() bool {
			a := c.get("/Users").want(http.StatusUnauthorized, http.StatusTooManyRequests)
			if a.status == http.StatusTooManyRequests && a.header.Get("Retry-After") == "" {
				t.Error("no Retry-After")
			}
			return a.status == http.StatusTooManyRequests
		})
	}
	all()
	r.stop.Store(true)
	load.Wait()
	for i, f := range r.faults {
		if t.Error(f); i == 10 {
			t.Fatalf("and %d more", len(r.faults)-i)
		}
	}
	for _, g := range r.w.gates {
		for _, token := range []string{one, two} {
			if secret := token[strings.LastIndexByte(token, '_')+1:]; strings.Contains(g.log.String(), secret) {
				t.Error("the log has a token")
			}
		}
	}
}

// Behind a proxy that is trusted the client's address is in the log and counts for
// wrong tokens; behind none nobody can choose their own.
func TestAddressesBehindAProxy(t *testing.T) {
	t.Parallel()
	server := startHere(t, usual())
	for name, tc := range map[string]struct {
		proxies, address, location string
		last                       int
	}{
		"trusted": {"[127.0.0.0/8]", "203.0.113.9", "https://scim.example.com/scim/v2/Users/", http.StatusUnauthorized},
		"unknown": {"[10.0.0.0/8]", "127.0.0.1", "", http.StatusTooManyRequests},
	} {
		t.Run(name, func(t *testing.T) { // not beside others: the directory would wait for their turn
			config := configure(t, server, "  listen: 127.0.0.1:0\n", "  listen: 127.0.0.1:0\n  trustedProxies: "+tc.proxies+"\n",
				"limits: {", "limits: {failedAttempts: 1, ")
			g, err := startServe(t.Context(), config)
			if err != nil {
				t.Fatal(err)
			}
			g.endWith(t)
			g.of(server, makeToken(t, config, "okta"))
			c := g.client(t).with("X-Forwarded-For", "192.0.2.1, 203.0.113.9").
				with("X-Forwarded-Proto", "https").with("X-Forwarded-Host", "scim.example.com")
			location := tc.location
			if location == "" {
				location = g.base + "/Users/"
			}
			if got := c.post("/Users", person("proxied-"+name)).want(http.StatusCreated).header.Get("Location"); !strings.HasPrefix(got, location) {
				t.Errorf("Location is %s, want %s", got, location)
			}
			eventually(t, "the log has the address", func() bool { // it comes after the answer
				return strings.Contains(g.log.String(), `"address":"`+tc.address+`"`)
			})
			wrong := c.with("Authorization", "Bearer wrong")
			wrong.get("/Users").wantError(http.StatusUnauthorized, "")
			eventually(t, "the address has to wait", func() bool {
				return wrong.get("/Users").want(http.StatusUnauthorized, http.StatusTooManyRequests).status == http.StatusTooManyRequests
			})
			c.get("/Users").want(http.StatusOK)
			wrong.with("X-Forwarded-For", "203.0.113.9, 192.0.2.1").get("/Users").wantError(tc.last, "")
		})
	}
}

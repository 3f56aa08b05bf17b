//go:build integration

package integration

import (
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// command runs a command of the tenants of a gateway and wants an exit code.
func (g *company) command(t *testing.T, want int, args ...string) (stdout, stderr string) {
	t.Helper()
	code, stdout, stderr := run(t, append(args, "--config", g.config)...)
	if code != want {
		t.Fatalf("%v: exit code %d, want %d: %s%s", args, code, want, stdout, stderr)
	}
	return stdout, stderr
}

// load keeps clients busy until it is told to stop: one person after the other is
// made, read and changed. It returns what was answered, by status, and who was made.
func load(c *client, name string) (stop func() (map[int]int, []string)) {
	var mu sync.Mutex
	var all sync.WaitGroup
	var over atomic.Bool
	counts, made := map[int]int{}, []string{}
	note := func(method, path string, body any) *answer {
		a, err := c.try(method, path, body)
		mu.Lock()
		defer mu.Unlock()
		if err != nil {
			c.t.Errorf("%s: %s %s: %v", name, method, path, err)
			return &answer{}
		}
		for _, fault := range a.faults() {
			c.t.Errorf("%s %s: %s: %s", method, path, fault, a.raw)
		}
		counts[a.status]++
		return a
	}
	for worker := range 6 {
		all.Go(func() {
			for i := 0; !over.Load(); i++ {
				who := fmt.Sprintf("%s-%d-%d", name, worker, i)
				a := note("POST", "/Users", person(who))
				if a.status != http.StatusCreated {
					continue
				}
				mu.Lock()
				made = append(made, who)
				mu.Unlock()
				note("GET", "/Users/"+a.id(), nil)
				note("PATCH", "/Users/"+a.id(), object{"Operations": []object{{"op": "replace", "path": "title", "value": "x"}}})
			}
		})
	}
	return func() (map[int]int, []string) {
		over.Store(true)
		all.Wait()
		return maps.Clone(counts), made
	}
}

// A tenant is switched off under load, its directory is edited by hand, and it is
// switched on again: what was begun is finished, what was refused is neither kept
// nor done later, and the other tenant notices nothing.
func TestATenantIsSwitchedOffAndOn(t *testing.T) {
	t.Parallel()
	var wire *proxy
	s := usual()
	s.Timeout = "200s" // a request is held up until a command has run
	s.Through = func(address string) string {
		wire = newProxy(t, address)
		return wire.address()
	}
	g, clients := serveTenants(t, s, map[string]*strings.Replacer{"entra": nil})
	okta, entra, d := clients["okta"], clients["entra"], g.tree(t)
	second, err := startServe(t.Context(), g.config)
	if err != nil {
		t.Fatal(err)
	}
	second.endWith(t)
	replica := okta.at(second.base)
	ann := okta.create(person("ann", object{"title": "as it was"}))
	bob := okta.create(person("bob"))
	team := okta.createGroup("team", ann, bob)

	stopOkta, stopEntra := load(okta, "okta"), load(entra, "entra")
	busy := func(tenant string) {
		from := len(d.named("scimSource", tenant))
		eventually(t, tenant+" gets on", func() bool { return len(d.named("scimSource", tenant)) > from+20 })
	}
	busy("okta")
	out, _ := g.command(t, 0, "tenant", "disable", "okta", "--reason", "moving house")
	if !strings.Contains(out, "switched off") || !strings.Contains(out, shown(t, s.Timeout)) {
		t.Errorf("disable says %q", out)
	}
	off := func(c *client) func() bool {
		return func() bool {
			a, err := c.try("POST", "/Users", []byte("{")) // which is 400 before the directory is asked
			return err == nil && a.status == http.StatusForbidden
		}
	}
	eventually(t, "the gateway refuses", off(okta))
	eventually(t, "the other gateway refuses", off(replica))
	busy("entra")
	counts, made := stopOkta()
	if counts[http.StatusForbidden] == 0 || counts[http.StatusCreated] != len(made) ||
		counts[http.StatusCreated]+counts[http.StatusOK]+counts[http.StatusForbidden] != sum(counts) {
		t.Errorf("answers %v", counts)
	}
	for _, name := range made {
		if len(d.named("uid", name)) != 1 {
			t.Errorf("%s was made and is not there", name)
		}
	}
	if people := len(d.search("(&(scimSource=okta)(uid=*))")); people != len(made)+2 {
		t.Errorf("%d people, and %d were made", people, len(made)+2)
	}

	// Everything is refused, and a bad token still is first.
	before := written(d, "okta")
	for _, c := range []*client{okta, replica} {
		for _, a := range []*answer{
			c.get("/Users"), c.get("/Users/" + ann), c.get(""), c.get("/Groups/" + team), c.post("/Users", person("late")), c.post("/.search", object{}),
			c.post("/Users/.search", object{}), c.put("/Users/"+ann, person("ann")), c.delete("/Users/" + bob), c.get("/Me"),
			c.patch("/Groups/"+team, object{"op": "remove", "path": "members", "value": values(ann)}),
			c.post("/Bulk", object{"Operations": []object{{"method": "DELETE", "path": "/Users/" + bob}}}),
			c.patch("/Users/"+ann, object{"op": "replace", "path": "title", "value": "refused"}),
		} {
			a.wantError(http.StatusForbidden, "")
			if !strings.Contains(a.text("$.detail"), "switched off by an administrator") || strings.Contains(a.text("$.detail"), "moving") {
				t.Errorf("%s: %s", a.what, a.raw)
			}
		}
		c.with("Authorization", "Bearer wrong").get("/Users").wantError(http.StatusUnauthorized, "")
		for _, path := range []string{"/ServiceProviderConfig", "/Schemas", "/ResourceTypes"} {
			c.get(path).want(http.StatusOK)
		}
	}
	if diff := cmp.Diff(before, written(d, "okta")); diff != "" {
		t.Errorf("something was written while it is off: %s", diff)
	}
	if text, _ := g.command(t, 0, "tenant", "status", "--json"); !strings.Contains(text, `"provisioning": "off"`) ||
		!strings.Contains(text, `"reason": "moving house"`) || !strings.Contains(text, `"provisioning": "on"`) {
		t.Errorf("status: %s", text)
	}
	if text, _ := g.command(t, 0, "tenant", "status", "okta"); !strings.Contains(text, "moving house") || strings.Contains(text, "entra") {
		t.Errorf("status: %s", text)
	}
	if text, _ := g.command(t, 0, "tenant", "disable", "okta"); !strings.Contains(text, "already") {
		t.Errorf("twice: %s", text)
	}

	// A gateway that starts meanwhile refuses from its first request.
	third, err := startServe(t.Context(), g.config)
	if err != nil {
		t.Fatal(err)
	}
	third.endWith(t)
	okta.at(third.base).get("/Users").wantError(http.StatusForbidden, "")

	// An administrator edits the directory.
	d.set(d.entry(ann).DN, "title", "by hand")
	if err := d.remove(d.entry(bob).DN); err != nil {
		t.Fatal(err)
	}
	before = written(d, "okta")
	g.command(t, 0, "tenant", "enable", "okta")
	on := func(c *client) func() bool {
		return func() bool {
			a, err := c.try("GET", "/Users/"+ann, nil)
			return err == nil && a.status == http.StatusOK
		}
	}
	for _, c := range []*client{okta, replica, okta.at(third.base)} {
		eventually(t, "it is on again", on(c))
	}
	if diff := cmp.Diff(before, written(d, "okta")); diff != "" {
		t.Errorf("something was done afterwards: %s", diff)
	}
	if got := okta.get("/Users/" + ann).text("$.title"); got != "by hand" {
		t.Errorf("the title is %q", got)
	}
	okta.get("/Users/" + bob).want(http.StatusNotFound)
	okta.patch("/Users/"+ann, object{"op": "replace", "path": "title", "value": "sent again"}).want(http.StatusOK)
	okta.create(person("late"))
	counts, made = stopEntra()
	if counts[http.StatusCreated] != len(made) || counts[http.StatusCreated]+counts[http.StatusOK] != sum(counts) {
		t.Errorf("the other tenant got %v", counts)
	}
	for _, p := range []*program{g.program, second.program, third.program} {
		for _, line := range []string{`"msg":"provisioning is switched off","tenant":"okta"`, `"msg":"provisioning is switched on","tenant":"okta"`} {
			if got := strings.Count(p.log.String(), line); got != 1 {
				t.Errorf("the log has %d times %s", got, line)
			}
		}
	}

	// Who is in the middle of something gets through with it.
	resume := wire.halt()
	defer resume()
	var begun atomic.Int64
	tracked := tracing(okta, &begun)
	got := make(chan map[int]int)
	go func() {
		got <- statuses(t, tracked, 8, func(i int) (string, string, any) { return "POST", "/Users", person(fmt.Sprint("begun", i)) })
	}()
	eventually(t, "all requests are begun", func() bool { return begun.Load() == 8 })
	g.command(t, 0, "tenant", "disable", "okta")
	eventually(t, "the gateway refuses", off(okta))
	resume()
	if counts := <-got; counts[http.StatusCreated] != 8 {
		t.Errorf("what was begun: %v", counts)
	}
}

// A switch that cannot be read stays as it was, and one that was never read is off.
func TestASwitchThatIsDamaged(t *testing.T) {
	t.Parallel()
	g := serve(t, usual())
	c := g.client(t)
	id := c.create(person("ann"))
	g.command(t, 0, "tenant", "disable")
	eventually(t, "it is off", func() bool {
		a, err := c.try("GET", "/Users", nil)
		return err == nil && a.status == http.StatusForbidden
	})
	g.command(t, 0, "tenant", "enable")
	eventually(t, "it is on", func() bool { a, err := c.try("GET", "/Users", nil); return err == nil && a.status == http.StatusOK })
	files, err := filepath.Glob(filepath.Join(filepath.Dir(g.config), "state", "switch", "*.json"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	if err := os.WriteFile(files[0], []byte(`{"off": `), 0o600); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the log says so", func() bool { return strings.Contains(g.log.String(), "cannot be read; it is taken for on") })
	c.get("/Users/" + id).want(http.StatusOK)
	for _, command := range []string{"disable", "enable", "status"} {
		if _, complaint := g.command(t, 1, "tenant", command); !strings.Contains(complaint, "damaged") || !strings.Contains(complaint, files[0]) {
			t.Errorf("%s: %s", command, complaint)
		}
	}
	later, err := startServe(t.Context(), g.config)
	if err != nil {
		t.Fatal(err)
	}
	later.endWith(t)
	c.at(later.base).get("/Users").wantError(http.StatusForbidden, "")
	if err := os.Remove(files[0]); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is on", func() bool {
		a, err := c.at(later.base).try("GET", "/Users", nil)
		return err == nil && a.status == http.StatusOK
	})
	for _, args := range [][]string{{"tenant"}, {"tenant", "disable", "nobody"}, {"tenant", "enable", "okta", "entra"}, {"tenant", "disable", "--reason", "two\nlines"}, {"tenant", "status", "nobody"}} {
		g.command(t, 2, args...)
	}
}

// shown is a duration as commands show it.
func shown(t *testing.T, text string) string {
	t.Helper()
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return d.String()
}

func sum(counts map[int]int) int {
	n := 0
	for _, m := range counts {
		n += m
	}
	return n
}

// written is the version of everything that a tenant has.
func written(d *tree, tenant string) map[string]string {
	all := map[string]string{}
	for _, e := range d.named("scimSource", tenant) {
		all[e.DN] = e.GetAttributeValue("entryCSN")
	}
	return all
}

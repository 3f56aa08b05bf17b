//go:build integration

package integration

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/go-ldap/ldap/v3"

	"scimgate/internal/slapd"
)

// replicas are two servers of one directory that both take writes. hear* are the
// ways by which each hears of the other.
type replicas struct {
	*gate
	a, b         *slapd.Server
	hearA, hearB *proxy
}

// vacant returns an address that nobody listens at.
func vacant(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// serveReplicas runs two servers, and the gateway in front of them; settings are
// lines for the directory.
func serveReplicas(t *testing.T, settings ...string) *replicas {
	t.Helper()
	atA, atB := vacant(t), vacant(t)
	r := &replicas{hearA: newProxy(t, atA), hearB: newProxy(t, atB)}
	s := usual("syncprov")
	start := func(id int, listen string, provider *proxy, empty bool) *slapd.Server {
		cfg := s.slapd(t.TempDir())
		cfg.Listen, cfg.AdminPassword, cfg.Empty = listen, "shared", empty
		cfg.GlobalConf = []string{fmt.Sprint("serverID ", id)}
		cfg.DatabaseConf = []string{"dbnosync", fmt.Sprintf(`syncrepl rid=%03d provider=ldap://%s bindmethod=simple binddn="cn=admin,dc=example,dc=org" `+
			`credentials=shared searchbase="dc=example,dc=org" schemachecking=off type=refreshAndPersist retry="1 +"`, id, provider.address()),
			"multiprovider on"}
		server, err := slapd.Start(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := server.Stop(); err != nil {
				t.Error(err)
			}
		})
		return server
	}
	r.a = start(1, atA, r.hearB, false)
	r.b = start(2, atB, r.hearA, true)
	config := s.write(t, t.TempDir(), r.a)
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	one := fmt.Sprintf("    urls: [%q]\n", r.a.URL())
	several := fmt.Sprintf("    urls: [%q, %q]\n", r.a.URL(), r.b.URL())
	for _, line := range settings {
		several += "    " + line + "\n"
	}
	changed := strings.Replace(string(text), one, several, 1)
	if changed == string(text) {
		t.Fatal("the configuration has no line to be replaced")
	}
	if err := os.WriteFile(config, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
	if r.gate, err = startServe(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	r.endWith(t)
	r.of(r.a, makeToken(t, config, "okta"))
	d := openTree(t, r.b.URL(), "dc=example,dc=org", "shared")
	eventually(t, "the second server has the tree", func() bool { return d.there("ou=groups,dc=example,dc=org") })
	return r
}

// inUse says whether readyz names a server as the one in use.
func (r *replicas) inUse(url string) bool {
	got, err := http.Get(r.health)
	if err != nil {
		return false
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	return err == nil && strings.Contains(string(text), "directory corp: "+url+"\n")
}

// The preferred of two servers dies under load: every answer is a success or a
// 503, nothing that was confirmed is lost, made twice or not found, and when it is
// back everything goes to it again.
func TestOneOfTwoServersDies(t *testing.T) {
	t.Parallel()
	r := serveReplicas(t, "comeBack: 300ms")
	c := r.client(t)
	o := &outage{c: c, team: c.createGroup("team"), created: map[string]string{}, tried: map[string]bool{}, titles: map[string]int{}}
	var load sync.WaitGroup
	for worker := range 4 {
		own := c.create(person("own" + strconv.Itoa(worker)))
		load.Go(func() { o.work(worker, own) })
	}
	flows := func(what string) {
		t.Helper()
		n := o.successes.Load()
		eventually(t, what, func() bool { return o.successes.Load() > n+40 })
	}
	flows("the load flows")
	if err := r.a.Kill(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "readyz names the second server", func() bool { return r.inUse(r.b.URL()) })
	flows("the load flows by the second server")
	if err := r.a.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "readyz names the first server", func() bool { return r.inUse(r.a.URL()) })
	flows("the load flows by the first server")
	o.stop.Store(true)
	load.Wait()
	for i, f := range o.faults {
		if t.Error(f); i == 10 {
			t.Fatalf("and %d more", len(o.faults)-i)
		}
	}
	if moves := strings.Count(r.log.String(), "another server of the directory is used from now on"); moves != 2 {
		t.Errorf("the log tells of %d moves, wanted there and back", moves)
	}
	first := openTree(t, r.a.URL(), "dc=example,dc=org", "shared")
	second := openTree(t, r.b.URL(), "dc=example,dc=org", "shared")
	eventually(t, "both servers have the same people", func() bool {
		return len(first.search("(objectClass=inetOrgPerson)", "1.1")) == len(second.search("(objectClass=inetOrgPerson)", "1.1"))
	})
	o.verify(t, first)
}

// What was created a moment ago, at a server that has died since, is not 404 at
// the next one, and not created again.
func TestReplicaIsBehind(t *testing.T) {
	t.Parallel()
	r := serveReplicas(t, "comeBack: 1h", "lag: 1h", "retry: {attempts: 3, base: 10ms, cap: 20ms}")
	c := r.client(t)
	early := c.create(person("early"))
	d := openTree(t, r.b.URL(), "dc=example,dc=org", "shared")
	eventually(t, "the second server has the first person", func() bool { return len(d.named("uid", "early")) == 1 })
	resume := r.hearA.halt()
	defer resume()
	late := person("late", object{"externalId": "late"})
	id := c.create(late)
	if err := r.a.Kill(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the second server is used", func() bool { return r.inUse(r.b.URL()) })
	c.get("/Users/" + early).want(http.StatusOK)
	for _, a := range []*answer{
		c.get("/Users/" + id), c.get("/Users"), c.post("/Users", late), c.delete("/Users/" + id),
		c.get("/Users?filter=userName%20eq%20%22late%22"),
		c.patch("/Users/"+id, object{"op": "replace", "path": "title", "value": "x"}),
	} {
		if a.want(http.StatusServiceUnavailable); a.header.Get("Retry-After") == "" {
			t.Errorf("%s: no Retry-After", a.what)
		}
	}
	c.get("/Users?filter=userName%20eq%20%22early%22").want(http.StatusOK)
	c.create(person("other"))
	resume()
	eventually(t, "it is there", func() bool {
		a := c.get("/Users/"+id).want(http.StatusOK, http.StatusServiceUnavailable)
		return a.status == http.StatusOK
	})
	if n := c.get("/Users").want(http.StatusOK).total(); n != 3 {
		t.Errorf("%d people, wanted 3", n)
	}
	c.post("/Users", late).want(http.StatusConflict)
}

// there says whether an entry of the name is there, also while its tree is not.
func (d *tree) there(dn string) bool {
	_, err := d.conn.Search(ldap.NewSearchRequest(dn, ldap.ScopeBaseObject, ldap.NeverDerefAliases, 0, 0, false,
		"(objectClass=*)", []string{"1.1"}, nil))
	return err == nil
}

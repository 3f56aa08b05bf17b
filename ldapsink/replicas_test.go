//go:build integration && !ad && !ds389

package ldapsink

import (
	"fmt"
	"net"
	"slices"
	"testing"

	"scimgate/internal/slapd"
)

// replicas are two servers of one directory: what is written on one comes to the
// other, through proxies that can be frozen.
type replicas struct {
	a, b *slapd.Server
	toA  *proxy // through which b hears of a
	toB  *proxy // through which a hears of b; nil where b takes no writes
}

// vacant returns an address that nobody listens at.
func vacant(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func follows(rid int, provider *proxy) string {
	return fmt.Sprintf(`syncrepl rid=%03d provider=%s bindmethod=simple binddn="cn=admin,dc=example,dc=org" credentials=shared `+
		`searchbase="dc=example,dc=org" schemachecking=off type=refreshAndPersist retry="1 +"`, rid, provider.url())
}

// mirrored starts two servers that both take writes.
func mirrored(t testing.TB) replicas {
	t.Helper()
	atA, atB := vacant(t), vacant(t)
	r := replicas{toA: inFrontOf(t, atA), toB: inFrontOf(t, atB)}
	r.a = serve(t, slapd.Config{AdminPassword: "shared", Listen: atA, Overlays: []string{"syncprov"},
		GlobalConf: []string{"serverID 1"}, DatabaseConf: []string{follows(1, r.toB), "multiprovider on"}})
	r.b = serve(t, slapd.Config{AdminPassword: "shared", Listen: atB, Overlays: []string{"syncprov"}, Empty: true,
		GlobalConf: []string{"serverID 2"}, DatabaseConf: []string{follows(2, r.toA), "multiprovider on"}})
	r.await(t)
	return r
}

// consumer starts a server that takes writes, and one that takes none; lines say
// what it answers to them.
func consumer(t testing.TB, lines ...string) replicas {
	t.Helper()
	atA := vacant(t)
	r := replicas{toA: inFrontOf(t, atA)}
	r.a = serve(t, slapd.Config{AdminPassword: "shared", Listen: atA, Overlays: []string{"syncprov"}, GlobalConf: []string{"serverID 1"}})
	for i, line := range lines {
		if line == "updateref" {
			lines[i] = "updateref " + r.a.URL()
		}
	}
	r.b = serve(t, slapd.Config{AdminPassword: "shared", Empty: true,
		DatabaseConf: slices.Concat([]string{follows(2, r.toA)}, lines)})
	r.await(t)
	return r
}

// await waits until b has the base entries.
func (r replicas) await(t testing.TB) {
	t.Helper()
	conn := raw(t, r.b)
	eventually(t, "the second server has the tree", func() bool { return has(conn, groups) && has(conn, people) })
}

// config is how a gateway reaches the servers, in this order.
func (r replicas) config(urls ...string) Config {
	cfg := configured(r.a)
	cfg.URLs = urls
	return cfg
}

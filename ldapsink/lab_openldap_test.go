//go:build integration && !ad && !ds389

package ldapsink

import (
	"context"
	"testing"

	"scimgate/internal/directory"
	"scimgate/internal/slapd"
)

// How memberDN names somebody.
const (
	labNaming  = "uid"
	labMembers = "ou=people,dc=example,dc=org"
)

var labHere = lab{
	flavor: openLDAP,
	begin: func(ctx context.Context, dir string, w wish) (server, error) {
		return start(ctx, dir, slapd.Config{Overlays: w.overlays})
	},
	naming: "uid", full: "cn", note: "description", unique: "mail",
	state: "scimState", source: "scimSource", shared: [2]string{"description", "departmentNumber"},
	person:      []string{"top", "person", "organizationalPerson", "inetOrgPerson"},
	group:       []string{"top", "groupOfMembers"},
	placeholder: true, strangers: true,
	people: "ou=people,dc=example,dc=org", groups: "ou=groups,dc=example,dc=org",
	unheardOf: directory.Internal, broken: [2]string{"mail", "jörg@example.org"}, must: "sn", longest: 100_000, many: 10_000,
}

// start starts a slapd.
func start(ctx context.Context, dir string, cfg slapd.Config) (*slapd.Server, error) {
	cfg.Dir = dir
	cfg.GroupSchema = true
	cfg.DatabaseConf = append(cfg.DatabaseConf, "dbnosync") // these tests kill processes, not machines
	return slapd.Start(ctx, cfg)
}

// serve starts a slapd that ends with the test.
func serve(t testing.TB, cfg slapd.Config) *slapd.Server {
	t.Helper()
	server, err := start(t.Context(), t.TempDir(), cfg)
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

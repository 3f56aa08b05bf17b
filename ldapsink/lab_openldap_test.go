//go:build integration && !ad && !ds389

package ldapsink

import (
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
	begin: func(t testing.TB, w wish) server {
		t.Helper()
		return start(t, slapd.Config{Overlays: w.overlays})
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
func start(t testing.TB, cfg slapd.Config) *slapd.Server {
	t.Helper()
	cfg.Dir = t.TempDir()
	cfg.GroupSchema = true
	cfg.DatabaseConf = append(cfg.DatabaseConf, "dbnosync") // these tests kill processes, not machines
	server, err := slapd.Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return server
}

// serve starts a slapd that ends with the test.
func serve(t testing.TB, cfg slapd.Config) *slapd.Server {
	t.Helper()
	server := start(t, cfg)
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	return server
}

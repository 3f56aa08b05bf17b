//go:build ds389

package ldapsink

import (
	"slices"
	"testing"

	"scimgate/internal/directory"
	ds389server "scimgate/internal/ds389"
)

// How memberDN names somebody.
const (
	labNaming  = "uid"
	labMembers = "ou=people,dc=example,dc=org"
)

var labHere = lab{
	flavor: ds389,
	begin: func(t testing.TB, w wish) server {
		t.Helper()
		has := func(name string) bool { return slices.Contains(w.overlays, name) }
		cfg := ds389server.Config{Dir: t.TempDir(), ScimSchema: true, Plugins: ds389server.Plugins{
			MemberOf: has("memberof"), RefInt: has("refint"), USN: !has("noUSN"),
		}}
		if has("unique") {
			cfg.Plugins.Unique = []string{"mail"}
		}
		s, err := ds389server.Start(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		return s
	},
	naming: "uid", full: "cn", note: "description", unique: "mail",
	state: "scimState", source: "scimSource", shared: [2]string{"description", "departmentNumber"},
	person:    []string{"top", "person", "organizationalPerson", "inetOrgPerson"},
	group:     []string{"top", "groupOfNames"},
	strangers: true,
	people:    "ou=people,dc=example,dc=org", groups: "ou=groups,dc=example,dc=org",
	unheardOf: directory.Invalid, broken: [2]string{"mail", "jörg@example.org"}, must: "sn", longest: 100_000, many: 10_000, sevenBit: true,
}

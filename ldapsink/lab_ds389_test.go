//go:build ds389

package ldapsink

import (
	"context"
	"errors"
	"slices"

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
	slow:   true,
	begin: func(ctx context.Context, dir string, w wish) (server, error) {
		has := func(name string) bool { return slices.Contains(w.overlays, name) }
		cfg := ds389server.Config{Dir: dir, ScimSchema: true, Plugins: ds389server.Plugins{
			MemberOf: has("memberof"), RefInt: has("refint"), USN: !has("noUSN"),
		}}
		if has("unique") {
			cfg.Plugins.Unique = []string{"mail"}
		}
		s, err := ds389server.Start(ctx, cfg)
		if err != nil {
			return nil, err
		}
		return hasty{s}, nil
	},
	naming: "uid", full: "cn", note: "description", unique: "mail",
	state: "scimState", source: "scimSource", shared: [2]string{"description", "departmentNumber"},
	person:    []string{"top", "person", "organizationalPerson", "inetOrgPerson"},
	group:     []string{"top", "groupOfNames"},
	strangers: true,
	people:    "ou=people,dc=example,dc=org", groups: "ou=groups,dc=example,dc=org",
	unheardOf: directory.Invalid, broken: [2]string{"mail", "jörg@example.org"}, must: "sn", longest: 100_000, many: 10_000, sevenBit: true,
}

// hasty is a server that is killed, since its end in order takes two seconds.
type hasty struct{ *ds389server.Server }

func (h hasty) Stop() error { return errors.Join(h.Kill(), h.Server.Stop()) }

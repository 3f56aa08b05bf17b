//go:build integration && !ad && !ds389

package ldapsink

import (
	"testing"

	"scimgate/internal/directory"
)

// A protected group keeps its members, also where the server holds no write
// against a version and the client asks for one.
func TestProtectedGroupsKeepTheirMembers(t *testing.T) {
	server, _ := started(t)
	for _, use := range []string{controlAuto, controlNever} {
		cfg := configured(server)
		cfg.Controls.Assertion = use
		cfg.Protected.Filter = "(description=vip)"
		store := open(t, cfg).Store(teams())
		e := crowd("protected " + use)
		e.Attributes["description"] = []string{"vip"}
		g := add(t, store, e)
		for _, version := range []string{"", g.Version} {
			err := store.ChangeMembers(t.Context(), g.ID, version, directory.MemberChange{Add: []string{memberDN(1)}})
			wantKind(t, err, directory.Protected)
		}
	}
}

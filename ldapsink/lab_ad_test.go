//go:build ad && !ds389

package ldapsink

import (
	"context"
	"fmt"
	"strings"

	"scimgate/internal/directory"
	"scimgate/internal/samba"
)

// How memberDN names somebody.
const (
	labNaming  = "cn"
	labMembers = "ou=members,dc=example,dc=org"
)

var labHere = lab{
	flavor: activeDirectory,
	slow:   true,
	begin: func(ctx context.Context, dir string, w wish) (server, error) {
		s, err := samba.Start(ctx, samba.Config{
			Dir: dir, Entries: entriesOfAD(w.members),
			Conf: []string{"ldap server require strong auth = no"}, // so that a proxy can read along
		})
		if err != nil {
			return nil, err
		}
		return plain{s}, nil
	},
	naming: "cn", full: "displayName", note: "url", unique: "userPrincipalName",
	state: "adminDescription", source: "extensionName", shared: [2]string{"wbemPath", "adminDisplayName"},
	person: []string{"top", "person", "organizationalPerson", "user"},
	group:  []string{"top", "group"},
	links:  true,
	people: "ou=people,dc=example,dc=org", groups: "ou=groups,dc=example,dc=org",
	unheardOf: directory.Internal, broken: [2]string{"accountExpires", "soon"}, longest: 255, many: 1_000, unlimited: true,
}

// plain is a Samba that is spoken to in clear.
type plain struct{ *samba.Server }

func (p plain) URL() string { return p.PlainURL() }

// entriesOfAD are the places of the tests and those who can be members.
func entriesOfAD(members int) string {
	var b strings.Builder
	for _, ou := range []string{"people", "groups", "members"} {
		fmt.Fprintf(&b, "dn: ou=%s,dc=example,dc=org\nobjectClass: organizationalUnit\n\n", ou)
	}
	for i := range max(members, 140) {
		fmt.Fprintf(&b, "dn: %s\nobjectClass: contact\n\n", memberDN(i))
	}
	return b.String()
}

// The proxies of the tests read along, so the gateway is let in without TLS here.
// Everywhere else that is a fault of the configuration.
func init() {
	f := flavors[activeDirectory]
	f.onlyTLS = false
	flavors[activeDirectory] = f
}

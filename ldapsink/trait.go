package ldapsink

import (
	"context"
	"slices"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

// trait is how a flavor of directory can be told from the others, and where it
// shows what its administrator has set. Like flavor it is data; what a function
// cannot read, it returns as nil without an error.
type trait struct {
	// marks are in the root DSE of such a server; one is enough.
	marks []sign
	// tuning reads the indexes and unique attributes in the tree of a base.
	tuning func(ctx context.Context, s *Sink, base string) (*Tuning, error)
	// rights reads what the bind account may do with an entry; nil where a
	// control is to be asked, if the server has it.
	rights func(ctx context.Context, s *Sink, dn string, attributes []string) (*Rights, error)
	// powers names what makes the bind account more than a service account.
	powers func(ctx context.Context, s *Sink, base string) ([]string, error)
}

// sign is an attribute of the root DSE, and a piece of one of its values.
type sign struct{ attribute, piece string }

var traits = map[string]trait{
	openLDAP: {
		marks:  []sign{{"objectClass", "OpenLDAProotDSE"}},
		tuning: openLDAPTuning, powers: openLDAPPowers,
	},
	activeDirectory: {
		marks:  []sign{{"supportedCapabilities", "1.2.840.113556.1.4.800"}, {"forestFunctionality", ""}},
		tuning: activeDirectoryTuning, rights: activeDirectoryRights, powers: activeDirectoryPowers,
	},
	ds389: {
		marks:  []sign{{"vendorName", "389 Project"}, {"vendorVersion", "389-Directory"}},
		tuning: ds389Tuning, powers: ds389Powers,
	},
}

// trait returns what is known of the directory's flavor.
func (s *Sink) trait() trait { return traits[s.pool.cfg.Flavor] }

// fits returns the flavor whose marks a root DSE has, "" where none is known.
func fits(dse *ldap.Entry) string {
	for _, name := range flavorNames() {
		for _, m := range traits[name].marks {
			has := func(v string) bool { return strings.Contains(v, m.piece) }
			if slices.ContainsFunc(values(dse, m.attribute), has) {
				return name
			}
		}
	}
	return ""
}

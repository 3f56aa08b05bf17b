package ldapsink

import (
	"fmt"
	"hash/fnv"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

// Where every server counts versions for itself (uSNChanged, entryusn), the same
// number means different writes on different servers. There a version carries
// its server: who read one here and writes there is told that the entry changed.

// shortFor returns a few letters that stand for a server.
func shortFor(name string) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(strings.ToLower(name))) // it never fails
	return fmt.Sprintf("%08x", h.Sum32())
}

// tagged makes the version in an entry that came over a link its server's.
func (l *link) tagged(raw *ldap.Entry, f flavor) *ldap.Entry {
	if l.tag == "" || raw == nil {
		return raw
	}
	for _, a := range raw.Attributes {
		if !strings.EqualFold(a.Name, f.version) {
			continue
		}
		for i, v := range a.Values {
			a.Values[i] = l.tag + "-" + v
		}
	}
	return raw
}

// untagged returns a version as the link's server has it; ok is false for one of
// another server.
func (l *link) untagged(version string) (own string, ok bool) {
	if l.tag == "" {
		return version, true
	}
	return strings.CutPrefix(version, l.tag+"-")
}

// ordered reports whether of two versions of an entry the later one is the
// greater, whichever server it was read from.
func (f flavor) ordered() bool { return !f.versionLocal && !f.loose }

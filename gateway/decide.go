package gateway

import (
	"slices"

	"scimgate/internal/directory"
	"scimgate/mapping"
)

// verdict is what a create comes to.
type verdict int

const (
	create   verdict = iota
	revive           // the tombstone with the same stable key
	conflict         // somebody else has a unique value
)

// decision is the outcome of looking at the entries that share the stable key
// or a unique value with a wanted one.
type decision struct {
	verdict verdict
	// hit is the tombstone to revive, or the entry in the way.
	hit directory.Entry
	// aside are tombstones that have to give up their name and unique values.
	aside []directory.Entry
	// attribute is the LDAP attribute whose value is taken, of a conflict.
	attribute string
}

// decide chooses what a create does. Only an equal stable key, byte for byte,
// finds a tombstone again; one with another key or none makes room and never
// becomes somebody else's account (design 5.2).
func decide(want mapping.Want, stableKey, source string, hits []directory.Entry) decision {
	var same []directory.Entry
	var others []directory.Entry
	for _, h := range hits {
		if want.StableKey != "" && slices.Contains(h.Attributes[stableKey], want.StableKey) {
			same = append(same, h)
		} else {
			others = append(others, h)
		}
	}
	switch {
	case len(same) > 1:
		return decision{verdict: conflict, hit: same[0], attribute: stableKey}
	case len(same) == 1 && !dead(same[0], source):
		return decision{verdict: conflict, hit: same[0], attribute: stableKey}
	}
	d := makeRoom(want.Keys, stableKey, source, others)
	if d.verdict == create && len(same) == 1 {
		d.verdict, d.hit = revive, same[0]
	}
	return d
}

// makeRoom decides what stands in the way of an entry with the keys: nothing,
// tombstones that give way, or a conflict. A tombstone never gives up its stable
// key: then nobody could bring it back.
func makeRoom(keys []directory.Key, stableKey, source string, hits []directory.Entry) decision {
	var d decision
	for _, h := range hits {
		attribute := clash(keys, h)
		switch {
		case attribute == "":
		case holdsKey(keys, stableKey, h):
			return decision{verdict: conflict, hit: h, attribute: stableKey}
		case h.Marker.Source == source && h.Marker.State == directory.Deleted:
			d.aside = append(d.aside, h)
		default:
			return decision{verdict: conflict, hit: h, attribute: attribute}
		}
	}
	return d
}

// holdsKey reports whether an entry has exactly the stable key that is among
// the keys.
func holdsKey(keys []directory.Key, stableKey string, e directory.Entry) bool {
	return slices.ContainsFunc(keys, func(k directory.Key) bool {
		return k.Attribute == stableKey && slices.Contains(e.Attributes[stableKey], k.Value)
	})
}

// dead reports whether an entry is a tombstone of the tenant, or was becoming
// one when something interrupted it.
func dead(e directory.Entry, source string) bool {
	return e.Marker.Source == source && (e.Marker.State == directory.Deleted || e.Marker.State == directory.Deleting)
}

// clash returns the attribute of the first key whose value the entry has. The
// directory found the entry by its own matching rule, which may fold more than
// is compared here; what slips through is caught when the entry is written.
func clash(keys []directory.Key, e directory.Entry) string {
	for _, k := range keys {
		for _, v := range e.Attributes[k.Attribute] {
			if v == k.Value || !k.Exact && directory.FoldValue(v) == directory.FoldValue(k.Value) {
				return k.Attribute
			}
		}
	}
	return ""
}

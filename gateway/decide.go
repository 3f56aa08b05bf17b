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
	revive           // the tombstone with the same stable key, or which an upsert finds
	update           // whom an upsert finds, and who is there
	adopt            // the entry that nobody manages and that the declaration names
	conflict         // somebody else has a unique value
)

// reason says what kind of conflict it is.
type reason int

const (
	taken     reason = iota
	protected        // the entry is an administrator's or the like
	ambiguous        // several entries could be adopted
	outside          // the entry is not one of those that may be adopted
	partly           // not all of the values that adoption goes by are the entry's
	managed          // another tenant has the entry
	roomless         // the entry cannot carry what the gateway writes
	keyless          // the resource lacks a value that adoption goes by
	torn             // several could be whom an upsert means
)

// decision is the outcome of looking at the entries that share the stable key
// or a unique value with a wanted one.
type decision struct {
	verdict verdict
	// hit is the tombstone to revive, the entry to adopt, or the one in the way.
	hit directory.Entry
	// aside are tombstones that have to give up their name and unique values.
	aside []directory.Entry
	// attribute is the LDAP attribute whose value is taken, of a conflict, and
	// reason why nothing can be done about it; why is the reason's own clause.
	attribute string
	reason    reason
	why       string
}

// adoption is what a create may do with entries that nobody manages.
type adoption struct {
	adopts bool
	by     []directory.Key // an entry has to have every one of these values
	lacks  string          // the attribute of which the resource has no value, where by is empty
	inside map[string]bool // the ids of the entries that may be adopted
	room   func(classes []string) string
}

// decide chooses what a create does. Only an equal stable key, byte for byte,
// finds a tombstone again; one with another key or none makes room and never
// becomes somebody else's account (design 5.2), unless the declaration has creates
// find people by other values as well. An entry that nobody manages is adopted
// where it is the only one that the declaration names.
func decide(want mapping.Want, stableKey, source string, hits []directory.Entry, a adoption) decision {
	var same []directory.Entry
	var others []directory.Entry
	for _, h := range hits {
		if want.StableKey != "" && slices.Contains(h.Attributes[stableKey], want.StableKey) {
			same = append(same, h)
		} else {
			others = append(others, h)
		}
	}
	if len(same) > 1 {
		return a.explained(source, decision{verdict: conflict, hit: same[0], attribute: stableKey})
	}
	if d, found := known(want, stableKey, source, same, hits); found {
		return a.explained(source, d)
	}
	if len(same) == 1 && dead(same[0], source) {
		d := makeRoom(want.Keys, stableKey, source, others)
		if d.verdict == create {
			d.verdict, d.hit = revive, same[0]
		}
		return a.explained(source, d)
	}
	if d, found := a.choose(want, stableKey, source, hits); found {
		return a.explained(source, d)
	}
	if len(same) == 1 {
		return a.explained(source, decision{verdict: conflict, hit: same[0], attribute: stableKey})
	}
	return a.explained(source, makeRoom(want.Keys, stableKey, source, others))
}

// choose looks for the one entry to adopt. found is false where the declaration
// names none and nothing of it is in the way either.
func (a adoption) choose(want mapping.Want, stableKey, source string, hits []directory.Entry) (d decision, found bool) {
	if len(a.by) == 0 {
		return decision{}, false
	}
	var fits, some, theirs, rest []directory.Entry
	for _, h := range hits {
		switch whole := a.matches(h); {
		case whole && unmanaged(h) && a.inside[h.ID]:
			fits = append(fits, h)
			continue
		case whole && !unmanaged(h) && !dead(h, source):
			theirs = append(theirs, h)
		case !whole && unmanaged(h) && a.inside[h.ID] && clash(a.by, h) != "":
			some = append(some, h)
		}
		rest = append(rest, h)
	}
	attribute := a.by[0].Attribute
	switch {
	case len(fits) > 0 && len(theirs) > 0:
		return decision{verdict: conflict, hit: theirs[0], attribute: attribute}, true
	case len(fits) > 1:
		return decision{verdict: conflict, hit: fits[0], attribute: attribute, reason: ambiguous}, true
	case len(fits) == 0 && len(some) == 0:
		return decision{}, false
	case len(fits) == 0: // even where the value need not be unique: it may be the same person
		if d = makeRoom(want.Keys, stableKey, source, rest); d.verdict == conflict {
			return d, true
		}
		return decision{verdict: conflict, hit: some[0], attribute: clash(a.by, some[0])}, true
	}
	if fits[0].Protected == "" {
		if why := a.room(fits[0].Attributes[mapping.ClassAttribute]); why != "" {
			return decision{verdict: conflict, hit: fits[0], attribute: attribute, reason: roomless, why: why}, true
		}
		d = makeRoom(want.Keys, stableKey, source, rest)
		if d.verdict == create {
			d.verdict, d.hit = adopt, fits[0]
		}
		return d, true
	}
	return decision{verdict: conflict, hit: fits[0], attribute: attribute}, true
}

// matches reports whether an entry has every value that adoption goes by.
func (a adoption) matches(e directory.Entry) bool {
	for _, k := range a.by {
		if clash([]directory.Key{k}, e) == "" {
			return false
		}
	}
	return true
}

// explained adds to a conflict what there is to say of the entry in the way.
func (a adoption) explained(source string, d decision) decision {
	if d.verdict != conflict || d.reason != taken {
		return d
	}
	switch h := d.hit; {
	case h.Marker.Source != "" && h.Marker.Source != source: // of which nothing is told
		d.reason = managed
	case h.Protected != "":
		d.reason, d.why = protected, h.Protected
	case !a.adopts || !unmanaged(h):
	case len(a.by) == 0:
		d.reason, d.why = keyless, a.lacks
	case !a.matches(h):
		d.reason = partly
	case !a.inside[h.ID]:
		d.reason = outside
	}
	return d
}

// unmanaged reports whether no gateway has written about an entry.
func unmanaged(e directory.Entry) bool { return e.Marker.Source == "" && e.Marker.State == "" }

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

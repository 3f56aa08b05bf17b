package gateway

import (
	"slices"

	"scimgate/internal/directory"
	"scimgate/internal/scim"
	"scimgate/mapping"
)

// known looks for the one entry of the tenant, there or deleted, that has every
// value by which a create finds somebody again, byte for byte. found is false
// where nobody has them. Two who have them are refused, and so is one who has
// them while another has the stable key: nobody can tell which of them is meant.
func known(want mapping.Want, stableKey, source string, same, hits []directory.Entry) (d decision, found bool) {
	if len(want.Finds) == 0 {
		return decision{}, false
	}
	var ours, rest []directory.Entry
	for _, h := range hits {
		if h.Marker.Source == source && h.Marker.State != "" && hasAll(want.Finds, h) {
			ours = append(ours, h)
		} else {
			rest = append(rest, h)
		}
	}
	attribute := want.Finds[0].Attribute
	switch {
	case len(ours) == 0:
		return decision{}, false
	case len(ours) > 1:
		return decision{verdict: conflict, hit: ours[0], attribute: attribute, reason: torn}, true
	case len(same) == 1 && same[0].ID != ours[0].ID && same[0].Marker.Source == source:
		return decision{verdict: conflict, hit: same[0], attribute: stableKey, reason: torn}, true
	}
	d = makeRoom(want.Keys, stableKey, source, rest)
	if d.verdict == create {
		d.verdict, d.hit = update, ours[0]
		if dead(ours[0], source) {
			d.verdict = revive
		}
	}
	return d, true
}

// hasAll reports whether an entry has every one of the values as it is written.
func hasAll(keys []directory.Key, e directory.Entry) bool {
	return !slices.ContainsFunc(keys, func(k directory.Key) bool { return !slices.Contains(e.Attributes[k.Attribute], k.Value) })
}

// upsert brings whom a create has found up to date: by what a PUT of the same
// resource would do, but that they are active unless it says otherwise, and keep
// their password.
func (q *request) upsert(old directory.Entry) (directory.Entry, error) {
	if err := q.permitted(old); err != nil {
		return directory.Entry{}, err
	}
	m := q.typ.mapping
	refs, err := q.typ.refs(q.ctx(), []directory.Entry{old}, false)
	if err != nil {
		return directory.Entry{}, err
	}
	now := m.Resource(old, refs)
	res, err := scim.Replace(m.Definition(), now, q.sent)
	if err != nil {
		return directory.Entry{}, err
	}
	want, err := q.want(func(res scim.Resource, names mapping.Names) (mapping.Want, error) {
		return m.ReplacedBy(now, res, names)
	}, res, refs.Names())
	if err != nil {
		return directory.Entry{}, err
	}
	e, err := q.write(old, refs, m.Known(want))
	q.adopted = err == nil
	return e, err
}

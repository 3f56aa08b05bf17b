package gateway

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"scimgate/internal/directory"
	"scimgate/mapping"
)

const stableKey = "scimExternalId"

// hit is an entry of a tenant in a state; the attributes are pairs of name and
// value.
func hit(id, source string, state directory.State, attributes ...string) directory.Entry {
	e := directory.Entry{ID: id, Marker: directory.Marker{Source: source, State: state}, Attributes: directory.Attributes{}}
	for i := 0; i < len(attributes); i += 2 {
		e.Attributes[attributes[i]] = append(e.Attributes[attributes[i]], attributes[i+1])
	}
	return e
}

// The complete table of a create (design decision 2): the wanted entry is ann
// with the stable key K1 and the address a@x, both unique, of the tenant okta.
func TestDecide(t *testing.T) {
	const (
		live, off = directory.Active, directory.Inactive
		half      = directory.Deleting
		dead      = directory.Deleted
	)
	type hits = []directory.Entry
	for _, tc := range []struct {
		name      string
		keyless   bool // the wanted entry has no stable key
		hits      hits
		verdict   verdict
		attribute string
		hit       string
		aside     []string
	}{
		{name: "nobody", verdict: create},
		{name: "nobody, no key", keyless: true, verdict: create},

		{name: "live, same key", hits: hits{hit("1", "okta", live, stableKey, "K1", "uid", "other")}, verdict: conflict, attribute: stableKey, hit: "1"},
		{name: "inactive, same key", hits: hits{hit("1", "okta", off, stableKey, "K1", "uid", "ann")}, verdict: conflict, attribute: stableKey, hit: "1"},
		{name: "live, same name", hits: hits{hit("1", "okta", live, stableKey, "K2", "uid", "ann")}, verdict: conflict, attribute: "uid", hit: "1"},
		{name: "live, same name in another case", hits: hits{hit("1", "okta", live, stableKey, "K2", "uid", "ANN")}, verdict: conflict, attribute: "uid", hit: "1"},
		{name: "live, same name but for blanks", hits: hits{hit("1", "okta", live, stableKey, "K2", "uid", " Ann ")}, verdict: conflict, attribute: "uid", hit: "1"},
		{name: "live, same name, no key", hits: hits{hit("1", "okta", live, "uid", "ann")}, verdict: conflict, attribute: "uid", hit: "1"},
		{name: "live, same address", hits: hits{hit("1", "okta", live, stableKey, "K2", "uid", "bob", "mail", "z@x", "mail", "A@X")}, verdict: conflict, attribute: "mail", hit: "1"},
		{name: "live, name and address", hits: hits{hit("1", "okta", live, "mail", "a@x", "uid", "ann")}, verdict: conflict, attribute: "uid", hit: "1"},
		{name: "live, key in another case", hits: hits{hit("1", "okta", live, stableKey, "k1", "uid", "bob")}, verdict: create},

		{name: "tombstone, same key", hits: hits{hit("1", "okta", dead, stableKey, "K1", "uid", "ann")}, verdict: revive, hit: "1"},
		{name: "tombstone, same key, other name", hits: hits{hit("1", "okta", dead, stableKey, "K1", "uid", "deleted-1")}, verdict: revive, hit: "1"},
		{name: "tombstone, one key of several", hits: hits{hit("1", "okta", dead, stableKey, "K0", stableKey, "K1")}, verdict: revive, hit: "1"},
		{name: "tombstone, other key, same name", hits: hits{hit("1", "okta", dead, stableKey, "K2", "uid", "ann")}, verdict: create, aside: []string{"1"}},
		{name: "tombstone, key in another case, same name", hits: hits{hit("1", "okta", dead, stableKey, "k1", "uid", "ann")}, verdict: create, aside: []string{"1"}},
		{name: "tombstone, key in another case, nothing else", hits: hits{hit("1", "okta", dead, stableKey, "k1", "uid", "bob")}, verdict: create},
		{name: "tombstone, no key, same name", hits: hits{hit("1", "okta", dead, "uid", "ann")}, verdict: create, aside: []string{"1"}},
		{name: "tombstone, same key, but the wanted has none", keyless: true, hits: hits{hit("1", "okta", dead, stableKey, "", "uid", "ann")}, verdict: create, aside: []string{"1"}},
		{name: "tombstone, other key, same address", hits: hits{hit("1", "okta", dead, stableKey, "K2", "uid", "bob", "mail", "a@x")}, verdict: create, aside: []string{"1"}},
		{name: "two tombstones in the way", hits: hits{hit("1", "okta", dead, "uid", "ann"), hit("2", "okta", dead, "mail", "a@x")}, verdict: create, aside: []string{"1", "2"}},

		{name: "on its way to a tombstone, same key", hits: hits{hit("1", "okta", half, stableKey, "K1", "uid", "ann")}, verdict: revive, hit: "1"},
		{name: "on its way to a tombstone, other key", hits: hits{hit("1", "okta", half, stableKey, "K2", "uid", "ann")}, verdict: conflict, attribute: "uid", hit: "1"},

		{name: "revival with another tombstone in the way", verdict: revive, hit: "2", aside: []string{"1"},
			hits: hits{hit("1", "okta", dead, stableKey, "K2", "uid", "ann"), hit("2", "okta", dead, stableKey, "K1", "uid", "deleted-2")}},
		{name: "revival with somebody live in the way", verdict: conflict, attribute: "uid", hit: "1",
			hits: hits{hit("1", "okta", live, stableKey, "K2", "uid", "ann"), hit("2", "okta", dead, stableKey, "K1", "uid", "deleted-2")}},
		{name: "revival with a foreign entry in the way", verdict: conflict, attribute: "mail", hit: "2",
			hits: hits{hit("1", "okta", dead, stableKey, "K1", "uid", "ann"), hit("2", "", "", "mail", "a@x")}},

		{name: "two tombstones with the same key", verdict: conflict, attribute: stableKey, hit: "1",
			hits: hits{hit("1", "okta", dead, stableKey, "K1"), hit("2", "okta", dead, stableKey, "K1")}},
		{name: "a tombstone and a live one with the same key", verdict: conflict, attribute: stableKey, hit: "1",
			hits: hits{hit("1", "okta", dead, stableKey, "K1"), hit("2", "okta", live, stableKey, "K1")}},

		{name: "foreign, same name", hits: hits{hit("1", "", "", "uid", "ann")}, verdict: conflict, attribute: "uid", hit: "1"},
		{name: "foreign, same key", hits: hits{hit("1", "", "", stableKey, "K1", "uid", "bob")}, verdict: conflict, attribute: stableKey, hit: "1"},
		{name: "foreign, nothing in common after all", hits: hits{hit("1", "", "", "uid", "bob")}, verdict: create},
		{name: "other tenant, live", hits: hits{hit("1", "entra", live, stableKey, "K1", "uid", "ann")}, verdict: conflict, attribute: stableKey, hit: "1"},
		{name: "other tenant, tombstone, same key", hits: hits{hit("1", "entra", dead, stableKey, "K1", "uid", "ann")}, verdict: conflict, attribute: stableKey, hit: "1"},
		{name: "other tenant, tombstone, same name", hits: hits{hit("1", "entra", dead, stableKey, "K2", "uid", "ann")}, verdict: conflict, attribute: "uid", hit: "1"},
		{name: "a tombstone of ours and one of another tenant", verdict: conflict, attribute: "mail", hit: "2",
			hits: hits{hit("1", "okta", dead, "uid", "ann"), hit("2", "entra", dead, "mail", "a@x")}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			want := mapping.Want{Name: "ann", StableKey: "K1", Keys: []directory.Key{
				{Attribute: "uid", Value: "ann"}, {Attribute: stableKey, Value: "K1", Exact: true}, {Attribute: "mail", Value: "a@x"},
			}}
			if tc.keyless {
				want.StableKey, want.Keys = "", append(want.Keys[:1], want.Keys[2])
			}
			got := decide(want, stableKey, "okta", tc.hits, adoption{})
			var aside []string
			for _, e := range got.aside {
				aside = append(aside, e.ID)
			}
			if tc.verdict == conflict {
				aside = nil // nobody looks at it
			}
			type outcome struct {
				Verdict        verdict
				Attribute, Hit string
				Aside          []string
			}
			if d := cmp.Diff(outcome{tc.verdict, tc.attribute, tc.hit, tc.aside}, outcome{got.verdict, got.attribute, got.hit.ID, aside}, cmpopts.EquateEmpty()); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
		})
	}
}

// guarded is an entry that nobody may write.
func guarded(e directory.Entry) directory.Entry {
	e.Protected = "it is an administrator"
	return e
}

// of gives an entry object classes.
func of(e directory.Entry, class string) directory.Entry {
	e.Attributes[mapping.ClassAttribute] = []string{class}
	return e
}

// The table of a create that may adopt: the wanted entry is ann with the stable
// key K1 and the address a@x, and adoption goes by name and address. Entries
// with the ids 1 to 3 are inside the declared filter.
func TestDecideAdoption(t *testing.T) {
	const (
		live = directory.Active
		dead = directory.Deleted
	)
	type hits = []directory.Entry
	ann := func(id, source string, state directory.State, more ...string) directory.Entry {
		return hit(id, source, state, append([]string{"uid", "Ann", "mail", "A@x", "mail", "z@x"}, more...)...)
	}
	for _, tc := range []struct {
		name    string
		hits    hits
		lacks   bool // the wanted entry has no address
		verdict verdict
		reason  reason
		hit     string
		aside   []string
	}{
		{name: "nobody", verdict: create},
		{name: "the one", hits: hits{ann("1", "", "")}, verdict: adopt, hit: "1"},
		{name: "the one, with the stable key", hits: hits{ann("1", "", "", stableKey, "K1")}, verdict: adopt, hit: "1"},
		{name: "the one, and another that is outside and not in the way", hits: hits{ann("1", "", ""), hit("9", "", "", "uid", "bob")}, verdict: adopt, hit: "1"},
		{name: "the one, and a tombstone in the way", hits: hits{ann("1", "", ""), hit("5", "okta", dead, "uid", "ann")}, verdict: adopt, hit: "1", aside: []string{"5"}},
		{name: "two", hits: hits{ann("1", "", ""), ann("2", "", "")}, verdict: conflict, reason: ambiguous, hit: "1"},
		{name: "two, one outside", hits: hits{ann("9", "", ""), ann("1", "", "")}, verdict: conflict, reason: outside, hit: "9"},
		{name: "outside", hits: hits{ann("9", "", "")}, verdict: conflict, reason: outside, hit: "9"},
		{name: "protected", hits: hits{guarded(ann("1", "", ""))}, verdict: conflict, reason: protected, hit: "1"},
		{name: "protected and outside", hits: hits{guarded(ann("9", "", ""))}, verdict: conflict, reason: protected, hit: "9"},
		{name: "protected by name alone", hits: hits{guarded(hit("1", "", "", "uid", "ann"))}, verdict: conflict, reason: protected, hit: "1"},
		{name: "the name alone", hits: hits{hit("1", "", "", "uid", "ann", "mail", "other@x")}, verdict: conflict, reason: partly, hit: "1"},
		{name: "the address alone", hits: hits{hit("1", "", "", "uid", "bob", "mail", "a@x")}, verdict: conflict, reason: partly, hit: "1"},
		{name: "the address alone, outside", hits: hits{hit("9", "", "", "uid", "bob", "mail", "a@x")}, verdict: create},
		{name: "the one, and the address of another", hits: hits{ann("1", "", ""), hit("2", "", "", "uid", "bob", "mail", "a@x")}, verdict: adopt, hit: "1"},
		{name: "the one, and somebody live has the name", hits: hits{ann("1", "", ""), hit("5", "okta", live, "uid", "ann")}, verdict: conflict, reason: taken, hit: "5"},
		{name: "the one, and somebody live has it all", hits: hits{ann("1", "", ""), ann("5", "okta", live)}, verdict: conflict, reason: taken, hit: "5"},
		{name: "the one, and another tenant has it all", hits: hits{ann("1", "", ""), ann("5", "entra", live)}, verdict: conflict, reason: managed, hit: "5"},
		{name: "another tenant's", hits: hits{ann("1", "entra", live)}, verdict: conflict, reason: managed, hit: "1"},
		{name: "another tenant's tombstone", hits: hits{ann("1", "entra", dead)}, verdict: conflict, reason: managed, hit: "1"},
		{name: "ours already", hits: hits{ann("1", "okta", live)}, verdict: conflict, reason: taken, hit: "1"},
		{name: "a marker without a tenant", hits: hits{ann("1", "", live)}, verdict: conflict, reason: taken, hit: "1"},
		{name: "no room", hits: hits{of(ann("1", "", ""), "account")}, verdict: conflict, reason: roomless, hit: "1"},
		{name: "no address to go by", lacks: true, hits: hits{ann("1", "", "")}, verdict: conflict, reason: keyless, hit: "1"},
		{name: "no address to go by, nobody", lacks: true, verdict: create},
		{name: "a tombstone with the stable key, alone", hits: hits{hit("5", "okta", dead, stableKey, "K1")}, verdict: revive, hit: "5"},
		{name: "a tombstone with the stable key comes first", hits: hits{hit("5", "okta", dead, stableKey, "K1"), ann("1", "", "")}, verdict: conflict, hit: "1"},
		{name: "the stable key twice", hits: hits{hit("5", "okta", dead, stableKey, "K1"), ann("1", "", "", stableKey, "K1")}, verdict: conflict, hit: "5"},
		{name: "the stable key, and nothing else", hits: hits{hit("1", "", "", stableKey, "K1", "uid", "bob")}, verdict: conflict, reason: partly, hit: "1"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			want := mapping.Want{Name: "ann", StableKey: "K1", Keys: []directory.Key{
				{Attribute: "uid", Value: "ann"}, {Attribute: stableKey, Value: "K1", Exact: true},
			}}
			a := adoption{
				adopts: true, by: []directory.Key{{Attribute: "uid", Value: "ann"}, {Attribute: "mail", Value: "a@x"}},
				inside: map[string]bool{"1": true, "2": true, "3": true},
				room: func(classes []string) string {
					if len(classes) > 0 {
						return "it is an account"
					}
					return ""
				},
			}
			if tc.lacks {
				a.by, a.lacks = nil, "emails"
			}
			got := decide(want, stableKey, "okta", tc.hits, a)
			var aside []string
			for _, e := range got.aside {
				aside = append(aside, e.ID)
			}
			if got.verdict != tc.verdict || got.reason != tc.reason || got.hit.ID != tc.hit || tc.verdict != conflict && cmp.Diff(tc.aside, aside, cmpopts.EquateEmpty()) != "" {
				t.Errorf("verdict %d for reason %d, hit %q, aside %v", got.verdict, got.reason, got.hit.ID, aside)
			}
		})
	}
}

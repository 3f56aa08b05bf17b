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

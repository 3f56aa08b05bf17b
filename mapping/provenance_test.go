package mapping

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"scimgate/internal/directory"
	"scimgate/internal/scim"
)

// What the marker and the directory know is shown, also of entries whose markers
// were written before a time of adoption was noted.
func TestProvenanceIsShown(t *testing.T) {
	m := compile(t, people(), "User")
	made, changed := time.Date(2025, 1, 2, 3, 4, 5, 0, time.UTC), time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	adopted := time.Date(2025, 6, 7, 8, 9, 10, 0, time.UTC)
	for name, tc := range map[string]struct {
		marker directory.Marker
		want   map[string]any
	}{
		"made by the gateway": {
			directory.Marker{Source: "okta", State: directory.Active, Request: "R1", Since: made},
			map[string]any{"managedBy": "scimgate", "source": "okta", "adopted": false, "state": "active", "since": "2025-01-02T03:04:05Z", "stateSince": "2025-01-02T03:04:05Z", "lastRequest": "R1"},
		},
		"adopted and locked": {
			directory.Marker{Source: "okta", State: directory.Inactive, Since: changed, Adopted: true, Managed: adopted},
			map[string]any{"managedBy": "scimgate", "source": "okta", "adopted": true, "state": "inactive", "since": "2025-06-07T08:09:10Z", "stateSince": "2026-01-02T03:04:05Z"},
		},
		"adopted before it was noted": {
			directory.Marker{Source: "okta", State: directory.Deleting, Adopted: true},
			map[string]any{"managedBy": "scimgate", "source": "okta", "adopted": true, "state": "deleting"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			e := directory.Entry{ID: "1", DN: "uid=ann,ou=people", Created: made, Marker: tc.marker, Attributes: directory.Attributes{"uid": {"ann"}}}
			res := m.Resource(e, nil)
			if _, there := res[scim.ProvenanceURN]; there {
				t.Error("it is there unasked")
			}
			m.ShowProvenance(res, e)
			same(t, res[scim.ProvenanceURN].(map[string]any), tc.want)
			if list := res["schemas"].([]any); !slices.Contains(list, any(scim.ProvenanceURN)) {
				t.Errorf("schemas: %v", list)
			}
			if again := m.Resource(e, nil)["schemas"].([]any); slices.Contains(again, any(scim.ProvenanceURN)) {
				t.Errorf("schemas of another: %v", again)
			}
		})
	}
}

// The extension is everybody's, and no declaration can make one of its name or map
// what is in it.
func TestProvenanceBelongsToNobody(t *testing.T) {
	for _, change := range []func(*Config){
		func(c *Config) {
			c.Extensions = append(c.Extensions, ExtensionConfig{URN: scim.ProvenanceURN, Attributes: []RuleConfig{simple("badge", "badge")}})
		},
		func(c *Config) { c.Attributes = append(c.Attributes, simple(scim.ProvenanceURN+":source", "badge")) },
		func(c *Config) { c.Attributes = append(c.Attributes, simple("lastRequest", "badge")) },
	} {
		c := people()
		change(&c)
		if _, faults := Compile(c, "User", "okta"); len(faults) == 0 {
			t.Error("it is taken")
		}
	}
	for mode, want := range map[string]scim.Returned{"": scim.ReturnedRequest, ProvenanceOnRequest: scim.ReturnedRequest, ProvenanceByDefault: scim.ReturnedDefault} {
		c := groups()
		c.Provenance = mode
		all := compile(t, c, "Group").Schemas()
		last := all[len(all)-1]
		if last.ID != scim.ProvenanceURN || len(last.Attributes) != 7 {
			t.Fatalf("%q: %+v", mode, last)
		}
		for _, a := range last.Attributes {
			if a.Returned != want || a.Mutability != scim.ReadOnly {
				t.Errorf("%q: %+v", mode, a)
			}
		}
	}
}

// What a filter asks of it is translated as far as a directory can tell.
func TestProvenanceInFilters(t *testing.T) {
	m := compile(t, people(), "User")
	state := func(states ...string) directory.Filter {
		f := directory.Filter{Op: directory.Or}
		for _, s := range states {
			f.Filters = append(f.Filters, directory.Eq(directory.AttrState, s))
		}
		return f
	}
	all, none := directory.Filter{Op: directory.All}, directory.Filter{Op: directory.None}
	for text, want := range map[string]term{
		`source eq "okta"`:                     exactly(all),
		`source eq "Okta"`:                     exactly(none),
		`source ne "entra"`:                    exactly(all),
		`managedBy sw "scim"`:                  exactly(all),
		`state eq "inactive"`:                  exactly(state("inactive")),
		`state ne "active"`:                    exactly(state("inactive", "deleting")),
		`state eq "away"`:                      exactly(none),
		`state co "act"`:                       exactly(state("active", "inactive")),
		`adopted eq true`:                      {filter: all},
		`since pr`:                             {filter: all},
		`lastRequest eq "R1"`:                  {filter: all},
		`stateSince gt "2026-01-01T00:00:00Z"`: {filter: all},
	} {
		f, err := scim.ParseFilter(scim.ProvenanceURN + ":" + text)
		if err != nil {
			t.Fatal(err)
		}
		got, exact, err := m.Filter(f, nil)
		if err != nil {
			t.Errorf("%s: %v", text, err)
		}
		same(t, got, want.filter)
		if exact != want.exact {
			t.Errorf("%s: exact %v", text, exact)
		}
		if !m.AsksProvenance(f) || !m.ReadsMarker(scim.FilterPaths(f)) {
			t.Errorf("%s: the marker is not read", text)
		}
	}
	for _, text := range []string{`adopted eq "x"`, `since gt "yesterday"`} {
		f, err := scim.ParseFilter(scim.ProvenanceURN + ":" + text)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := m.Filter(f, nil); err == nil {
			t.Errorf("%s is taken", text)
		}
	}
	if f, _ := scim.ParseFilter(`source eq "okta"`); f != nil {
		if _, _, err := m.Filter(f, nil); err == nil {
			t.Error("a bare name means it")
		}
	}
}

// A marker of before reads as it did, and one that notes an adoption is told by
// gateways of before as well, who skip what they do not know.
func TestMarkerWithTheTimeOfAdoption(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	text, err := directory.Marker{State: directory.Active, Adopted: true, Managed: at}.Text()
	if err != nil {
		t.Fatal(err)
	}
	var facts map[string]any
	if err := json.Unmarshal([]byte(text[len(directory.StatePrefix(directory.Active)):]), &facts); err != nil || facts["managed"] != "2026-01-02T03:04:05Z" {
		t.Errorf("%s: %v", text, err)
	}
	old, _, err := directory.ParseMarker([]string{`scimgate:active {"adopted":true,"since":"2026-01-02T03:04:05Z"}`})
	if err != nil || !old.Managed.IsZero() || !old.Adopted {
		t.Errorf("%+v %v", old, err)
	}
}

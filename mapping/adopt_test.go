package mapping

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"scimgate/internal/directory"
)

// adopting is the demo's mapping of people with an adoption.
func adopting(by ...string) Config {
	c := people()
	c.OnExisting = OnExisting{Adopt: &AdoptConfig{By: by, Filter: "(employeeType=staff)"}}
	return c
}

// kinds is a schema of a few object classes; an entry may have what its classes name.
type kinds struct{ schema }

func (kinds) Class(name string) (directory.ObjectClass, bool) {
	c, ok := map[string]directory.ObjectClass{
		"person":               {Names: []string{"person"}, Superiors: []string{"top"}, Kind: "STRUCTURAL"},
		"organizationalPerson": {Names: []string{"organizationalPerson"}, Superiors: []string{"person"}, Kind: "STRUCTURAL"},
		"inetOrgPerson":        {Names: []string{"inetOrgPerson"}, Superiors: []string{"organizationalPerson"}, Kind: "STRUCTURAL"},
		"employee":             {Names: []string{"employee", "worker"}, Superiors: []string{"inetOrgPerson"}, Kind: "STRUCTURAL"},
		"worker":               {Names: []string{"employee", "worker"}, Superiors: []string{"inetOrgPerson"}, Kind: "STRUCTURAL"},
		"scimgateObject":       {Names: []string{"scimgateObject"}, Kind: "AUXILIARY"},
		"scimgatePerson":       {Names: []string{"scimgatePerson"}, Kind: "AUXILIARY"},
	}[name]
	return c, ok
}

func (kinds) Allowed(classes []string) (must, may []string, extensible bool) {
	for _, c := range classes {
		switch c {
		case "scimgateObject":
			may = append(may, "scimState", "scimSource", "scimExternalId")
		case "scimgatePerson":
			may = append(may, "scimLocale", "scimTimezone", "title")
		case "inetOrgPerson":
			may = append(may, "uid", "mail", "title")
		}
	}
	return nil, may, false
}

// stranger is an entry that nobody manages.
func stranger(more directory.Attributes) directory.Entry {
	e := entry(directory.Active, more)
	e.Marker = directory.Marker{}
	delete(e.Attributes, "scimExternalId")
	for name, values := range more {
		e.Attributes[name] = values
	}
	return e
}

func TestAdopt(t *testing.T) {
	m := compile(t, adopting("userName"), "User")
	m.Hold(kinds{fits()})
	usualRules(m)
	for _, tc := range []struct {
		name, body string
		more       directory.Attributes
		mods       []directory.Mod
		marker     directory.Marker
	}{
		{name: "as it is", body: annBody, more: directory.Attributes{ClassAttribute: {"inetOrgPerson"}},
			mods:   []directory.Mod{add(ClassAttribute, "scimgateObject", "scimgatePerson"), add("scimExternalId", "00u1")},
			marker: directory.Marker{State: directory.Active, Classes: []string{"scimgateObject", "scimgatePerson"}}},
		{name: "classes that it has", body: annBody, more: directory.Attributes{ClassAttribute: {"worker", "SCIMGATEOBJECT", "scimgatePerson"}},
			mods: []directory.Mod{add("scimExternalId", "00u1")}, marker: directory.Marker{State: directory.Active}},
		{name: "another spelling of the name, a password, and a lock of others",
			body:   `{"userName":"ANN","externalId":"00u1","password":"secret","active":true}`,
			more:   directory.Attributes{ClassAttribute: {"inetOrgPerson", "scimgateObject", "scimgatePerson"}, lock: {lockedForever}, "sn": {"ANN"}, "cn": {"ANN"}},
			mods:   []directory.Mod{add("scimExternalId", "00u1")},
			marker: directory.Marker{State: directory.Active}},
		{name: "inactive", body: `{"userName":"ann","externalId":"00u1","active":false}`,
			more:   directory.Attributes{ClassAttribute: {"inetOrgPerson", "scimgateObject", "scimgatePerson"}},
			mods:   []directory.Mod{add("scimExternalId", "00u1"), add(lock, lockedForever)},
			marker: directory.Marker{State: directory.Inactive, Undo: undoes()}},
		{name: "a stable key of before", body: annBody,
			more:   directory.Attributes{ClassAttribute: {"inetOrgPerson", "scimgateObject", "scimgatePerson"}, "scimExternalId": {"old"}},
			mods:   []directory.Mod{del("scimExternalId", "old"), add("scimExternalId", "00u1")},
			marker: directory.Marker{State: directory.Active, Before: map[string][]string{"scimExternalId": {"old"}}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := m.Adopt(stranger(tc.more), nil, mustWant(t, m, tc.body), stamp)
			tc.marker.Source, tc.marker.Request, tc.marker.Since, tc.marker.Adopted, tc.marker.Managed = "okta", stamp.Request, stamp.Now, true, stamp.Now
			if d := cmp.Diff(tc.mods, c.Mods); d != "" || c.Name != "" || len(c.Unlock) > 0 {
				t.Errorf("name %q, unlock %v, mods -want +got:\n%s", c.Name, c.Unlock, d)
			}
			if d := cmp.Diff(tc.marker, c.Marker, cmpopts.EquateEmpty()); d != "" {
				t.Errorf("marker -want +got:\n%s", d)
			}
		})
	}
	if got := m.Room([]string{"organizationalPerson"}); got == "" {
		t.Error("a class that cannot be added was not missed")
	}
	if got := m.Room([]string{"worker"}); got != "" {
		t.Errorf("a class below the declared one is refused: %s", got)
	}
}

// An entry that is found by something else keeps its name; one without a value of
// the naming attribute gets it.
func TestAdoptNeverRenames(t *testing.T) {
	m := compile(t, adopting(`emails[type eq "work"].value`), "User")
	want := mustWant(t, m, `{"userName":"new","externalId":"00u1","emails":[{"type":"work","value":"a@x"}]}`)
	c := m.Adopt(stranger(directory.Attributes{"mail": {"A@x"}}), nil, want, stamp)
	if c.Name != "" {
		t.Errorf("renamed to %q", c.Name)
	}
	for _, k := range c.Keys {
		if k.Attribute == "uid" {
			t.Error("claims a name that it does not get")
		}
	}
	nameless := stranger(directory.Attributes{"mail": {"A@x"}})
	delete(nameless.Attributes, "uid")
	c = m.Adopt(nameless, nil, want, stamp)
	found := false
	for _, mod := range c.Mods {
		found = found || cmp.Equal(mod, add("uid", "new"))
	}
	if c.Name != "" || !found {
		t.Errorf("name %q, mods %v", c.Name, c.Mods)
	}
	if _, lacks := m.AdoptBy(mustWant(t, m, annBody)); lacks == "" {
		t.Error("a resource without the value finds somebody")
	}
}

func TestAdoptedGroupOnlyGrows(t *testing.T) {
	cfg := groups()
	cfg.OnExisting = OnExisting{Adopt: &AdoptConfig{By: []string{"displayName"}, Filter: "(cn=*)"}}
	m := compile(t, cfg, "Group")
	want := wantOf(t, m, decode(t, m, `{"displayName":"all","members":[{"value":"id-ann"}]}`), known.Names())
	old := directory.Entry{ID: "g", Attributes: directory.Attributes{"cn": {"all"}}}
	c := m.Adopt(old, nil, want, stamp)
	if d := cmp.Diff(directory.MemberChange{Add: []string{dn("id-ann")}}, c.Members); d != "" {
		t.Error(d)
	}
	for _, mod := range c.Mods {
		if mod.Attribute == "member" {
			t.Errorf("members are changed as a whole: %v", mod)
		}
	}
}

// A release takes away what the adoption brought, and gives back what it replaced.
func TestRelease(t *testing.T) {
	m := compile(t, adopting("userName"), "User")
	m.Hold(kinds{fits()})
	usualRules(m)
	old := entry(directory.Deleting, directory.Attributes{
		ClassAttribute: {"inetOrgPerson", "scimgateObject", "scimgatePerson"}, "title": {"Boss"}, "scimLocale": {"de"}, lock: {lockedForever},
	})
	old.Marker.Adopted, old.Marker.Classes = true, []string{"scimgateObject", "scimgatePerson"}
	c := m.Release(old, false)
	want := []directory.Mod{del("scimExternalId", "00u1"), {Op: directory.ModDelete, Attribute: "scimLocale"}, del(ClassAttribute, "scimgateObject", "scimgatePerson")}
	if d := cmp.Diff(want, c.Mods); d != "" || c.Marker.State != "" || c.Marker.Source != "" {
		t.Errorf("marker %v, mods -want +got:\n%s", c.Marker, d)
	}
	if d := cmp.Diff(want[:1], m.Release(old, true).Mods); d != "" {
		t.Errorf("with the classes kept:\n%s", d)
	}
	old.Marker.Before, old.Marker.Classes = map[string][]string{"scimExternalId": {"old"}}, nil
	if d := cmp.Diff([]directory.Mod{want[0], add("scimExternalId", "old")}, m.Release(old, false).Mods); d != "" {
		t.Errorf("with a key of before:\n%s", d)
	}
}

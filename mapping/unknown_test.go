package mapping

import (
	"sync"
	"testing"

	"scimgate/internal/directory"
	"scimgate/internal/scim"
)

// While the directory has not said how it compares, nothing is asked of it that
// it might misread, and nothing is written that it might refuse.
func TestWhatIsNotKnownIsNotReliedOn(t *testing.T) {
	m, faults := Compile(people(), "User", "okta")
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	for filter, op := range map[string]directory.FilterOp{
		`title eq "x"`: directory.Present, `title sw "x"`: directory.Present,
		`userName eq "x"`: directory.Equal, // unique values are found so anyhow
		`userName co "x"`: directory.Present,
		`urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value eq "id-ann"`: directory.Equal,
	} {
		parsed, err := scim.ParseFilter(filter)
		if err != nil {
			t.Fatal(err)
		}
		if f, exact, err := m.Filter(parsed, known.Names()); err != nil || f.Op != op || exact && op == directory.Present {
			t.Errorf("%s: %+v, exact %t, %v", filter, f, exact, err)
		}
	}
	want := mustWant(t, m, `{"userName":"ann","externalId":"00u1","title":"b"}`)
	old := entry(directory.Active, directory.Attributes{"title": {"a", "B", "c"}})
	same(t, m.Change(old, known, want, stamp).Mods, []directory.Mod{set("title", "b", "c")}) // B may be b
	usualRules(m)
	same(t, m.Change(old, known, want, stamp).Mods, []directory.Mod{del("title", "a")})
}

// The directory may answer while requests run.
func TestHoldWhileRequestsRun(t *testing.T) {
	m, faults := Compile(people(), "User", "okta")
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	s := fits()
	s.attributes["title"] = directory.AttributeType{Names: []string{"title"}, Syntax: syntaxPrefix + "15", Equality: "caseIgnoreMatch"}
	filter, err := scim.ParseFilter(`title eq "x"`)
	if err != nil {
		t.Fatal(err)
	}
	var work sync.WaitGroup
	work.Go(func() {
		for range 100 {
			m.Hold(s)
		}
	})
	work.Go(func() {
		for range 1000 {
			if f, _, err := m.Filter(filter, nil); err != nil || f.Op != directory.Present && f.Op != directory.Equal {
				t.Errorf("%+v, %v", f, err)
			}
		}
	})
	work.Wait()
	if f, _, err := m.Filter(filter, nil); err != nil || f.Op != directory.Equal {
		t.Errorf("%+v, %v", f, err)
	}
}

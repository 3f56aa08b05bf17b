//go:build (integration || ds389) && !ad

package ldapsink

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSchemaTellsWhatTheDirectoryTakes(t *testing.T) {
	_, sink := started(t)
	schema, err := sink.Schema(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	a, ok := schema.Attribute("SurName;lang-de")
	if !ok || a.Names[0] != "sn" || a.Single || a.Equality != "caseIgnoreMatch" || a.Syntax != "1.3.6.1.4.1.1466.115.121.1.15" {
		t.Errorf("surname: %+v", a)
	}
	if a, _ := schema.Attribute(labHere.state); !a.Single {
		t.Errorf("scimState: %+v", a)
	}
	if id := flavors[labHere.flavor].id; true {
		if a, _ := schema.Attribute(id); !a.ReadOnly || !a.Operational {
			t.Errorf("%s: %+v", id, a)
		}
	}
	if _, ok := schema.Attribute("unheardOf"); ok {
		t.Error("knows what does not exist")
	}
	must, may, any := schema.Allowed([]string{"INETORGPERSON", "scimgateObject"})
	if d := cmp.Diff([]string{"cn", "objectClass", "sn"}, must); d != "" || any || !slices.Contains(may, "mail") || !slices.Contains(may, labHere.state) || !slices.Contains(may, "telephoneNumber") {
		t.Errorf("%s %v", d, may)
	}
}

package scim

import "testing"

func TestShowsIsWhatProjectShows(t *testing.T) {
	paths := func(list string) []Path {
		all, err := ParsePaths(list)
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	for _, c := range []struct {
		def                        Definition
		path, attributes, excluded string
		want                       bool
	}{
		{UserDefinition(), "groups", "", "", true},
		{UserDefinition(), "groups", "", "groups", false},
		{UserDefinition(), "groups", "", "groups.display", true},
		{UserDefinition(), "groups.display", "", "groups.display", false},
		{UserDefinition(), "groups", "userName", "", false},
		{UserDefinition(), "groups", "GROUPS.value", "", true},
		{UserDefinition(), "groups", UserURN, "", true},
		{UserDefinition(), "enterprise:manager.displayName", "", "", true},
		{UserDefinition(), "enterprise:manager.displayName", "manager.value", "", false},
		{UserDefinition(), "enterprise:manager", EnterpriseURN, "", true},
		{UserDefinition(), "enterprise:manager", "", EnterpriseURN, false},
		{UserDefinition(), "password", "password", "", false},
		{UserDefinition(), "shoeSize", "", "", false},
		{GroupDefinition(), "members", "", "", true},
		{GroupDefinition(), "members.display", "", "", false},
		{GroupDefinition(), "members.display", "members", "", false},
		{GroupDefinition(), "members.display", "members.display", "", true},
		{GroupDefinition(), "members.display", "members.display", "members", false},
	} {
		if got := NewView(c.def, paths(c.attributes), paths(c.excluded)).Shows(paths(c.path)[0]); got != c.want {
			t.Errorf("%s with attributes=%s and excludedAttributes=%s: %v", c.path, c.attributes, c.excluded, got)
		}
	}
}

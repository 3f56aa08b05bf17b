package mapping

import (
	"testing"

	"scimgate/internal/directory"
	"scimgate/internal/scim"
)

func inGroups(t *testing.T) *Mapping {
	t.Helper()
	return compile(t, people(), "User").WithGroups(compile(t, groups(), "Group"))
}

func TestGroupsOfAUserShow(t *testing.T) {
	m := inGroups(t)
	res := scim.Resource{"id": "id-ann"}
	m.ShowGroups(res, []Membership{{Group: Ref{ID: "g1", Display: "One"}, Direct: true}, {Group: Ref{ID: "g2"}}})
	m.Locate(res, func(typ, id string) string { return typ + "/" + id })
	same(t, res["groups"], any([]any{
		map[string]any{"value": "g1", "display": "One", "type": "direct", "$ref": "Group/g1"},
		map[string]any{"value": "g2", "type": "indirect", "$ref": "Group/g2"},
	}))
	none := scim.Resource{}
	m.ShowGroups(none, nil)
	same(t, none, scim.Resource{})
	announced := func(m *Mapping) bool {
		for _, a := range m.Schemas()[0].Attributes {
			if a.Name == "groups" {
				return true
			}
		}
		return false
	}
	if !announced(m) || announced(compile(t, people(), "User")) {
		t.Error("groups is announced where there are none, or is not where there are")
	}
}

// Only what can be a member is in groups.
func TestGroupsAreOfThoseWhoCanBeMembers(t *testing.T) {
	onlyGroups := groups()
	onlyGroups.Attributes[2].Reference = []string{"Group"}
	if compile(t, people(), "User").WithGroups(compile(t, onlyGroups, "Group")).HasGroups() {
		t.Error("groups of groups have users")
	}
	g := compile(t, groups(), "Group")
	if g.WithGroups(g).HasGroups() {
		t.Error("a group shows the groups that it is in")
	}
	flat := groups()
	flat.Attributes[2].Reference = []string{"User"}
	if !g.Nests() || compile(t, flat, "Group").Nests() {
		t.Error("nesting is not what the members' rule says")
	}
}

func TestDisplay(t *testing.T) {
	m := compile(t, people(), "User")
	same(t, m.DisplayAttributes(), []string{"displayName", "uid"})
	same(t, m.Display(directory.Entry{Attributes: directory.Attributes{"displayName": {"Ann"}, "uid": {"ann"}}}), "Ann")
	same(t, m.Display(directory.Entry{Attributes: directory.Attributes{"uid": {"ann"}}}), "ann")
	same(t, m.Display(directory.Entry{}), "")
}

// What a filter says of groups becomes a filter of groups, where those can be
// found; whoever asks about all of them is told so.
func TestFilterOfTheGroupsOfUsers(t *testing.T) {
	id, other := directory.Eq(directory.AttrID, "g1"), directory.Eq(directory.AttrID, "g2")
	sales := directory.Eq("cn", "sales")
	in := func(f directory.Filter) directory.Filter {
		return directory.Filter{Op: directory.MemberOf, Filters: []directory.Filter{f}}
	}
	all := directory.Filter{Op: directory.All}
	for text, want := range map[string]struct {
		filter directory.Filter
		exact  bool
		groups []directory.Filter
		whole  bool
	}{
		`groups eq "g1"`:                             {in(id), true, []directory.Filter{id}, false},
		`groups.value eq "g1"`:                       {in(id), true, []directory.Filter{id}, false},
		`GROUPS[Value eq "g1"]`:                      {in(id), true, []directory.Filter{id}, false},
		`not (groups eq "g1")`:                       {directory.NotOf(in(id)), true, []directory.Filter{id}, false},
		`groups.$ref eq "https://x/Groups/g1"`:       {in(id), false, []directory.Filter{id}, false},
		`not (groups.$ref eq "https://x/Groups/g1")`: {all, false, []directory.Filter{id}, false},
		`groups.display eq "sales"`:                  {in(sales), false, []directory.Filter{sales}, false},
		`groups[value eq "g1" or value eq "g2"]`:     {in(directory.OrOf(id, other)), true, []directory.Filter{directory.OrOf(id, other)}, false},
		`groups[value eq "g1" and type eq "direct"]`: {in(directory.AndOf(id)), false, []directory.Filter{directory.AndOf(id)}, false},
		`groups[type eq "direct"].value eq "g1"`:     {in(directory.AndOf(id)), false, []directory.Filter{directory.AndOf(id)}, false},
		`groups[value eq "g1" or type eq "direct"]`:  {all, false, nil, true},
		`groups[not (value eq "g1")]`:                {all, false, nil, true},
		`groups pr`:                                  {all, false, nil, true},
		`groups ne "g1"`:                             {all, false, nil, true},
		`groups eq null`:                             {all, false, nil, true},
		`groups.type eq "direct"`:                    {all, false, nil, true},
		`groups.display gt "a"`:                      {all, false, nil, true},
		`groups.display eq ""`:                       {all, false, nil, true},
		`groups[shoeSize eq "1"]`:                    {directory.Filter{Op: directory.None}, true, nil, false},
	} {
		m := inGroups(t)
		filter, exact, err := m.Filter(mustFilter(t, text), nil)
		if err != nil {
			t.Errorf("%s: %v", text, err)
		}
		asked := m.GroupQuestions(mustFilter(t, text))
		if !asked.Asks {
			t.Errorf("%s: asks nothing", text)
		}
		t.Run(text, func(t *testing.T) {
			same(t, filter, want.filter)
			same(t, []bool{exact, asked.Whole}, []bool{want.exact, want.whole})
			same(t, asked.Groups, want.groups)
		})
	}
	if inGroups(t).GroupQuestions(mustFilter(t, `userName eq "g1" and not (title pr)`)).Asks {
		t.Error("a filter without groups asks about them")
	}
}

// Where a tenant has no groups, nobody is in one.
func TestFilterOfGroupsThatATenantDoesNotHave(t *testing.T) {
	m := compile(t, people(), "User")
	for text, want := range map[string]directory.FilterOp{
		`groups eq "g1"`: directory.None, `groups pr`: directory.None, `groups[display sw "s"]`: directory.None,
		`groups ne "g1"`: directory.All, `groups eq null`: directory.All, `not (groups pr)`: directory.All,
	} {
		f, exact, err := m.Filter(mustFilter(t, text), nil)
		if err != nil || !exact || f.Op != want {
			t.Errorf("%s: %v %v %v", text, f, exact, err)
		}
	}
}

// Schemas, locations and what is shown of others are told from what is shown.
func TestFilterOfWhatIsAdded(t *testing.T) {
	m := compile(t, people(), "User")
	present := directory.Filter{Op: directory.Present, Attribute: "manager"}
	for text, want := range map[string]struct {
		filter directory.Filter
		exact  bool
	}{
		`schemas eq "` + scim.UserURN + `"`:           {directory.Filter{Op: directory.All}, true},
		`schemas eq "urn:x:y:z"`:                      {directory.Filter{Op: directory.None}, true},
		`schemas pr`:                                  {directory.Filter{Op: directory.All}, true},
		`schemas ne "` + scim.UserURN + `"`:           {directory.Filter{Op: directory.All}, false},
		`meta.resourceType eq "User"`:                 {directory.Filter{Op: directory.All}, true},
		`meta.resourceType eq "user"`:                 {directory.Filter{Op: directory.None}, true},
		`meta.location eq "https://x/Users/id-ann"`:   {directory.Eq(directory.AttrID, "id-ann"), false},
		`manager.$ref eq "https://x/Users/id-bob"`:    {directory.Eq("manager", dn("id-bob")), false},
		`manager.$ref eq "https://x/Users/id-nobody"`: {directory.Filter{Op: directory.None}, true},
		`manager.displayName co "b"`:                  {present, false},
		`enterprise:manager.value co "id"`:            {present, false},
		`manager.displayName ne "b"`:                  {directory.Filter{Op: directory.All}, false},
	} {
		f, exact, err := m.Filter(mustFilter(t, text), known.Names())
		if err != nil {
			t.Errorf("%s: %v", text, err)
		}
		t.Run(text, func(t *testing.T) {
			same(t, f, want.filter)
			same(t, exact, want.exact)
		})
	}
	same(t, m.FilterReferences(mustFilter(t, `manager.$ref eq "https://x/Users/id-bob" or manager.displayName eq "id-ann"`)),
		[]Reference{{ID: "id-bob", Types: []string{"User"}}})
	same(t, compile(t, groups(), "Group").FilterReferences(mustFilter(t, `members[value eq "a"].type eq "User"`)),
		[]Reference{{ID: "a", Types: []string{"User", "Group"}}})
}

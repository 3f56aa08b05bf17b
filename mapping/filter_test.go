package mapping

import (
	"testing"

	"scimgate/internal/directory"
	"scimgate/internal/scim"
)

func mustFilter(t testing.TB, text string) scim.Filter {
	t.Helper()
	f, err := scim.ParseFilter(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return f
}

func op(o directory.FilterOp, name, value string) directory.Filter {
	return directory.Filter{Op: o, Attribute: name, Value: value}
}

func present(name string) directory.Filter { return op(directory.Present, name, "") }

// simplify takes out what says nothing: And and Or of one, the negation of None.
func simplify(f directory.Filter) directory.Filter {
	var parts []directory.Filter
	for _, part := range f.Filters {
		parts = append(parts, simplify(part))
	}
	if len(parts) == 1 && (f.Op == directory.And || f.Op == directory.Or) {
		return parts[0]
	}
	if f.Op == directory.Not && parts[0].Op == directory.None {
		return directory.Filter{}
	}
	f.Filters = parts
	return f
}

// The filters that identity providers send, and what the directory is asked. A
// comparison of text is not exact: the directory may hold values that do not
// show, and it ignores blanks that count in SCIM.
func TestFilterInTheDirectorysWords(t *testing.T) {
	eq, and, or, not := directory.Eq, directory.AndOf, directory.OrOf, directory.NotOf
	for text, tc := range map[string]struct {
		want  directory.Filter
		exact bool
	}{
		`userName eq "ann"`:                             {eq("uid", "ann"), false},
		`USERNAME Eq "ann"`:                             {eq("uid", "ann"), false},
		`userName eq "a  b"`:                            {eq("uid", "a  b"), false}, // matching ignores the second blank
		`userName sw "a"`:                               {op(directory.Prefix, "uid", "a"), false},
		`userName ew "n"`:                               {op(directory.Suffix, "uid", "n"), false},
		`userName co "n"`:                               {op(directory.Contains, "uid", "n"), false},
		`userName co " n"`:                              {op(directory.Contains, "uid", "n"), false},
		`userName pr`:                                   {present("uid"), true},
		`userName gt "a"`:                               {present("uid"), false},               // no order in the schema
		`externalId eq "00u1"`:                          {eq("scimExternalId", "00u1"), false}, // case counts in SCIM
		`externalId eq 17`:                              {eq("scimExternalId", "17"), false},
		`id eq "id-ann"`:                                {eq(directory.AttrID, "id-ann"), true},
		`id pr`:                                         {op(directory.All, "", ""), true},
		`active eq true`:                                {eq(directory.AttrState, "active"), true},
		`active eq "True"`:                              {eq(directory.AttrState, "active"), true},
		`active eq false`:                               {not(eq(directory.AttrState, "active")), true},
		`active ne false`:                               {eq(directory.AttrState, "active"), true},
		`emails eq "a@x"`:                               {or(eq("mail", "a@x"), eq("scimHomeMail", "a@x"), eq("scimOtherMail", "a@x")), false},
		`emails.value eq "a@x"`:                         {or(eq("mail", "a@x"), eq("scimHomeMail", "a@x"), eq("scimOtherMail", "a@x")), false},
		`email.value eq "a@x"`:                          {or(eq("mail", "a@x"), eq("scimHomeMail", "a@x"), eq("scimOtherMail", "a@x")), false},
		`emails[type eq "work"].value eq "a@x"`:         {eq("mail", "a@x"), false},
		`emails[type eq "work" and value eq "a@x"]`:     {eq("mail", "a@x"), false},
		`emails[type eq "fax" and value eq "a@x"]`:      {op(directory.None, "", ""), true},
		`phoneNumbers[type eq "mobile"].value eq "1"`:   {eq("mobile", "1"), false},
		`phoneNumbers[type eq "mobile"].value co "1"`:   {op(directory.Contains, "mobile", "1"), false},
		`emails[type eq "home"]`:                        {present("scimHomeMail"), true},
		`enterprise:department eq "7"`:                  {eq("departmentNumber", "7"), false},
		`enterprise:manager eq "id-bob"`:                {eq("manager", dn("id-bob")), false},
		`enterprise:manager.value eq "id-who"`:          {op(directory.None, "", ""), true},
		`meta.lastModified gt "2026-01-02T03:04:05Z"`:   {not(op(directory.AtMost, directory.AttrModified, "2026-01-02T03:04:05Z")), true},
		`meta.lastModified ge "2026-01-02T03:04:05.5Z"`: {not(op(directory.AtMost, directory.AttrModified, "2026-01-02T03:04:05Z")), true},
		`meta.created lt "2026-01-02T03:04:05+01:00"`:   {not(op(directory.AtLeast, directory.AttrCreated, "2026-01-02T02:04:05Z")), true},
		`meta.created lt "2026-01-02T03:04:05"`:         {not(op(directory.AtLeast, directory.AttrCreated, "2026-01-02T03:04:05Z")), true},
		`userName eq "a" and active eq true`:            {and(eq("uid", "a"), eq(directory.AttrState, "active")), false},
		`userName eq "a" or title pr`:                   {or(eq("uid", "a"), present("title")), false},
		`userName eq "a" and externalId eq "b"`:         {and(eq("uid", "a"), eq("scimExternalId", "b")), false},
		`not (externalId eq "b")`:                       {op(directory.All, "", ""), false},
		`ims eq "x"`:                                    {op(directory.None, "", ""), true},
	} {
		t.Run(text, func(t *testing.T) {
			m := compile(t, people(), "User")
			got, exact, err := m.Filter(mustFilter(t, text), known.Names())
			if err != nil {
				t.Fatal(err)
			}
			got = simplify(prune(got))
			same(t, got, tc.want)
			if exact != tc.exact {
				t.Errorf("exact is %v", exact)
			}
		})
	}
}

// prune takes None out of an Or: it adds nothing.
func prune(f directory.Filter) directory.Filter {
	if f.Op != directory.Or && f.Op != directory.And && f.Op != directory.Not {
		return f
	}
	var parts []directory.Filter
	for _, part := range f.Filters {
		if part = prune(part); f.Op != directory.Or || part.Op != directory.None {
			parts = append(parts, part)
		}
	}
	if len(parts) == 0 && f.Op == directory.Or {
		return directory.Filter{Op: directory.None}
	}
	f.Filters = parts
	return f
}

func TestFilterRefuses(t *testing.T) {
	m := compile(t, people(), "User")
	for _, text := range []string{
		`shoeSize eq "x"`, `password eq "x"`, `password pr`, `active gt true`, `active eq "maybe"`,
		`meta.created gt "yesterday"`, `title gt null`, `title co null`,
	} {
		_, _, err := m.Filter(mustFilter(t, text), known.Names())
		t.Run(text, func(t *testing.T) { isBadRequest(t, err, "invalidFilter") })
	}
}

func TestFilterReferencesAreTheIDsInAFilter(t *testing.T) {
	user := []string{"User"}
	for text, want := range map[string][]Reference{
		`userName eq "x"`: nil,
		`enterprise:manager.value eq "a" or not (manager eq "b") and manager pr`: {{ID: "a", Types: user}, {ID: "b", Types: user}},
	} {
		same(t, compile(t, people(), "User").FilterReferences(mustFilter(t, text)), want)
	}
	both := []string{"User", "Group"}
	for text, want := range map[string][]Reference{
		`members eq "a"`: {{ID: "a", Types: both}}, `members.value eq "a"`: {{ID: "a", Types: both}},
		`members[value eq "a"]`: {{ID: "a", Types: both}}, `displayName eq "a"`: nil,
	} {
		same(t, compile(t, groups(), "Group").FilterReferences(mustFilter(t, text)), want)
	}
}

// What a filter means is what scim.Match says, on an entry with one value of
// everything, on one with several, and on one with nothing. Where the answer is
// exact the directory agrees; where it is not, it may find too much, never too
// little.
func TestFilterMeansWhatMatchSays(t *testing.T) {
	m := compile(t, people(), "User")
	entries := map[string]directory.Entry{
		"bare": entry(directory.Active, nil),
		"full": entry(directory.Inactive, directory.Attributes{
			"title": {"Boss"}, "givenName": {"Ann"}, "mail": {"a@x"}, "mobile": {"1"}, "l": {"Rome"}, "street": {"Via 1"},
			"departmentNumber": {"7"}, "manager": {dn("id-bob")}, lock: {lockedForever},
		}),
		"several": entry(directory.Active, directory.Attributes{
			"title": {"Boss", "Clerk"}, "mail": {"a@x", "b@x"}, "scimHomeMail": {"h@x", "i@x"}, "mobile": {"1", "2"},
			"manager": {foreignDN, dn("id-bob")},
		}),
		"foreign": entry(directory.Active, directory.Attributes{"manager": {foreignDN}, "scimHomeMail": {"h@x"}}),
	}
	for _, text := range []string{
		`title eq "Clerk"`, `title ne "Clerk"`, `title ne "boss"`, `title eq ""`, `title ne ""`, `title co ""`, `title eq null`, `title ne null`, `title lt "z"`,
		`not (title eq "Boss")`, `not (title gt "a")`, `not (title pr)`,
		`name pr`, `name eq null`, `name ne null`, `addresses pr`, `addresses eq null`, `not (addresses pr)`, `emails pr`, `emails eq null`,
		scim.EnterpriseURN + ` pr`, `not (` + scim.EnterpriseURN + ` pr)`,
		`emails ne "a@x"`, `emails.value ne "h@x"`, `emails.type ne "work"`, `emails.type eq "home"`, `emails.type pr`, `emails[value ne "a@x"]`, `emails[type ne "work"]`,
		`emails[type eq "home" and value ne "h@x"]`, `emails[type eq "home" and value co "h" and value co "i"]`, `emails[not (value eq "h@x")]`,
		`emails[type eq "work"].value ne "a@x"`, `emails[type eq "fax"].value ne "a@x"`, `emails[type eq "home"].value eq null`, `emails[value eq null]`, `emails[type eq "work" and value eq null]`, `not (emails[type eq "work" and value eq null])`, `emails.value eq null`,
		`emails.primary eq true`, `emails[primary eq "True"].value eq "a@x"`, `emails[primary ne true]`, `emails.display eq "x"`, `emails.display ne "x"`, `emails[display eq null]`,
		`phoneNumbers.value ne "1"`, `phoneNumbers[type eq "mobile"].value ne "1"`, `phoneNumbers eq "2"`, `not (phoneNumbers eq "2")`,
		`addresses[region eq null]`, `addresses[type eq "work"]`, `addresses.locality eq "Rome"`, `addresses.region ne "x"`, `addresses[locality eq "Rome" and streetAddress pr]`,
		`manager pr`, `manager eq null`, `manager eq "id-bob"`, `manager ne "id-bob"`, `manager.value ne "id-ann"`, `not (manager pr)`, `enterprise:manager.displayName pr`,
		`active ne null`, `active eq null`, `id ne "x"`, `id co "ann"`, `ims ne "x"`, `ims pr`, `nickName ne "x"`, `meta.resourceType eq "User"`, `externalId ne "00U1"`,
	} {
		for name, e := range entries {
			agrees(t, m, mustFilter(t, text), name, e)
		}
	}
}

// Numbers compare as numbers and booleans as booleans, however they are written
// in the filter and in the directory.
func TestFilterOfTypedAttributesMeansWhatMatchSays(t *testing.T) {
	m := compile(t, badges(), "User")
	entries := map[string]directory.Entry{
		"bare": entry(directory.Active, nil),
		"full": entry(directory.Active, directory.Attributes{
			"employeeNumber": {"B7"}, "badgeArmed": {"TRUE"}, "badgeLevel": {"12"}, "badgeRate": {"1.50"}, "badgeDoor": {"a", "b"}}),
	}
	const urn = badgeURN + ":"
	for _, text := range []string{
		urn + `level eq 12`, urn + `level eq "12"`, urn + `level eq 12.0`, urn + `level ne 12.0`, urn + `level gt 9`, urn + `level le 12`, urn + `level sw "1"`,
		urn + `rate eq 1.5`, urn + `rate eq 1.50`, urn + `rate ne 1.5`, urn + `rate lt 10`, urn + `armed eq true`, urn + `armed eq "True"`, urn + `armed ne true`, urn + `armed pr`,
		urn + `doors eq "B"`, urn + `doors ne "a"`, urn + `doors pr`, urn + `doors eq null`, urn + `doors[value eq "a"]`, urn + `doors[value ne "a"]`, urn + `doors.value co "b"`,
		urn + `badgeId sw "b"`, badgeURN + ` pr`,
	} {
		for name, e := range entries {
			agrees(t, m, mustFilter(t, text), name, e)
		}
	}
}

func TestFilterOfGroupsMeansWhatMatchSays(t *testing.T) {
	m := compile(t, groups(), "Group")
	group := func(members ...string) directory.Entry {
		return directory.Entry{ID: "id-all", Marker: directory.Marker{State: directory.Active},
			Attributes: directory.Attributes{"cn": {"all"}, "member": members}}
	}
	const nobody = "cn=nobody,dc=example,dc=org"
	entries := map[string]directory.Entry{
		"empty": group(nobody), "foreign": group(foreignDN), "one": group(dn("id-ann")),
		"mixed": group(nobody, foreignDN, dn("id-ann"), dn("id-bob")),
	}
	for _, text := range []string{
		`members pr`, `not (members pr)`, `members eq null`, `members eq "id-ann"`, `members ne "id-ann"`, `members.value ne "id-ann"`, `members[value eq "id-bob"]`,
		`members[value ne "id-bob"]`, `members eq "id-who"`, `members ne "id-who"`, `members.type eq "User"`, `members[type eq "Group"]`, `members[type eq "User" and value eq "id-ann"]`,
		`members.type ne "User"`, `displayName eq "ALL" and members pr`,
	} {
		for name, e := range entries {
			agrees(t, m, mustFilter(t, text), name, e)
		}
	}
}

// agrees holds the directory's answer against scim.Match's.
func agrees(t *testing.T, m *Mapping, f scim.Filter, name string, e directory.Entry) {
	t.Helper()
	want, err := scim.Match(f, m.Resource(e, known), m.Definition())
	if err != nil {
		t.Fatalf("%s: %v", f, err)
	}
	asked, exact, err := m.Filter(f, known.Names())
	if err != nil {
		t.Errorf("%s: %v", f, err)
		return
	}
	found := holds(asked, e)
	switch {
	case want && !found:
		t.Errorf("%s misses %q", f, name)
	case exact && found != want:
		t.Errorf("%s finds %q and calls itself exact", f, name)
	}
}

// Whoever has to sort out hits looks references up only where the filter asks
// for them.
func TestAsksReferences(t *testing.T) {
	users, teams := compile(t, people(), "User"), compile(t, groups(), "Group")
	for text, want := range map[string]bool{
		`title eq "x"`: false, `enterprise:department pr`: false, `manager pr`: true, `not (manager.value eq "x")`: true,
		`title pr and (title pr or manager eq "x")`: true, scim.EnterpriseURN + ` pr`: true, `emails[type eq "work"]`: false,
	} {
		if users.AsksReferences(mustFilter(t, text)) != want {
			t.Errorf("%s: %v", text, !want)
		}
	}
	for text, want := range map[string]bool{`displayName pr`: false, `members pr`: true, `members[type eq "User"]`: true, `members.value eq "x"`: true} {
		if teams.AsksReferences(mustFilter(t, text)) != want {
			t.Errorf("%s: %v", text, !want)
		}
	}
}

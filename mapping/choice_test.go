package mapping

import (
	"fmt"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"scimgate/internal/directory"
)

// A candidate is the text with the lowest number behind it that keeps it apart.
func TestCandidates(t *testing.T) {
	for _, tc := range []struct {
		text string
		most int
		n    int
		want string
	}{
		{"smith", 0, 1, "smith"},
		{"smith", 0, 2, "smith2"},
		{"John Smith", 0, 2, "John Smith 2"},
		{"agent7", 0, 2, "agent7-2"},
		{"Room 7", 0, 2, "Room 7 2"},
		{"abcdefgh", 8, 2, "abcdefg2"},
		{"abcdefgh", 8, 12, "abcdef12"},
		{"abcdef7h", 8, 2, "abcdef-2"},
		{"John Smith", 10, 2, "John Smi 2"},
		{"John Smith", 6, 2, "John 2"},
		{"Ju\u0301ju\u0301", 6, 2, "Ju\u0301j2"},
		{"jou\u0301ju\u0301", 6, 10, "jou\u030110"}, // a letter and its mark stay together
		{"李小龍李小龍", 6, 2, "李小龍李小2"},
	} {
		c := Choice{Text: tc.text, most: tc.most}
		if got := c.Candidate(tc.n); got != tc.want {
			t.Errorf("%q of %d, %d: %q, want %q", tc.text, tc.most, tc.n, got, tc.want)
		}
	}
}

// Whatever a text is and whoever else has a name, the first that is free fits,
// differs from all of them, and stays at the next write.
func TestCandidatesFitAndStay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		most := rapid.SampledFrom([]int{0, 6, 7, 20}).Draw(t, "most")
		r := rule{config: RuleConfig{MaxLength: most}}
		text := r.shaped(rapid.OneOf(rapid.StringMatching(`[A-Za-zé0-9][a-z0-9 .-]{0,24}[a-z0-9]`), rapid.StringN(1, 30, -1)).Draw(t, "text"))
		if directory.FoldValue(text) == "" {
			t.Skip("no value")
		}
		c := Choice{Attribute: "cn", Text: text, most: most}
		taken := map[string]bool{}
		others := rapid.IntRange(0, 120).Draw(t, "others")
		for range others {
			n := 1
			for taken[directory.FoldValue(c.Candidate(n))] {
				n++
			}
			if n > others+1 {
				t.Fatalf("%q: %d names for %d people", text, n, len(taken)+1)
			}
			got := c.Candidate(n)
			if most > 0 && utf8.RuneCountInString(got) > most {
				t.Fatalf("%q is longer than %d", got, most)
			}
			if !utf8.ValidString(got) && utf8.ValidString(text) {
				t.Fatalf("%q is cut in a letter", got)
			}
			taken[directory.FoldValue(got)] = true
			m := Mapping{}
			kept, ok := m.Keeps(directory.Entry{ID: "1", Marker: directory.Marker{Source: "okta"}, Attributes: directory.Attributes{"cn": {got}}}, Want{}, c)
			if !ok || kept != got {
				t.Fatalf("%q of %q becomes %q, %v", got, text, kept, ok)
			}
		}
	})
}

// What is no candidate does not stay.
func TestNumberOfOthers(t *testing.T) {
	c := Choice{Text: "smith"}
	for _, v := range []string{"smith1", "smith02", "smith 2", "smith-2", "smithy", "smyth2", "2", "", "smith99999999999999999999"} {
		if n, ok := c.Number(v); ok {
			t.Errorf("%q is number %d", v, n)
		}
	}
	if n, ok := c.Number("SMITH12"); !ok || n != 12 {
		t.Errorf("%d, %v", n, ok)
	}
}

func TestNameTemplates(t *testing.T) {
	m := compile(t, minimal(
		RuleConfig{LDAP: "cn", Template: `{{ before "@" .userName }}`},
		RuleConfig{LDAP: "gecos", Template: `{{ ascii .displayName }}`, MaxLength: 12, Forbidden: `"/[]`},
		RuleConfig{LDAP: "initials", Template: `{{ printf "%.1s" .name.givenName | ascii | lower }}{{ ascii .name.familyName | lower }}`},
	), "User")
	for _, tc := range []struct{ body, cn, gecos, initials string }{
		{`{"userName":"ann@example.org","displayName":"Ann"}`, "ann", "Ann", ""},
		{`{"userName":"ann","displayName":"[Ann] \"Q\" / Lee","name":{"givenName":"Örsted","familyName":"Łuß"}}`, "ann", "Ann Q  Lee", "oluss"},
		{`{"userName":"ann@x@y","displayName":"Ærøskøbing Straße"}`, "ann", "AEroskobing", ""},
		{`{"userName":"ann","displayName":"李"}`, "ann", "", ""},
		{`{"userName":"ann","displayName":"Zoë O’Neil—Smith the Second"}`, "ann", "Zoe O'Neil-S", ""},
	} {
		got := mustWant(t, m, tc.body).Attributes
		if got.First("cn") != tc.cn || got.First("gecos") != tc.gecos || got.First("initials") != tc.initials {
			t.Errorf("%s: %q", tc.body, got)
		}
	}
}

// What is sent is refused where a computed value is made to fit.
func TestSentValuesFit(t *testing.T) {
	m := compile(t, minimal(RuleConfig{SCIM: "title", LDAP: "title", MaxLength: 4, Forbidden: "[]", Default: "{{ .userName }}"}), "User")
	_, err := m.Want(decode(t, m, `{"userName":"ann","title":"Chief"}`), nil)
	isBadRequest(t, err, "invalidValue", "title", "5", "at most 4")
	_, err = m.Want(decode(t, m, `{"userName":"ann","title":"[x"}`), nil)
	isBadRequest(t, err, "invalidValue", "title", `"["`)
	if got := mustWant(t, m, `{"userName":"a[nnabel"}`).Attributes.First("title"); got != "anna" {
		t.Error(got)
	}
}

// A computed value does not end as it must not, also not because it is cut.
func TestForbiddenAtEnd(t *testing.T) {
	m := compile(t, minimal(RuleConfig{LDAP: "cn", Template: `{{ .userName }}`, MaxLength: 8, Forbidden: "[]", ForbiddenAtEnd: ".!"},
		RuleConfig{SCIM: "title", LDAP: "title", ForbiddenAtEnd: "."}), "User")
	for name, cn := range map[string]string{
		"ann": "ann", "Ann Inc.": "Ann Inc", "a.b": "a.b", "ann . !.": "ann", "ann.[]": "ann", "abcdefg..x": "abcdefg", `a\tb\u0001`: "ab", "..": "",
	} {
		if got := mustWant(t, m, `{"userName":"`+name+`"}`).Attributes.First("cn"); got != cn {
			t.Errorf("%q: %q", name, got)
		}
	}
	_, err := m.Want(decode(t, m, `{"userName":"ann","title":"Dr."}`), nil)
	isBadRequest(t, err, "invalidValue", "title", `"Dr."`)
}

// suffixed are people whose names a template makes.
func suffixed() Config {
	c := minimal(RuleConfig{SCIM: "displayName", LDAP: "displayName"},
		RuleConfig{LDAP: "sAMAccountName", Template: `{{ before "@" .userName }}`, Unique: true, OnCollision: CollisionSuffix, MaxLength: 20})
	c.RDN = RDNConfig{LDAP: "cn", Template: "{{ coalesce .displayName .userName }}", OnCollision: CollisionSuffix}
	return c
}

// Values with a suffix are no unique keys until they are chosen.
func TestChoices(t *testing.T) {
	m := compile(t, suffixed(), "User")
	want := mustWant(t, m, `{"userName":"ann@example.org","externalId":"00u1","displayName":"Ann Lee"}`)
	same(t, want.Keys, []directory.Key{{Attribute: "uid", Value: "ann@example.org"}, {Attribute: "scimExternalId", Value: "00u1", Exact: true}})
	if len(want.Open) != 2 || want.Open[0].Attribute != "sAMAccountName" || want.Open[0].Siblings || !want.Open[1].Siblings {
		t.Fatalf("%+v", want.Open)
	}
	settled := want.With(want.Open[0], "ann2").With(want.Open[1], "Ann Lee 3")
	e := m.Create(settled, stamp)
	if e.Name != "Ann Lee 3" || e.Attributes.First("cn") != "Ann Lee 3" || e.Attributes.First("sAMAccountName") != "ann2" || len(settled.Open) != 0 {
		t.Errorf("%+v", e)
	}
	same(t, e.Keys[2:], []directory.Key{{Attribute: "sAMAccountName", Value: "ann2"}})
	if want.Attributes.First("cn") != "Ann Lee" || len(want.Keys) != 2 {
		t.Errorf("the first want changed: %+v", want)
	}
	if _, known := m.Claims(decode(t, m, annBody)); !known {
		t.Error("what takes a suffix makes the claims unknown")
	}
}

// A name stays while the template makes what it made, whoever gave it.
func TestNameStays(t *testing.T) {
	m := compile(t, suffixed(), "User")
	body := `{"userName":"ann","externalId":"00u1","displayName":"%s"}`
	for _, tc := range []struct {
		what, cn, before, after, source string
		want                            string // "" for a new choice
	}{
		{"with a suffix", "Ann Lee 4", "Ann Lee", "Ann Lee", "okta", "Ann Lee 4"},
		{"in another spelling", "Ann Lee 4", "Ann Lee", "ANN LEE", "okta", "ANN LEE 4"},
		{"given by others", "Lee, Ann", "Ann Lee", "Ann Lee", "okta", "Lee, Ann"},
		{"given by others, and changed", "Lee, Ann", "Ann Lee", "Ann Ray", "okta", ""},
		{"before an adoption", "Lee, Ann", "", "Ann Lee", "", "Lee, Ann"},
		{"changed", "Ann Lee 4", "Ann Lee", "Ann Ray", "okta", ""},
	} {
		old := entry(directory.Active, directory.Attributes{"cn": {tc.cn}, "displayName": {tc.before}, "sAMAccountName": {"ann"}})
		old.Marker.Source = tc.source
		now := m.Resource(old, known)
		want, err := m.ReplacedBy(now, decode(t, m, fmt.Sprintf(body, tc.after)), known.Names())
		if err != nil {
			t.Fatal(err)
		}
		got, ok := m.Keeps(old, want, want.Open[1])
		if got != tc.want || ok != (tc.want != "") {
			t.Errorf("%s: %q, %v", tc.what, got, ok)
		}
		if ok {
			c := m.Change(old, known, want.With(want.Open[0], "ann").With(want.Open[1], got), stamp)
			if renamed := c.Name != ""; renamed != (got != tc.cn) {
				t.Errorf("%s: renamed to %q", tc.what, c.Name)
			}
		}
	}
}

// A tombstone keeps what a newcomer has with a suffix, and gives up the rest.
func TestAsideKeepsWhatTakesASuffix(t *testing.T) {
	m := compile(t, suffixed(), "User")
	old := entry(directory.Deleted, directory.Attributes{"cn": {"Ann Lee"}, "sAMAccountName": {"ann"}})
	c := m.Aside(old, stamp)
	if c.Name != "" || c.Vacates {
		t.Errorf("%+v", c)
	}
	same(t, c.Mods, []directory.Mod{del("uid", "ann")})
	same(t, c.Marker.Aside, map[string][]string{"uid": {"ann"}})
	m.rules[0].must.Store(true) // as a posixAccount has to have a uid
	c = m.Aside(old, stamp)
	same(t, c.Mods, []directory.Mod{del("uid", "ann"), add("uid", "deleted-id-ann")})
	old.Attributes["uid"], old.Marker = []string{"deleted-id-ann"}, c.Marker
	c = m.Aside(old, stamp)
	same(t, c.Mods, []directory.Mod(nil))
	same(t, c.Marker.Aside, map[string][]string{"uid": {"ann"}})
}

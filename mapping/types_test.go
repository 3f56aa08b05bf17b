package mapping

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"scimgate/internal/directory"
	"scimgate/internal/scim"
)

// allTypes is a mapping of users with an attribute of every type and kind.
func allTypes() Config {
	c := minimal()
	c.Extensions = []ExtensionConfig{{URN: badgeURN, Attributes: []RuleConfig{
		{SCIM: "colour", LDAP: "colour", CanonicalValues: []string{"Red", "Green"}},
		{SCIM: "plates", LDAP: "plates", MultiValued: true},
		{SCIM: "armed", LDAP: "armed", Type: "boolean"},
		{SCIM: "level", LDAP: "level", Type: "integer"},
		{SCIM: "rates", LDAP: "rates", Type: "decimal", MultiValued: true},
		{SCIM: "photo", LDAP: "photo", Type: "binary"},
		{SCIM: "keys", LDAP: "keys;binary", Type: "binary", MultiValued: true},
		{SCIM: "home", LDAP: "home", Type: "reference"},
		{SCIM: "owner", LDAP: "owner", Reference: []string{"User"}},
		{SCIM: "access", LDAP: "access", Reference: []string{"User", "Group"}, MultiValued: true},
		{SCIM: "badge.number", LDAP: "number", Mutability: "immutable"},
		{SCIM: "badge.issued", LDAP: "issued", Type: "dateTime"},
		{SCIM: `doors[type eq "front"].value`, LDAP: "front", Type: "dateTime"},
		{SCIM: `doors[type eq "back"].value`, LDAP: "back", Type: "dateTime"},
		{SCIM: "pin", LDAP: "pin", Mutability: "writeOnly"},
		{SCIM: "seen", LDAP: "seen", Type: "dateTime", Mutability: "readOnly"},
	}}}
	return c
}

var (
	times = rapid.Custom(func(t *rapid.T) time.Time {
		at := time.Unix(rapid.Int64Range(-62167219200+86400, 253402300799-86400).Draw(t, "second"), rapid.Int64Range(0, 999_999_999).Draw(t, "nano"))
		return at.In(time.FixedZone("", 60*rapid.IntRange(-14*60, 14*60).Draw(t, "offset")))
	})
	byteValues = rapid.SliceOfN(rapid.Byte(), 1, 40)
)

// Whatever a client sends of every type is what the resource shows after it was
// written, in its one form.
func TestEveryTypeComesBack(t *testing.T) {
	m := compile(t, allTypes(), "User")
	rapid.Check(t, func(t *rapid.T) {
		values := map[string]any{"pin": "1234"}
		shown := map[string]any{}
		give := func(name string, sent, back any) {
			if rapid.Bool().Draw(t, "has "+name) {
				values[name], shown[name] = sent, back
			}
		}
		utc := func(at time.Time) string { return at.UTC().Format(time.RFC3339Nano) }
		base64s := []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding}
		form := func() *base64.Encoding { return rapid.SampledFrom(base64s).Draw(t, "alphabet") }
		photo, key := byteValues.Draw(t, "photo"), byteValues.Draw(t, "key")
		issued, front := times.Draw(t, "issued"), times.Draw(t, "front")
		level := rapid.Int64().Draw(t, "level")
		rate := rapid.Float64Range(-1e9, 1e9).Draw(t, "rate")
		word := rapid.SampledFrom([]string{"red", "RED", "Red"}).Draw(t, "colour")
		give("colour", word, "Red")
		give("plates", []any{"B-1", "A-2"}, []any{"B-1", "A-2"})
		give("armed", rapid.SampledFrom([]any{true, "True"}).Draw(t, "armed"), true)
		give("level", rapid.SampledFrom([]any{json.Number(fmt.Sprint(level)), fmt.Sprint(level)}).Draw(t, "level form"), json.Number(fmt.Sprint(level)))
		give("rates", []any{rate}, []any{rate})
		give("photo", form().EncodeToString(photo), base64.StdEncoding.EncodeToString(photo))
		give("keys", []any{form().EncodeToString(key)}, []any{base64.StdEncoding.EncodeToString(key)})
		give("home", "https://example.org/~Ann", "https://example.org/~Ann")
		give("owner", map[string]any{"value": "id-bob", "$ref": "../Users/x"}, map[string]any{"value": "id-bob"})
		give("access", []any{map[string]any{"value": "id-all"}}, []any{map[string]any{"value": "id-all", "type": "Group"}})
		give("badge", map[string]any{"number": "B1", "issued": issued.Format(time.RFC3339Nano)}, map[string]any{"number": "B1", "issued": utc(issued)})
		give("doors", []any{map[string]any{"type": "FRONT", "value": front.Format(time.RFC3339Nano)}}, []any{map[string]any{"type": "front", "value": utc(front)}})
		give("seen", "2026-01-01T00:00:00Z", nil)
		delete(shown, "seen")

		body, err := json.Marshal(map[string]any{"userName": "ann", badgeURN: values})
		if err != nil {
			t.Fatal(err)
		}
		want := wantIn(t, m, body)
		if pin := want.Hidden["pin"]; !slices.Equal(pin, []string{"1234"}) || want.Attributes["pin"] != nil {
			t.Fatalf("the pin is %q", pin)
		}
		made := m.Create(want, stamp)
		res := m.Resource(directory.Entry{ID: "id-ann", Attributes: made.Attributes, Marker: made.Marker}, known)
		got, err := json.Marshal(res[badgeURN])
		if err != nil {
			t.Fatal(err)
		}
		expected, _ := json.Marshal(shown)
		if len(shown) == 0 {
			expected = []byte("null")
		}
		if string(got) != string(expected) {
			t.Fatalf("%s\nis kept as %q\nand shows as %s\nnot as        %s", body, made.Attributes, got, expected)
		}
		// The same again changes nothing but what is never read.
		old := directory.Entry{ID: "id-ann", Attributes: made.Attributes, Marker: made.Marker}
		want.Hidden = nil
		if again := m.Change(old, known, want, stamp); !again.Empty() {
			t.Fatalf("the same again is %+v", again)
		}
	})
}

func wantIn(t *rapid.T, m *Mapping, body []byte) Want {
	res, err := scim.Decode(body, m.Definition())
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	want, err := m.Want(res, known.Names())
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return want
}

// stored are values that a directory may have, in other forms than the
// gateway's, and some that do not fit their type.
var stored = map[string][]string{
	"colour": {"Red", "Green"}, "plates": {"x", "Y"}, "armed": {"TRUE", "FALSE"}, "level": {"7", "-12", "0", "9007199254740993"},
	"rates": {"1.5", "1.50", "2e3", "-0.1"}, "photo": {"\xff\xd8", "a", "\x00"}, "keys;binary": {"\xff", "\x30\x82"},
	"number": {"B1"}, "issued": {"20260506070809Z", "20260506090809+0200", "20260506070809.250Z", "2026050607Z", "2026-05-06T07:08:09Z"},
	"front": {"20260506070809,5Z"}, "back": {"202605060708-0730"}, "seen": {"20260101000000Z"},
}

func drawStored(t *rapid.T, c Config) directory.Entry {
	e := entry(directory.Active, nil)
	for _, r := range c.Extensions[0].Attributes {
		if values := stored[r.LDAP]; len(values) > 0 && rapid.Bool().Draw(t, "has "+r.LDAP) {
			most := 1
			if r.MultiValued {
				most = 2
			}
			e.Attributes[r.LDAP] = rapid.SliceOfNDistinct(rapid.SampledFrom(values), 1, most, rapid.ID[string]).Draw(t, r.LDAP)
		}
	}
	return e
}

// What others have written in another form shows in one form, and sent back
// stays as it is in the directory.
func TestOtherFormsOfAValueStay(t *testing.T) {
	c := allTypes()
	m := compile(t, c, "User")
	rapid.Check(t, func(t *rapid.T) {
		e := drawStored(t, c)
		text, err := json.Marshal(m.Resource(e, known))
		if err != nil {
			t.Fatal(err)
		}
		if change := m.Change(e, known, wantIn(t, m, text), stamp); !change.Empty() {
			t.Fatalf("%q shows as %s and comes back as %+v", e.Attributes, text, change)
		}
	})
}

// Whatever matches a filter is found by what the directory is asked.
func TestFiltersOnTypesMissNothing(t *testing.T) {
	c := allTypes()
	m := compile(t, c, "User")
	literals := map[string][]string{
		"colour": {`"red"`}, "plates": {`"y"`, `"X"`}, "armed": {"true", `"False"`}, "level": {"7", "-12.0", "0", `"7"`}, "rates": {"1.5", "2000", "-1e-1"},
		"photo": {`"/9g="`, `"_9g"`, `"YQ"`}, "keys": {`"/w=="`}, "badge.number": {`"b1"`},
		"badge.issued":                 {`"2026-05-06T07:08:09Z"`, `"2026-05-06T09:08:09.25+02:00"`, `"2026-05-06T07:00:00Z"`},
		"doors.value":                  {`"2026-05-06T07:08:09.5Z"`, `"2026-05-06T14:38:00Z"`},
		`doors[type eq "front"].value`: {`"2026-05-06T07:08:09.5Z"`}, "seen": {`"2026-01-01T00:00:00Z"`},
	}
	hits := 0
	for path, texts := range literals {
		name, _, _ := strings.Cut(path, "[")
		ldap := map[string][]string{"keys": {"keys;binary"}, "badge.number": {"number"}, "badge.issued": {"issued"},
			"doors": {"front", "back"}, "doors.value": {"front", "back"}}[name]
		if ldap == nil {
			ldap = []string{name}
		}
		ops := []string{"eq", "ne"}
		if !slices.Contains([]string{"armed", "photo", "keys"}, path) {
			ops = append(ops, "gt", "ge", "lt", "le")
		}
		var filters []string
		for _, op := range ops {
			for _, text := range texts {
				filters = append(filters, badgeURN+":"+path+" "+op+" "+text)
			}
		}
		filters = append(filters, badgeURN+":"+path+" pr")
		for _, text := range filters {
			for _, attribute := range ldap {
				for _, value := range append(stored[attribute], "") {
					for _, filter := range []string{text, "not (" + text + ")"} {
						if missesNothing(t, m, filter, attribute, value) {
							hits++
						}
					}
				}
			}
		}
	}
	if hits < 100 {
		t.Errorf("only %d matches", hits)
	}
}

// missesNothing looks at one filter and an entry with one value of an
// attribute, none where it is "". It reports whether they match.
func missesNothing(t *testing.T, m *Mapping, text, attribute, value string) bool {
	t.Helper()
	e := entry(directory.Active, nil)
	if value != "" {
		e.Attributes[attribute] = []string{value}
	}
	filter, err := scim.ParseFilter(text)
	if err != nil {
		t.Fatal(text, err)
	}
	matches, err := scim.Match(filter, m.Resource(e, known), m.Definition())
	if err != nil {
		t.Fatal(text, err)
	}
	asked, exact, err := m.Filter(filter, known.Names())
	if err != nil {
		t.Fatal(text, err)
	}
	if found := holds(asked, e); matches && !found || exact && matches != found {
		t.Errorf("%s with %q matches: %t, the directory finds: %t, exactly: %t: %+v", text, value, matches, found, exact, asked)
	}
	return matches
}

func TestGeneralizedTimes(t *testing.T) {
	for text, want := range map[string]string{
		"20260506070809Z": "2026-05-06T07:08:09Z", "20260506070809.25Z": "2026-05-06T07:08:09.25Z", "20260506070809,25Z": "2026-05-06T07:08:09.25Z",
		"202605060708Z": "2026-05-06T07:08:00Z", "2026050607Z": "2026-05-06T07:00:00Z", "2026050607.5Z": "2026-05-06T07:30:00Z",
		"202605060708.5Z": "2026-05-06T07:08:30Z", "20260506070809+0200": "2026-05-06T05:08:09Z", "20260506070809-0730": "2026-05-06T14:38:09Z",
		"20260506070809+02": "2026-05-06T05:08:09Z", "000001010000Z": "0000-01-01T00:00:00Z", "20260506070809.123456789Z": "2026-05-06T07:08:09.123456789Z",
		"20260506T070809Z": "", "20261306070809Z": "", "20260506070809": "", "99991231235959-0001": "", "": "", "20260506070809.Z": "",
	} {
		at, ok := parseGeneralizedTime(text)
		if got := scim.FormatDateTime(at); ok != (want != "") || ok && got != want {
			t.Errorf("%q is %s, %t; want %q", text, got, ok, want)
		}
	}
	if got := scimValue(scim.DateTime, "yesterday"); got != "yesterday" {
		t.Errorf("what is no time shows as %v", got)
	}
}

// Each type is held against each syntax that it may meet.
func TestTypesAreHeldAgainstSyntaxes(t *testing.T) {
	syntaxes := map[string]string{"text": "15", "ascii": "26", "boolean": "7", "integer": "27", "time": "24", "octets": "40", "jpeg": "28", "certificate": "8", "dn": "12", "own": "1.2.3"}
	fits := map[string]string{
		"boolean": "text ascii boolean own", "integer": "text ascii integer own", "decimal": "text ascii own", "dateTime": "text ascii time own",
		"binary": "octets jpeg own", "string": "text ascii boolean integer time octets dn own", "reference": "text ascii boolean integer time octets dn own",
	}
	for typ, list := range fits {
		for name, syntax := range syntaxes {
			if name != "own" {
				syntax = syntaxPrefix + syntax
			}
			wantHeld(t, typ+" as "+name, RuleConfig{SCIM: "x", LDAP: "x", Type: typ}, syntax, slices.Contains(strings.Fields(list), name))
		}
	}
	wantHeld(t, "a certificate", RuleConfig{SCIM: "x", LDAP: "x;binary", Type: "binary"}, syntaxPrefix+"8", true)
	wantHeld(t, "a photo with the option", RuleConfig{SCIM: "x", LDAP: "x;binary", Type: "binary"}, syntaxPrefix+"28", false)
	wantHeld(t, "a reference", RuleConfig{SCIM: "x", LDAP: "x", Reference: []string{"User"}}, syntaxPrefix+"12", true)
	wantHeld(t, "a reference in text", RuleConfig{SCIM: "x", LDAP: "x", Reference: []string{"User"}}, syntaxPrefix+"26", false)
}

func wantHeld(t *testing.T, what string, r RuleConfig, syntax string, fit bool) {
	t.Helper()
	c := people()
	c.Extensions = []ExtensionConfig{{URN: badgeURN, Attributes: []RuleConfig{r}}}
	s := fits()
	s.attributes[r.LDAP] = directory.AttributeType{Names: []string{"x"}, Syntax: syntax, Equality: "caseIgnoreMatch"}
	s.may = append(s.may, "x")
	if faults := compile(t, c, "User").Hold(s); fit != (len(faults) == 0) {
		t.Errorf("%s: %v", what, faults)
	}
}

// What only the directory writes may be shown, though no class allows it.
func TestReadOnlyAttributesAreOnlyShown(t *testing.T) {
	c := people()
	c.Attributes = append(c.Attributes, RuleConfig{SCIM: "nickName", LDAP: "vendorName", Mutability: "readOnly"})
	c.Attributes = slices.DeleteFunc(c.Attributes, func(r RuleConfig) bool { return r.LDAP == "scimNickName" })
	s := fits()
	s.attributes["vendorName"] = directory.AttributeType{Names: []string{"vendorName"}, ReadOnly: true, Operational: true}
	m := compile(t, c, "User")
	if faults := m.Hold(s); len(faults) > 0 {
		t.Error(faults)
	}
	delete(s.attributes, "vendorName")
	wantFault(t, m.Hold(s), "attributes["+fmt.Sprint(len(c.Attributes)-1)+"].ldap", "no attribute")
	old := entry(directory.Active, directory.Attributes{"vendorName": {"Acme"}})
	want := mustWant(t, m, `{"userName":"ann","externalId":"00u1","nickName":"x"}`)
	if change := m.Change(old, known, want, stamp); !change.Empty() {
		t.Errorf("it is written: %+v", change)
	}
	shown := m.Resource(old, known)
	if shown["nickName"] != "Acme" {
		t.Errorf("it shows as %v", shown["nickName"])
	}
	if want := wantOf(t, m, shown, known.Names()); want.Attributes["vendorName"] != nil {
		t.Errorf("a PATCH of something else would write it: %v", want.Attributes)
	}
}

// The directory is asked only for comparisons that it can make.
func TestComparisonsFollowTheMatchingRules(t *testing.T) {
	for name, tc := range map[string]struct {
		equality, substring string
		eq, sw              directory.FilterOp
	}{
		"usual":         {"caseIgnoreMatch", "caseIgnoreSubstringsMatch", directory.Equal, directory.Prefix},
		"no substrings": {"caseIgnoreMatch", "", directory.Equal, directory.Present},
		"nothing":       {"", "", directory.Present, directory.Present},
		"exact":         {"caseExactMatch", "caseExactSubstringsMatch", directory.Present, directory.Present},
	} {
		m := compile(t, people(), "User")
		s := fits()
		s.attributes["title"] = directory.AttributeType{Names: []string{"title"}, Syntax: syntaxPrefix + "15", Equality: tc.equality, Substring: tc.substring}
		m.Hold(s)
		for filter, op := range map[string]directory.FilterOp{`title eq "x"`: tc.eq, `title sw "x"`: tc.sw} {
			parsed, err := scim.ParseFilter(filter)
			if err != nil {
				t.Fatal(err)
			}
			if f, exact, err := m.Filter(parsed, nil); err != nil || exact || f.Op != op {
				t.Errorf("%s, %s: %+v, exact %t, %v", name, filter, f, exact, err)
			}
		}
		change := m.Change(entry(directory.Active, directory.Attributes{"title": {"a"}}), known, mustWant(t, m, `{"userName":"ann","externalId":"00u1","title":"b"}`), stamp)
		wanted := []directory.Mod{del("title", "a"), add("title", "b")}
		if tc.equality == "" {
			wanted = []directory.Mod{set("title", "b")}
		}
		same(t, change.Mods, wanted)
	}
}

// devices is a further type.
func devices() Config {
	c := groups()
	c.Base, c.StableKey = "ou=devices,dc=example,dc=org", ""
	c.Kind = Kind{Endpoint: "Devices", Schema: "urn:example:params:scim:schemas:core:2.0:Device"}
	c.Peers = []string{"Device"}
	c.Attributes = []RuleConfig{
		{SCIM: "label", LDAP: "cn", Required: true, Unique: true},
		{SCIM: "externalId", LDAP: "scimExternalId"},
		{SCIM: "password", LDAP: "userPassword"},
		{SCIM: "owner", LDAP: "owner", Reference: []string{"User", "Device"}},
	}
	c.Delete = ""
	return c
}

// A further type is made of its declaration alone.
func TestAFurtherType(t *testing.T) {
	if faults := devices().Validate("Device"); len(faults) > 0 {
		t.Fatal(faults)
	}
	m := compile(t, devices(), "Device")
	if !m.DeletesForGood() || m.StableKey() != "" || m.Members() != "" {
		t.Errorf("deletes for good: %t, stable key %q, members %q", m.DeletesForGood(), m.StableKey(), m.Members())
	}
	want := mustWant(t, m, `{"schemas":["urn:example:params:scim:schemas:core:2.0:Device"],"label":"x","externalId":"e","password":"p","owner":"id-ann","userName":"no"}`)
	same(t, want.Attributes, directory.Attributes{"cn": {"x"}, "scimExternalId": {"e"}, "owner": {dn("id-ann")}})
	if want.Secrets["userPassword"] != "p" || want.StableKey != "" || want.Active != nil {
		t.Errorf("%+v", want)
	}
	made := m.Create(want, stamp)
	res := m.Resource(directory.Entry{ID: "id-x", Attributes: made.Attributes, Marker: made.Marker}, known)
	if got := asJSON(t, res); got != `{"externalId":"e","label":"x","owner":{"type":"User","value":"id-ann"}}` {
		t.Errorf("it shows as %s", got)
	}
	if places := m.Referrers(); len(places) != 1 || !places[0].Member {
		t.Errorf("a name that may outlive its bearer is not looked at: %+v", places)
	}
	c := devices()
	c.Deactivate = people().Deactivate
	if _, _, ok := compile(t, c, "Device").Definition().Lookup(scim.Path{Attr: "active"}); !ok {
		t.Error("a type that can be deactivated has no active")
	}
	c = devices()
	c.Delete = DeleteDisable
	faults := c.Validate("Device")
	wantFault(t, faults, "stableKey", "externalId")
	wantFault(t, faults, "deactivate", "remove")
}

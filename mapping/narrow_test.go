package mapping

import (
	"slices"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"

	"scimgate/internal/directory"
	"scimgate/internal/scim"
)

// strictly compares as a directory does that knows the case of the oldest
// letters only, and that drops blanks and controls at the ends, or does not, and
// composes letters and their marks, or does not.
func strictly(f directory.Filter, value string, drops, composes bool) bool {
	form := func(s string) string { return s }
	if composes {
		form = norm.NFC.String
	}
	prepare := func(s string) string {
		return strings.Map(func(r rune) rune {
			if r < 0x250 || wellKnown(r) {
				return unicode.ToLower(r)
			}
			return r
		}, strings.TrimFunc(form(s), func(r rune) bool { return drops && insignificant(r) }))
	}
	if f.Op == directory.And {
		return !slices.ContainsFunc(f.Filters, func(part directory.Filter) bool { return !strictly(part, value, drops, composes) })
	}
	f.Value = prepare(f.Value)
	return f.Op == directory.Present || meets(f, prepare(value))
}

// Whatever the letters are, a directory misses nothing that SCIM accepts.
func TestNarrowedMissesNothing(t *testing.T) {
	letters := []rune("aAüÜu\u0308\u0323q\u212a\u2126ωΩÅ\u212b\uf900\u8c48가\u1100\u1161 σςΣ\u1e9eßıİſsKkǅǆ𐐀𐐨Აა名\t\x01")
	def := scim.Definition{Name: "Thing", Core: scim.Schema{ID: "urn:x:Thing", Attributes: []scim.Attribute{{Name: "cn"}}}}
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.StringOfN(rapid.SampledFrom(letters), 1, 5, -1).Draw(t, "value")
		wanted := rapid.StringOfN(rapid.SampledFrom(letters), 1, 3, -1).Draw(t, "wanted")
		if rapid.Bool().Draw(t, "the same in another case") {
			wanted = strings.ToUpper(value)
		}
		if rapid.Bool().Draw(t, "in another form") {
			wanted = norm.NFD.String(wanted)
		}
		for op, ldap := range substrings {
			ok, err := scim.Match(scim.Compare{Path: scim.Path{Attr: "cn"}, Op: op, Value: wanted}, scim.Resource{"cn": value}, def)
			if err != nil {
				t.Fatal(err)
			}
			for _, composes := range []bool{true, false} {
				f := narrowed(ldap, "cn", wanted, composes)
				if ok && !(strictly(f, value, true, composes) && strictly(f, value, false, composes)) {
					t.Fatalf("%q %s %q: %+v misses it (composes: %v)", value, op, wanted, f, composes)
				}
			}
		}
	})
}

// What a directory may not compare as SCIM does is not asked of it.
func TestNarrowed(t *testing.T) {
	part := func(ops ...directory.Filter) directory.Filter {
		return directory.AndOf(append([]directory.Filter{present("cn")}, ops...)...)
	}
	for _, tc := range []struct {
		op    directory.FilterOp
		value string
		want  directory.Filter
	}{
		{directory.Equal, "ann", directory.Eq("cn", "ann")},
		{directory.Equal, " ann ", directory.Eq("cn", " ann ")}, // blanks at the ends are the directory's to drop
		{directory.Equal, "Jürgen Ünal", directory.Eq("cn", "Jürgen Ünal")},
		{directory.Suffix, "Straße", part(op(directory.Contains, "cn", "Stra"), op(directory.Contains, "cn", "e"))}, // ẞ is young
		{directory.Equal, "Ju\u0308rgen", directory.Eq("cn", "Jürgen")},
		{directory.Equal, " \t", present("cn")},
		{directory.Contains, " n", op(directory.Contains, "cn", "n")},
		{directory.Prefix, "\u00a0", present("cn")},
		{directory.Prefix, "\x01a", op(directory.Contains, "cn", "a")},
		{directory.Suffix, "名前", op(directory.Suffix, "cn", "名前")},
		{directory.Equal, "οδός 7", part(op(directory.Contains, "cn", "οδό"), op(directory.Contains, "cn", "7"))},
		{directory.Equal, "ΣΣ", part()},
		{directory.Prefix, "a 𐐀\u0301b", part(op(directory.Contains, "cn", "a"), op(directory.Contains, "cn", "b"))},
	} {
		same(t, simplify(narrowed(tc.op, "cn", tc.value, true)), simplify(tc.want))
	}
	for value, want := range map[string]directory.Filter{
		"ann@example.org": directory.Eq("cn", "ann@example.org"),
		"kelvin; `":       directory.Eq("cn", "kelvin; `"), // ASCII has one form
		"Straße":          part(op(directory.Contains, "cn", "Stra"), op(directory.Contains, "cn", "e")),
		"Jürgen Ünal":     part(op(directory.Contains, "cn", "J"), op(directory.Contains, "cn", "rgen"), op(directory.Contains, "cn", "nal")),
		"q\u0307\u0323":   part(op(directory.Contains, "cn", "q")),
		"5 ω":             part(op(directory.Contains, "cn", "5")),
		"名前":              directory.Eq("cn", "名前"),
		"豈":               part(),
		"жук":             directory.Eq("cn", "жук"),
		"й":               part(),
	} {
		same(t, simplify(narrowed(directory.Equal, "cn", value, false)), simplify(want))
	}
}

package ldapsink

import (
	"strings"
	"testing"
	"unicode/utf8"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"

	"scimgate/internal/directory"
)

var testRenderer = renderer{flavor: flavors[openLDAP], state: "scimState"}

func TestRenderFilter(t *testing.T) {
	const id = "4bd9f8a6-5d0e-103f-8a5d-c5ad3c1e5f4a"
	op := func(op directory.FilterOp, attribute, value string) directory.Filter {
		return directory.Filter{Op: op, Attribute: attribute, Value: value}
	}
	for _, tc := range []struct {
		name   string
		filter directory.Filter
		want   string
	}{
		{"zero value", directory.Filter{}, "(objectClass=*)"},
		{"none", op(directory.None, "", ""), "(!(objectClass=*))"},
		{"empty and", directory.AndOf(), "(objectClass=*)"},
		{"empty or", directory.OrOf(), "(!(objectClass=*))"},
		{"or of nothing", directory.Filter{Op: directory.Or}, "(!(objectClass=*))"},
		{"and", directory.AndOf(directory.Eq("a", "1"), directory.Eq("b", "2")), "(&(a=1)(b=2))"},
		{"or", directory.AnyOf("a", []string{"1", "2"}), "(|(a=1)(a=2))"},
		{"not", directory.NotOf(directory.Eq("a", "1")), "(!(a=1))"},
		{"present", op(directory.Present, "a", ""), "(a=*)"},
		{"prefix", op(directory.Prefix, "a", "*"), `(a=\2a*)`},
		{"suffix", op(directory.Suffix, "a", "x"), "(a=*x)"},
		{"contains", op(directory.Contains, "a", "x"), "(a=*x*)"},
		{"contains nothing", op(directory.Contains, "a", ""), "(a=*)"},
		{"at least", op(directory.AtLeast, "a", "x"), "(a>=x)"},
		{"at most", op(directory.AtMost, "a", "x"), "(a<=x)"},
		{"id", directory.Eq(directory.AttrID, id), "(entryUUID=" + id + ")"},
		{"some id", op(directory.Present, directory.AttrID, ""), "(entryUUID=*)"},
		{"no id", directory.Eq(directory.AttrID, "x"), "(!(objectClass=*))"},
		{"id with a prefix", op(directory.Prefix, directory.AttrID, id), "(!(objectClass=*))"},
		{"name", directory.Eq(directory.AttrDN, "a=b,c=d"), "(entryDN=a=b,c=d)"},
		{"no name", directory.Eq(directory.AttrDN, "x"), "(!(objectClass=*))"},
		{"created", op(directory.AtMost, directory.AttrCreated, "2026-01-02T04:04:05.5+01:00"), "(createTimestamp<=20260102030405.5Z)"},
		{"modified", op(directory.AtLeast, directory.AttrModified, "2026-01-02T03:04:05Z"), "(modifyTimestamp>=20260102030405Z)"},
		{"no time", op(directory.AtLeast, directory.AttrModified, "soon"), "(!(objectClass=*))"},
		{"state", directory.Eq(directory.AttrState, "active"), "(scimState=scimgate:active *)"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := testRenderer.render(tc.filter)
			if err != nil || got != tc.want {
				t.Errorf("%q, %v, wanted %q", got, err, tc.want)
			}
			if _, err := ldap.CompileFilter(got); err != nil {
				t.Error(err)
			}
		})
	}
	for name, filter := range map[string]directory.Filter{
		"no attribute":      directory.Eq("", "x"),
		"attribute":         directory.Eq("a)(b", "x"),
		"kind":              {Op: 99, Attribute: "a"},
		"lonely negation":   {Op: directory.Not},
		"unknown name":      directory.Eq("@nothing", "x"),
		"state by prefix":   op(directory.Prefix, directory.AttrState, "a"),
		"name by presence":  op(directory.Present, directory.AttrDN, ""),
		"inside of another": directory.AndOf(directory.NotOf(directory.Eq("", ""))),
	} {
		if got, err := testRenderer.render(filter); err == nil {
			t.Errorf("%s: rendered as %q", name, got)
		}
	}
}

// FuzzFilterValue holds that any bytes come out of a filter as they went in.
func FuzzFilterValue(f *testing.F) {
	for _, seed := range []string{"", "a", "*", "(", ")", `\`, `\2a`, "\x00", "\xff", "ä", "�", "a*b(c)d\\e\x00f\xfeg",
		" a ", "\u00a0a\u3000", "#a+", `\` + "\xff", "\xc3", "\xe2\x82", "\xed\xa0\x80", "é*", "*é", "\U0001F600", strings.Repeat("(é*\x00", 2_500)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		for _, op := range []directory.FilterOp{directory.Equal, directory.AtLeast, directory.Prefix, directory.Contains} {
			text, err := testRenderer.render(directory.Filter{Op: op, Attribute: "cn", Value: value})
			if err != nil {
				t.Fatal(err)
			}
			packet, err := ldap.CompileFilter(text)
			if err != nil {
				t.Fatalf("%q: %v", text, err)
			}
			if value == "" {
				continue
			}
			part := packet.Children[1]
			if packet.Tag == ldap.FilterSubstrings {
				if len(part.Children) != 1 {
					t.Fatalf("%q is taken for %d parts", text, len(part.Children))
				}
				part = part.Children[0]
			}
			if got := ber.DecodeString(part.Data.Bytes()); got != value {
				t.Errorf("%q comes back as %q from %q", value, got, text)
			}
		}
	})
}

// FuzzName holds that any value comes out of a name as it went in, and that
// taking the name apart finds the same place.
func FuzzName(f *testing.F) {
	for _, seed := range []string{"a", "a,b", "a+b", `"a"`, "#a", " a", "a ", "  ", "a/b", "a*b", "(a)", `\`, "a\x00", "a=b", "<a>;", "\xff", "ä", "\n", "�",
		" #", "##", "+", `\20a`, `a\20`, `a\`, "\x00", " \x00 ", "\u00a0a\u00a0", "\u3000", "e\u0301", "\u202ea", "\u00ada", "\xc3", "\xe2\x82 ", "\xed\xa0\x80",
		"\U0001F600", "é ", " é", strings.Repeat("x", 10_000), strings.Repeat("é\x00+ ", 2_500)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		dn := Name("uid", value, "ou=people,dc=example")
		if !utf8.ValidString(dn) {
			t.Fatalf("%q is no valid UTF-8", dn)
		}
		parsed, err := ldap.ParseDN(dn)
		if err != nil {
			t.Fatalf("%q: %v", dn, err)
		}
		if len(parsed.RDNs) != 3 || len(parsed.RDNs[0].Attributes) != 1 || parsed.RDNs[0].Attributes[0].Value != value {
			t.Errorf("%q comes back as %+v from %q", value, parsed.RDNs[0].Attributes[0], dn)
		}
		if first, rest := splitName(dn); first != relativeName("uid", value) || rest != "ou=people,dc=example" {
			t.Errorf("%q splits into %q and %q", dn, first, rest)
		}
		if strings.ContainsAny(dn, "\x00\n\r") {
			t.Errorf("%q holds control characters", dn)
		}
	})
}

package scim

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

func TestParseFilter(t *testing.T) {
	work := Compare{Path{Attr: "type"}, Eq, "work"}
	for _, test := range []struct {
		text      string
		want      Filter
		canonical string // "" = text
	}{
		{`userName eq "bjensen"`, Compare{Path{Attr: "userName"}, Eq, "bjensen"}, ""},
		{`name.familyName co "O'Malley"`, Compare{Path{Attr: "name", Sub: "familyName"}, Co, "O'Malley"}, ""},
		{`urn:ietf:params:scim:schemas:core:2.0:User:userName sw "J"`, Compare{Path{URN: UserURN, Attr: "userName"}, Sw, "J"}, ""},
		{`title pr`, Present{Path{Attr: "title"}}, ""},
		{`meta.lastModified gt "2011-05-13T04:42:34Z"`, Compare{Path{Attr: "meta", Sub: "lastModified"}, Gt, "2011-05-13T04:42:34Z"}, ""},
		{`active eq true`, Compare{Path{Attr: "active"}, Eq, true}, ""},
		{`active eq false`, Compare{Path{Attr: "active"}, Eq, false}, ""},
		{`title eq null`, Compare{Path{Attr: "title"}, Eq, nil}, ""},
		{`size ge -1.5e3`, Compare{Path{Attr: "size"}, Ge, json.Number("-1.5e3")}, ""},
		{`emails[type eq "work"]`, ValuePath{Path{Attr: "emails"}, work}, ""},
		{`emails[type eq "work" and value co "@x"]`,
			ValuePath{Path{Attr: "emails"}, And{[]Filter{work, Compare{Path{Attr: "value"}, Co, "@x"}}}}, ""},
		{`a eq 1 or b eq 2 and not (c pr)`, Or{[]Filter{
			Compare{Path{Attr: "a"}, Eq, json.Number("1")},
			And{[]Filter{Compare{Path{Attr: "b"}, Eq, json.Number("2")}, Not{Present{Path{Attr: "c"}}}}},
		}}, ""},
		{`(a pr or b pr) and c pr`, And{[]Filter{
			Or{[]Filter{Present{Path{Attr: "a"}}, Present{Path{Attr: "b"}}}}, Present{Path{Attr: "c"}},
		}}, ""},
		{`a pr and (b pr and c pr)`, And{[]Filter{
			Present{Path{Attr: "a"}}, Present{Path{Attr: "b"}}, Present{Path{Attr: "c"}},
		}}, `a pr and b pr and c pr`},

		// what clients send although the grammar has it not
		{`emails[type eq "work"].value eq "x"`, Compare{Path{Attr: "emails", Filter: work, Sub: "value"}, Eq, "x"}, ""},
		{`emails[type eq "work"].value pr`, Present{Path{Attr: "emails", Filter: work, Sub: "value"}}, ""},
		{`emails[type eq "work"] eq "x"`, Compare{Path{Attr: "emails", Filter: work}, Eq, "x"}, ""},
		{`externalId eq jyoung`, Compare{Path{Attr: "externalId"}, Eq, "jyoung"}, `externalId eq "jyoung"`},
		{`externalId eq 007`, Compare{Path{Attr: "externalId"}, Eq, "007"}, `externalId eq "007"`},
		{`active eq True`, Compare{Path{Attr: "active"}, Eq, "True"}, `active eq "True"`},
		{"  userName \t EQ   \"x\"  AND\n title PR ", And{[]Filter{
			Compare{Path{Attr: "userName"}, Eq, "x"}, Present{Path{Attr: "title"}},
		}}, `userName eq "x" and title pr`},
		{`NOT(title pr)`, Not{Present{Path{Attr: "title"}}}, `not (title pr)`},
		{`not eq "x"`, Compare{Path{Attr: "not"}, Eq, "x"}, ""},
		{`x eq "a\"b\\c\u00e9<&>"`, Compare{Path{Attr: "x"}, Eq, `a"b\cé<&>`}, `x eq "a\"b\\cé<&>"`},
		{`x eq "a ) ] and or"`, Compare{Path{Attr: "x"}, Eq, "a ) ] and or"}, ""},
		{`manager eq "m" and id eq "u"`, And{[]Filter{
			Compare{Path{Attr: "manager"}, Eq, "m"}, Compare{Path{Attr: "id"}, Eq, "u"},
		}}, ""},
		{`members[$ref eq "x"]`, ValuePath{Path{Attr: "members"}, Compare{Path{Attr: "$ref"}, Eq, "x"}}, ""},
	} {
		t.Run(test.text, func(t *testing.T) {
			got := mustFilter(t, test.text)
			wantEqual(t, got, test.want)
			canonical := test.canonical
			if canonical == "" {
				canonical = test.text
			}
			if got.String() != canonical {
				t.Errorf("prints as %s, want %s", got, canonical)
			}
			wantEqual(t, mustFilter(t, got.String()), test.want)
		})
	}
}

func TestParseFilterErrors(t *testing.T) {
	for _, test := range []struct{ text, detail string }{
		{``, `position 1: found the end, expected the name of an attribute`},
		{`userName`, `position 9: found the end, expected an operator (eq, ne`},
		{`userName eqq "x"`, `position 10: found "eqq", expected an operator`},
		{`userName eq`, `position 12: found the end, expected a value`},
		{`userName eq "x`, `position 13: found "\"", expected a string in quotes`},
		{`userName eq "\x"`, `position 13: found "\"", expected a string in quotes`},
		{`userName eq "x" title pr`, `position 17: found "title", expected and, or, or the end`},
		{`userName eq "x" and`, `position 20: found the end, expected the name of an attribute`},
		{`(userName pr`, `position 13: found the end, expected and, or, or ')' to close the '(' at position 1`},
		{`userName pr)`, `position 12: found ")", expected and, or, or the end`},
		{`emails[type eq "work"`, `expected and, or, or ']' to close the '[' at position 7`},
		{`emails[type eq "work"].`, `position 24: found the end, expected the name of a sub-attribute`},
		{`emails[type eq "work"].value`, `expected an operator`},
		{`emails[a.b eq 1]`, `position 8: found "a.b", expected the name of a sub-attribute`},
		{`emails[a[b pr]]`, `expected no value filter here`},
		{`name.x[a pr]`, `expected no value filter here`},
		{`1name pr`, `position 1: found "1name", expected the name of an attribute`},
		{`a..b pr`, `expected the name of an attribute`},
		{`a.b.c pr`, `expected the name of an attribute`},
		{`:a pr`, `expected the name of an attribute`},
		{`urn:x:2.0 pr`, `expected the name of an attribute`},
		{"a eq \"\xff\"", `not UTF-8`},
		{`a eq "x\ud800"`, `position 8: the escape \ud800 is half of a character`},
		{strings.Repeat("(", 33) + "a pr" + strings.Repeat(")", 33), `position 33: brackets nested too deep`},
		{strings.Repeat("a", 8193), `8193 bytes long, expected at most 8192`},
	} {
		t.Run(test.detail, func(t *testing.T) {
			_, err := ParseFilter(test.text)
			wantError(t, err, TypeInvalidFilter, test.detail)
		})
	}
	deep := strings.Repeat("(", 32) + "a pr" + strings.Repeat(")", 32)
	if got := mustFilter(t, deep).String(); got != "a pr" {
		t.Errorf("32 brackets: %s", got)
	}
}

func TestComparisonsAndTheirPlaces(t *testing.T) {
	var got []string
	for _, c := range Comparisons(`not (a eq "b") and (c[x eq 1]`) {
		got = append(got, c.Filter.String())
	}
	if got != nil {
		t.Errorf("of what cannot be read: %v", got)
	}
	for _, c := range Comparisons(` a eq "b pr" and not (c[type eq "x" and (y pr)].z gt 1 or d pr) or e[f pr]`) {
		got = append(got, fmt.Sprint(c.Position, " ", c.Filter))
	}
	wantEqual(t, got, []string{
		`2 a eq "b pr"`, `23 c pr`, `25 c[type eq "x"]`, `42 c[y pr]`, `23 c[type eq "x" and y pr].z gt 1`, `59 d pr`, `68 e pr`, `70 e[f pr]`, `68 e[f pr]`,
	})
}

func FuzzParseFilter(f *testing.F) {
	for _, seed := range []string{
		`userName eq "x"`, `emails[type eq "work" and value co "@x"].value eq "y" or not (title pr)`,
		`a eq -1.5e3 and b eq null or (c eq true)`, `externalId eq jyoung`, `x eq "\u0000\ud800"`, `not(a pr)`,
		`urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value eq "m"`, `((a pr))`, `a eq not`,
	} {
		f.Add(seed)
	}
	for _, seed := range append(seenFilters, transcriptSeeds(f).filters...) {
		f.Add(seed)
	}
	user := resource(f, `{"userName":"bjensen","active":true,"emails":[{"type":"work","value":"x","primary":true}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		first, err := ParseFilter(text)
		if err != nil {
			wantError(t, err, TypeInvalidFilter, "filter")
			wantBadRequest(t, err)
			return
		}
		printed := first.String()
		if len(printed) > maxFilter {
			return
		}
		second, err := ParseFilter(printed)
		if err != nil {
			t.Fatalf("%q prints as %q, which does not parse: %v", text, printed, err)
		}
		wantEqual(t, second, first)
		if _, err := Match(first, user, UserDefinition()); err != nil {
			wantError(t, err, TypeInvalidFilter)
			wantBadRequest(t, err)
		}
	})
}

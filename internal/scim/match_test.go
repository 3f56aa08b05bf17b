package scim

import (
	"testing"

	"pgregory.net/rapid"
)

const jensen = `{"id":"2819C223","externalId":"Ab","userName":"bjensen","title":"Tour Guide","active":true,
 "name":{"familyName":"Jensen","givenName":"Barbara"},
 "emails":[{"value":"b@work.example","type":"work","primary":true},{"value":"b@home.example","type":"home"}],
 "meta":{"created":"2011-08-08T04:56:22Z","lastModified":"2011-08-08T08:00:00+02:00"},` +
	enterprise + `:{"employeeNumber":"701984","manager":{"value":"m1"}}}`

func TestMatch(t *testing.T) {
	r := resource(t, jensen)
	for text, want := range map[string]bool{
		`userName eq "BJensen"`:  true, // not caseExact
		`externalId eq "Ab"`:     true,
		`externalId eq "ab"`:     false, // caseExact
		`externalId ne "ab"`:     true,
		`id eq 2819C223`:         true,
		`userName co "JEN"`:      true,
		`userName sw "b"`:        true,
		`userName ew "SEN"`:      true,
		`userName ew "x"`:        false,
		`userName gt "bja"`:      true,
		`userName le "BJENSEN"`:  true,
		`userName lt "bjensen"`:  false,
		`title pr`:               true,
		`nickName pr`:            false,
		`nickName eq null`:       true,
		`title eq null`:          false,
		`title ne null`:          true,
		`nickName ne "x"`:        true,
		`nickName eq "x"`:        false,
		`nickName co ""`:         false,
		`active eq true`:         true,
		`active eq "True"`:       true,
		`active ne False`:        true,
		`active eq false`:        false,
		`name pr`:                true,
		`name eq null`:           false,
		`name.familyName eq "x"`: false,

		`emails eq "B@WORK.example"`:                               true,
		`emails.value sw "b@home"`:                                 true,
		`email.value eq "b@home.example"`:                          true,
		`emails[type eq "work" and value co "home"]`:               false,
		`emails[type eq "work" and value co "work"]`:               true,
		`emails[type eq "work"].value eq "b@work.example"`:         true,
		`emails[type eq "home"].value eq "b@work.example"`:         false,
		`emails[primary eq "True"].value eq "b@work.example"`:      true,
		`emails[not (primary pr)]`:                                 true,
		`emails[type eq "other"] pr`:                               false,
		`emails.type eq "work" and emails.value co "home"`:         true,
		`emails ne "b@work.example"`:                               true, // any value
		`manager eq "m1"`:                                          true,
		`enterprise:manager.value eq "M1"`:                         true, // an id
		`id eq "2819c223"`:                                         true,
		`id ne "2819c223"`:                                         false,
		EnterpriseURN + `:employeeNumber eq 701984`:                true,
		EnterpriseURN + ` pr`:                                      true,
		`department pr`:                                            false,
		`meta.lastModified eq "2011-08-08T06:00:00Z"`:              true,
		`meta.lastModified gt "2011-08-08T05:00:00"`:               true,
		`meta.created lt "2011-08-08T04:56:22.5Z"`:                 true,
		`meta.created sw "2011-08"`:                                true,
		`nonsense eq "x"`:                                          false,
		`nonsense pr`:                                              false,
		`nonsense ne "x"`:                                          true,
		`urn:example:2.0:User:x eq null`:                           true,
		`userName eq "x" or title pr and active eq true`:           true,
		`(userName eq "x" or title pr) and active eq false`:        false,
		`not (userName eq "x")`:                                    true,
		`id eq "2819C223" and manager eq "m1" and externalId pr`:   true,
		UserURN + `:userName eq "bjensen"`:                         true,
		`emails[nonsense eq "x"]`:                                  false,
		`emails[type eq "work" or type eq "home"].value co "home"`: true,
	} {
		got, err := Match(mustFilter(t, text), r, UserDefinition())
		if err != nil || got != want {
			t.Errorf("%s: %v %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{
		`active gt true`, `active eq "maybe"`, `active co "t"`, `name eq "x"`, `title gt null`, `meta.created gt "yesterday"`,
		`x509Certificates gt "x"`, `emails[primary ge true]`, `title pr and active gt true`, `not (active gt true)`,
	} {
		_, err := Match(mustFilter(t, text), r, UserDefinition())
		wantError(t, err, TypeInvalidFilter, "filter: ")
	}
	for _, f := range []Filter{nil, And{[]Filter{nil}}, Not{}} {
		_, err := Match(f, r, UserDefinition())
		wantError(t, err, TypeInvalidFilter)
	}
}

func TestMatchNumbers(t *testing.T) {
	def := Definition{Name: "Thing", Core: Schema{ID: "urn:x:Thing", Attributes: []Attribute{
		{Name: "n", Type: Integer}, {Name: "d", Type: Decimal}, {Name: "tags", MultiValued: true},
	}}}
	r := resource(t, `{"n":9007199254740993,"d":1.50,"tags":["a","B"]}`)
	for text, want := range map[string]bool{
		`n gt 9007199254740992`: true, `n eq 9007199254740993`: true, `n lt 10`: false, `n eq "9007199254740993"`: true,
		`d eq 1.5`: true, `d ge 1`: true, `d sw "1.5"`: true, `d lt 1e999`: false,
		`tags eq "b"`: true, `tags[value eq "A"]`: true, `tags.value eq "c"`: false,
	} {
		got, err := Match(mustFilter(t, text), r, def)
		if text == `d lt 1e999` {
			wantError(t, err, TypeInvalidFilter)
			continue
		}
		if err != nil || got != want {
			t.Errorf("%s: %v %v, want %v", text, got, err, want)
		}
	}
}

// filters draws filters on a user that make sense for the types.
func filters() *rapid.Generator[Filter] {
	words := rapid.SampledFrom([]string{"bjensen", "B", "jen", "work", "b@work.example", "701984", ""})
	leaf := rapid.Custom(func(t *rapid.T) Filter {
		p := Path{Attr: rapid.SampledFrom([]string{"userName", "title", "nickName", "externalId", "emails", "manager", "nonsense"}).Draw(t, "attr")}
		op := rapid.SampledFrom([]Op{Eq, Ne, Co, Sw, Ew, Gt, Ge, Lt, Le}).Draw(t, "op")
		switch rapid.IntRange(0, 3).Draw(t, "kind") {
		case 0:
			return Present{p}
		case 1:
			return ValuePath{Path{Attr: "emails"}, Compare{Path{Attr: "type"}, op, words.Draw(t, "word")}}
		case 2:
			return Compare{Path{Attr: "emails", Filter: Present{Path{Attr: "primary"}}, Sub: "value"}, op, words.Draw(t, "word")}
		}
		return Compare{p, op, words.Draw(t, "word")}
	})
	return rapid.Custom(func(t *rapid.T) Filter { return tree(t, leaf, 3) })
}

func tree(t *rapid.T, leaf *rapid.Generator[Filter], depth int) Filter {
	kind := rapid.IntRange(0, 3).Draw(t, "node")
	if depth == 0 || kind == 0 {
		return leaf.Draw(t, "leaf")
	}
	if kind == 1 {
		return Not{tree(t, leaf, depth-1)}
	}
	parts := []Filter{tree(t, leaf, depth-1), tree(t, leaf, depth-1)}
	if kind == 2 {
		return And{parts}
	}
	return Or{parts}
}

func TestMatchIsLogic(t *testing.T) {
	r, def := resource(t, jensen), UserDefinition()
	rapid.Check(t, func(t *rapid.T) {
		a, b := filters().Draw(t, "a"), filters().Draw(t, "b")
		is := func(f Filter) bool {
			ok, err := Match(f, r, def)
			if err != nil {
				t.Fatalf("%s: %v", f, err)
			}
			back, err := ParseFilter(f.String())
			if err != nil {
				t.Fatalf("%s: %v", f, err)
			}
			if printed, _ := Match(back, r, def); printed != ok {
				t.Fatalf("%s matches %v, printed and parsed %v", f, ok, printed)
			}
			return ok
		}
		and, or := And{[]Filter{a, b}}, Or{[]Filter{a, b}}
		if is(Not{Not{a}}) != is(a) || is(Not{a}) == is(a) {
			t.Fatalf("negation of %s", a)
		}
		if is(and) != (is(a) && is(b)) || is(or) != (is(a) || is(b)) || is(and) != is(And{[]Filter{b, a}}) {
			t.Fatalf("and, or of %s, %s", a, b)
		}
		if is(Not{and}) != is(Or{[]Filter{Not{a}, Not{b}}}) {
			t.Fatalf("De Morgan of %s, %s", a, b)
		}
	})
}

// Doing a patch twice does what doing it once does, unless it removes by a
// filter, which finds nothing the second time.
func TestApplyIsIdempotent(t *testing.T) {
	def := UserDefinition()
	rapid.Check(t, func(t *rapid.T) {
		paths := []string{"title", "active", "name", "name.givenName", "emails", `emails[type eq "work"].value`,
			`emails[primary eq true].type`, "manager", "enterprise:department", `roles[primary eq "True"].value`, ""}
		values := []any{"x", "true", "", nil, []any{}, map[string]any{"value": "v", "type": "work", "primary": "True"},
			[]any{map[string]any{"value": "a"}, map[string]any{"value": "b", "primary": true}},
			map[string]any{"givenName": "", "familyName": "f"}, map[string]any{"title": nil, "emails": "e"}}
		o := Operation{Op: rapid.SampledFrom([]string{"add", "replace"}).Draw(t, "op"), HasValue: true, Value: rapid.SampledFrom(values).Draw(t, "value")}
		if path := rapid.SampledFrom(paths).Draw(t, "path"); path != "" {
			p, err := ParsePath(path)
			if err != nil {
				t.Fatal(err)
			}
			o.Path = &p
		}
		patch := Patch{[]Operation{o}}
		start, err := Decode([]byte(jensen), def)
		if err != nil {
			t.Fatal(err)
		}
		once, err := Apply(def, start, patch)
		if err != nil {
			var e *Error
			if !asError(err, &e) || e.Status != 400 {
				t.Fatal(err)
			}
			return
		}
		twice, err := Apply(def, once, patch)
		if err != nil || !equal(map[string]any(twice), map[string]any(once)) {
			t.Fatalf("%s %v: once %v, twice %v %v", o, o.Value, once, twice, err)
		}
	})
}

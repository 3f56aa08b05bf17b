package scim

import (
	"slices"
	"strings"
	"testing"
)

func TestSplitMembers(t *testing.T) {
	for _, test := range []struct {
		name, operations string
		rest             string
		add, remove      []string
		whole            bool
	}{
		{"Entra adds", `{"op":"Add","path":"members","value":[{"$ref":null,"value":"a"},{"value":"b"}]}`, ``, []string{"a", "b"}, nil, false},
		{"Entra removes", `{"op":"Remove","path":"members","value":[{"value":"a"}]}`, ``, nil, []string{"a"}, false},
		{"Okta swaps", `{"op":"remove","path":"members[value eq \"a\"]"},{"op":"add","path":"members","value":[{"value":"b","display":"B"}]}`, ``, []string{"b"}, []string{"a"}, false},
		{"the last word wins", `{"op":"add","path":"members","value":"a"},{"op":"add","path":"members","value":"b"},{"op":"remove","path":"members[value eq \"a\"]"}`, ``, []string{"b"}, []string{"a"}, false},
		{"the last word wins in capitals", `{"op":"add","path":"members","value":"a"},{"op":"remove","path":"members","value":[{"value":"A"}]}`, ``, nil, []string{"a"}, false},
		{"several in one filter", `{"op":"remove","path":"members[value eq \"a\" or VALUE eq b]"}`, ``, nil, []string{"a", "b"}, false},
		{"path-less add", `{"op":"add","value":{"Members":[{"value":"a"}],"displayName":"x"}}`, `{"op":"add","value":{"displayName":"x"}}`, []string{"a"}, nil, false},
		{"path-less add of members only", `{"op":"add","value":{"members":[{"value":"a"}]}}`, ``, []string{"a"}, nil, false},
		{"other operations stay", `{"op":"replace","value":{"displayName":"x"}},{"op":"add","path":"members","value":"a"}`, `{"op":"replace","value":{"displayName":"x"}}`, []string{"a"}, nil, false},
		{"URN", `{"op":"add","path":"` + GroupURN + `:members","value":"a"}`, ``, []string{"a"}, nil, false},
		{"add of none", `{"op":"add","path":"members","value":[]}`, ``, nil, nil, false},
		{"unknown path stays", `{"op":"add","path":"nonsense","value":1}`, `{"op":"add","path":"nonsense","value":1}`, nil, nil, false},

		{"replace", `{"op":"replace","path":"members","value":[{"value":"a"}]}`, "", nil, nil, true},
		{"replace among others", `{"op":"add","path":"members","value":"b"},{"op":"replace","value":{"members":[]}}`, "", nil, nil, true},
		{"remove all", `{"op":"remove","path":"members"}`, "", nil, nil, true},
		{"another filter", `{"op":"remove","path":"members[type eq \"User\"]"}`, "", nil, nil, true},
		{"not", `{"op":"remove","path":"members[not (value eq \"a\")]"}`, "", nil, nil, true},
		{"and", `{"op":"remove","path":"members[value eq \"a\" and type eq \"User\"]"}`, "", nil, nil, true},
		{"sub-attribute", `{"op":"remove","path":"members[value eq \"a\"].display"}`, "", nil, nil, true},
		{"in a nested core object", `{"op":"add","value":{"` + GroupURN + `":{"members":["a"]}}}`, "", nil, nil, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := patch(t, test.operations)
			rest, change, whole, err := SplitMembers(GroupDefinition(), p)
			if err != nil {
				t.Fatal(err)
			}
			want := p
			if !test.whole {
				want = Patch{}
				if test.rest != "" {
					want = patch(t, test.rest)
				}
			}
			wantEqual(t, rest, want)
			wantEqual(t, change, MemberChange{test.add, test.remove})
			if whole != test.whole {
				t.Errorf("whole %v, want %v", whole, test.whole)
			}
			checkSplit(t, p)
		})
	}
	for _, o := range []string{
		`{"op":"remove","path":"members","value":[]}`,
		`{"op":"remove","path":"members","value":null}`,
		`{"op":"remove","path":"members","value":[{"id":"a"}]}`,
		`{"op":"add","path":"members","value":null}`,
		`{"op":"add","path":"members"}`,
		`{"op":"add","path":"members","value":[{"value":"a"},{"value":""}]}`,
		`{"op":"add","value":{"members":[{"value":"a","operation":"delete"}]}}`,
	} {
		_, _, _, err := SplitMembers(GroupDefinition(), patch(t, o))
		wantError(t, err, TypeInvalidValue, "operation 1 (")
	}
}

// checkSplit holds a split against Apply: the rest and the net change together do
// what the whole patch does.
func checkSplit(t *testing.T, p Patch) {
	t.Helper()
	def := GroupDefinition()
	before := resource(t, `{"displayName":"g","members":[{"value":"a"},{"value":"b"},{"value":"c"}]}`)
	after, wholeErr := Apply(def, before, p)
	rest, change, whole, err := SplitMembers(def, p)
	if whole {
		wantEqual(t, rest, p)
		return
	}
	if err == nil {
		before, err = Apply(def, before, rest)
	}
	if (err == nil) != (wholeErr == nil) {
		t.Fatalf("split: %v, whole: %v", err, wholeErr)
	}
	if err != nil {
		return
	}
	ids := func(r Resource) []string {
		var all []string
		for _, v := range r.Values(def, Path{Attr: "members", Sub: "value"}) {
			all = append(all, strings.ToLower(text(v)))
		}
		return all
	}
	for _, list := range [][]string{change.Add, change.Remove} {
		for i := range list { // ids compare without case
			list[i] = strings.ToLower(list[i])
		}
	}
	members := slices.DeleteFunc(ids(before), func(id string) bool { return slices.Contains(change.Remove, id) })
	for _, id := range change.Add {
		if slices.Contains(change.Remove, id) {
			t.Errorf("%s is added and removed", id)
		}
		if !slices.Contains(members, id) {
			members = append(members, id)
		}
	}
	want := ids(after)
	slices.Sort(want)
	slices.Sort(members)
	if !slices.Equal(members, want) {
		t.Errorf("split makes %q, the patch %q", members, want)
	}
}

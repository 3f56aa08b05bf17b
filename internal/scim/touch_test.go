package scim

import (
	"fmt"
	"strings"
	"testing"
)

func TestTouches(t *testing.T) {
	for _, test := range []struct {
		name, operations string
		want             string // number, op and path; ? is unknown, - ignored, ! emptied
	}{
		{"a path", `{"op":"replace","path":"Active","value":false}`, "1 replace active"},
		{"path-less", `{"op":"Replace","value":{"active":false,"USERNAME":"ann","id":"7"}}`, "1 replace userName, 1 replace active, 1 replace id-"},
		{"keys that are paths", `{"op":"add","value":{"name.givenName":"Ann","emails[type eq \"work\"].value":"a@x"}}`, `1 add emails[type eq "work"].value, 1 add name.givenName`},
		{"a schema in a value", `{"op":"add","value":{"` + EnterpriseURN + `":{"department":"x","shoe":1}}}`, "1 add " + EnterpriseURN + ":department, 1 add " + EnterpriseURN + ":shoe?"},
		{"a schema as the path", `{"op":"add","path":"` + UserURN + `","value":{"userName":"ann"}}`, "1 add userName"},
		{"a schema removed", `{"op":"remove","path":"` + EnterpriseURN + `"}`, "1 remove " + EnterpriseURN + "!"},
		{"emptied", `{"op":"replace","path":"title","value":""},{"op":"replace","value":{"nickName":null}},{"op":"remove","path":"locale"}`, "1 replace title!, 2 replace nickName!, 3 remove locale!"},
		{"unknown", `{"op":"add","path":"shoeSize","value":1}`, "1 add shoeSize?"},
		{"no path to remove", `{"op":"remove"}`, ""},
		{"no object", `{"op":"add","value":"ann"}`, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			for _, touch := range Touches(UserDefinition(), patch(t, test.operations)) {
				text := fmt.Sprintf("%d %s %s", touch.Operation, touch.Op, touch.Path)
				for mark, on := range map[string]bool{"?": !touch.Known, "-": touch.Ignored, "!": touch.Empties()} {
					if on {
						text += mark
					}
				}
				got = append(got, text)
			}
			want := strings.Split(test.want, ", ")
			if test.want == "" {
				want = nil
			}
			if fmt.Sprint(sorted(got)) != fmt.Sprint(sorted(want)) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func sorted(texts []string) map[string]int {
	all := map[string]int{}
	for _, text := range texts {
		all[text]++
	}
	return all
}

func TestMembersNamed(t *testing.T) {
	for _, test := range []struct {
		name, operations string
		named            int
		all              bool
	}{
		{"one", `{"op":"add","path":"members","value":[{"value":"a"}]}`, 1, false},
		{"without a list", `{"op":"add","path":"members","value":{"value":"a"}}`, 1, false},
		{"come and go", `{"op":"add","path":"members","value":[{"value":"a"},{"value":"b"}]},{"op":"remove","path":"members[value eq \"c\" or value eq \"d\"]"},{"op":"remove","path":"members","value":[{"value":"e"}]}`, 5, false},
		{"twice is two changes", `{"op":"add","path":"members","value":["a"]},{"op":"add","path":"members","value":["a"]}`, 2, false},
		{"path-less", `{"op":"add","value":{"displayName":"x","members":["a","b"]}}`, 2, false},
		{"replaced", `{"op":"replace","path":"members","value":["a","b"]}`, 2, true},
		{"replaced by none", `{"op":"replace","path":"members","value":[]}`, 0, true},
		{"replaced, path-less", `{"op":"replace","value":{"members":["a"]}}`, 1, true},
		{"replaced in the schema's object", `{"op":"replace","value":{"` + GroupURN + `":{"members":["a"]}}}`, 1, true},
		{"removed", `{"op":"remove","path":"members"}`, 0, true},
		{"removed by another filter", `{"op":"remove","path":"members[type eq \"User\"]"}`, 1, true},
		{"one of them removed by another filter", `{"op":"remove","path":"members[value eq \"a\" or type eq \"User\"]"}`, 1, true},
		{"removed if there", `{"op":"remove","path":"members[value pr]"}`, 1, true},
		{"removed by a name and a type", `{"op":"remove","path":"members[type eq \"User\" and value eq \"a\"]"}`, 1, false},
		{"none added", `{"op":"add","path":"members","value":[]}`, 0, false},
		{"a name", `{"op":"replace","value":{"displayName":"x","id":"7"}}`, 0, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			named, all := MembersNamed(Touches(GroupDefinition(), patch(t, test.operations)))
			if named != test.named || all != test.all {
				t.Errorf("%d members, all %t", named, all)
			}
		})
	}
}

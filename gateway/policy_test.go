package gateway

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"scimgate/mapping"
)

// newOffering is a gateway with one tenant that offers less than everything, and
// whose users are declared with changes.
func newOffering(t testing.TB, policy Policy, changes ...func(*mapping.Config)) *site {
	t.Helper()
	marker := mapping.MarkerConfig{State: "scimState", Source: "scimSource"}
	declared := mapping.Config{
		Base: "ou=people", RDN: mapping.RDNConfig{LDAP: "uid"}, StableKey: "externalId", Marker: marker,
		Attributes: []mapping.RuleConfig{
			{SCIM: "userName", LDAP: "uid", Required: true, Unique: true}, {SCIM: "externalId", LDAP: stableKey, Unique: true},
			{SCIM: "title", LDAP: "title"}, {SCIM: "password", LDAP: "userPassword"}, {SCIM: `emails[type eq "work"].value`, LDAP: "mail", Single: "primary", Unique: true},
			{SCIM: "enterprise:manager.value", LDAP: "manager", Reference: []string{"User"}},
		},
		Deactivate: []mapping.StepConfig{{Set: &mapping.SetConfig{LDAP: "lock", Inactive: "yes"}}},
	}
	for _, change := range changes {
		change(&declared)
	}
	users := compiled(t, "User", declared)
	groups, s := groupsOf(t, marker), emptySite()
	s.Gateway = must(New(Config{BodyBytes: 1 << 16, PageSize: 10, BulkOperations: 20, RequestTimeout: 5 * time.Second}, []Tenant{{
		Name: "okta", BasePaths: []string{"/scim/v2"}, Tokens: password{token: "open"}, Policy: policy,
		Types: []Type{{Mapping: users, Store: s.users}, {Mapping: groups, Store: s.groups}},
	}}, zap.NewNop()))
	return s
}

// What is off is not there: an endpoint is 501, a method 405 with what is possible,
// also by Bulk, and discovery says so.
func TestWhatIsOffIsNotThere(t *testing.T) {
	s := newOffering(t, Policy{Off: []string{"Me", "Bulk", ".search", "PUT Groups", "PATCH Users", "PATCH Groups", "POST Users"}})
	for _, path := range []string{"/Bulk", "/.search", "/Users/.search", "/Groups/.search", "/Me"} {
		isError(t, s.ask("POST", "/scim/v2"+path, `{}`), http.StatusNotImplemented, "")
	}
	isError(t, s.ask("GET", "/scim/v2/Me", ""), http.StatusNotImplemented, "")
	for _, c := range []struct{ method, path, allow string }{
		{"PUT", "/Groups/group-id-1", "DELETE GET HEAD"},
		{"PATCH", "/Groups/group-id-1", "DELETE GET HEAD"},
		{"PATCH", "/Users/id-1", "DELETE GET HEAD PUT"},
		{"POST", "/Users", "GET HEAD"},
	} {
		w := s.ask(c.method, "/scim/v2"+c.path, `{}`)
		isError(t, w, http.StatusMethodNotAllowed, "")
		allowed := slices.DeleteFunc(strings.Split(w.Header().Get("Allow"), ", "), func(m string) bool { return m == "OPTIONS" })
		slices.Sort(allowed)
		if got := strings.Join(allowed, " "); got != c.allow {
			t.Errorf("%s %s: possible are %q, want %q", c.method, c.path, got, c.allow)
		}
	}
	is(t, s.ask("POST", "/scim/v2/Groups", `{"displayName":"staff"}`), 201)
	isError(t, s.ask("PUT", "/scim/v2/Users/id-1", `{"userName":"ann"}`), http.StatusNotFound, "")
	has := func(config map[string]any, feature string) any { return config[feature].(map[string]any)["supported"] }
	config := is(t, s.ask("GET", "/scim/v2/ServiceProviderConfig", ""), 200)
	if has(config, "bulk") != false || has(config, "patch") != false || has(config, "filter") != true {
		t.Errorf("announced: %v", config)
	}
	all := is(t, newOffering(t, Policy{}).ask("GET", "/scim/v2/ServiceProviderConfig", ""), 200)
	if has(all, "bulk") != true || has(all, "patch") != true {
		t.Errorf("announced where nothing is off: %v", all)
	}
}

func TestWhatIsOffIsOffInBulk(t *testing.T) {
	s := newOffering(t, Policy{Off: []string{"PUT Groups", "DELETE Users"}})
	is(t, s.ask("POST", "/scim/v2/Users", `{"userName":"ann"}`), 201)
	got := s.bulk(t, postGroup("g", "staff"),
		`{"method":"PUT","path":"/Groups/group-id-1","data":{"displayName":"x"}}`, `{"method":"DELETE","path":"/Users/id-1"}`)
	for i, status := range []string{"201", "405", "405"} {
		if !strings.Contains(got[i], status) {
			t.Errorf("operation %d: %s, want %s", i, got[i], status)
		}
	}
	if s.users.entries[0].Marker.State != "active" || s.groups.entries[0].Attributes.First("cn") != "staff" {
		t.Error("something was changed")
	}
}

func TestFiltersThatAreTaken(t *testing.T) {
	s := newOffering(t, Policy{Filters: map[string][][]string{
		"Users":  {{"userName"}, {"externalId"}, {"groups.value"}, {"id", "manager"}},
		"Groups": {{"displayName"}, {"id", "members"}},
	}})
	for _, c := range []struct {
		path, filter string
		taken        bool
	}{
		{"Users", ``, true},
		{"Users", `userName eq "ann"`, true},
		{"Users", `USERNAME EQ "ann"`, true},
		{"Users", `urn:ietf:params:scim:schemas:core:2.0:User:userName eq "ann"`, true},
		{"Users", `(userName eq "ann")`, true},
		{"Users", `groups eq "g"`, true},
		{"Users", `groups.value eq "g"`, true},
		{"Users", `manager eq "m" and id eq "x"`, true},
		{"Users", `id eq "x" and urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value eq "m"`, true},
		{"Users", `userName co "a"`, false},
		{"Users", `userName pr`, false},
		{"Users", `userName eq "a" or userName eq "b"`, false},
		{"Users", `not (userName eq "a")`, false},
		{"Users", `userName eq "a" and externalId eq "b"`, false},
		{"Users", `userName eq "a" and userName eq "a"`, false},
		{"Users", `id eq "x"`, false},
		{"Users", `title eq "Boss"`, false},
		{"Users", `emails[type eq "work"].value eq "a@x"`, false},
		{"Users", `emails[value eq "a@x"]`, false},
		{"Groups", `displayName eq "staff"`, true},
		{"Groups", `id eq "g" and members eq "u"`, true},
		{"Groups", `members.value eq "u" and id eq "g"`, true},
		{"Groups", `members eq "u"`, false},
		{"", `displayName eq "staff"`, true},
		{"", `title eq "Boss"`, false},
	} {
		query := "/scim/v2/" + c.path
		if c.filter != "" {
			query += "?filter=" + strings.NewReplacer(" ", "%20", `"`, "%22", "[", "%5B", "]", "%5D").Replace(c.filter)
		}
		w := s.ask("GET", query, "")
		search := w
		if c.filter != "" {
			body := must(json.Marshal(map[string]string{"filter": c.filter}))
			search = s.ask("POST", strings.TrimSuffix("/scim/v2/"+c.path, "/")+"/.search", string(body))
		}
		if c.taken {
			is(t, w, 200)
			is(t, search, 200)
			continue
		}
		isError(t, w, 400, "invalidFilter")
		isError(t, search, 400, "invalidFilter")
		if c.path == "Users" && !strings.Contains(w.Body.String(), "userName; externalId; groups.value; id and urn:ietf") {
			t.Errorf("%s: the detail does not say what there is: %s", c.filter, w.Body)
		}
	}
}

// Members are shown everywhere, of one group alone, or nowhere; where they are not
// shown they are not looked up either.
func TestMembersThatAreShown(t *testing.T) {
	for _, c := range []struct {
		shown     MembersShown
		one, list string // members of a group of two, as they show
	}{
		{MembersAlways, "2", "2"}, {MembersSingle, "2", "none"}, {MembersNever, "0", "0"},
	} {
		s := newOffering(t, Policy{Members: MemberPolicy{Shown: c.shown}})
		is(t, s.ask("POST", "/scim/v2/Users", `{"userName":"ann"}`), 201)
		is(t, s.ask("POST", "/scim/v2/Users", `{"userName":"bob"}`), 201)
		count := func(group any) string {
			members, ok := group.(map[string]any)["members"]
			if list, isList := members.([]any); ok && isList {
				return fmt.Sprint(len(list))
			}
			return "none"
		}
		listed := func(answer map[string]any) any { return answer["Resources"].([]any)[0] }
		group := is(t, s.ask("POST", "/scim/v2/Groups", `{"displayName":"staff","members":[{"value":"id-1"},{"value":"id-2"}]}`), 201)
		const one = "/scim/v2/Groups/group-id-1"
		for what, got := range map[string][2]string{
			"create":               {count(group), c.one},
			"get":                  {count(is(t, s.ask("GET", one, ""), 200)), c.one},
			"get of members":       {count(is(t, s.ask("GET", one+"?attributes=members", ""), 200)), c.one},
			"get without members":  {count(is(t, s.ask("GET", one+"?excludedAttributes=members", ""), 200)), "none"},
			"get of something":     {count(is(t, s.ask("GET", one+"?attributes=displayName", ""), 200)), "none"},
			"replace":              {count(is(t, s.ask("PUT", one, `{"displayName":"staff","members":[{"value":"id-1"},{"value":"id-2"}]}`), 200)), c.one},
			"list":                 {count(listed(is(t, s.ask("GET", "/scim/v2/Groups", ""), 200))), c.list},
			"filtered list":        {count(listed(is(t, s.ask("GET", "/scim/v2/Groups?filter=displayName%20eq%20%22staff%22", ""), 200))), c.list},
			"list of members":      {count(listed(is(t, s.ask("GET", "/scim/v2/Groups?attributes=members", ""), 200))), c.list},
			"list without members": {count(listed(is(t, s.ask("GET", "/scim/v2/Groups?excludedAttributes=members", ""), 200))), "none"},
			"search":               {count(listed(is(t, s.ask("POST", "/scim/v2/Groups/.search", `{}`), 200))), c.list},
			"who is in it":         {count(listed(is(t, s.ask("GET", "/scim/v2/Groups?filter=members%20eq%20%22id-1%22", ""), 200))), c.list},
		} {
			if got[0] != got[1] {
				t.Errorf("shown %d: %s has %s members, want %s", c.shown, what, got[0], got[1])
			}
		}
		if got := len(s.groups.entries[0].Attributes["member"]); got != 2 {
			t.Errorf("shown %d: the group has %d members", c.shown, got)
		}
		text := s.ask("GET", "/scim/v2/Schemas/urn:ietf:params:scim:schemas:core:2.0:Group", "").Body.String()
		if never := strings.Contains(text, `"returned":"never"`); never != (c.shown == MembersNever) {
			t.Errorf("shown %d: announced as never returned: %t", c.shown, never)
		}
	}
}

// A request about more members than one may name is refused whole.
func TestMembersOfOneRequest(t *testing.T) {
	s := newOffering(t, Policy{Members: MemberPolicy{PerRequest: 2, RefuseAll: true}})
	for i := range 3 {
		is(t, s.ask("POST", "/scim/v2/Users", fmt.Sprintf(`{"userName":"p%d"}`, i)), 201)
	}
	member := func(ids ...int) string {
		var all []string
		for _, id := range ids {
			all = append(all, fmt.Sprintf(`{"value":"id-%d"}`, id))
		}
		return "[" + strings.Join(all, ",") + "]"
	}
	isError(t, s.ask("POST", "/scim/v2/Groups", `{"displayName":"staff","members":`+member(1, 2, 3)+`}`), 400, "invalidValue")
	if len(s.groups.entries) > 0 {
		t.Error("the group was made all the same")
	}
	is(t, s.ask("POST", "/scim/v2/Groups", `{"displayName":"staff","members":`+member(1, 2)+`}`), 201)
	const one = "/scim/v2/Groups/group-id-1"
	isError(t, s.ask("PUT", one, `{"displayName":"staff","members":`+member(1, 2, 3)+`}`), 400, "invalidValue")
	for _, operations := range []string{
		`{"op":"add","path":"members","value":` + member(1, 2, 3) + `}`,
		`{"op":"add","path":"members","value":` + member(3) + `},{"op":"remove","path":"members","value":` + member(1, 2) + `}`,
		`{"op":"remove","path":"members"}`,
		`{"op":"remove","path":"members[type eq \"User\"]"}`,
		`{"op":"replace","path":"members","value":[]}`,
		`{"op":"replace","path":"members","value":[{"value":""}]}`,
		`{"op":"replace","value":{"members":` + member(3) + `}}`,
	} {
		isError(t, s.ask("PATCH", one, `{"Operations":[`+operations+`]}`), 400, "invalidValue")
	}
	if got := s.groups.entries[0].Attributes["member"]; len(got) != 2 || s.groups.entries[0].Version != "1" {
		t.Errorf("the members are %v", got)
	}
	is(t, s.ask("PATCH", one, `{"Operations":[{"op":"add","path":"members","value":`+member(3)+`},{"op":"remove","path":"members[value eq \"id-1\"]"}]}`), 204)
	if got := s.groups.entries[0].Attributes["member"]; len(got) != 2 {
		t.Errorf("the members are %v", got)
	}
}

func TestPatchesThatAreTaken(t *testing.T) {
	s := newOffering(t, Policy{Patch: map[string]PatchPolicy{"Users": {
		Attributes: []string{"userName", "active", "title", "emails", "enterprise:manager"}, Once: []string{"userName", "active"}, OnlyEq: true,
	}}})
	is(t, s.ask("POST", "/scim/v2/Users", `{"userName":"ann","active":true,"title":"x"}`), 201)
	for _, c := range []struct {
		operations string
		scimType   string // "" is taken
		detail     string
	}{
		{`{"op":"replace","path":"title","value":"Boss"}`, "", ""},
		{`{"op":"replace","value":{"title":"Lead","active":true,"id":"id-1","schemas":["x"]}}`, "", ""},
		{`{"op":"Replace","path":"active","value":"False"},{"op":"replace","path":"title","value":"y"}`, "", ""},
		{`{"op":"replace","path":"emails[type eq \"work\"].value","value":"a@x"}`, "", ""},
		{`{"op":"remove","path":"enterprise:manager"}`, "", ""},
		{`{"op":"replace","path":"externalId","value":"K"}`, "invalidPath", "userName, active, title"},
		{`{"op":"replace","value":{"nickName":"A"}}`, "invalidPath", "nickName"},
		{`{"op":"replace","path":"title","value":"z"},{"op":"add","path":"enterprise:department","value":"z"}`, "invalidPath", "operation 2"},
		{`{"op":"add","path":"urn:a:b:c:d","value":"z"}`, "invalidPath", ""},
		{`{"op":"remove","path":"userName"}`, "mutability", "userName"},
		{`{"op":"remove","path":"active"}`, "mutability", "active"},
		{`{"op":"replace","path":"active","value":null}`, "mutability", "active"},
		{`{"op":"replace","path":"active","value":true},{"op":"replace","value":{"active":false}}`, "invalidValue", "operation 1 already"},
		{`{"op":"replace","path":"emails[value co \"a\"].value","value":"b@x"}`, "invalidFilter", "eq"},
		{`{"op":"remove","path":"emails[type pr]"}`, "invalidFilter", "eq"},
		{`{"op":"remove"}`, "noTarget", ""},
	} {
		before := s.users.entries[0].Version
		w := s.ask("PATCH", "/scim/v2/Users/id-1", `{"Operations":[`+c.operations+`]}`)
		if c.scimType == "" {
			is(t, w, 200)
			continue
		}
		isError(t, w, 400, c.scimType)
		if !strings.Contains(w.Body.String(), c.detail) {
			t.Errorf("%s: the detail lacks %q: %s", c.operations, c.detail, w.Body)
		}
		if s.users.entries[0].Version != before {
			t.Errorf("%s: something was changed", c.operations)
		}
	}
}

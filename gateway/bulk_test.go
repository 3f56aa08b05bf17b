package gateway

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"scimgate/internal/scim"
)

// results are those of a Bulk as lines: method bulkId status scimType.
func results(t testing.TB, answer map[string]any) []string {
	t.Helper()
	list, ok := answer["Operations"].([]any)
	if !ok || fmt.Sprint(answer["schemas"]) != "["+scim.BulkResponseURN+"]" {
		t.Fatalf("no answer to a Bulk: %v", answer)
	}
	var lines []string
	for _, v := range list {
		r, _ := v.(map[string]any)
		response, _ := r["response"].(map[string]any)
		line := fmt.Sprintf("%v %v %v %v", r["method"], r["bulkId"], r["status"], response["scimType"])
		lines = append(lines, strings.TrimSpace(strings.ReplaceAll(line, "<nil>", "-")))
		status, _ := r["status"].(string)
		if failed := status >= "400"; failed != (response != nil) || failed && (response["detail"] == "" || response["status"] != status) {
			t.Errorf("%v", r)
		}
		if _, located := r["location"]; !located && status < "400" {
			t.Errorf("no location: %v", r)
		}
	}
	return lines
}

func (s *site) bulk(t testing.TB, operations ...string) []string {
	t.Helper()
	return results(t, is(t, s.ask("POST", "/scim/v2/Bulk", `{"Operations":[`+strings.Join(operations, ",")+`]}`), 200))
}

func same(t testing.TB, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s\nwant %s", strings.Join(got, "\n     "), strings.Join(want, "\n     "))
	}
}

func postUser(bulkID, name string) string {
	return `{"method":"POST","path":"/Users","bulkId":"` + bulkID + `","data":{"userName":"` + name + `"}}`
}

func postGroup(bulkID, name string, members ...string) string {
	return `{"method":"POST","path":"/Groups","bulkId":"` + bulkID + `","data":{"displayName":"` + name + `","members":[` + elements(members) + `]}}`
}

func elements(ids []string) string {
	var all []string
	for _, id := range ids {
		all = append(all, `{"value":"`+id+`"}`)
	}
	return strings.Join(all, ",")
}

// A group comes before those who are in it, and two groups are in each other.
func TestBulkReferences(t *testing.T) {
	s := newSite(t)
	same(t, s.bulk(t,
		postGroup("g", "team", "bulkId:a", "bulkId:b", "bulkId:h"), postGroup("h", "crew", "bulkId:g"),
		postUser("a", "ann"), postUser("b", "bob"),
		`{"method":"patch","path":"Groups/bulkId:g","data":[{"op":"remove","path":"members[value eq \"bulkId:b\"]"}]}`,
		`{"method":"put","path":"http://idp.example/scim/v2/Users/bulkId:b/","data":{"userName":"bob","title":"x"}}`,
		`{"method":"delete","path":"/scim/v2/Users/bulkId:a"}`,
	), "POST g 201 -", "POST h 201 -", "POST a 201 -", "POST b 201 -", "PATCH - 204 -", "PUT - 200 -", "DELETE - 204 -")
	members := func(name string) []string {
		for _, e := range s.groups.entries {
			if e.Attributes.First("cn") == name {
				return e.Attributes["member"]
			}
		}
		return nil
	}
	if got := members("crew"); len(got) != 1 || !strings.Contains(got[0], "group-id-") {
		t.Errorf("crew has %v", got)
	}
	if got := members("team"); len(got) != 1 || !strings.Contains(got[0], "group-id-") {
		t.Errorf("team has %v", got)
	}
}

// What fails takes along what needs it, and nothing else.
func TestBulkFailuresStayWhereTheyAre(t *testing.T) {
	s := newSite(t)
	is(t, s.ask("POST", "/scim/v2/Users", `{"userName":"ann"}`), 201)
	same(t, s.bulk(t,
		postUser("a", "ann"), postUser("b", "bob"), postGroup("g", "team", "bulkId:a"), postGroup("h", "crew", "bulkId:b"),
		`{"method":"PATCH","path":"/Groups/bulkId:g","data":[{"op":"remove","path":"members"}]}`,
		postGroup("i", "club", "bulkId:nobody"),
		`{"method":"DELETE","path":"/Users/bulkId:nobody"}`,
		`{"method":"DELETE","path":"/Users/id-99"}`,
		`{"method":"GET","path":"/Users/id-1"}`,
		postUser("d", "dan"), postUser("d", "dora"), postGroup("k", "duo", "bulkId:d"),
		`{"method":"POST","path":"/Devices","bulkId":"x","data":{}}`, `{"method":"POST","path":"/Users/id-1","bulkId":"y","data":{}}`,
		`{"method":"DELETE","path":"/Users"}`, `{"method":"DELETE","path":"/Users/a/b"}`, `{"method":"POST","path":"/Users","bulkId":"z","data":{}}`,
	),
		"POST a 409 uniqueness", "POST b 201 -", "POST g 409 invalidValue", "POST h 201 -", "PATCH - 409 invalidValue",
		"POST i 400 invalidValue", "DELETE - 400 invalidValue", "DELETE - 404 -", "- - 400 invalidSyntax",
		"POST d 400 invalidValue", "POST d 400 invalidValue", "POST k 409 invalidValue",
		"POST x 400 invalidPath", "POST y 400 invalidPath", "DELETE - 400 invalidPath", "DELETE - 400 invalidPath", "POST z 400 invalidValue")
	if len(s.users.entries) != 2 || len(s.groups.entries) != 1 {
		t.Errorf("%d users and %d groups", len(s.users.entries), len(s.groups.entries))
	}
}

// A circle that cannot be closed is a 409 that says what is there.
func TestBulkCircleThatFails(t *testing.T) {
	s := newSite(t)
	w := s.ask("POST", "/scim/v2/Bulk", `{"Operations":[`+postGroup("g", "team", "bulkId:h")+`,`+
		`{"method":"POST","path":"/Groups","bulkId":"h","data":{"members":[{"value":"bulkId:g"}]}}]}`) // without a name
	same(t, results(t, is(t, w, 200)), "POST g 409 invalidValue", "POST h 400 invalidValue")
	if !strings.Contains(w.Body.String(), `"location":"http://idp.example/scim/v2/Groups/group-id-1"`) || len(s.groups.entries) != 1 {
		t.Errorf("%s", w.Body)
	}
}

// Once there are as many errors as the client takes, nothing more is begun.
func TestFailOnErrors(t *testing.T) {
	for most, want := range map[string]int{"0": 6, "1": 2, "2": 3, "9": 6} {
		s := newSite(t)
		var operations []string
		for i := range 6 { // one after the other, since all have one target
			operations = append(operations, `{"method":"PUT","path":"/Users/id-1","data":{"userName":"ann`+[]string{"", `","shoe":"`, ""}[i%3]+`"}}`)
		}
		operations[1] = `{"method":"PUT","path":"/Users/id-1","data":{}}`
		operations[2] = `{"method":"PUT","path":"/Users/id-1","data":{}}`
		is(t, s.ask("POST", "/scim/v2/Users", `{"userName":"ann"}`), 201)
		got := results(t, is(t, s.ask("POST", "/scim/v2/Bulk", `{"failOnErrors":`+most+`,"Operations":[`+strings.Join(operations, ",")+`]}`), 200))
		if len(got) != want {
			t.Errorf("failOnErrors %s: %d answers, want %d: %v", most, len(got), want, got)
		}
	}
}

// A circle that is stopped in its middle says so.
func TestFailOnErrorsBeforeALink(t *testing.T) {
	s := newSite(t)
	got := results(t, is(t, s.ask("POST", "/scim/v2/Bulk", `{"failOnErrors":1,"Operations":[`+
		postGroup("g", "team", "bulkId:h")+`,{"method":"DELETE","path":"/Groups/bulkId:x"},`+postGroup("h", "crew", "bulkId:g")+`]}`), 200))
	same(t, got, "POST g 409 invalidValue", "DELETE - 400 invalidValue")
}

func TestBulkVersions(t *testing.T) {
	s := newSite(t)
	is(t, s.ask("POST", "/scim/v2/Users", `{"userName":"ann"}`), 201)
	put := func(version string) string {
		return `{"method":"PUT","path":"/Users/id-1","version":` + version + `,"data":{"userName":"ann","title":"` + fmt.Sprint(len(version)) + `"}}`
	}
	w := s.ask("POST", "/scim/v2/Bulk", `{"Operations":[`+strings.Join([]string{
		put(`"W/\"1\""`), put(`"W/\"1\""`), put(`"W/\"2\", W/\"3\""`), put(`"x"`), put(`"*"`),
		`{"method":"DELETE","path":"/Users/id-1","version":"W/\"1\""}`,
	}, ",")+`]}`)
	same(t, results(t, is(t, w, 200)), "PUT - 200 -", "PUT - 412 -", "PUT - 200 -", "PUT - 400 invalidSyntax", "PUT - 200 -", "DELETE - 412 -")
	if !strings.Contains(w.Body.String(), `"version":"W/\"2\""`) {
		t.Errorf("the new version is missing: %s", w.Body)
	}
}

func TestBulkLimits(t *testing.T) {
	s := newSite(t)
	var many []string
	for i := range 21 {
		many = append(many, `{"method":"DELETE","path":"/Users/`+fmt.Sprint(i)+`"}`)
	}
	for body, limit := range map[string]string{
		`{"Operations":[` + strings.Join(many, ",") + `]}`:      "20",
		`{"Operations":"` + strings.Repeat("x", 5000) + `"}`:    "4096",
		`{"failOnErrors":1,"x":"` + strings.Repeat("x", 5000):   "4096",
		`{"Operations":[` + strings.Join(many, ", ") + `,{}  ]`: "",
	} {
		w := s.ask("POST", "/scim/v2/Bulk", body)
		if limit == "" {
			isError(t, w, 400, "invalidSyntax")
			continue
		}
		if isError(t, w, 413, ""); !strings.Contains(w.Body.String(), limit) {
			t.Errorf("the limit is not in %s", w.Body)
		}
	}
	var config struct{ Bulk map[string]any }
	if err := json.Unmarshal(s.ask("GET", "/scim/v2/ServiceProviderConfig", "").Body.Bytes(), &config); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(config.Bulk); got != "map[maxOperations:20 maxPayloadSize:4096 supported:true]" {
		t.Error(got)
	}
	isError(t, s.ask("GET", "/scim/v2/Bulk", ""), 405, "")
	isError(t, s.ask("POST", "/scim/v2/Bulk", "x", "Content-Type", "text/plain"), 415, "")
}

// Every operation has a line in the log and a request id of its own, which is
// what its marker has, and the line of the Bulk ties them together.
func TestBulkInTheLog(t *testing.T) {
	s := newSite(t)
	core, seen := observer.New(zap.InfoLevel)
	s.log = zap.New(core)
	w := s.ask("POST", "/scim/v2/Bulk", `{"Operations":[`+postUser("a", "ann")+`,`+postUser("b", "bob")+`,`+postUser("c", "ann")+`]}`)
	is(t, w, 200)
	whole := w.Header().Get("X-Request-Id")
	requests, statuses := map[string]bool{}, map[string]int{}
	for _, line := range seen.FilterMessage("request").All() {
		f := line.ContextMap()
		id, _ := f["request"].(string)
		requests[id] = true
		statuses[fmt.Sprint(f["operation"], " ", f["status"])]++
		if f["tenant"] != "okta" || f["token"] != "t1" || (id == whole) == (f["bulk"] == whole) {
			t.Errorf("%v", f)
		}
		if id == whole && (f["operations"] != int64(3) || f["errors"] != int64(1)) {
			t.Errorf("%v", f)
		}
	}
	if len(requests) != 4 || statuses["create 201"] != 2 || statuses["create 409"] != 1 || statuses["bulk 200"] != 1 {
		t.Errorf("%v %v", requests, statuses)
	}
	for _, e := range s.users.entries {
		if !requests[e.Marker.Request] || e.Marker.Request == whole {
			t.Errorf("the marker has %q", e.Marker.Request)
		}
	}
}

// A panic in one operation is its own 500.
func TestBulkOutlivesAPanic(t *testing.T) {
	s := newSite(t)
	is(t, s.ask("POST", "/scim/v2/Groups", `{"displayName":"team"}`), 201)
	s.groups.between = func() { panic("in the store") }
	same(t, s.bulk(t, `{"method":"PATCH","path":"/Groups/group-id-1","data":[{"op":"remove","path":"members[value eq \"x\"]"}]}`, postUser("a", "ann")),
		"PATCH - 500 -", "POST a 201 -")
}

// What the time of a Bulk did not suffice for is told to come again.
func TestBulkOutOfTime(t *testing.T) {
	s := newSite(t)
	s.config.RequestTimeout = 1 // over before it begins
	w := s.ask("POST", "/scim/v2/Bulk", `{"Operations":[`+postUser("a", "ann")+`,`+postGroup("g", "team", "bulkId:a")+`]}`)
	same(t, results(t, is(t, w, 200)), "POST a 503 -", "POST g 503 -")
	if !strings.Contains(w.Body.String(), "not tried") || len(s.users.entries) != 0 {
		t.Errorf("%s", w.Body)
	}
}

// What an operation holds decides what it waits for.
func TestBulkHolds(t *testing.T) {
	s := newSite(t)
	targets := map[string]bool{"u1": true, "g1": true}
	for body, want := range map[string]string{
		postUser("a", "Ann"): "keys User/post keys User uid=ann/ versions/moves",
		`{"method":"POST","path":"/Groups","bulkId":"a","data":{"displayName":"T","members":[{"value":"U1"},{"value":"u2"},{"value":"bulkId:a"}]}}`: "bulkId a/mention id u1/mention keys Group/post keys Group cn=t/ versions/moves",
		`{"method":"DELETE","path":"/Users/u1"}`:                                                                                      "id u1/ keys User/delete versions/moves",
		`{"method":"DELETE","path":"/Users/u1","version":"W/\"1\""}`:                                                                  "id u1/ keys User/delete versions/",
		`{"method":"PUT","path":"/Users/U1","data":{"userName":"x"}}`:                                                                 "id u1/ keys User/ versions/moves",
		`{"method":"PATCH","path":"/Users/u1","data":[{"op":"replace","path":"title","value":"x"}]}`:                                  "id u1/",
		`{"method":"PATCH","path":"/Users/u1","version":"*","data":[{"op":"replace","path":"title","value":"x"}]}`:                    "id u1/ versions/relies",
		`{"method":"PATCH","path":"/Users/u1","data":[{"op":"replace","path":"userName","value":"x"}]}`:                               "id u1/ keys User/ versions/moves",
		`{"method":"PATCH","path":"/Groups/g1","data":[{"op":"remove","path":"members[value eq \"u1\"]"}]}`:                           "id g1/ id u1/mention",
		`{"method":"PATCH","path":"/Groups/bulkId:a","data":[{"op":"add","path":"members","value":[{"$ref":"https://x/Users/u1"}]}]}`: "bulkId a/ id u1/mention",
	} {
		request, err := scim.DecodeBulk([]byte(`{"Operations":[`+body+`]}`), 1)
		if err != nil || request.Operations[0].Fault != nil {
			t.Fatal(err, request.Operations[0].Fault)
		}
		j := &job{gateway: s.Gateway, tenant: s.tenants[0]}
		w := &work{BulkOperation: request.Operations[0]}
		w.typ, w.id, w.on, w.failure = j.address(w.BulkOperation)
		w.refers(map[string]bool{"a": true})
		if w.failure != nil {
			t.Fatal(body, w.failure)
		}
		var got []string
		for _, h := range w.holds(targets) {
			got = append(got, h.what+"/"+h.as)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s:\n%s, want\n%s", body, strings.Join(got, " "), want)
		}
	}
}

// Every operation that has an answer has a line, which says why it failed: also one
// for which nothing was ever tried.
func TestABulkLeavesALineForEveryOperation(t *testing.T) {
	s := newSite(t)
	n := noted(s, Keep{FailedBodies: true})
	s.bulk(t,
		postUser("a", "ann"), postUser("a", "bob"), // one bulkId for two
		`{"method":"PUT","path":"/Nowhere/v-canary","data":{"userName":"eve","password":"S3cret-canary"}}`,
		`{"method":"v-canary","path":"/Users"}`,
		`{"method":"PATCH","path":"/Users/bulkId:gone","data":{"Operations":[]}}`,
		`{"method":"DELETE","path":"/Users"}`,
		postUser("b", "sue"), postUser("c", "sue"),
		postGroup("d", "team", "bulkId:c"), // whose member has failed
	)
	whole, parts := n.last(), n.all[:len(n.all)-1]
	if len(parts) != 9 || whole.Operations != 9 || whole.Errors != 8 {
		t.Errorf("%d lines, %d operations, %d errors", len(parts), whole.Operations, whole.Errors)
	}
	var lines []string
	for _, r := range parts {
		if r.Bulk != whole.Request || r.Request == "" || r.Token != whole.Token || r.Status >= 400 && r.Reason == "" {
			t.Errorf("%+v", r)
		}
		if r.Operation == "replace" && (r.Sent == nil || string(r.Sent.Body) != `{"password":"***","userName":"eve"}`) {
			t.Errorf("%+v", r.Sent)
		}
		lines = append(lines, fmt.Sprint(r.Operation, " ", r.Method, " ", r.Path, " ", r.Status))
		if text, err := json.Marshal(r); err != nil || strings.Contains(string(text), "canary") {
			t.Errorf("%s %v", text, err)
		}
	}
	slices.Sort(lines)
	same(t, lines, "  /scim/v2/Users 400", "create POST /scim/v2/Groups 409", "create POST /scim/v2/Users 201", "create POST /scim/v2/Users 400",
		"create POST /scim/v2/Users 400", "create POST /scim/v2/Users 409", "delete DELETE /scim/v2/Users 400", "patch PATCH /scim/v2/Users 400",
		"replace PUT /scim/v2/***/*** 400")
}

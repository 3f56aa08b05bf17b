package gateway

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/labstack/echo/v4/middleware"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"scimgate/internal/brake"
	"scimgate/internal/provlog"
)

// notes keeps the records that it is told.
type notes struct {
	mu  sync.Mutex
	all []provlog.Record
}

func (n *notes) Record(r provlog.Record) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.all = append(n.all, r)
}

func (n *notes) last() provlog.Record { return n.all[len(n.all)-1] }

// noted makes a site tell its records, under rules for what they hold.
func noted(s *site, k Keep) *notes {
	n := &notes{}
	s.config.Recorders = []provlog.Recorder{n}
	s.tenants[0].keep = newKeep(k, s.tenants[0].types)
	return n
}

// A record says who did what to whom, and what came of it.
func TestRecords(t *testing.T) {
	s := newSite(t)
	n := noted(s, Keep{})
	id := fmt.Sprint(is(t, s.ask("POST", "/scim/v2/Users", `{"userName":"ann","externalId":"42","title":"boss"}`), 201)["id"])
	r := n.last()
	if r.Tenant != "okta" || r.Token != "t1" || r.Address != "192.0.2.1" || r.Operation != "create" || r.Status != 201 || r.ID != id ||
		r.DN != "cn=id-1,ou=people" || r.User != "" || r.Reason != "" || r.Sent != nil || r.Path != "/scim/v2/Users" || r.Method != "POST" {
		t.Errorf("%+v", r)
	}
	if !slices.Contains(r.Attributes, "title") || !slices.Contains(r.Names, "ann") || !slices.Contains(r.Names, "42") {
		t.Errorf("%+v", r)
	}
	is(t, s.ask("PUT", "/scim/v2/Users/"+id, `{"userName":"anna","externalId":"42"}`), 200)
	if r := n.last(); r.Operation != "replace" || r.Path != "/scim/v2/Users/"+id || r.DN == "" || !slices.Contains(r.Names, "ann") || !slices.Contains(r.Names, "anna") {
		t.Errorf("%+v", r)
	}
	s.ask("POST", "/scim/v2/Users", `{"userName":"anna"}`)
	if r := n.last(); r.Status != 409 || r.ScimType != "uniqueness" || !strings.Contains(r.Reason, "userName is taken") || !slices.Contains(r.Names, "anna") {
		t.Errorf("%+v", r)
	}
	s.ask("GET", `/scim/v2/Users?filter=userName+eq+"nobody"`, "")
	if r := n.last(); r.Operation != "list" || !slices.Contains(r.Names, "nobody") {
		t.Errorf("%+v", r)
	}
	w := s.ask("POST", "/scim/v2/Bulk", `{"Operations":[`+postUser("a", "bob")+`,`+postUser("b", "anna")+`]}`)
	whole := w.Header().Get("X-Request-Id")
	operations := 0
	for _, r := range n.all {
		if r.Bulk == whole && r.Operation == "create" {
			operations++
		}
	}
	if r := n.last(); operations != 2 || r.Request != whole || r.Operations != 2 || r.Errors != 1 || !r.Failed() {
		t.Errorf("%d %+v", operations, r)
	}
	s.ask("GET", "/scim/v2/Users", "", "Authorization", "Bearer wrong")
	if r := n.last(); r.Status != 401 || r.Tenant != "okta" || r.Token != "" {
		t.Errorf("%+v", r)
	}
}

// badRequests are requests of every kind whose secrets and values are canaries. What
// is quoted of them in an answer, or lies in the way, may be in no record.
var badRequests = []struct{ method, path, body string }{
	{"POST", "/Users", `{"userName":"v-canary","title":["v-canary","v-canary-2"],"password":"S3cret-canary"}`},
	{"POST", "/Users", `{"userName":"v-canary","password":{"value":"S3cret-canary"}}`},
	{"POST", "/Users", `{"userName":["v-canary"],"active":"v-canary","password":"S3cret-canary"}`},
	{"POST", "/Users", `{"userName":"v-canary","password":"S3cret-canary"`},
	{"POST", "/Users", `password=S3cret-canary&user=v-canary`},
	{"POST", "/Users?access_token=T0ken-canary", `{"password":"S3cret-canary"}`},
	{"GET", "/Users?access_token=T0ken-canary&filter=title+eq+v-canary", ""},
	{"GET", `/Users?filter=title+eq+"v-canary`, ""},
	{"GET", `/Users?filter=password+eq+"S3cret-canary"`, ""},
	{"GET", `/Users?filter=clientSecret+eq+"S3cret-canary"`, ""},
	{"GET", `/Users?count=v-canary`, ""},
	{"GET", `/Users?sortBy=v-canary&sortOrder=v-canary`, ""},
	{"GET", `/Users?cursor=v-canary`, ""},
	{"GET", "/Users/v-canary", ""},
	{"GET", "/Users/T0ken-canary", ""},
	{"GET", "/scimgate_abc_T0ken-canary/Users", ""},
	{"GET", "/v-canary/x", ""},
	{"GET", "/Schemas/v-canary", ""},
	{"DELETE", "/Users/v-canary", ""},
	{"PATCH", "/Users/ID", `{"Operations":[{"op":"replace","path":"v-canary","value":"v-canary"}]}`},
	{"PATCH", "/Users/ID", `{"Operations":[{"op":"replace","path":"emails[value eq \"v-canary\"].x","value":"v-canary"}]}`},
	{"PATCH", "/Users/ID", `{"Operations":[{"op":"v-canary","path":"title","value":"v-canary"}]}`},
	{"PATCH", "/Users/ID", `{"Operations":[{"op":"replace","path":"password","value":{"x":"S3cret-canary"}}]}`},
	{"PATCH", "/Users/ID", `{"Operations":[{"op":"replace","value":{"PASSWORD":["S3cret-canary","S3cret-canary"]}}]}`},
	{"PATCH", "/Groups/x", `{"Operations":[{"op":"add","path":"members","value":[{"value":"v-canary"}]}]}`},
	{"POST", "/Groups", `{"displayName":"v-canary","members":[{"value":"v-canary"}]}`},
	{"POST", "/Bulk", `{"Operations":[{"method":"POST","bulkId":"v-canary","path":"/Users","data":{"userName":["v-canary"],"password":"S3cret-canary"}},{"method":"PUT","path":"/v-canary/1"}]}`},
	{"POST", "/Bulk", `{"Operations":[{"method":"v-canary","path":"v-canary","data":{"password":"S3cret-canary"}}]}`},
	{"POST", "/.search", `{"filter":"password eq \"S3cret-canary\"","count":"v-canary"}`},
	{"POST", "/Users/.search", `{"filter":"title eq v-canary"}`},
	{"GET", "/Users/scimgate_abc_S3cret-canary", ""},
	{"GET", "/Users/eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJ4In0.S3cret-canary", ""},
	{"GET", `/Users?count=scimgate_abc_S3cret-canary&filter=userName+eq+"eyJhbGciOi.eyJpc3Mi.S3cret-canary"`, ""},
	{"GET", `/Users?filter=userName+eq+"x"+and+access_token+eq+"S3cret-canary"`, ""},
	{"GET", `/Users?filter=pass+word+eq+S3cret-canary`, ""},
	{"PATCH", "/Users/ID", `{"Operations":[{"op":"replace","path":"password[ value  eq \"S3cret-canary\" ]","value":"x"}]}`},
	{"PATCH", "/Users/ID", `{"Operations":[{"op":"replace","path":"clientSecret[value eq \"S3cret-canary\"]","value":"S3cret-canary"}]}`},
	{"PUT", "/Users/ID", `{"userName":["v-canary","v-canary-2"],"password":"\":true,\"","active":true,"x":"S3cret-canary password=\":{\""}`},
	{"PATCH", "/Groups/panic", `{"password":"S3cret-canary","Operations":[{"op":"remove","path":"members[value eq \"v-canary\"]"}]}`},
}

// Tokens and passwords are in no log, whatever goes wrong, and values in none that was
// not asked for them. The test fails on any record or line that holds a canary.
func TestNoSecretAndNoValueInTheLogs(t *testing.T) {
	for _, keep := range []Keep{{}, {FailedBodies: true}, {Values: true}, {Values: true, FailedBodies: true}} {
		t.Run(fmt.Sprintf("%+v", keep), func(t *testing.T) {
			s := newSite(t)
			n := noted(s, keep)
			var process syncedText
			s.log = zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), &process, zap.DebugLevel))
			s.tenants[0].tokens = password{token: "T0ken-canary"}
			bearer := []string{"Authorization", "Bearer T0ken-canary"}
			id := fmt.Sprint(is(t, s.ask("POST", "/scim/v2/Users", `{"userName":"ann","title":"v-canary","password":"S3cret-canary"}`, bearer...), 201)["id"])
			s.groups.between = func() { panic("v-canary in the store: S3cret-canary T0ken-canary") }
			for _, r := range badRequests {
				s.ask(r.method, "/scim/v2"+strings.ReplaceAll(strings.ReplaceAll(r.path, "ID", id), `"`, "%22"), r.body, bearer...)
			}
			if len(n.all) < len(badRequests) {
				t.Fatalf("%d records", len(n.all))
			}
			withBody := 0
			for _, r := range n.all {
				text, err := json.Marshal(r)
				if err != nil {
					t.Fatal(err)
				}
				secret := strings.Contains(string(text), "S3cret-canary") || strings.Contains(string(text), "T0ken-canary")
				if secret || !keep.Values && !keep.FailedBodies && strings.Contains(string(text), "canary") {
					t.Errorf("%s", text)
				}
				if r.Sent != nil && len(r.Sent.Body) > 0 {
					withBody++
				}
				if r.Sent != nil && r.Status < 400 {
					t.Errorf("the body of a request that went well is kept: %s", text)
				}
				if r.Sent != nil && !keep.Values { // of a body they are asked for
					r.Sent = nil
					if text, err = json.Marshal(r); err != nil || strings.Contains(string(text), "canary") {
						t.Errorf("%s %v", text, err)
					}
				}
			}
			if keep.FailedBodies != (withBody > 5) {
				t.Errorf("%d bodies are kept", withBody)
			}
			for line := range strings.Lines(process.String()) {
				if strings.Contains(line, "S3cret-canary") || strings.Contains(line, "T0ken-canary") {
					t.Errorf("the process log: %s", line)
				}
			}
		})
	}
}

// syncedText is a log in memory.
type syncedText struct {
	mu sync.Mutex
	strings.Builder
}

func (s *syncedText) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.Builder.Write(p)
}

func (s *syncedText) Sync() error { return nil }

// What is kept of a failed request shows why it failed.
func TestFailedBodiesAreKept(t *testing.T) {
	s := newSite(t)
	n := noted(s, Keep{FailedBodies: true})
	s.ask("POST", "/scim/v2/Users?attributes=id&token=x", `{"userName":{"a":1},"password":"hidden-away"}`)
	r := n.last()
	if r.Sent == nil || string(r.Sent.Body) != `{"userName":{"a":1},"password":"***"}` {
		t.Fatalf("%+v", r.Sent)
	}
	if r.Sent.Query != "***=***&attributes=id" {
		t.Errorf("%q", r.Sent.Query)
	}
	s.ask("POST", "/scim/v2/Users", `{"userName":{"x":"`+strings.Repeat("long ", 600)+`"}}`)
	if r := n.last(); r.Sent == nil || r.Sent.Bytes < 3000 {
		t.Errorf("%+v", r.Sent)
	}
	s.ask("POST", "/scim/v2/Users", `not JSON`)
	if r := n.last(); r.Sent == nil || r.Sent.Bytes != 8 || r.Sent.Body != nil || r.Sent.Beginning != "" {
		t.Errorf("%+v", r.Sent)
	}
}

// A record names the attributes that a write has changed, whatever kind of write it
// is, and none where it changed nothing.
func TestRecordsNameWhatWasChanged(t *testing.T) {
	s := newSite(t)
	n := noted(s, Keep{})
	names := func(want ...string) {
		t.Helper()
		got := slices.Clone(n.last().Attributes)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s %d: %v, want %v", n.last().Operation, n.last().Status, got, want)
		}
	}
	users, groups := "/scim/v2/Users", "/scim/v2/Groups"
	patch := func(path, value string) string {
		return `{"Operations":[{"op":"replace","path":"` + path + `","value":` + value + `}]}`
	}
	add := func(id string) string {
		return `{"Operations":[{"op":"add","path":"members","value":[` + elements([]string{id}) + `]}]}`
	}
	ann := fmt.Sprint(is(t, s.ask("POST", users, `{"userName":"ann","externalId":"42","title":"boss","password":"x1234567"}`), 201)["id"])
	names(stableKey, "title", "uid", "userPassword")
	is(t, s.ask("POST", users, `{"userName":"ann"}`), 409)
	names()
	bob := fmt.Sprint(is(t, s.ask("POST", users, `{"userName":"bob"}`), 201)["id"])
	is(t, s.ask("PATCH", users+"/"+ann, patch("userName", `"anna"`)), 200)
	names("uid")
	is(t, s.ask("PATCH", users+"/"+ann, patch("userName", `"anna"`)), 200)
	names()
	is(t, s.ask("PATCH", users+"/"+ann, patch("userName", `"bob"`)), 409)
	names()
	is(t, s.ask("PUT", users+"/"+ann, `{"userName":"ann","externalId":"42","title":"chief"}`), 200)
	names("title", "uid")
	is(t, s.ask("PATCH", users+"/"+ann, patch("active", "false")), 200)
	names("lock")
	is(t, s.ask("PATCH", users+"/"+ann, patch("active", "true")), 200)
	names("lock")
	is(t, s.ask("PATCH", users+"/"+ann, patch("password", `"y1234567"`)), 200)
	names("userPassword")
	team := groups + "/" + fmt.Sprint(is(t, s.ask("POST", groups, `{"displayName":"team","members":[`+elements([]string{ann})+`]}`), 201)["id"])
	names("cn", "member")
	is(t, s.ask("PATCH", team, patch("displayName", `"crew"`)), 204)
	names("cn")
	is(t, s.ask("PATCH", team, add(bob)), 204)
	names("member")
	is(t, s.ask("PATCH", team, `{"Operations":[{"op":"remove","path":"members[value eq \"`+bob+`\"]"},{"op":"replace","path":"displayName","value":"team"}]}`), 204)
	names("cn", "member")
	is(t, s.ask("PATCH", groups+"/nobody", add(bob)), 404)
	names()
	is(t, s.ask("DELETE", users+"/"+ann, ""), 204)
	names("lock")
	is(t, s.ask("POST", users, `{"userName":"anne","externalId":"42"}`), 201)
	if r := n.last(); r.Operation != "revive" {
		t.Errorf("%+v", r)
	}
	names("lock", "title", "uid")
	is(t, s.ask("DELETE", team, ""), 204)
	names()
}

// What is refused before its handler has its operation, its id and what was sent in
// the record all the same.
func TestARefusalAtTheDoorIsRecorded(t *testing.T) {
	s := newSite(t)
	n := noted(s, Keep{FailedBodies: true})
	const id = "0a1b2c3d-0a1b-2c3d-4e5f-0a1b2c3d4e5f"
	s.tenants[0].toggle = turnedOff{}
	s.ask("PUT", "/scim/v2/Users/"+id, `{"userName":"ann","password":"S3cret-canary"}`)
	if r := n.last(); r.Status != 403 || r.Operation != "replace" || r.ID != id || !strings.Contains(r.Reason, "switched off") ||
		r.Sent == nil || string(r.Sent.Body) != `{"userName":"ann","password":"***"}` {
		t.Errorf("%+v %+v", r, r.Sent)
	}
	s.tenants[0].toggle = nil
	s.ask("POST", "/okta/scim/v2/Users", `{"userName":"ann"}`, "Content-Type", "text/plain")
	if r := n.last(); r.Status != 415 || r.Operation != "create" || r.Sent == nil || string(r.Sent.Body) != `{"userName":"ann"}` {
		t.Errorf("%+v %+v", r, r.Sent)
	}
	s.ask("PUT", "/scim/v2/Users", `{"userName":"ann"}`)
	if r := n.last(); r.Status != 405 || r.Operation != "" || r.Sent == nil {
		t.Errorf("%+v %+v", r, r.Sent)
	}
	s.ask("DELETE", "/scim/v2/Users/"+id, `{"x":1}`, "Authorization", "Bearer wrong")
	if r := n.last(); r.Status != 401 || r.Operation != "" || r.Sent != nil || r.Token != "" {
		t.Errorf("%+v %+v", r, r.Sent)
	}
	s.ask("POST", "/scim/v2/Users", `{"userName":"`+strings.Repeat("x", 5000)+`"}`)
	if r := n.last(); r.Status != 413 || r.Operation != "create" {
		t.Errorf("%+v %+v", r, r.Sent)
	}
}

// turnedOff is a switch that is off.
type turnedOff struct{}

func (turnedOff) Off() bool { return true }

// A line is found by the resource's own name however many others the request names,
// and calls it by that.
func TestARecordIsOfTheResourceFirst(t *testing.T) {
	b := newBraked(t, 1000, 30)
	n := noted(b.site, Keep{Values: true})
	is(t, b.ask("PATCH", "/scim/v2/Groups/"+b.group, `{"Operations":[{"op":"replace","path":"displayName","value":"crew"},{"op":"add","path":"members","value":[`+elements(b.people)+`]}]}`), 204)
	if r := n.last(); r.User != "team" || !slices.Contains(r.Names[:4], "team") || !slices.Contains(r.Names[:4], "crew") || !slices.Contains(r.Names, b.people[3]) && !slices.Contains(r.Names, b.people[4]) && len(r.Names) < 10 {
		t.Errorf("%q %q", r.User, r.Names)
	}
}

// Whom a create has found is whom its line is about, also where it then fails.
func TestAFailedUpsertIsAboutWhomItFound(t *testing.T) {
	s := newOffering(t, Policy{}, byName)
	n := noted(s, Keep{})
	s.tenants[0].brake = brake.New(t.TempDir(), "okta", brake.Limit{Changes: 1, Per: time.Hour}, zap.NewNop())
	ann := is(t, s.ask("POST", "/scim/v2/Users", `{"userName":"ann"}`), 201)["id"]
	is(t, s.ask("POST", "/scim/v2/Users", `{"userName":"bob"}`), 201)
	is(t, s.ask("POST", "/scim/v2/Users", `{"userName":"bob","active":false}`), 201)
	if r := n.last(); r.Operation != "upsert" || !slices.Equal(r.Attributes, []string{"lock"}) {
		t.Errorf("%+v", r)
	}
	is(t, s.ask("POST", "/scim/v2/Users", `{"userName":"ann","active":false}`), 429)
	// The id is hashed in a test, where it has not the form of one.
	if r := n.last(); r.Status != 429 || r.Operation != "upsert" || !slices.Contains(r.Names, fmt.Sprint(ann)) || r.DN == "" || !strings.Contains(r.Reason, "brake on mass changes") || len(r.Attributes) > 0 {
		t.Errorf("%+v", r)
	}
}

// A secret that looks like the JSON around it breaks neither the body that is kept nor
// the line.
func TestASecretThatLooksLikeJSON(t *testing.T) {
	s := newSite(t)
	n := noted(s, Keep{FailedBodies: true})
	s.ask("POST", "/scim/v2/Users", `{"userName":{"a":"a"},"title":"v open","password":"\":\"v"}`)
	if r := n.last(); r.Sent == nil || string(r.Sent.Body) != `{"userName":{"a":"a"},"title":"v ***","password":"***"}` {
		t.Fatalf("%s", r.Sent.Body)
	}
}

// More secrets than anybody sends are in no line either.
func TestVeryManySecrets(t *testing.T) {
	s := newSite(t)
	s.config.BodyBytes, s.tenants[0].bodies = 1<<20, middleware.BodyLimit("1M")
	n := noted(s, Keep{Values: true, FailedBodies: true})
	var list strings.Builder
	for i := range 2000 {
		fmt.Fprintf(&list, `"S3cret-%d",`, i)
	}
	s.ask("POST", "/scim/v2/Users", `{"userName":["S3cret-1999","S3cret-7"],"password":[`+list.String()+`"x"]}`)
	r := n.last()
	text, err := json.Marshal(r)
	if err != nil || r.Status != 400 || r.Reason == "" || strings.Contains(string(text), "S3cret") || r.Sent == nil || r.Sent.Body != nil || r.Sent.Bytes == 0 {
		t.Errorf("%s %v", text, err)
	}
}

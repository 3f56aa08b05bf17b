package gateway

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

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

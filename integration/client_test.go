//go:build integration

package integration

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
)

const (
	userURN       = "urn:ietf:params:scim:schemas:core:2.0:User"
	groupURN      = "urn:ietf:params:scim:schemas:core:2.0:Group"
	enterpriseURN = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	patchURN      = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
	errorURN      = "urn:ietf:params:scim:api:messages:2.0:Error"
	listURN       = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
)

// object is a JSON object.
type object = map[string]any

// client is an identity provider.
type client struct {
	t      *testing.T
	base   string
	header http.Header
	http   *http.Client
	trace  *httptrace.ClientTrace // may be nil

	hideLength bool
}

// client returns an identity provider with the gate's token.
func (g *gate) client(t *testing.T) *client {
	c := &client{t: t, base: g.base, header: http.Header{}, http: &http.Client{
		Timeout: patience, Transport: &http.Transport{MaxIdleConnsPerHost: 64, ExpectContinueTimeout: patience},
	}}
	c.header.Set("Authorization", "Bearer "+g.token)
	c.header.Set("Content-Type", "application/scim+json; charset=utf-8")
	c.header.Set("Accept", "application/scim+json")
	t.Cleanup(c.http.CloseIdleConnections)
	return c
}

// with returns a client that sends another header as well; "" sends none.
func (c *client) with(name, value string) *client {
	other := *c
	other.header = c.header.Clone()
	other.header.Del(name)
	if value != "" {
		other.header.Set(name, value)
	}
	return &other
}

// tracing returns a client that counts the requests whose body the gateway has
// asked for: those that it has begun to work on.
func tracing(c *client, begun *atomic.Int64) *client {
	other := c.with("Expect", "100-continue")
	other.trace = &httptrace.ClientTrace{Got100Continue: func() { begun.Add(1) }}
	return other
}

// chunked returns a client that does not announce the length of its bodies.
func (c *client) chunked() *client {
	other := *c
	other.hideLength = true
	return &other
}

// in returns the same client for a subtest.
func (c *client) in(t *testing.T) *client {
	other := *c
	other.t = t
	return &other
}

// answer is what came back. body is nil where there was none.
type answer struct {
	t      *testing.T
	what   string
	status int
	header http.Header
	raw    []byte
	body   object
}

func (c *client) get(path string) *answer            { c.t.Helper(); return c.do("GET", path, nil) }
func (c *client) post(path string, body any) *answer { c.t.Helper(); return c.do("POST", path, body) }
func (c *client) put(path string, body any) *answer  { c.t.Helper(); return c.do("PUT", path, body) }
func (c *client) delete(path string) *answer         { c.t.Helper(); return c.do("DELETE", path, nil) }

// patch sends operations.
func (c *client) patch(path string, operations ...object) *answer {
	c.t.Helper()
	return c.do("PATCH", path, object{"schemas": []string{patchURN}, "Operations": operations})
}

// find lists what matches a filter.
func (c *client) find(endpoint, filter string) *answer {
	c.t.Helper()
	return c.get("/" + endpoint + "?filter=" + url.QueryEscape(filter)).want(http.StatusOK)
}

// do sends a request. The body is JSON, or bytes that are sent as they are.
// Every answer has to be what section 7 of the design promises.
func (c *client) do(method, path string, body any) *answer {
	c.t.Helper()
	a, err := c.try(method, path, body)
	if err != nil {
		c.t.Fatal(err)
	}
	a.check()
	return a
}

// try sends a request and returns the answer unchecked; it may be called from
// any goroutine.
func (c *client) try(method, path string, body any) (*answer, error) {
	raw, isRaw := body.([]byte)
	if body != nil && !isRaw {
		var err error
		if raw, err = json.Marshal(body); err != nil {
			return nil, err
		}
	}
	request, err := http.NewRequest(method, c.base+path, bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	request.Header = c.header.Clone()
	if c.hideLength {
		request.ContentLength = -1
	}
	if c.trace != nil {
		request = request.WithContext(httptrace.WithClientTrace(request.Context(), c.trace))
	}
	got, err := c.http.Do(request)
	if err != nil {
		return nil, err
	}
	defer got.Body.Close()
	a := &answer{t: c.t, what: method + " " + path, status: got.StatusCode, header: got.Header}
	if a.raw, err = io.ReadAll(got.Body); err != nil {
		return nil, fmt.Errorf("%s: %w", a.what, err)
	}
	if len(a.raw) > 0 {
		if err := json.Unmarshal(a.raw, &a.body); err != nil {
			return nil, fmt.Errorf("%s: %d, not a JSON object: %w: %s", a.what, a.status, err, a.raw)
		}
	}
	return a, nil
}

// check holds an answer against what every answer owes its reader.
func (a *answer) check() {
	a.t.Helper()
	for _, fault := range a.faults() {
		a.t.Errorf("%s: %s\n%d %s", a.what, fault, a.status, a.raw)
	}
}

func (a *answer) faults() []string {
	var faults []string
	expect := func(ok bool, fault string) {
		if !ok {
			faults = append(faults, fault)
		}
	}
	expect(a.header.Get("X-Request-Id") != "", "no X-Request-Id")
	if a.body != nil {
		expect(strings.HasPrefix(a.header.Get("Content-Type"), "application/scim+json"), "Content-Type is "+a.header.Get("Content-Type"))
	}
	if a.status < 400 {
		return faults
	}
	detail, _ := a.body["detail"].(string)
	expect(fmt.Sprint(a.body["schemas"]) == "["+errorURN+"]", "not a SCIM error")
	expect(a.body["status"] == strconv.Itoa(a.status), "status is not the text of the status")
	expect(strings.TrimSpace(detail) != "", "no detail")
	for _, secret := range []string{"dc=", "ou=", "goroutine", "LDAP Result Code"} {
		expect(!strings.Contains(strings.ToLower(detail), strings.ToLower(secret)), "the detail shows "+secret)
	}
	return faults
}

// want ends the test unless the status is one of these.
func (a *answer) want(statuses ...int) *answer {
	a.t.Helper()
	for _, s := range statuses {
		if a.status == s {
			return a
		}
	}
	a.t.Fatalf("%s: status %d, want %v: %s", a.what, a.status, statuses, a.raw)
	return nil
}

// wantError ends the test unless the answer is this error.
func (a *answer) wantError(status int, scimType string) *answer {
	a.t.Helper()
	a.want(status)
	if got, _ := a.body["scimType"].(string); got != scimType {
		a.t.Errorf("%s: scimType %q, want %q: %s", a.what, got, scimType, a.raw)
	}
	return a
}

func (a *answer) id() string { return a.text("$.id") }

// at returns what is at $.a.b[0].
func (a *answer) at(path string) any { return at(a.body, path) }

func (a *answer) text(path string) string {
	text, _ := a.at(path).(string)
	return text
}

func (a *answer) total() int {
	n, _ := a.at("$.totalResults").(float64)
	return int(n)
}

// resources returns those of a list.
func (a *answer) resources() []object {
	list, ok := a.body["Resources"].([]any)
	if !ok {
		a.t.Errorf("%s: Resources is no list: %s", a.what, a.raw)
	}
	all := make([]object, len(list))
	for i := range list {
		all[i], _ = list[i].(object)
	}
	return all
}

// ids returns those of the resources of a list.
func (a *answer) ids() []string {
	var ids []string
	for _, r := range a.resources() {
		id, _ := r["id"].(string)
		ids = append(ids, id)
	}
	return ids
}

// members returns the ids of a group's members.
func (a *answer) members() []string {
	list, _ := a.body["members"].([]any)
	var ids []string
	for _, m := range list {
		if m, ok := m.(object); ok {
			id, _ := m["value"].(string)
			ids = append(ids, id)
		}
	}
	return ids
}

// person is a user as most identity providers create one, with changes.
func person(name string, changes ...object) object {
	p := object{
		"schemas": []string{userURN}, "userName": name, "active": true,
		"name":   object{"givenName": "Ann", "familyName": "Lee"},
		"emails": []object{{"type": "work", "primary": true, "value": "ann@example.org"}},
	}
	for _, c := range changes {
		maps.Copy(p, c)
	}
	return p
}

// group is a group with members.
func group(name string, members ...string) object {
	return object{"schemas": []string{groupURN}, "displayName": name, "members": values(members...)}
}

// values are the elements of members.
func values(ids ...string) []object {
	all := []object{}
	for _, id := range ids {
		all = append(all, object{"value": id})
	}
	return all
}

// create makes a user and returns the id.
func (c *client) create(p object) string {
	c.t.Helper()
	return c.post("/Users", p).want(http.StatusCreated).id()
}

// createGroup makes a group and returns the id.
func (c *client) createGroup(name string, members ...string) string {
	c.t.Helper()
	return c.post("/Groups", group(name, members...)).want(http.StatusCreated).id()
}

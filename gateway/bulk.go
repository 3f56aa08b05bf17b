package gateway

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"scimgate/internal/scim"
)

// bulkSideBySide is how many operations of one Bulk are done at a time.
const bulkSideBySide = 8

// bulk answers POST of Bulk (RFC 7644 section 3.7): decode, plan, run, collect.
// Every operation is what it would be as a request of its own: the same code,
// with its own request id, deadline and line in the log.
func (g *Gateway) bulk(c echo.Context) error {
	eventOf(c).operation = "bulk"
	body, err := bodyOf(c)
	if err != nil {
		return err
	}
	t, _ := c.Get(tenantKey).(*tenant)
	request, err := scim.DecodeBulk(body, g.limits(t).BulkOperations)
	if err != nil {
		return err
	}
	j := newJob(g, t, c, request)
	if err := j.brake(); err != nil {
		return err
	}
	j.run()
	j.event.operations, j.event.errors = len(j.works), j.errors
	return reply(c, http.StatusOK, j.response())
}

// writes are the methods that write a resource, in requests and in operations of a Bulk.
var writes = map[string]struct {
	operation string
	do        func(*request) error
}{
	http.MethodPost:   {"create", (*request).create},
	http.MethodPut:    {"replace", (*request).replace},
	http.MethodPatch:  {"patch", (*request).patch},
	http.MethodDelete: {"delete", (*request).remove},
}

// call is a request to be made for an operation.
type call struct {
	typ     *resourceType
	method  string
	id      string // "" for a create
	version string
	data    map[string]any
}

// outcome is what came of a call.
type outcome struct {
	status  int
	id      string
	version string // as an entity tag
	failure *scim.Error
}

// perform makes a call through the handler that a request of its own would have.
func (j *job) perform(k call) outcome {
	g := j.gateway
	ctx, cancel := context.WithTimeout(j.outer.Request().Context(), g.limits(j.tenant).RequestTimeout/2)
	defer cancel()
	c := j.context(ctx, k)
	ev := j.part()
	c.SetRequest(ev.follow(c.Request()))
	c.Set(eventKey, ev)
	c.Set(tenantKey, j.tenant)
	start := g.now()
	write := writes[k.method]
	out := outcome{}
	if err := g.recoverPanic(g.handle(k.typ, write.operation, write.do))(c); err != nil {
		out.failure = g.asSCIM(err, wordsOf(c))
		ev.fail(err, out.failure)
		c.Response().Status = out.failure.Status
	}
	out.status, out.id, out.version = c.Response().Status, ev.resource, c.Response().Header().Get("ETag")
	g.write(c, ev, g.now().Sub(start))
	return out
}

// part is the event of one operation.
func (j *job) part() *event {
	return &event{request: rand.Text(), bulk: j.event.request, tenant: j.event.tenant, token: j.event.token,
		of: j.event.of, address: j.event.address, bearer: j.event.bearer}
}

// refuse answers an operation that there is no call for. It has its line in the log
// like all others: nothing else would tell why it was refused.
func (j *job) refuse(w *work, e *scim.Error) {
	j.fail(w, e)
	path := strings.TrimPrefix(w.Path, "/")
	if w.typ != nil {
		path = strings.TrimSuffix(w.typ.mapping.Definition().Endpoint+"/"+w.id, "/")
	}
	r := &http.Request{Method: w.Method, URL: &url.URL{Path: j.tenant.baseOf(j.outer.Request().URL.Path) + "/" + path}, Header: http.Header{}}
	c := j.gateway.echo.NewContext(r, discarded{})
	ev := j.part()
	c.SetRequest(ev.follow(r))
	ev.operation, ev.resource = writes[w.Method].operation, w.id
	if w.Data != nil {
		ev.body = encoded(w.Data)
		ev.name(called(w.Data)...)
	}
	ev.fail(e, e)
	c.Response().Status = e.Status
	j.gateway.write(c, ev, 0)
}

// context is that of a call.
func (j *job) context(ctx context.Context, k call) echo.Context {
	outer, body := j.outer.Request(), encoded(k.data)
	path := j.tenant.baseOf(outer.URL.Path) + "/" + k.typ.mapping.Definition().Endpoint
	if k.id != "" {
		path += "/" + k.id
	}
	r := (&http.Request{
		Method: k.method, URL: &url.URL{Path: path}, Host: outer.Host, TLS: outer.TLS, RemoteAddr: outer.RemoteAddr,
		Proto: outer.Proto, ProtoMajor: outer.ProtoMajor, ProtoMinor: outer.ProtoMinor,
		Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
	}).WithContext(ctx)
	if k.version != "" {
		r.Header.Set("If-Match", k.version)
	}
	c := j.gateway.echo.NewContext(r, discarded{})
	if k.id != "" {
		c.SetParamNames("id")
		c.SetParamValues(k.id)
	}
	return c
}

// encoded writes data as it came from a body, which can always be written.
func encoded(data map[string]any) []byte {
	body, err := json.Marshal(data)
	if err != nil {
		return nil
	}
	return body
}

// discarded is a response of which nothing but status and header is kept.
type discarded http.Header

func (d discarded) Header() http.Header         { return http.Header(d) }
func (d discarded) Write(p []byte) (int, error) { return len(p), nil }
func (d discarded) WriteHeader(int)             {}

// address finds out what the path of an operation speaks of: the type and, but
// for a create, the id or the bulkId that stands for it. Clients write paths
// relative to the base URL, or with it.
func (j *job) address(o scim.BulkOperation) (typ *resourceType, id, on string, err *scim.Error) {
	path := o.Path
	if root := strings.TrimSuffix(j.gateway.config.ExternalURL, "/"); root != "" {
		path = strings.TrimPrefix(path, root)
	}
	if u, err := url.Parse(path); err == nil && u.Host != "" {
		path = u.EscapedPath()
	}
	path, _, _ = strings.Cut(path, "?")
	path = "/" + strings.Trim(path, "/")
	path = strings.TrimPrefix(path, j.tenant.baseOf(path))
	endpoint, rest, one := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	for _, t := range j.tenant.types {
		if strings.EqualFold(t.mapping.Definition().Endpoint, endpoint) {
			typ = t
		}
	}
	id, bad := url.PathUnescape(rest)
	switch {
	case typ == nil:
		return nil, "", "", scim.BadRequest(scim.TypeInvalidPath, "there is no endpoint at this path; ResourceTypes lists them")
	case bad != nil || one && id == "" || strings.Contains(id, "/"):
		return nil, "", "", scim.BadRequest(scim.TypeInvalidPath, "the path has to end with one id, such as /%s/{id}", endpoint)
	case o.Method == http.MethodPost && one:
		return nil, "", "", scim.BadRequest(scim.TypeInvalidPath, "a POST goes to the endpoint, /%s, without an id", endpoint)
	case o.Method != http.MethodPost && !one:
		return nil, "", "", scim.BadRequest(scim.TypeInvalidPath, "a %s needs the id in its path, such as /%s/{id}", o.Method, endpoint)
	}
	if bulkID, ok := scim.BulkReference(id); ok {
		return typ, "", bulkID, nil
	}
	return typ, id, "", nil
}

// response collects what came of the operations, in their order. Those that
// were not begun are not in it (RFC 7644 section 3.7.3).
func (j *job) response() scim.BulkResponse {
	var all scim.BulkResponse
	base := j.gateway.baseURL(j.outer, j.tenant)
	for _, w := range j.works {
		if !w.begun {
			continue
		}
		r := scim.BulkResult{Method: w.Method, BulkID: w.BulkID, Version: w.version, Response: w.failure, Status: strconv.Itoa(w.status)}
		if w.id != "" && w.typ != nil {
			r.Location = base + "/" + w.typ.mapping.Definition().Endpoint + "/" + w.id
		}
		all.Operations = append(all.Operations, r)
	}
	return all
}

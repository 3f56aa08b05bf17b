package gateway

import (
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"scimgate/internal/directory"
	"scimgate/internal/scim"
	"scimgate/mapping"
)

// request is one request on its way through a handler.
type request struct {
	echo.Context
	gateway *Gateway
	typ     *resourceType
	types   []*resourceType // of a list: typ, or all of the tenant's
	event   *event
	view    view
	// precondition is what the client demands of the version; self says that a
	// person acts on themselves.
	precondition precondition
	self         bool
	// resolved are the names behind ids that were looked up for the write that
	// is being tried, without those that were in the entry already.
	resolved mapping.Names
	// waiting are those who are inactive and were kept out of the group that is
	// being written; whole says that the request lists all of its members, and
	// listed are these, by their folded names.
	waiting []sleeper
	whole   bool
	listed  map[string]bool
	// stays says that the entry cannot be moved, and is locked where it is.
	stays bool
	// referred are whom the entry that is changed referred to when it was read,
	// with what they are called if the answer shows it.
	referred referred
	// sent is the resource that a create asks for.
	sent scim.Resource
	// adopted says that what was created was there before, in groups perhaps.
	adopted bool
	// naming is what is known of names that a template makes, and numbers what a
	// new entry was given before it had to be added again.
	naming  naming
	numbers []directory.Number
	// spent is what was counted at the brake.
	spent spending
}

const typeKey = "type"

// handle makes a handler of a method of request; operation is its name in the
// log.
func (g *Gateway) handle(t *resourceType, operation string, do func(*request) error) echo.HandlerFunc {
	return func(c echo.Context) error {
		q := &request{Context: c, gateway: g, typ: t, types: []*resourceType{t}, event: eventOf(c)}
		q.event.operation, q.event.resource = operation, c.Param("id")
		c.Set(typeKey, t)
		_, q.self = c.Get(selfKey).(bool)
		return q.run(do)
	}
}

// run reads what all requests can say in the query and the header, and does what
// is asked.
func (q *request) run(do func(*request) error) error {
	var err error
	if q.view, err = q.wanted(); err != nil {
		return err
	}
	if q.precondition, err = preconditionOf(q.Request().Header); err != nil {
		return err
	}
	if b := q.typ.tenant.brake; b != nil {
		b.Look()
	}
	err = do(q)
	q.refund(err)
	return err
}

func (q *request) ctx() context.Context { return q.Request().Context() }

// lookUp finds the names behind ids; those in known need no look-up.
func (q *request) lookUp(refs []mapping.Reference, known mapping.Names) (mapping.Names, error) {
	names, err := q.typ.tenant.names(q.ctx(), refs, known)
	if err != nil {
		return nil, err
	}
	q.resolved = maps.Clone(names)
	maps.DeleteFunc(q.resolved, func(id, _ string) bool { _, ok := known[id]; return ok })
	q.event.refer(q.resolved)
	return names, nil
}

func (q *request) stamp() mapping.Stamp {
	s := mapping.Stamp{Request: q.event.request, Now: q.gateway.now().UTC().Truncate(time.Second)}
	if q.typ.mapping.Scrambles() {
		s.Secret = secret()
	}
	return s
}

// body reads the request's body.
func (q *request) body() ([]byte, error) { return bodyOf(q.Context) }

func bodyOf(c echo.Context) ([]byte, error) {
	eventOf(c).read = true
	body, err := io.ReadAll(c.Request().Body)
	if err == nil {
		eventOf(c).body = body
		return body, nil
	}
	var refused *echo.HTTPError
	if errors.As(err, &refused) {
		return nil, err
	}
	return nil, &scim.Error{Status: http.StatusBadRequest, Type: scim.TypeInvalidSyntax, Detail: "the body ended before it was complete; send it again, with the right Content-Length", Err: err}
}

// decode reads the body as a resource of the request's type.
func (q *request) decode() (scim.Resource, error) {
	body, err := q.body()
	if err != nil {
		return nil, err
	}
	return q.decoded(body)
}

// decodeNew is decode for a resource that is not there yet, which may be refused for
// what SCIM lets be ignored.
func (q *request) decodeNew() (scim.Resource, error) {
	body, err := q.body()
	if err != nil {
		return nil, err
	}
	res, err := q.decoded(body)
	if err != nil {
		return nil, err
	}
	return res, q.typ.mapping.Barred(body)
}

func (q *request) decoded(body []byte) (scim.Resource, error) {
	res, err := scim.Decode(body, q.typ.mapping.Definition())
	q.event.name(called(res)...)
	return res, err
}

// view is what a client wants to see of a resource (RFC 7644 section 3.9).
type view struct {
	attributes, excluded []scim.Path
	// hides says that the tenant shows no members of groups here, and emptied that
	// it shows an empty list of them.
	hides, emptied bool
}

// wanted reads what the client wants to see.
func (q *request) wanted() (view, error) {
	given := q.QueryParams()
	attributes, err := scim.ParsePaths(strings.Join(given["attributes"], ","))
	if err != nil {
		return view{}, err
	}
	excluded, err := scim.ParsePaths(strings.Join(given["excludedAttributes"], ","))
	return q.typ.tenant.policy.hide(view{attributes: attributes, excluded: excluded}, false), err
}

// reads returns the LDAP attributes that the view needs: nil for all, or all
// without a group's members, which can be many.
func (v view) reads(t *resourceType) []string {
	if t.mapping.Members() == "" {
		return nil
	}
	if v.names(t, v.excludes(t)) || len(v.attributes) > 0 && !v.names(t, v.attributes) {
		return t.mapping.WithoutMembers()
	}
	return nil
}

// names reports whether a list of paths has members as a whole or in part.
func (v view) names(t *resourceType, list []scim.Path) bool {
	for _, p := range list {
		_, canonical, ok := t.mapping.Definition().Lookup(p)
		if ok && canonical.URN == "" && canonical.Attr == "members" {
			return true
		}
	}
	return false
}

// show writes one resource as the answer (RFC 7644 section 3.3 and 3.14).
func (q *request) show(status int, res scim.Resource) error {
	q.typ.mapping.Locate(res, q.url)
	meta, _ := res["meta"].(map[string]any)
	location, _ := meta["location"].(string)
	h := q.Response().Header()
	if status == http.StatusCreated || q.self { // of Me: RFC 7644 section 3.11
		h.Set(echo.HeaderLocation, location)
	}
	h.Set("Content-Location", location)
	if version, _ := meta["version"].(string); version != "" {
		h.Set("ETag", version)
	}
	return reply(q.Context, status, q.view.project(q.typ)(res))
}

// url is where a resource of the tenant is found.
func (q *request) url(resourceType, id string) string {
	endpoint := ""
	if t := q.typ.tenant.byName(resourceType); t != nil {
		endpoint = t.mapping.Definition().Endpoint
	}
	return q.gateway.baseURL(q.Context, q.typ.tenant) + "/" + endpoint + "/" + id
}

// baseURL is the tenant's base as the client sees it: the base path that the
// request came by, since a tenant may have two.
func (g *Gateway) baseURL(c echo.Context, t *tenant) string {
	root := strings.TrimSuffix(g.config.ExternalURL, "/")
	if root == "" {
		root = g.root(c.Request())
	}
	base := t.baseOf(c.Request().URL.Path)
	if base == "" {
		base = t.basePaths[0]
	}
	return root + base
}

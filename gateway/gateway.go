// Package gateway speaks SCIM 2.0 over HTTP (RFC 7644) for one or more
// tenants. A request runs through one short function: decode the body, resolve
// references, map, write to a directory.Store, map back, reply.
//
// It is HTTP and only HTTP, and the only package that knows Echo. It must not
// know how a directory is reached (package ldapsink), nor which SCIM attribute
// goes where (package mapping).
package gateway

import (
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
	"go.uber.org/zap"

	"scimgate/internal/brake"
	"scimgate/internal/directory"
	"scimgate/internal/provlog"
	"scimgate/internal/token"
	"scimgate/mapping"
)

// Config is what the gateway needs to know besides its tenants.
type Config struct {
	// ExternalURL is what meta.location starts with; where it is empty, the
	// scheme and host of the request are taken.
	ExternalURL string
	// TrustedProxies are the peers whose X-Forwarded headers count.
	TrustedProxies []netip.Prefix
	// FailedAttempts is how many tokens that are none an address may present in a
	// minute; 0 counts nothing.
	FailedAttempts int
	// BodyBytes is the largest request body that is read.
	BodyBytes int64
	// PageSize is the most resources that one list answer holds.
	PageSize int
	// BulkOperations is the most operations that one Bulk holds.
	BulkOperations int
	// FilterEntries is how many entries are looked at, at most, for a filter that
	// the directory cannot answer by itself; 0 leaves only the bound on the work.
	FilterEntries int
	// CursorKey seals the cursors of lists. Gateways with the same key understand
	// each other's; without one a gateway understands its own until it ends.
	CursorKey [32]byte
	// RequestTimeout bounds the work on one request.
	RequestTimeout time.Duration
	// Memory is shared with the gateways before and after this one in the same
	// process; nil is a memory of its own.
	Memory *Memory
	// Recorders are told of every request.
	Recorders []provlog.Recorder
}

// Authenticator recognises bearer tokens. Verify returns who presents one; an
// error is for the log and leaves ok meaningful. A *token.Refusal in it says why a
// token was not taken.
type Authenticator interface {
	Verify(text string, now time.Time) (id token.Identity, ok bool, err error)
}

// Tenant is one IdP connection.
type Tenant struct {
	Name      string
	BasePaths []string // without trailing slash; the first is shown in meta.location
	Tokens    Authenticator
	// Issuer is whose access tokens Tokens recognises beside the gateway's own, ""
	// for nobody's: clients are told.
	Issuer string
	// Certificates recognises clients that send no token; nil for a tenant that
	// wants one.
	Certificates Certificates
	Types        []Type
	Me           *Me    // nil for a tenant whose tokens name nobody
	Switch       Switch // nil for a tenant that is always on
	Limits       Limits // what of Config is narrower for the tenant
	Policy       Policy // what of the protocol it is without
	Keep         Keep   // what records of its requests hold
	// Brake bounds how much is taken away within a time; nil is no bound.
	Brake *brake.Brake
}

// Type is a resource type of a tenant with the part of the directory behind it.
type Type struct {
	Mapping *mapping.Mapping
	Store   directory.Store
}

// Gateway is the SCIM server.
type Gateway struct {
	config  Config
	tenants []*tenant
	echo    *echo.Echo
	log     *zap.Logger
	now     func() time.Time
	cursors sealer
	// operations are what requests are called in the log, by method and route.
	operations map[string]string
	*Memory
}

// New makes a gateway for tenants whose base paths do not overlap.
func New(cfg Config, tenants []Tenant, log *zap.Logger) (*Gateway, error) {
	cursors, err := newSealer(cfg.CursorKey)
	if err != nil {
		return nil, err
	}
	g := &Gateway{config: cfg, echo: echo.New(), log: log, now: time.Now, cursors: cursors,
		operations: map[string]string{}, Memory: cfg.Memory}
	if g.Memory == nil {
		g.Memory = NewMemory()
	}
	g.attempts.bound(cfg.FailedAttempts)
	e := g.echo
	e.HideBanner = true
	e.HTTPErrorHandler = g.replyError
	e.Pre(tidyPath)
	e.Use(g.observe, g.recoverPanic, g.authenticate, keepBody, g.switchedOn, tidyQuery, bodyLimit, g.deadline, contentType)
	for _, t := range tenants {
		tenant := newTenant(t, g.Memory)
		tenant.bodies = middleware.BodyLimit(byteText(g.limits(tenant).BodyBytes))
		g.tenants = append(g.tenants, tenant)
		for _, base := range t.BasePaths {
			g.route(e.Group(base), tenant)
		}
	}
	return g, nil
}

// route is the table of RFC 7644 section 3.2 for one base path.
func (g *Gateway) route(r *echo.Group, t *tenant) {
	read := []string{http.MethodGet, http.MethodHead} // RFC 9110 section 9.1
	post := []string{http.MethodPost}
	add := func(methods []string, path, operation string, h echo.HandlerFunc) {
		for _, route := range r.Match(methods, path, h) {
			g.operations[route.Method+" "+route.Path] = operation
		}
	}
	for _, rt := range t.types {
		path := "/" + rt.mapping.Definition().Endpoint
		add(read, path, "list", g.handle(rt, "list", (*request).list))
		add(read, path+"/:id", "get", g.handle(rt, "get", (*request).get))
		for method, write := range writes {
			at := path
			if method != http.MethodPost {
				at += "/:id"
			}
			if rt.takes(method) {
				add([]string{method}, at, write.operation, g.handle(rt, write.operation, write.do))
			}
		}
		r.Any(path+"/.search", t.offered(offSearch, onlyPOST(g.handle(rt, "list", (*request).search)))) // no resource with that id
	}
	r.Match(read, "/ServiceProviderConfig", g.discover(g.serviceProviderConfig(t)))
	r.Match(read, "/ResourceTypes", g.discover(t.resourceTypes))
	r.Match(read, "/ResourceTypes/:name", g.discover(t.resourceTypes))
	r.Match(read, "/Schemas", g.discover(t.schemas))
	r.Match(read, "/Schemas/:name", g.discover(t.schemas))
	r.Any("/Me", t.offered(offMe, g.me(t)))
	add(post, "/Bulk", "bulk", t.offered(offBulk, g.bulk))
	add(read, "", "list", g.handleAll(t, "list", (*request).list))
	add(post, "/.search", "list", t.offered(offSearch, g.handleAll(t, "list", (*request).search)))
}

// onlyPOST refuses other methods on a path that otherwise looks like that of a
// resource.
func onlyPOST(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if c.Request().Method == http.MethodPost {
			return next(c)
		}
		c.Response().Header().Set(echo.HeaderAllow, http.MethodPost)
		return echo.ErrMethodNotAllowed
	}
}

// ServeHTTP answers one request.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) { g.echo.ServeHTTP(w, r) }

// tidyPath takes doubled and trailing slashes out of a path: clients glue base
// URL and endpoint together in every way (docs/identity-providers.md, rule 28).
// Routes are looked up in the decoded path, since many encode the colons of a
// schema's URN.
func tidyPath(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		u := c.Request().URL
		path := u.Path
		for strings.Contains(path, "//") {
			path = strings.ReplaceAll(path, "//", "/")
		}
		if len(path) > 1 {
			path = strings.TrimSuffix(path, "/")
		}
		u.Path, u.RawPath = path, ""
		return next(c)
	}
}

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
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
	"go.uber.org/zap"
	"golang.org/x/sync/semaphore"

	"scimgate/internal/brake"
	"scimgate/internal/directory"
	"scimgate/internal/token"
	"scimgate/mapping"
)

// Config is what the gateway needs to know besides its tenants.
type Config struct {
	// ExternalURL is what meta.location starts with; where it is empty, the
	// scheme and host of the request are taken.
	ExternalURL string
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
	// Observer is told of every request; nil for nobody.
	Observer Observer
}

// Observer is told what came of a request, and of each operation of a Bulk. It is
// called by many at the same time. tenant and operation are "" for who did not
// come so far.
type Observer interface {
	Request(tenant, operation string, status int, took time.Duration)
}

// Authenticator recognises bearer tokens. Verify returns who presents one; an
// error is for the log and leaves ok meaningful.
type Authenticator interface {
	Verify(text string, now time.Time) (id token.Identity, ok bool, err error)
}

// Tenant is one IdP connection.
type Tenant struct {
	Name      string
	BasePaths []string // without trailing slash; the first is shown in meta.location
	Tokens    Authenticator
	Types     []Type
	Me        *Me // nil for a tenant whose tokens name nobody
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
	walks   *walks
	cursors sealer
	// enumerating bounds how many long lists are read at a time.
	enumerating *semaphore.Weighted
}

// New makes a gateway for tenants whose base paths do not overlap.
func New(cfg Config, tenants []Tenant, log *zap.Logger) (*Gateway, error) {
	cursors, err := newSealer(cfg.CursorKey)
	if err != nil {
		return nil, err
	}
	g := &Gateway{
		config: cfg, echo: echo.New(), log: log, now: time.Now,
		walks: newWalks(placesKept), cursors: cursors, enumerating: semaphore.NewWeighted(enumerations),
	}
	e := g.echo
	e.HideBanner = true
	e.HTTPErrorHandler = g.replyError
	e.Pre(tidyPath)
	e.Use(g.observe, g.recoverPanic, g.authenticate, tidyQuery, middleware.BodyLimit(byteText(cfg.BodyBytes)), g.deadline, contentType)
	for _, t := range tenants {
		tenant := newTenant(t)
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
	for _, rt := range t.types {
		path := "/" + rt.mapping.Definition().Endpoint
		r.POST(path, g.handle(rt, "create", (*request).create))
		r.Match(read, path, g.handle(rt, "list", (*request).list))
		r.Match(read, path+"/:id", g.handle(rt, "get", (*request).get))
		r.PUT(path+"/:id", g.handle(rt, "replace", (*request).replace))
		r.PATCH(path+"/:id", g.handle(rt, "patch", (*request).patch))
		r.DELETE(path+"/:id", g.handle(rt, "delete", (*request).remove))
		r.Any(path+"/.search", onlyPOST(g.handle(rt, "list", (*request).search))) // no resource with that id
	}
	r.Match(read, "/ServiceProviderConfig", g.discover(g.serviceProviderConfig(t)))
	r.Match(read, "/ResourceTypes", g.discover(t.resourceTypes))
	r.Match(read, "/ResourceTypes/:name", g.discover(t.resourceTypes))
	r.Match(read, "/Schemas", g.discover(t.schemas))
	r.Match(read, "/Schemas/:name", g.discover(t.schemas))
	r.Any("/Me", g.me(t))
	r.POST("/Bulk", g.bulk)
	r.Match(read, "", g.handleAll(t, "list", (*request).list))
	r.POST("/.search", g.handleAll(t, "list", (*request).search))
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

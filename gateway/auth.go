package gateway

import (
	"context"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"
	"go.uber.org/zap"

	"scimgate/internal/scim"
)

const tenantKey = "tenant"

// challenge asks for a token. Whoever sent one that is not good is told so as
// well, and nobody else (RFC 6750 section 3).
const challenge = `Bearer realm="scim"`

// authenticate finds the tenant by the path and lets only its tokens through
// (RFC 6750 section 2.1), on every path below its base, known or not.
func (g *Gateway) authenticate(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		t := g.tenantOf(c.Request().URL.Path)
		if t == nil {
			return echo.ErrNotFound
		}
		ev := eventOf(c)
		ev.tenant, ev.of = t.name, t
		if t.presents(c.Request()) {
			return g.certified(c, t, next)
		}
		header := c.Request().Header.Get(echo.HeaderAuthorization)
		scheme, text, _ := strings.Cut(header, " ")
		if text = strings.TrimSpace(text); !strings.EqualFold(scheme, "Bearer") || text == "" {
			return unauthorized("the Authorization header has to be the word Bearer, a blank and the token")
		}
		ev.bearer = text
		id, ok, err := t.tokens.Verify(text, g.now())
		if err := ofTheFile(err); err != nil {
			g.log.Warn("tokens cannot be read anew; the last good ones hold", zap.Error(err))
		}
		if !ok {
			if refused := refusedLater(c, err); refused != nil {
				return refused
			}
			return explained(err, g.failedAttempt(c))
		}
		ev.token = id.ID
		c.Set(tenantKey, t)
		if id.Subject != "" && !personal(strings.TrimPrefix(c.Path(), t.baseOf(c.Request().URL.Path))) {
			return &scim.Error{Status: http.StatusForbidden,
				Detail: "this token names a person: it is good for Me and for what the discovery endpoints say, and for nothing else; to provision people use one that was made without a subject"}
		}
		c.Set(subjectKey, id.Subject)
		return next(c)
	}
}

func unauthorized(detail string) error {
	return &scim.Error{Status: http.StatusUnauthorized, Detail: detail}
}

// tenantOf finds the tenant with the longest base path that the path is below.
func (g *Gateway) tenantOf(path string) *tenant {
	var best *tenant
	longest := ""
	for _, t := range g.tenants {
		if base := t.baseOf(path); len(base) > len(longest) {
			best, longest = t, base
		}
	}
	return best
}

// baseOf returns the tenant's longest base path that a path is below, or "".
func (t *tenant) baseOf(path string) string {
	longest := ""
	for _, base := range t.basePaths {
		if (path == base || strings.HasPrefix(path, base+"/")) && len(base) > len(longest) {
			longest = base
		}
	}
	return longest
}

// deadline bounds the work on a request. A client that hangs up does not stop
// a write half-way: what was begun is finished.
func (g *Gateway) deadline(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		timeout := g.config.RequestTimeout
		if t, ok := c.Get(tenantKey).(*tenant); ok {
			timeout = g.limits(t).RequestTimeout
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(c.Request().Context()), timeout)
		defer cancel()
		c.SetRequest(c.Request().WithContext(ctx))
		return next(c)
	}
}

// contentType refuses bodies that are not JSON (RFC 7644 section 3.1 and 8.1),
// or compressed JSON (RFC 9110 section 12.5.3).
func contentType(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if coding := c.Request().Header.Get(echo.HeaderContentEncoding); coding != "" && !strings.EqualFold(coding, "identity") {
			c.Response().Header().Set(echo.HeaderAcceptEncoding, "identity")
			return &scim.Error{Status: http.StatusUnsupportedMediaType, Detail: "the body is encoded (Content-Encoding); send it as plain JSON"}
		}
		value := c.Request().Header.Get(echo.HeaderContentType)
		if value == "" || c.Request().ContentLength == 0 {
			return next(c)
		}
		kind, _, err := mime.ParseMediaType(value)
		if err != nil || kind != "application/scim+json" && kind != "application/json" {
			return echo.ErrUnsupportedMediaType
		}
		return next(c)
	}
}

// byteText writes a number of bytes as Echo's body limit wants it.
func byteText(n int64) string { return strconv.FormatInt(n, 10) + "B" }

package gateway

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"
	"go.uber.org/zap"

	"scimgate/internal/directory"
	"scimgate/internal/scim"
)

// retryAfter is how long a client is asked to wait while the directory is
// away, in seconds.
const retryAfter = 5

// replyError is the one bridge from any error to a SCIM error answer. The
// directory's own words never leave the house: they go to the log. Why a password
// policy refuses a password is the exception, in sentences from a table.
func (g *Gateway) replyError(err error, c echo.Context) {
	e := g.asSCIM(err, wordsOf(c))
	if t, ok := c.Get(tenantKey).(*tenant); ok && errors.Is(err, echo.ErrNotFound) {
		e = nowhere(t.endpoints())
	} else if ok && e.Status == http.StatusRequestEntityTooLarge && errors.As(err, new(*echo.HTTPError)) {
		e = tooLarge(g.limits(t).BodyBytes)
	}
	if ev := eventOf(c); ev != nil {
		ev.fail(err, e)
	}
	if c.Response().Committed {
		return
	}
	h := c.Response().Header()
	switch e.Status {
	case http.StatusServiceUnavailable:
		h.Set("Retry-After", strconv.Itoa(retryAfter))
	case http.StatusUnauthorized:
		if h.Get(echo.HeaderWWWAuthenticate) == "" {
			h.Set(echo.HeaderWWWAuthenticate, challenge)
		}
	case http.StatusMethodNotAllowed:
		if allowed := h.Get(echo.HeaderAllow); allowed != "" {
			e = &scim.Error{Status: e.Status, Detail: c.Request().Method + " is not possible at this path; possible are: " + allowed}
		}
	}
	if err := reply(c, e.Status, e); err != nil {
		g.log.Debug("answer not written", zap.Error(err))
	}
}

// asSCIM chooses the answer to an error. words are what the client
// knows of an LDAP attribute. What asSCIM does not know is a 500 that says nothing.
func (g *Gateway) asSCIM(err error, words words) *scim.Error {
	var known *scim.Error
	var dir *directory.Error
	var echoed *echo.HTTPError
	switch {
	case errors.As(err, &known):
		return known
	case errors.As(err, &dir):
		return fromDirectory(dir, words)
	case errors.As(err, &echoed):
		return g.fromEcho(echoed)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return unavailable()
	}
	return internal()
}

func fromDirectory(e *directory.Error, words words) *scim.Error {
	switch e.Kind {
	case directory.NotFound:
		return &scim.Error{Status: http.StatusNotFound, Detail: "there is no resource with this id; it may have been deleted, so look it up again and use the id that is shown"}
	case directory.Exists:
		return &scim.Error{Status: http.StatusConflict, Type: scim.TypeUniqueness,
			Detail: "another entry of the directory has this name or one of the unique values, or a group that is not this tenant's still lists the name; the log says which: change the value here, or mend that entry"}
	case directory.Invalid:
		return refused(e, words)
	case directory.TooMany:
		return scim.BadRequest(scim.TypeTooMany, "the directory refuses to return so many entries; narrow the filter, or ask its operator to raise the size limit")
	case directory.Protected:
		return &scim.Error{Status: http.StatusForbidden, Detail: "this gateway does not change this resource, because " + e.Reason +
			"; nothing was changed, and whoever is to be deactivated still has access: take the rights of an administrator away in the directory, or have it changed there by hand"}
	case directory.Bound:
		return scim.BadRequest(scim.TypeInvalidValue, "this group is the primary group of one of the members to be removed, and the directory takes nobody out of that; give the person another primary group there first")
	case directory.Changed, directory.Unavailable:
		return unavailable()
	case directory.Exhausted:
		return exhausted(words.Label(e.Attribute))
	}
	return internal()
}

// exhausted is the answer where no number is left. Nothing is wrong with the
// request, and what is wrong will stay so until somebody mends it.
func exhausted(label string) *scim.Error {
	return &scim.Error{Status: http.StatusInsufficientStorage,
		Detail: "no number is left for " + label + ": all of its range in the configuration are given; ask the gateway's operator to raise allocate.max, and send the request again"}
}

// refused says what the directory does not accept, and what it would take.
func refused(e *directory.Error, words words) *scim.Error {
	what := "a value"
	if e.Attribute != "" && words.Label(e.Attribute) != "" {
		what = "the value of " + words.Label(e.Attribute)
	}
	takes := ""
	if e.Malformed {
		takes = words.Takes(e.Attribute)
	}
	switch {
	case e.Reason != "":
		return scim.BadRequest(scim.TypeInvalidValue, "the directory's password policy refuses %s: %s", what, e.Reason)
	case e.Limit > 0:
		return scim.BadRequest(scim.TypeInvalidValue, "%s is too long to name an entry of the directory: about %d bytes are possible, and letters beyond ASCII have several; shorten it", what, e.Limit)
	case takes != "":
		return scim.BadRequest(scim.TypeInvalidValue, "the directory does not accept %s: it takes %s; correct it at the source, or leave the attribute out", what, takes)
	}
	return scim.BadRequest(scim.TypeInvalidValue, "the directory does not accept %s: its syntax, length or policy forbids it; correct it at the source, or leave the attribute out", what)
}

func (g *Gateway) fromEcho(e *echo.HTTPError) *scim.Error {
	detail := "this request cannot be answered as it was sent; RFC 7644 section 3.2 has the methods and paths that there are"
	switch e.Code {
	case http.StatusNotFound:
		return nowhere([]string{"Users", "Groups"})
	case http.StatusMethodNotAllowed:
		detail = "this method is not allowed here"
	case http.StatusRequestEntityTooLarge:
		return tooLarge(g.config.BodyBytes)
	case http.StatusUnsupportedMediaType:
		detail = "the Content-Type of the body is another than application/scim+json or application/json; send one of these"
	default:
		if e.Code >= http.StatusInternalServerError {
			return internal()
		}
	}
	return &scim.Error{Status: e.Code, Detail: detail}
}

// nowhere is the answer to a path that leads nowhere.
func nowhere(endpoints []string) *scim.Error {
	last := len(endpoints) - 1
	names := endpoints[last]
	if last > 0 {
		names = strings.Join(endpoints[:last], ", ") + " and " + names
	}
	return &scim.Error{Status: http.StatusNotFound, Detail: "there is nothing at this path; resources are at " + names + " below the base URL"}
}

// words are what clients know of the LDAP attributes: a mapping.Mapping has them.
type words interface {
	Label(ldap string) string // what it is called
	Takes(ldap string) string // what its values are, or ""
}

// wordsOf returns the words of the request's resource type.
func wordsOf(c echo.Context) words {
	if t, ok := c.Get(typeKey).(*resourceType); ok {
		return t.mapping
	}
	return wordless{}
}

// wordless are the words of a request that is about no type, or about all:
// LDAP's words are not the client's.
type wordless struct{}

func (wordless) Label(string) string { return "" }
func (wordless) Takes(string) string { return "" }

func internal() *scim.Error {
	return &scim.Error{Status: http.StatusInternalServerError,
		Detail: "the server could not do this; its log has the cause under the request id of this answer"}
}

func unavailable() *scim.Error {
	return &scim.Error{Status: http.StatusServiceUnavailable,
		Detail: "the directory does not answer at the moment; send the request again later"}
}

func notFound(t *resourceType, id string) *scim.Error {
	return &scim.Error{Status: http.StatusNotFound, Detail: "there is no " + t.name() + " with the id " + strconv.Quote(id) + "; it may have been deleted, so look it up again and use the id that is shown"}
}

func notImplemented(echo.Context) error {
	return &scim.Error{Status: http.StatusNotImplemented, Detail: "this server does not offer this endpoint to this tenant; do without it: ServiceProviderConfig says what there is"}
}

// reply writes a JSON answer in SCIM's media type (RFC 7644 section 3.1).
func reply(c echo.Context, status int, body any) error {
	c.Response().Header().Set(echo.HeaderContentType, "application/scim+json")
	c.Response().WriteHeader(status)
	if c.Request().Method == http.MethodHead {
		return nil
	}
	return c.Echo().JSONSerializer.Serialize(c, body, "")
}

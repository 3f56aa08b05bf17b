package gateway

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"scimgate/internal/directory"
	"scimgate/internal/scim"
)

// Me lets people act on themselves (RFC 7644 section 3.11).
type Me struct {
	// Methods are those of GET, PUT, PATCH and DELETE that a person may use;
	// HEAD goes with GET.
	Methods []string
}

const (
	subjectKey = "subject" // of the token; "" for a client that acts for all
	selfKey    = "self"    // set where a person acts on themselves
)

// personal reports whether a route, without the tenant's base, is open to a
// token that names a person. Such a token can never provision others.
func personal(route string) bool {
	switch route {
	case "/Me", "/ServiceProviderConfig", "/ResourceTypes", "/ResourceTypes/:name", "/Schemas", "/Schemas/:name":
		return true
	}
	return false
}

// meActions are what can be done at Me.
var meActions = map[string]struct {
	operation string
	do        func(*request) error
}{
	http.MethodGet:    {"get", (*request).get},
	http.MethodHead:   {"get", (*request).get},
	http.MethodPut:    {"replace", (*request).replace},
	http.MethodPatch:  {"patch", (*request).patch},
	http.MethodDelete: {"delete", (*request).remove},
}

// me answers Me as the resource of the person whom the token names is answered.
func (g *Gateway) me(t *tenant) echo.HandlerFunc {
	return func(c echo.Context) error {
		method := c.Request().Method
		action, known := meActions[method]
		if t.me == nil || !known {
			return notImplemented(c)
		}
		subject, _ := c.Get(subjectKey).(string)
		if subject == "" {
			return forbidden("this token names no person, so there is nobody that Me could be; use Users, or a token made with a subject")
		}
		if !t.me.allows(method) {
			return forbidden("people may not " + method + " themselves here; allowed are: " + strings.Join(t.me.Methods, ", "))
		}
		person, err := t.person(c.Request().Context(), subject)
		if err != nil {
			return err
		}
		c.SetParamNames("id")
		c.SetParamValues(person.ID)
		c.Set(selfKey, true)
		return g.handle(t.byName("User"), action.operation, action.do)(c)
	}
}

func (m *Me) allows(method string) bool {
	if method == http.MethodHead {
		method = http.MethodGet
	}
	return slices.Contains(m.Methods, method)
}

// person returns the user whom a token names by id. A name would not do: it can
// be given to somebody else while the token lives.
func (t *tenant) person(ctx context.Context, id string) (directory.Entry, error) {
	users := t.byName("User")
	hits, err := users.store.Search(ctx, directory.Query{Filter: directory.Eq(directory.AttrID, id), Attributes: users.mapping.WithoutMembers()})
	switch {
	case err != nil:
		return directory.Entry{}, err
	case len(hits) == 0:
		return directory.Entry{}, &scim.Error{Status: http.StatusNotFound, Detail: "the person whom this token names is not there any more"}
	case hits[0].Marker.State != directory.Active:
		return directory.Entry{}, deactivated()
	}
	return hits[0], nil
}

// Named finds the one user of whom an attribute has the value, for a token that
// is to name them. Nobody and several are an error.
func Named(ctx context.Context, users Type, by, value string) (directory.Entry, error) {
	path, err := scim.ParsePath(by)
	if err != nil {
		return directory.Entry{}, err
	}
	wanted := scim.Compare{Path: path, Op: scim.Eq, Value: value}
	filter, _, err := users.Mapping.Filter(wanted, nil)
	if err != nil {
		return directory.Entry{}, err
	}
	hits, err := users.Store.Search(ctx, directory.Query{Filter: filter, Attributes: users.Mapping.WithoutMembers()})
	if err != nil {
		return directory.Entry{}, err
	}
	var people []directory.Entry
	for _, e := range hits {
		ok, err := scim.Match(wanted, users.Mapping.Resource(e, nil), users.Mapping.Definition())
		if err != nil {
			return directory.Entry{}, err
		}
		if ok && e.Marker.State != directory.Deleting {
			people = append(people, e)
		}
	}
	if len(people) != 1 {
		return directory.Entry{}, fmt.Errorf("%d users of this tenant have the %s %q, expected one", len(people), by, value)
	}
	return people[0], nil
}

func deactivated() error {
	return forbidden("this person is deactivated, and cannot act on themselves; whoever provisions them can set active to true")
}

func forbidden(detail string) error {
	return &scim.Error{Status: http.StatusForbidden, Detail: detail}
}

package gateway

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"scimgate/internal/directory"
	"scimgate/internal/scim"
)

// Me lets people act on themselves (RFC 7644 section 3.11).
type Me struct {
	// By is the SCIM attribute of a user that the subject of a token is the
	// value of: userName, say. It has to be unique.
	By string
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

// person finds the one user whom a subject names. Nobody else learns whether it
// is nobody or several.
func (t *tenant) person(ctx context.Context, subject string) (directory.Entry, error) {
	users := t.byName("User")
	by, err := scim.ParsePath(t.me.By)
	if err != nil {
		return directory.Entry{}, &scim.Error{Status: http.StatusInternalServerError, Detail: internal().Detail, Err: err}
	}
	wanted := scim.Compare{Path: by, Op: scim.Eq, Value: subject}
	filter, exact, err := users.mapping.Filter(wanted, nil)
	if err != nil {
		return directory.Entry{}, err
	}
	hits, err := users.store.Search(ctx, directory.Query{Filter: filter, Attributes: users.mapping.WithoutMembers()})
	if err != nil {
		return directory.Entry{}, err
	}
	var people []directory.Entry
	for _, e := range hits {
		if !exact {
			ok, err := scim.Match(wanted, users.mapping.Resource(e, nil), users.mapping.Definition())
			if err != nil {
				return directory.Entry{}, err
			}
			if !ok {
				continue
			}
		}
		people = append(people, e)
	}
	switch {
	case len(people) != 1:
		return directory.Entry{}, &scim.Error{Status: http.StatusNotFound, Detail: "there is no one user whom this token names by " + t.me.By + "; make a token whose subject is the " + t.me.By + " of one"}
	case people[0].Marker.State != directory.Active:
		return directory.Entry{}, deactivated()
	}
	return people[0], nil
}

func deactivated() error {
	return forbidden("this person is deactivated, and cannot act on themselves; whoever provisions them can set active to true")
}

func forbidden(detail string) error {
	return &scim.Error{Status: http.StatusForbidden, Detail: detail}
}

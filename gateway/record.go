package gateway

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"scimgate/internal/directory"
	"scimgate/internal/provlog"
	"scimgate/internal/scim"
	"scimgate/mapping"
)

// follow makes the directory's part in a request tell the event what it did.
func (ev *event) follow(r *http.Request) *http.Request {
	ctx, trail := directory.WithTrail(r.Context())
	ev.trail = trail
	return r.WithContext(ctx)
}

// namesNoted bounds what an event knows of names: a group can have many members.
const namesNoted = 24

// name notes what the resource of a request is called, or was asked for by.
func (ev *event) name(names ...string) {
	for _, name := range names {
		if len(ev.names) < namesNoted && name != "" {
			ev.names = append(ev.names, name)
		}
	}
}

// refer notes whom a request refers to: members, managers.
func (ev *event) refer(all mapping.Names) {
	for id, dn := range all {
		if len(ev.others) >= namesNoted {
			return
		}
		ev.others = append(ev.others, id, directory.NameValue(dn))
	}
}

// met notes the entry that a request is about.
func (q *request) met(e directory.Entry) {
	q.event.about = e.DN
	q.event.name(q.typ.mapping.Called(e)...)
}

// moved notes that an entry has another name than before.
func (ev *event) moved(old, now directory.Entry) {
	if now.DN != "" && old.DN != now.DN && old.ID == now.ID {
		ev.from = old.DN
	}
}

// touched notes that a write has changed attributes, or may have: where the
// directory was lost over it, nobody knows. One that it refused has changed nothing.
func (ev *event) touched(err error, names ...string) {
	if err != nil && !directory.Is(err, directory.Unavailable) {
		return
	}
	for _, name := range names {
		if !slices.Contains(ev.attributes, name) {
			ev.attributes = append(ev.attributes, name)
		}
	}
}

// changed notes which attributes a change of an entry has touched, its name and its
// members among them.
func (q *request) changed(err error, c directory.Change) {
	if c.Name != "" {
		q.event.touched(err, q.typ.mapping.Naming())
	}
	q.event.touched(err, c.Attributes()...)
	if !c.Members.Empty() {
		q.event.touched(err, q.typ.mapping.Members())
	}
}

// calledBy are the attributes that people know a resource by, in small; value is that of
// an address within emails.
var calledBy = map[string]bool{"id": true, "username": true, "displayname": true, "externalid": true, "emails": true, "value": true}

// called returns what a resource is called, as its client writes it.
func called(res scim.Resource) []string {
	var names []string
	for _, attribute := range []string{"userName", "displayName", "externalId"} {
		if text, ok := res[attribute].(string); ok {
			names = append(names, text)
		}
	}
	emails, _ := res["emails"].([]any)
	for _, e := range emails {
		email, _ := e.(map[string]any)
		if text, ok := email["value"].(string); ok {
			names = append(names, text)
		}
	}
	return names
}

// compared returns the names that a filter asks for. No other value is a name, and one
// may be a secret.
func compared(f scim.Filter) []string {
	var values []string
	switch f := f.(type) {
	case scim.And:
		for _, part := range f.Filters {
			values = append(values, compared(part)...)
		}
	case scim.Or:
		for _, part := range f.Filters {
			values = append(values, compared(part)...)
		}
	case scim.ValuePath:
		if strings.EqualFold(f.Path.Attr, "emails") {
			values = compared(f.Filter)
		}
	case scim.Compare:
		if text, ok := f.Value.(string); ok && f.Op == scim.Eq && calledBy[strings.ToLower(f.Path.Attr)] {
			values = []string{text}
		}
	}
	return values
}

// record makes the record of a request that has been answered, of what may be kept.
func (g *Gateway) record(c echo.Context, ev *event, took time.Duration) (provlog.Record, kept) {
	status := c.Response().Status
	safe := ev.keeps(c.Request(), status)
	r := provlog.Record{
		Time: g.now().UTC(), Request: ev.request, Bulk: ev.bulk, Tenant: ev.tenant, Token: ev.token, Address: ev.address,
		Method: c.Request().Method, Path: safe.place(c.Request().URL.Path, ev.resource, status), Operation: ev.operation,
		ID: ev.resource, DN: ev.dn, From: ev.from, Attributes: ev.attributes,
		Attempts: ev.trail.Attempts(), TookMS: float64(took.Microseconds()) / 1000,
		Status: status, ScimType: ev.scimType, Reason: safe.reason(ev.told), Sent: safe.sent,
		Operations: ev.operations, Errors: ev.errors,
	}
	if r.DN == "" {
		r.DN = ev.about
	}
	if r.DN == "" {
		r.DN = ev.trail.Name()
	}
	r.DN, r.From = safe.clean(r.DN), safe.clean(r.From)
	// Its own names come before those of others: there is room for few.
	r.Names = slices.DeleteFunc(append(ev.names, directory.NameValue(r.DN), directory.NameValue(r.From)), func(name string) bool { return name == "" })
	if status >= http.StatusBadRequest && !isID(r.ID) && r.ID != "" { // whatever the client took for one
		r.Names = append(r.Names, r.ID)
		r.ID = safe.segment(r.ID)
	}
	if safe.values() && len(r.Names) > 0 {
		r.User = safe.clean(r.Names[0])
	}
	r.Names = append(r.Names, ev.others...)
	return r, safe
}

// isID reports whether a text has the form of an id: groups of hexadecimal digits.
func isID(text string) bool {
	return len(strings.ReplaceAll(text, "-", "")) == 32 && strings.Trim(text, "0123456789abcdefABCDEF-") == ""
}

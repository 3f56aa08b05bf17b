package gateway

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/labstack/echo/v4"
	"go.uber.org/zap"

	"scimgate/internal/directory"
	"scimgate/internal/provlog"
	"scimgate/internal/scim"
)

// event is what is known of one request for the logs: filled on the way, written
// once. It holds the token and the body too, because they have to be known to be
// taken out; what may be kept of all this is decided in keep.go.
type event struct {
	request    string
	address    string // of the client, as far as trusted proxies tell it
	bulk       string // the request id of the Bulk that this is an operation of
	tenant     string
	token      string
	operation  string
	resource   string
	dn         string
	attributes []string
	operations int // of a Bulk, and how many of them failed
	errors     int
	scimType   string
	err        error

	// For the provisioning log, which decides itself what may be kept of it.
	of     *tenant
	about  string   // the DN of the entry that was read, where nothing was written
	from   string   // the DN before, of a rename
	names  []string // of the resource
	others []string // of whom it refers to
	told   string   // what the client was told of its fault
	bearer string   // the token itself, which nothing may hold
	body   []byte
	read   bool // whether the body was begun to be read
	trail  *directory.Trail
}

const eventKey = "event"

func eventOf(c echo.Context) *event {
	ev, _ := c.Get(eventKey).(*event)
	return ev
}

// fail notes why a request failed. What a client is told can quote what it
// sent, so of that only the kind is kept.
func (ev *event) fail(err error, told *scim.Error) {
	ev.scimType, ev.err, ev.told = told.Type, err, told.Detail
	var own *scim.Error
	if errors.As(err, &own) {
		ev.err = own.Err
	}
}

// observe gives every request an id and leaves one line in the log for it. The
// id is always our own: it also tells this write from others in the directory,
// so a client cannot be allowed to choose it.
func (g *Gateway) observe(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		start := g.now()
		ev := &event{request: rand.Text()}
		if address := g.clientAddress(c.Request()); address.IsValid() {
			ev.address = address.String()
		}
		c.SetRequest(ev.follow(c.Request()))
		c.Set(eventKey, ev)
		c.Response().Header().Set(echo.HeaderXRequestID, ev.request)
		if err := next(c); err != nil {
			c.Error(err)
		}
		if ev.operation == "" && ev.token != "" { // one who was let in did not come as far as the handler
			ev.operation, ev.resource = g.operations[c.Request().Method+" "+c.Path()], c.Param("id")
		}
		g.write(c, ev, g.now().Sub(start))
		return nil
	}
}

// write hands the record of a request to whoever takes it, and leaves the line in
// the log of the process.
func (g *Gateway) write(c echo.Context, ev *event, took time.Duration) {
	r, safe := g.record(c, ev, took)
	for _, to := range g.config.Recorders {
		to.Record(r)
	}
	g.line(c, ev, r, safe, took)
}

// line writes the line. What the directory says of a failure may name an entry, but
// holds no secret.
func (g *Gateway) line(c echo.Context, ev *event, r provlog.Record, safe kept, took time.Duration) {
	fields := []zap.Field{
		zap.String("request", r.Request),
		zap.String("method", r.Method),
		zap.String("path", safe.clean(c.Request().URL.Path)),
		zap.Int("status", r.Status),
		zap.Duration("took", took),
	}
	for _, f := range []struct{ key, value string }{
		{"address", ev.address}, {"bulk", r.Bulk}, {"tenant", r.Tenant}, {"token", r.Token}, {"operation", r.Operation},
		{"id", safe.clean(ev.resource)}, {"dn", safe.clean(ev.dn)}, {"scimType", r.ScimType},
	} {
		if f.value != "" {
			fields = append(fields, zap.String(f.key, f.value))
		}
	}
	if len(r.Attributes) > 0 {
		fields = append(fields, zap.Strings("attributes", r.Attributes))
	}
	if r.Operations > 0 {
		fields = append(fields, zap.Int("operations", r.Operations), zap.Int("errors", r.Errors))
	}
	level := zap.InfoLevel
	if r.Status >= 500 && r.Status != http.StatusNotImplemented { // what is not offered is no fault, and clients try it
		level = zap.ErrorLevel
	}
	if directory.Is(ev.err, directory.Protected) { // somebody whom the identity provider manages keeps what they have
		level = zap.ErrorLevel
	}
	if ev.err != nil {
		fields = append(fields, zap.String("cause", safe.cause(ev.err)))
	}
	g.log.Log(level, "request", fields...)
}

// recoverPanic turns a panic into a 500, with its stack in the log.
func (g *Gateway) recoverPanic(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		var err error
		func() {
			defer func() {
				if p := recover(); p != nil {
					err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
				}
			}()
			err = next(c)
		}()
		return err
	}
}

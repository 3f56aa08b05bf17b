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
	"scimgate/internal/scim"
)

// event is what the log keeps of one request: filled on the way, written once.
// It never holds a token, a password or an attribute's value.
type event struct {
	request    string
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
}

const eventKey = "event"

func eventOf(c echo.Context) *event {
	ev, _ := c.Get(eventKey).(*event)
	return ev
}

// fail notes why a request failed. What a client is told can quote what it
// sent, so of that only the kind is kept.
func (ev *event) fail(err error, told *scim.Error) {
	ev.scimType, ev.err = told.Type, err
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
		c.Set(eventKey, ev)
		c.Response().Header().Set(echo.HeaderXRequestID, ev.request)
		if err := next(c); err != nil {
			c.Error(err)
		}
		g.write(c, ev, g.now().Sub(start))
		return nil
	}
}

func (g *Gateway) write(c echo.Context, ev *event, took time.Duration) {
	status := c.Response().Status
	if g.config.Observer != nil {
		g.config.Observer.Request(ev.tenant, ev.operation, status, took)
	}
	fields := []zap.Field{
		zap.String("request", ev.request),
		zap.String("method", c.Request().Method),
		zap.String("path", c.Request().URL.Path),
		zap.Int("status", status),
		zap.Duration("took", took),
	}
	for _, f := range []struct{ key, value string }{
		{"bulk", ev.bulk}, {"tenant", ev.tenant}, {"token", ev.token}, {"operation", ev.operation},
		{"id", ev.resource}, {"dn", ev.dn}, {"scimType", ev.scimType},
	} {
		if f.value != "" {
			fields = append(fields, zap.String(f.key, f.value))
		}
	}
	if len(ev.attributes) > 0 {
		fields = append(fields, zap.Strings("attributes", ev.attributes))
	}
	if ev.operations > 0 {
		fields = append(fields, zap.Int("operations", ev.operations), zap.Int("errors", ev.errors))
	}
	level := zap.InfoLevel
	if status >= 500 && status != http.StatusNotImplemented { // what is not offered is no fault, and clients try it
		level = zap.ErrorLevel
	}
	if directory.Is(ev.err, directory.Protected) { // somebody whom the identity provider manages keeps what they have
		level = zap.ErrorLevel
	}
	if ev.err != nil {
		fields = append(fields, zap.NamedError("cause", ev.err))
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

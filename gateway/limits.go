package gateway

import (
	"cmp"
	"fmt"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"scimgate/internal/scim"
)

// Limits bound one request of a tenant. Zero values are those of Config, which
// none exceeds.
type Limits struct {
	BodyBytes      int64
	PageSize       int
	BulkOperations int
	FilterEntries  int
	RequestTimeout time.Duration
}

// within returns the limits that hold.
func (l Limits) within(c Config) Limits {
	return Limits{
		BodyBytes:      lower(l.BodyBytes, c.BodyBytes),
		PageSize:       lower(l.PageSize, c.PageSize),
		BulkOperations: lower(l.BulkOperations, c.BulkOperations),
		FilterEntries:  lower(l.FilterEntries, c.FilterEntries),
		RequestTimeout: lower(l.RequestTimeout, c.RequestTimeout),
	}
}

// limits are those of a tenant.
func (g *Gateway) limits(t *tenant) Limits { return t.limits.within(g.config) }

func (q *request) limits() Limits { return q.gateway.limits(q.typ.tenant) }

// lower returns the lower of two limits; 0 is none.
func lower[N cmp.Ordered](own, all N) N {
	var none N
	if own == none || all != none && all < own {
		return all
	}
	return own
}

// bodyLimit reads no more of a body than the tenant may send.
func bodyLimit(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		t, ok := c.Get(tenantKey).(*tenant)
		if !ok {
			return next(c)
		}
		return t.bodies(next)(c)
	}
}

// tooLarge is the answer to a body of which more is there.
func tooLarge(most int64) *scim.Error {
	return &scim.Error{Status: http.StatusRequestEntityTooLarge,
		Detail: fmt.Sprintf("the request body is larger than the %d bytes that this server reads; send less at a time, or have the limit bodyBytes raised in the configuration", most)}
}

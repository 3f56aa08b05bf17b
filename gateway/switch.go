package gateway

import (
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"scimgate/internal/scim"
)

// Switch tells whether the provisioning of a tenant is switched off. It is asked
// by every request and has to answer at once.
type Switch interface{ Off() bool }

// switchedOn lets nothing through that reads or writes resources while the tenant
// is switched off. Whoever is not let in learns nothing of it, so it comes after
// the token. What was begun before goes on to its end.
func (g *Gateway) switchedOn(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		t, _ := c.Get(tenantKey).(*tenant)
		if t != nil && t.off() && !discovery(strings.TrimPrefix(c.Path(), t.baseOf(c.Request().URL.Path))) {
			return switchedOff()
		}
		return next(c)
	}
}

func (t *tenant) off() bool { return t.toggle != nil && t.toggle.Off() }

// discovery reports whether a route, without the tenant's base, shows what the
// gateway can do and nothing of the directory.
func discovery(route string) bool { return route != "/Me" && personal(route) }

func switchedOff() *scim.Error {
	return &scim.Error{Status: http.StatusForbidden,
		Detail: "provisioning is switched off by an administrator of this gateway, and nothing was read or changed; send the request again once it is switched on"}
}

package gateway

import (
	"errors"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"scimgate/internal/scim"
)

// tidyQuery sees to it that no parameter is lost on the way. Go's parser drops
// one that holds a semicolon or is badly encoded and goes on; a filter that is
// dropped like that is answered with everybody, and the client takes the first
// for the person it asked for.
func tidyQuery(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		u := c.Request().URL
		u.RawQuery = strings.ReplaceAll(u.RawQuery, ";", "%3B") // data, by RFC 3986 section 3.4
		if _, err := url.ParseQuery(u.RawQuery); err != nil {
			return badQuery(err)
		}
		return next(c)
	}
}

func badQuery(err error) error {
	var escape url.EscapeError
	if errors.As(err, &escape) {
		return scim.BadRequest(scim.TypeInvalidValue, "the query is not percent-encoded: %q is no character; a percent sign itself is written %%25", string(escape))
	}
	return scim.BadRequest(scim.TypeInvalidValue, "the query cannot be read; send each parameter once, percent-encoded")
}

package gateway

import (
	"net/http"

	"scimgate/internal/scim"
)

const selfKey = "self"

func deactivated() *scim.Error {
	return &scim.Error{Status: http.StatusForbidden, Detail: "this person is deactivated; they cannot act on themselves"}
}

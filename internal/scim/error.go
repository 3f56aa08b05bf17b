package scim

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
)

// The values of scimType (RFC 7644 section 3.12, table 9).
const (
	TypeInvalidFilter = "invalidFilter"
	TypeTooMany       = "tooMany"
	TypeUniqueness    = "uniqueness"
	TypeMutability    = "mutability"
	TypeInvalidSyntax = "invalidSyntax"
	TypeInvalidPath   = "invalidPath"
	TypeNoTarget      = "noTarget"
	TypeInvalidValue  = "invalidValue"
	TypeInvalidVers   = "invalidVers"
	TypeSensitive     = "sensitive"
)

// Error is what a client is told when its request failed (RFC 7644 section
// 3.12). Err is the cause; it is for the log and never leaves in an answer.
type Error struct {
	Status int
	Type   string // scimType, "" if the RFC has none
	Detail string
	Err    error
}

// BadRequest is an Error with status 400. The detail says which attribute, what
// was wrong and what would be right.
func BadRequest(scimType, format string, args ...any) *Error {
	return &Error{Status: http.StatusBadRequest, Type: scimType, Detail: fmt.Sprintf(format, args...)}
}

// Error is the text for the log: status, scimType, detail and cause.
func (e *Error) Error() string {
	text := "scim: " + strconv.Itoa(e.Status)
	if e.Type != "" {
		text += " " + e.Type
	}
	text += ": " + e.Detail
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// MarshalJSON writes the error message of RFC 7644 section 3.12, in which the
// status is a string.
func (e *Error) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Schemas []string `json:"schemas"`
		Status  string   `json:"status"`
		Type    string   `json:"scimType,omitempty"`
		Detail  string   `json:"detail"`
	}{[]string{ErrorURN}, strconv.Itoa(e.Status), e.Type, e.Detail})
}

// within returns err with the place it happened in set before its detail.
func within(place string, err error) error {
	var e *Error
	if !errors.As(err, &e) {
		return fmt.Errorf("%s: %w", place, err)
	}
	placed := *e
	placed.Detail = place + ": " + e.Detail
	return &placed
}

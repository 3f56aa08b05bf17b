package scim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// text is a simple value as text.
func text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	}
	return fmt.Sprint(v)
}

// literal prints a value as JSON, strings without the HTML escapes.
func literal(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return literal(fmt.Sprint(v)) // no JSON value: the caller's mistake, shown as text
	}
	return strings.TrimSuffix(b.String(), "\n")
}

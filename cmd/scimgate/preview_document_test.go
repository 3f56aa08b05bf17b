package main

import (
	"errors"
	"strings"
	"testing"
)

// What is not one JSON object never reaches the gateway.
func TestPreviewReadsOneObject(t *testing.T) {
	for text, good := range map[string]bool{
		`{"userName":"ann"}` + "\n": true, "null": false, "": false, "[]": false, `{"userName":"ann"} {"userName":"bob"}`: false, `{} x`: false,
	} {
		_, err := readDocument(strings.NewReader(text), "-")
		if (err == nil) != good || err != nil && !errors.As(err, new(usageError)) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

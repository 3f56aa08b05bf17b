package main

import (
	"errors"
	"strings"
	"testing"
)

// What is no JSON object is the caller's mistake, and told as one.
func TestADocumentIsAnObject(t *testing.T) {
	for _, text := range []string{"", "null", "[]", "1", "{"} {
		var usage usageError
		if body, err := readDocument(strings.NewReader(text), "-"); !errors.As(err, &usage) {
			t.Errorf("%q: %v, %v", text, body, err)
		}
	}
	if body, err := readDocument(strings.NewReader("{}"), "-"); err != nil || body == nil {
		t.Errorf("an empty object: %v, %v", body, err)
	}
}

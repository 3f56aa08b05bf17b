package scim

import (
	"strings"
	"time"
)

// ParseDateTime reads an xsd:dateTime (RFC 7643 section 2.3.5); one without a
// zone is taken as UTC. The result is in UTC.
func ParseDateTime(s string) (time.Time, bool) {
	s = strings.TrimSpace(s)
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05"} {
		if t, err := time.Parse(layout, s); err == nil {
			t = t.UTC()
			return t, t.Year() >= 0 && t.Year() <= 9999
		}
	}
	return time.Time{}, false
}

// FormatDateTime writes a time in UTC, with the fraction that it has.
func FormatDateTime(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

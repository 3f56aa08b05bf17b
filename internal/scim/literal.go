package scim

import (
	"encoding/base64"
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

// base64Forms brings the URL alphabet, line ends and padding to one form.
var base64Forms = strings.NewReplacer("-", "+", "_", "/", "\r", "", "\n", "", " ", "", "\t", "")

// DecodeBinary reads base64 in either alphabet, padded or not (RFC 7643 section
// 2.3.6, RFC 4648 sections 4 and 5).
func DecodeBinary(s string) ([]byte, bool) {
	s = base64Forms.Replace(s)
	bare := strings.TrimRight(s, "=")
	if len(s)-len(bare) > 2 {
		return nil, false
	}
	bytes, err := base64.RawStdEncoding.Strict().DecodeString(bare)
	return bytes, err == nil && len(bytes) > 0
}

// EncodeBinary writes bytes in the standard alphabet, padded.
func EncodeBinary(bytes []byte) string { return base64.StdEncoding.EncodeToString(bytes) }

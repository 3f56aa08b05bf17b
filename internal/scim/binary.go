package scim

import (
	"encoding/base64"
	"strings"
)

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

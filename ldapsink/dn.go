package ldapsink

import (
	"strings"

	"github.com/go-ldap/ldap/v3"
)

// parseDN reads a distinguished name as a directory writes it.
func parseDN(text string) (*ldap.DN, error) { return ldap.ParseDN(escapedInHex(text)) }

// escapedInHex writes escapes that RFC 4514 has not, and the library does not
// understand, in hexadecimal. Samba puts a backslash before every question mark.
func escapedInHex(dn string) string {
	if !strings.Contains(dn, `\`) {
		return dn
	}
	var b strings.Builder
	for i := 0; i < len(dn); i++ {
		if dn[i] != '\\' || i+1 == len(dn) {
			b.WriteByte(dn[i])
			continue
		}
		i++
		if strings.IndexByte(` "#+,;<=>\`, dn[i]) >= 0 || i+1 < len(dn) && isHex(dn[i]) && isHex(dn[i+1]) {
			b.WriteByte('\\')
			b.WriteByte(dn[i])
			continue
		}
		writeHex(&b, dn[i:i+1])
	}
	return b.String()
}

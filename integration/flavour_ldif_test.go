//go:build integration && (ds389 || !ad)

package integration

import (
	"fmt"
	"strings"
)

// inetOrgPerson is a person with the gateway's schema.
func inetOrgPerson(b *strings.Builder, name, marker string) {
	fmt.Fprintf(b, "dn: uid=%[1]s,ou=people,dc=example,dc=org\nobjectClass: top\nobjectClass: person\nobjectClass: organizationalPerson\n"+
		"objectClass: inetOrgPerson\nobjectClass: scimgateObject\nuid: %[1]s\nsn: %[1]s\ncn: %[1]s\nscimState: %[2]s\nscimSource: okta\n\n", name, marker)
}

// groupOfNames is a group with the gateway's schema.
func groupOfNames(b *strings.Builder, name, marker string, members []string) {
	fmt.Fprintf(b, "dn: cn=%[1]s,ou=groups,dc=example,dc=org\nobjectClass: top\nobjectClass: groupOfNames\nobjectClass: scimgateObject\ncn: %[1]s\n"+
		"scimState: %[2]s\nscimSource: okta\n", name, marker)
	for _, m := range members {
		fmt.Fprintf(b, "member: uid=%s,ou=people,dc=example,dc=org\n", m)
	}
	b.WriteString("\n")
}

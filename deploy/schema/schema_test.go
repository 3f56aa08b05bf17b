package schema

import (
	"flag"
	"os"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write 60scimgate.ldif anew")

const head389DS = `# The attributes and classes with which scimgate marks the entries that it
# manages, and the places for what RFC 7643 knows of a person and inetOrgPerson
# does not; for 389 Directory Server. Made from scimgate.schema, which says more, by
#
#   go test ./deploy/schema -update
#
# Copy it to /etc/dirsrv/slapd-INSTANCE/schema, then restart the instance or run
#
#   dsconf INSTANCE schema reload --wait
#
dn: cn=schema
objectClass: top
objectClass: ldapSubentry
objectClass: subschema
cn: schema
`

// 389 Directory Server knows no names for OIDs and no other keywords, the descriptions are
// the same.
func TestSchemaOf389DS(t *testing.T) {
	macros := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^objectidentifier (\S+) (\S+)$`).FindAllStringSubmatch(Scimgate, -1) {
		name, number, nested := strings.Cut(m[2], ":")
		if nested {
			number = macros[name] + "." + number
		} else {
			number = name
		}
		macros[m[1]] = number
	}
	description := regexp.MustCompile(`(?m)^(attributetype|objectclass) \( (\w+):(\d+)((?:.*\n[\t ]+)*.*)$`)
	keyword := map[string]string{"attributetype": "attributeTypes", "objectclass": "objectClasses"}
	var b strings.Builder
	b.WriteString(head389DS)
	for _, m := range description.FindAllStringSubmatch(Scimgate, -1) {
		lines := strings.Split(m[4], "\n")
		for i := range lines {
			lines[i] = strings.TrimSpace(lines[i])
		}
		b.WriteString(keyword[m[1]] + ": ( " + macros[m[2]] + "." + m[3] + " " + strings.Join(lines, "\n  ") + "\n")
	}
	want := b.String()
	if *update {
		if err := os.WriteFile("60scimgate.ldif", []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if Scimgate389DS != want {
		t.Error("60scimgate.ldif is not what scimgate.schema says; run go test ./deploy/schema -update")
	}
	for _, words := range [][2]string{{"attributetype ", "attributeTypes: "}, {"objectclass ", "objectClasses: "}} {
		if in, out := strings.Count(Scimgate, "\n"+words[0]), strings.Count(Scimgate389DS, "\n"+words[1]); in != out || in == 0 {
			t.Errorf("%d descriptions of kind %sbecame %d", in, words[0], out)
		}
	}
}

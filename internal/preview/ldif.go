package preview

import (
	"encoding/base64"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"scimgate/internal/directory"
	"scimgate/ldapsink"
)

// Origin says what a value of an LDAP attribute comes from: the place of the
// rule in the configuration, and what it reads. secret values are not shown.
type Origin func(typ, attribute string) (from string, secret bool)

// WriteLDIF writes steps as LDIF change records (RFC 2849), each line under a
// comment that names its rule. Secrets stand as comments, so that what is shown
// can be passed on.
func WriteLDIF(w io.Writer, steps []Step, origin Origin) error {
	var b strings.Builder
	for _, s := range steps {
		r := s.Record
		line(&b, "dn", r.DN)
		line(&b, "changetype", string(r.Kind))
		switch r.Kind {
		case ldapsink.RecordAdd:
			for _, m := range r.Mods {
				values(&b, s.Type, m, origin)
			}
		case ldapsink.RecordModify:
			for _, m := range r.Mods {
				modification(&b, s.Type, m, origin)
			}
		case ldapsink.RecordRename:
			line(&b, "newrdn", r.NewRDN)
			line(&b, "deleteoldrdn", "1")
			if r.NewSuperior != "" {
				line(&b, "newsuperior", r.NewSuperior)
			}
		}
		b.WriteByte('\n')
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// modification writes one modification of one attribute.
func modification(b *strings.Builder, typ string, m directory.Mod, origin Origin) {
	op := map[directory.ModOp]string{directory.ModAdd: "add", directory.ModDelete: "delete", directory.ModReplace: "replace"}[m.Op]
	from, secret := origin(typ, m.Attribute)
	fmt.Fprintf(b, "# %s\n", oneLine(from))
	if secret {
		fmt.Fprintf(b, "# %s: %s, with a value that is not shown\n", op, m.Attribute)
		return
	}
	line(b, op, m.Attribute)
	for _, v := range m.Values {
		line(b, m.Attribute, v)
	}
	b.WriteString("-\n")
}

// values writes the values of one attribute of a new entry.
func values(b *strings.Builder, typ string, m directory.Mod, origin Origin) {
	from, secret := origin(typ, m.Attribute)
	fmt.Fprintf(b, "# %s\n", oneLine(from))
	for _, v := range m.Values {
		if secret {
			fmt.Fprintf(b, "# %s: a value that is not shown\n", m.Attribute)
			continue
		}
		line(b, m.Attribute, v)
	}
}

// oneLine keeps a comment from becoming a line of its own.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		return r
	}, text)
}

// line writes "name: value", in base64 where RFC 2849 asks for it, and for text
// that is not ASCII and is UTF-8 with the text in a comment above it.
func line(b *strings.Builder, name, value string) {
	if safe(value) {
		fmt.Fprintf(b, "%s: %s\n", name, value)
		return
	}
	if utf8.ValidString(value) && !strings.ContainsFunc(value, func(r rune) bool { return r < ' ' }) {
		fmt.Fprintf(b, "# %s: %s\n", name, value)
	}
	fmt.Fprintf(b, "%s:: %s\n", name, base64.StdEncoding.EncodeToString([]byte(value)))
}

// safe reports whether a value is a SAFE-STRING without a blank at its end.
func safe(value string) bool {
	if value == "" {
		return true
	}
	if strings.ContainsRune(" :<", rune(value[0])) || value[len(value)-1] == ' ' {
		return false
	}
	return !slices.ContainsFunc([]byte(value), func(c byte) bool { return c == 0 || c == '\n' || c == '\r' || c > 126 })
}

package ldapsink

import (
	"encoding/hex"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/go-ldap/ldap/v3"

	"scimgate/internal/directory"
)

// Filter texts that match everything and nothing.
const (
	matchAll  = "(objectClass=*)"
	matchNone = "(!(objectClass=*))"
)

// generalizedTime is the layout of RFC 4517 section 3.3.13; the fraction goes
// where there is none.
const generalizedTime = "20060102150405.999999999Z"

// wholeSeconds is the layout of Active Directory, which has a fraction of 0.
const wholeSeconds = "20060102150405.0Z"

// Name returns the name of an entry directly below base whose naming attribute
// has the value.
func Name(naming, value, base string) string { return relativeName(naming, value) + "," + base }

// relativeName renders one naming attribute and its value (RFC 4514 section 2).
func relativeName(naming, value string) string { return naming + "=" + escapeName(value) }

// escapeName escapes a value for use in a name. Everything that any reader
// could take for syntax is written in hexadecimal, so that no reader's own
// rule about backslashes matters.
func escapeName(value string) string {
	var b strings.Builder
	for i := 0; i < len(value); {
		r, size := utf8.DecodeRuneInString(value[i:])
		edge := i == 0 && (r == ' ' || r == '#') || i+size == len(value) && r == ' '
		broken := r == utf8.RuneError && size == 1
		if edge || broken || !unicode.IsPrint(r) || strings.ContainsRune(`"+,;<=>\`, r) {
			writeHex(&b, value[i:i+size])
		} else {
			b.WriteString(value[i : i+size])
		}
		i += size
	}
	return b.String()
}

func writeHex(b *strings.Builder, text string) {
	for _, c := range []byte(text) {
		b.WriteByte('\\')
		b.WriteString(hex.EncodeToString([]byte{c}))
	}
}

// splitName parts a name into its first relative name and the rest, both as
// they are written.
func splitName(dn string) (first, rest string) {
	for i := 0; i < len(dn); i++ {
		switch dn[i] {
		case '\\':
			i++
		case ',', ';':
			return dn[:i], dn[i+1:]
		}
	}
	return dn, ""
}

// renderer turns structured filters into text for one collection of one
// flavor of directory.
type renderer struct {
	flavor flavor
	state  string // the attribute that carries the marker's text
}

// render returns the filter as text (RFC 4515). What cannot match anything,
// such as an id that is no id, becomes None instead of an error.
func (r renderer) render(f directory.Filter) (string, error) {
	var b strings.Builder
	if err := r.write(&b, simplified(f)); err != nil {
		return "", err
	}
	return b.String(), nil
}

func (r renderer) write(b *strings.Builder, f directory.Filter) error {
	switch f.Op {
	case directory.All:
		b.WriteString(matchAll)
		return nil
	case directory.None:
		b.WriteString(matchNone)
		return nil
	case directory.Raw:
		if err := CheckFilter(f.Value); err != nil { // checked at start; what is not whole would change the rest
			return err
		}
		b.WriteString(f.Value)
		return nil
	case directory.And, directory.Or, directory.Not:
		return r.writeSet(b, f)
	}
	return r.writeTest(b, f)
}

// writeSet writes a combination. An empty And is true and an empty Or false
// (RFC 4526), which not every server knows, so neither is sent.
func (r renderer) writeSet(b *strings.Builder, f directory.Filter) error {
	sign := map[directory.FilterOp]byte{directory.And: '&', directory.Or: '|', directory.Not: '!'}[f.Op]
	switch {
	case f.Op == directory.Not && len(f.Filters) != 1:
		return fmt.Errorf("a negation has %d filters instead of one", len(f.Filters))
	case f.Op == directory.And && len(f.Filters) == 0:
		return r.write(b, directory.Filter{Op: directory.All})
	case f.Op == directory.Or && len(f.Filters) == 0:
		return r.write(b, directory.Filter{Op: directory.None})
	}
	b.WriteByte('(')
	b.WriteByte(sign)
	for _, part := range f.Filters {
		if err := r.write(b, part); err != nil {
			return err
		}
	}
	b.WriteByte(')')
	return nil
}

// writeTest writes a test of one attribute.
func (r renderer) writeTest(b *strings.Builder, f directory.Filter) error {
	f, err := r.own(f)
	if err != nil {
		return err
	}
	if f.Op == directory.None {
		b.WriteString(matchNone)
		return nil
	}
	if !validDescription(f.Attribute) {
		return fmt.Errorf("%q is no attribute description", f.Attribute)
	}
	value := ldap.EscapeFilter(f.Value)
	if value == "" && (f.Op == directory.Prefix || f.Op == directory.Suffix || f.Op == directory.Contains) {
		f.Op = directory.Present // every value begins, ends and is filled with nothing
	}
	form, ok := map[directory.FilterOp]string{
		directory.Equal: "(%s=%s)", directory.Prefix: "(%s=%s*)", directory.Suffix: "(%s=*%s)",
		directory.Contains: "(%s=*%s*)", directory.AtLeast: "(%s>=%s)", directory.AtMost: "(%s<=%s)",
	}[f.Op]
	switch {
	case f.Op == directory.Present:
		fmt.Fprintf(b, "(%s=*)", f.Attribute)
	case ok:
		fmt.Fprintf(b, form, f.Attribute, value)
	default:
		return fmt.Errorf("unknown kind of filter %d", f.Op)
	}
	return nil
}

// own puts the directory's names and value syntax in the place of the
// attributes that every directory has under a name of its own.
func (r renderer) own(f directory.Filter) (directory.Filter, error) {
	none := directory.Filter{Op: directory.None}
	if !strings.HasPrefix(f.Attribute, "@") {
		return f, nil
	}
	exact := f.Op == directory.Equal
	name := f.Attribute
	switch {
	case name == directory.AttrID:
		f.Attribute = r.flavor.id
		value, ok := r.flavor.form.value(f.Value)
		if f.Op != directory.Present && !(exact && ok) {
			return none, nil
		}
		f.Value = value
	case name == directory.AttrDN && exact:
		f.Attribute = r.flavor.dn
		if _, err := parseDN(f.Value); err != nil || f.Value == "" {
			return none, nil
		}
	case name == directory.AttrCreated || name == directory.AttrModified:
		f.Attribute = r.flavor.created
		if name == directory.AttrModified {
			f.Attribute = r.flavor.modified
		}
		if f.Op == directory.Present {
			return f, nil
		}
		at, err := time.Parse(time.RFC3339, f.Value)
		if err != nil {
			return none, nil
		}
		return r.flavor.time(f, at.UTC()), nil
	case name == directory.AttrLeft && exact:
		f = directory.Filter{Op: directory.Contains, Attribute: r.state, Value: `"` + directory.CompactID(f.Value) + `"`}
	case name == directory.AttrState && exact:
		f = directory.Filter{Op: directory.Prefix, Attribute: r.state, Value: directory.StatePrefix(directory.State(f.Value))}
	default:
		return f, fmt.Errorf("%s does not take filters of kind %d", name, f.Op)
	}
	return f, nil
}

// time puts a moment into a comparison. A flavor whose times are whole seconds
// is asked for the next of them that makes the same difference.
func (f flavor) time(test directory.Filter, at time.Time) directory.Filter {
	if !f.wholeSeconds {
		test.Value = at.Format(generalizedTime)
		return test
	}
	whole := at.Truncate(time.Second)
	if !whole.Equal(at) {
		switch test.Op {
		case directory.AtLeast:
			whole = whole.Add(time.Second)
		case directory.Equal:
			return directory.Filter{Op: directory.None}
		}
	}
	test.Value = whole.Format(wholeSeconds)
	return test
}

// validDescription reports whether the text is an attribute description
// (RFC 4512 section 2.5): there is no escape for what is not.
func validDescription(text string) bool {
	if text == "" {
		return false
	}
	for _, c := range []byte(text) {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !letter && !strings.ContainsRune("-.;_", rune(c)) {
			return false
		}
	}
	return true
}

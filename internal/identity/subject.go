package identity

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// attributeTypes are what the parts of a certificate's subject are called, by
// OpenSSL and others; the first name of each is the one that is shown.
var attributeTypes = []struct {
	oid   string
	names []string
}{
	{"2.5.4.3", []string{"CN", "commonName"}},
	{"2.5.4.10", []string{"O", "organizationName"}},
	{"2.5.4.11", []string{"OU", "organizationalUnitName"}},
	{"2.5.4.6", []string{"C", "countryName"}},
	{"2.5.4.7", []string{"L", "localityName"}},
	{"2.5.4.8", []string{"ST", "S", "stateOrProvinceName"}},
	{"2.5.4.9", []string{"STREET", "streetAddress"}},
	{"2.5.4.5", []string{"serialNumber"}},
	{"2.5.4.17", []string{"postalCode"}},
	{"2.5.4.4", []string{"SN", "surname"}},
	{"2.5.4.42", []string{"GN", "givenName"}},
	{"2.5.4.12", []string{"title"}},
	{"2.5.4.97", []string{"organizationIdentifier"}},
	{"0.9.2342.19200300.100.1.25", []string{"DC", "domainComponent"}},
	{"0.9.2342.19200300.100.1.1", []string{"UID", "userId"}},
	{"1.2.840.113549.1.9.1", []string{"emailAddress", "E"}},
}

// attribute is one part of a subject.
type attribute struct{ oid, value string }

// subject is a distinguished name, as RFC 4514 writes it: the most special part
// first; most parts have one attribute.
type subject [][]attribute

// key is what two spellings of one subject have in common. Case and blanks do not
// count (RFC 5280 section 7.1), the order does.
func (s subject) key() string {
	parts := make([]string, len(s))
	for i, part := range s {
		var all []string
		for _, a := range part {
			all = append(all, a.oid+"="+strconv.Quote(folded(a.value)))
		}
		slices.Sort(all)
		parts[i] = strings.Join(all, "+")
	}
	return strings.Join(parts, ",")
}

// folded drops the case of a-z, which every authority knows, and blanks that say
// nothing.
func folded(value string) string {
	words := strings.FieldsFunc(value, func(r rune) bool { return r == ' ' })
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r - 'A' + 'a'
		}
		return r
	}, strings.Join(words, " "))
}

// String shows the subject to people.
func (s subject) String() string {
	parts := make([]string, len(s))
	for i, part := range s {
		var all []string
		for _, a := range part {
			name := a.oid
			for _, t := range attributeTypes {
				if t.oid == a.oid {
					name = t.names[0]
				}
			}
			all = append(all, name+"="+escape.Replace(a.value))
		}
		parts[i] = strings.Join(all, "+")
	}
	return strings.Join(parts, ",")
}

var escape = strings.NewReplacer(`\`, `\\`, `,`, `\,`, `+`, `\+`, `"`, `\"`, `;`, `\;`, `<`, `\<`, `>`, `\>`)

// subjectOf reads the subject of a certificate. One with values that are no text
// is none.
func subjectOf(raw []byte) (subject, bool) {
	var sequence pkix.RDNSequence
	if rest, err := asn1.Unmarshal(raw, &sequence); err != nil || len(rest) > 0 {
		return nil, false
	}
	var s subject
	for _, set := range slices.Backward(sequence) { // a certificate has the most general part first
		var part []attribute
		for _, a := range set {
			value, ok := a.Value.(string)
			if !ok {
				return nil, false
			}
			part = append(part, attribute{a.Type.String(), value})
		}
		s = append(s, part)
	}
	return s, true
}

var dotted = regexp.MustCompile(`^(?i:OID\.)?([0-9]+(\.[0-9]+)+)$`)

// parseSubject reads a subject as RFC 4514 writes it, which is what
// `openssl x509 -noout -subject -nameopt RFC2253` prints.
func parseSubject(text string) (subject, error) {
	var s subject
	var part []attribute
	for rest := text; ; {
		name, after, found := strings.Cut(rest, "=")
		if !found {
			return nil, fmt.Errorf("%q has a part without =", text)
		}
		oid, err := typeOf(strings.TrimSpace(name))
		if err != nil {
			return nil, err
		}
		value, end, err := parseValue(after)
		if err != nil {
			return nil, err
		}
		part = append(part, attribute{oid, value})
		last := end == len(after)
		if last || after[end] == ',' {
			s, part = append(s, part), nil
		}
		if last {
			return s, nil
		}
		rest = after[end+1:]
	}
}

func typeOf(name string) (string, error) {
	if m := dotted.FindStringSubmatch(name); m != nil {
		return m[1], nil
	}
	for _, t := range attributeTypes {
		if slices.ContainsFunc(t.names, func(n string) bool { return strings.EqualFold(n, name) }) {
			return t.oid, nil
		}
	}
	return "", fmt.Errorf("%q is not known as a part of a subject; write its object identifier, as 2.5.4.3 for CN", name)
}

// parseValue reads a value up to the separator after it, and says where that is.
func parseValue(text string) (value string, end int, err error) {
	var b []byte
	keep := 0 // how much of b a blank that was escaped protects
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == ',' || c == '+':
			return trimmed(b, keep), i, nil
		case c == '"' || c == ';':
			return "", 0, fmt.Errorf(`has the character %c, which is written \%c in a subject`, c, c)
		case c == '#' && len(strings.TrimSpace(string(b))) == 0:
			return "", 0, errors.New("has a value that begins with #; write it as text")
		case c == '\\' && i+1 == len(text):
			return "", 0, errors.New(`ends with \, which needs a character after it`)
		case c == '\\':
			if n, err := strconv.ParseUint(text[i+1:min(i+3, len(text))], 16, 8); err == nil && i+3 <= len(text) {
				b = append(b, byte(n))
				i += 2
			} else {
				b = append(b, text[i+1])
				i++
			}
			keep = len(b)
		default:
			b = append(b, c)
		}
	}
	return trimmed(b, keep), len(text), nil
}

// trimmed drops blanks around a value, but for those that were escaped.
func trimmed(b []byte, keep int) string {
	return strings.TrimLeft(string(b[:keep])+strings.TrimRight(string(b[keep:]), " "), " ")
}

package scim

import "strings"

// maxPath bounds a path. It is larger than a filter's bound because some
// clients name many members in one path.
const maxPath = 64 << 10

// Path addresses an attribute, the elements of one that match a filter, or a
// sub-attribute of either (RFC 7644 section 3.5.2):
//
//	userName                        Attr
//	name.givenName                  Attr, Sub
//	emails[type eq "work"].value    Attr, Filter, Sub
//	urn:…:2.0:User:department       URN, Attr
//
// A path that is a schema's URN alone has no Attr if [Definition.Lookup] gave
// it; as parsed, its last part is in Attr if that can be a name.
type Path struct {
	URN    string
	Attr   string
	Filter Filter
	Sub    string
}

// String prints the path so that ParsePath reads it back.
func (p Path) String() string {
	var b strings.Builder
	b.WriteString(p.URN)
	if p.URN != "" && p.Attr != "" {
		b.WriteByte(':')
	}
	b.WriteString(p.Attr)
	if p.Filter != nil {
		b.WriteString("[" + p.Filter.String() + "]")
	}
	if p.Sub != "" {
		b.WriteString("." + p.Sub)
	}
	return b.String()
}

// brief is the path for an error's detail, which a client's long filter must not
// fill.
func (p Path) brief() string { return cut(p.String()) }

// cut shortens text that a client sent.
func cut(s string) string {
	const most = 100
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}

// ParsePath reads a path. What it cannot read is a 400 invalidPath that says
// where, what was found and what was expected.
func ParsePath(s string) (Path, error) {
	p := &parser{text: s, what: "path", scimType: TypeInvalidPath}
	if err := p.check(maxPath); err != nil {
		return Path{}, err
	}
	p.blanks()
	path, err := p.path()
	if err != nil {
		return Path{}, err
	}
	p.blanks()
	if !p.atEnd() {
		return Path{}, p.unexpected("the end of the path")
	}
	return path, nil
}

// splitName takes urn:…:attr.sub apart at the last colon, since URNs have dots
// and colons of their own. A last part that cannot be a name belongs to the URN.
func splitName(word string) (Path, bool) {
	urn, rest := "", word
	if i := strings.LastIndexByte(word, ':'); i >= 0 {
		urn, rest = word[:i], word[i+1:]
		if !isURN(urn) {
			return Path{}, false
		}
	}
	attr, sub, dotted := strings.Cut(rest, ".")
	if isName(attr) && (!dotted || isName(sub)) {
		return Path{URN: urn, Attr: attr, Sub: sub}, true
	}
	return Path{URN: word}, urn != "" && isURN(word)
}

// isName reports whether s is an ATTRNAME of RFC 7643 section 2.1, or "$ref".
func isName(s string) bool {
	if strings.EqualFold(s, "$ref") {
		return true
	}
	for i := range len(s) {
		c := s[i] | 0x20
		letter := 'a' <= c && c <= 'z' && s[i] >= 'A'
		other := '0' <= s[i] && s[i] <= '9' || s[i] == '-' || s[i] == '_'
		if !letter && (i == 0 || !other) {
			return false
		}
	}
	return s != ""
}

// isURN is lenient: schemas are named by other URIs too (Entra's are http).
func isURN(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return s != "" && s[0] != ':' && s[len(s)-1] != ':'
}

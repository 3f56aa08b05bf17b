package ldapsink

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/go-ldap/ldap/v3"
)

// CheckFilter says what is wrong with a search filter that somebody has written
// (RFC 4515 section 3), and where. A filter that passes is one whole: put beside
// others it changes nothing of what they mean.
func CheckFilter(text string) error {
	if strings.TrimSpace(text) == "" {
		return fmt.Errorf("is empty; write for example (employeeType=staff)")
	}
	p := filterReader{text: text}
	if err := p.filter(0); err != nil {
		return err
	}
	if p.at != len(text) {
		return p.fault("the filter has ended before this; put several into (&(...)(...))")
	}
	if _, err := ldap.CompileFilter(text); err != nil { // nothing is sent that the library reads otherwise
		return fmt.Errorf("cannot be read: %w", err)
	}
	return nil
}

// FilterAttributes returns the attributes that a filter which passes asks for.
func FilterAttributes(text string) []string {
	p := filterReader{text: text}
	if p.filter(0) != nil {
		return nil
	}
	return p.names
}

// filterDepth is how many filters a filter may have in each other.
const filterDepth = 50

// filterReader reads a filter from its beginning to its end.
type filterReader struct {
	text  string
	at    int
	names []string // the attributes so far
}

func (p *filterReader) fault(format string, args ...any) error {
	at := utf8.RuneCountInString(p.text[:min(p.at, len(p.text))]) + 1
	return fmt.Errorf("character %d of the filter %q: %s", at, p.text, fmt.Sprintf(format, args...))
}

func (p *filterReader) next() byte {
	if p.at < len(p.text) {
		return p.text[p.at]
	}
	return 0
}

func (p *filterReader) filter(depth int) error {
	if depth > filterDepth {
		return p.fault("more than %d filters stand in each other; write it flatter", filterDepth)
	}
	if p.next() != '(' {
		return p.fault("an opening parenthesis is missing; write for example (employeeType=staff)")
	}
	p.at++
	switch sign := p.next(); sign {
	case '&', '|', '!':
		p.at++
		count := 0
		for ; p.next() == '('; count++ {
			if err := p.filter(depth + 1); err != nil {
				return err
			}
		}
		if count == 0 || sign == '!' && count != 1 {
			return p.fault("%q takes %s; write for example (%[1]c(employeeType=staff))", sign,
				map[bool]string{true: "exactly one filter", false: "at least one filter"}[sign == '!'])
		}
	default:
		if err := p.item(); err != nil {
			return err
		}
	}
	if p.next() != ')' {
		return p.fault("a closing parenthesis is missing")
	}
	p.at++
	return nil
}

// item reads attribute, comparison and value.
func (p *filterReader) item() error {
	start := p.at
	for p.at < len(p.text) && !strings.ContainsRune("=<>~:()", rune(p.text[p.at])) {
		p.at++
	}
	name := p.text[start:p.at]
	if p.next() == ':' { // an extensible match; the library reads its parts
		for p.at < len(p.text) && !strings.ContainsRune("=()", rune(p.text[p.at])) {
			p.at++
		}
		if p.text[p.at-1] != ':' {
			return p.fault("a comparison by rule ends in := and a value, as in (cn:caseExactMatch:=Ann)")
		}
	} else if !validDescription(name) {
		p.at = start
		return p.fault("%q is no attribute; write for example (employeeType=staff)", name)
	}
	if name != "" {
		p.names = append(p.names, name)
	}
	if strings.ContainsRune("<>~", rune(p.next())) {
		p.at++
	}
	if p.next() != '=' {
		return p.fault("a comparison is missing; use =, >=, <= or ~=")
	}
	p.at++
	return p.value()
}

func (p *filterReader) value() error {
	for ; p.at < len(p.text); p.at++ {
		switch c := p.text[p.at]; {
		case c == ')':
			return nil
		case c == '(' || c == 0:
			return p.fault(`this character is written \%02x in a value`, c)
		case c == '\\':
			if p.at+2 >= len(p.text) || !isHex(p.text[p.at+1]) || !isHex(p.text[p.at+2]) {
				return p.fault(`a backslash takes two hexadecimal digits; itself it is written \5c`)
			}
			p.at += 2
		}
	}
	return p.fault("a closing parenthesis is missing")
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

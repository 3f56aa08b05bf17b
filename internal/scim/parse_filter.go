package scim

import (
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// Bounds on a filter, so that parsing and matching stay cheap.
const (
	maxFilter      = 8 << 10 // bytes
	maxFilterDepth = 32      // brackets within brackets
)

const operatorNames = "an operator (eq, ne, co, sw, ew, gt, ge, lt, le or pr)"

// ParseFilter reads a filter by the grammar of RFC 7644 section 3.4.2.2.
// Operators and names may be in any case, blanks may repeat, an unquoted word is
// a string, and the path of a comparison may carry a value filter. What it
// cannot read is a 400 invalidFilter that says where (in bytes, from 1), what
// was found and what was expected.
func ParseFilter(s string) (Filter, error) {
	p := &parser{text: s, what: "filter", scimType: TypeInvalidFilter}
	if err := p.check(maxFilter); err != nil {
		return nil, err
	}
	f, err := p.or()
	if err != nil {
		return nil, err
	}
	p.blanks()
	if !p.atEnd() {
		return nil, p.unexpected("and, or, or the end of the filter")
	}
	return f, nil
}

// Comparison is one comparison of a filter, and where it begins in the text: in
// bytes, from 1.
type Comparison struct {
	Filter   Filter
	Position int
}

// Comparisons returns the comparisons of a filter that can be read, in the order
// in which they end. Of a value path the attribute comes first, as one that is
// present, then each comparison within the brackets as a value path of its own,
// then the whole.
func Comparisons(text string) []Comparison {
	var all []Comparison
	p := &parser{text: text, what: "filter", scimType: TypeInvalidFilter}
	p.note = func(position int, f Filter) { all = append(all, Comparison{f, position + 1}) }
	if p.check(maxFilter) != nil {
		return nil
	}
	if _, err := p.or(); err != nil {
		return nil
	}
	return all
}

// parser reads filters and paths by recursive descent.
type parser struct {
	text           string
	pos            int
	depth          int
	inside         bool // in the brackets of a value path
	outer          Path // what the brackets belong to
	what, scimType string
	note           func(position int, f Filter) // told of every comparison; may be nil
}

func (p *parser) check(limit int) error {
	if len(p.text) > limit {
		return BadRequest(p.scimType, "%s: %d bytes long, expected at most %d", p.what, len(p.text), limit)
	}
	if !utf8.ValidString(p.text) {
		return BadRequest(p.scimType, "%s: not UTF-8 text; encode it as UTF-8", p.what)
	}
	return nil
}

func (p *parser) or() (Filter, error) {
	filters, err := p.list("or", p.and)
	if err != nil || len(filters) == 1 {
		return first(filters), err
	}
	return Or{flat(filters, func(f Filter) []Filter { or, _ := f.(Or); return or.Filters })}, nil
}

func (p *parser) and() (Filter, error) {
	filters, err := p.list("and", p.term)
	if err != nil || len(filters) == 1 {
		return first(filters), err
	}
	return And{flat(filters, func(f Filter) []Filter { and, _ := f.(And); return and.Filters })}, nil
}

func first(filters []Filter) Filter {
	if len(filters) == 0 {
		return nil
	}
	return filters[0]
}

// flat puts the parts of a filter of the same kind in its place: a and (b and c)
// is a and b and c.
func flat(filters []Filter, parts func(Filter) []Filter) []Filter {
	var all []Filter
	for _, f := range filters {
		if inner := parts(f); inner != nil {
			all = append(all, inner...)
		} else {
			all = append(all, f)
		}
	}
	return all
}

// list reads items with the keyword between them.
func (p *parser) list(keyword string, item func() (Filter, error)) ([]Filter, error) {
	var filters []Filter
	for {
		f, err := item()
		if err != nil {
			return nil, err
		}
		filters = append(filters, f)
		p.blanks()
		if !strings.EqualFold(p.peek(), keyword) {
			return filters, nil
		}
		p.pos += len(keyword)
	}
}

func (p *parser) term() (Filter, error) {
	p.blanks()
	if p.at('(') {
		return p.enclosed('(', ')')
	}
	if start := p.pos; strings.EqualFold(p.peek(), "not") {
		p.pos += len("not")
		p.blanks()
		if p.at('(') {
			f, err := p.enclosed('(', ')')
			return Not{f}, err
		}
		p.pos = start // an attribute of that name
	}
	return p.expression()
}

// enclosed reads a filter between two brackets.
func (p *parser) enclosed(open, end byte) (Filter, error) {
	if p.depth++; p.depth > maxFilterDepth {
		return nil, BadRequest(p.scimType, "%s, position %d: brackets nested too deep, expected at most %d",
			p.what, p.pos+1, maxFilterDepth)
	}
	start := p.pos
	p.pos++
	f, err := p.or()
	if err != nil {
		return nil, err
	}
	p.blanks()
	if !p.at(end) {
		return nil, p.unexpected("and, or, or %q to close the %q at position %d", end, open, start+1)
	}
	p.pos++
	p.depth--
	return f, nil
}

// expression reads an attribute expression or a value path.
func (p *parser) expression() (Filter, error) {
	start := p.pos
	f, err := p.comparison()
	if err != nil || p.note == nil {
		return f, err
	}
	if p.inside {
		p.note(start, ValuePath{p.outer, f})
	} else {
		p.note(start, f)
	}
	return f, nil
}

func (p *parser) comparison() (Filter, error) {
	path, err := p.path()
	if err != nil {
		return nil, err
	}
	p.blanks()
	op := Op(strings.ToLower(p.peek()))
	switch op {
	case "pr":
		p.pos += len(op)
		return Present{path}, nil
	case Eq, Ne, Co, Sw, Ew, Gt, Ge, Lt, Le:
		p.pos += len(op)
		value, err := p.value()
		return Compare{path, op, value}, err
	}
	if path.Filter != nil && path.Sub == "" && (op == "" || op == "and" || op == "or") {
		f := path.Filter
		path.Filter = nil
		return ValuePath{path, f}, nil
	}
	return nil, p.unexpected("%s", operatorNames)
}

// path reads an attribute path, with the value filter if there is one.
func (p *parser) path() (Path, error) {
	word := p.peek()
	path, ok := splitName(word)
	if p.inside && (path.URN != "" || path.Sub != "") {
		ok = false
	}
	if !ok || path.Attr == "" && p.scimType == TypeInvalidFilter {
		if p.inside {
			return Path{}, p.unexpected("the name of a sub-attribute")
		}
		return Path{}, p.unexpected("the name of an attribute")
	}
	p.pos += len(word)
	if !p.at('[') {
		return path, nil
	}
	if p.inside || path.Sub != "" || path.Attr == "" {
		return Path{}, p.unexpected("no value filter here")
	}
	p.inside, p.outer = true, path
	if p.note != nil {
		p.note(p.pos-len(word), Present{path})
	}
	f, err := p.enclosed('[', ']')
	if err != nil {
		return Path{}, err
	}
	p.inside, path.Filter = false, f
	if p.at('.') {
		p.pos++
		if path.Sub = p.peek(); !isName(path.Sub) {
			return Path{}, p.unexpected("the name of a sub-attribute")
		}
		p.pos += len(path.Sub)
	}
	return path, nil
}

// value reads a JSON literal, or an unquoted word as a string.
func (p *parser) value() (any, error) {
	p.blanks()
	if p.at('"') {
		return p.quoted()
	}
	word := p.peek()
	p.pos += len(word)
	switch {
	case word == "":
		return nil, p.unexpected("a value, such as \"text\", 42, true or null")
	case word == "true", word == "false":
		return word == "true", nil
	case word == "null":
		return nil, nil
	case (word[0] == '-' || '0' <= word[0] && word[0] <= '9') && json.Valid([]byte(word)):
		return json.Number(word), nil
	}
	return word, nil
}

func (p *parser) quoted() (string, error) {
	end := p.pos + 1
	for end < len(p.text) && p.text[end] != '"' {
		if p.text[end] == '\\' {
			end++
		}
		end++
	}
	if i := half([]byte(p.text[p.pos:min(end+1, len(p.text))])); i >= 0 {
		p.pos += i
		return "", BadRequest(p.scimType, "%s, position %d: %v", p.what, p.pos+1, errHalf([]byte(p.text[p.pos:p.pos+escapeLength])))
	}
	var s string
	if end >= len(p.text) || json.Unmarshal([]byte(p.text[p.pos:end+1]), &s) != nil {
		return "", p.unexpected("a string in quotes, written as in JSON")
	}
	p.pos = end + 1
	return s, nil
}

func (p *parser) atEnd() bool { return p.pos >= len(p.text) }

func (p *parser) at(c byte) bool { return !p.atEnd() && p.text[p.pos] == c }

const blanks = " \t\r\n"

func (p *parser) blanks() {
	for !p.atEnd() && strings.IndexByte(blanks, p.text[p.pos]) >= 0 {
		p.pos++
	}
}

// peek returns the word at the position: all up to a blank, bracket or quote.
func (p *parser) peek() string {
	rest := p.text[p.pos:]
	if i := strings.IndexAny(rest, blanks+"()[]\""); i >= 0 {
		return rest[:i]
	}
	return rest
}

// unexpected is the error at the position.
func (p *parser) unexpected(format string, args ...any) error {
	found := "the end"
	if rest := p.text[p.pos:]; rest != "" {
		word := p.peek()
		if word == "" {
			word = rest[:1]
		}
		if len(word) > 40 {
			word = strings.ToValidUTF8(word[:40], "") + "…"
		}
		found = literal(word)
	}
	return BadRequest(p.scimType, p.what+", position %d: found %s, expected "+format,
		append([]any{p.pos + 1, found}, args...)...)
}

package scim

import (
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
)

// The values of scimType that paging by cursor adds (RFC 9865 section 2.1).
const (
	TypeInvalidCursor = "invalidCursor"
	TypeExpiredCursor = "expiredCursor"
	TypeInvalidCount  = "invalidCount"
)

// SearchRequest is what a client asks of a list: the body of POST .search (RFC
// 7644 section 3.4.3), or the query of a GET (section 3.4.2). What is nil was
// not given.
type SearchRequest struct {
	Attributes, ExcludedAttributes []Path
	Filter                         Filter
	FilterText                     string // what Filter was read from
	SortBy                         *Path
	Descending                     bool
	StartIndex, Count              *int
	Cursor                         *string // "" asks for the first page by cursor (RFC 9865)
}

// DecodeSearch reads the body of POST .search. Names it does not know are
// ignored, as are schemas that are missing; null and "" say nothing, but for
// the cursor. A value of a wrong type is a 400 invalidSyntax.
func DecodeSearch(body []byte) (SearchRequest, error) {
	object, err := decodeObject(body)
	if err != nil {
		return SearchRequest{}, err
	}
	read := func(name string) (any, error) {
		v, _, err := member(object, name)
		return v, err
	}
	return readSearch(read, func(name string, v any) error {
		return BadRequest(TypeInvalidSyntax, "%s: got %s, expected %s", name, kindOf(v), searchForm[name])
	})
}

// QuerySearch reads the parameters of a GET; get returns the values of one of
// them. Lists are separated by commas, or given one by one; any other parameter
// has one value.
func QuerySearch(get func(name string) []string) (SearchRequest, error) {
	read := func(name string) (any, error) {
		texts := get(name)
		if strings.HasSuffix(strings.ToLower(name), "attributes") {
			texts = []string{strings.Join(texts, ",")}
		}
		if texts = slices.Compact(slices.Clone(texts)); len(texts) > 1 {
			return nil, BadRequest(TypeInvalidValue, "%s is there %d times with different values; send it once", name, len(texts))
		}
		if len(texts) == 0 || texts[0] == "" && name != "cursor" {
			return nil, nil
		}
		text := texts[0]
		if name != "startIndex" && name != "count" {
			return text, nil
		}
		if n := strings.TrimSpace(text); isInteger(n) {
			return json.Number(n), nil
		}
		scimType := TypeInvalidValue
		if name == "count" && get("cursor") != nil {
			scimType = TypeInvalidCount
		}
		return nil, BadRequest(scimType, "%s is %q; it has to be a whole number, such as 100", name, cut(text))
	}
	return readSearch(read, func(name string, v any) error {
		return BadRequest(TypeInvalidValue, "%s: got %s, expected %s", name, kindOf(v), searchForm[name])
	})
}

// searchForm says what a client writes for each part of a search.
var searchForm = map[string]string{
	"attributes": "a list of names", "excludedAttributes": "a list of names", "filter": "text", "sortBy": "the name of an attribute",
	"sortOrder": "ascending or descending", "startIndex": "a whole number", "count": "a whole number", "cursor": "text",
}

// readSearch makes a request of its parts; wrong makes the error for one of a
// wrong type.
func readSearch(read func(name string) (any, error), wrong func(name string, v any) error) (SearchRequest, error) {
	r := searchReader{read: read, wrong: wrong}
	s := SearchRequest{
		Attributes: r.paths("attributes"), ExcludedAttributes: r.paths("excludedAttributes"),
		StartIndex: r.number("startIndex"), Count: r.number("count"), Cursor: r.text("cursor"),
	}
	filter, sortBy, order := r.text("filter"), r.text("sortBy"), r.text("sortOrder")
	if r.err != nil {
		return s, r.err
	}
	var err error
	if filter != nil && *filter != "" {
		if s.Filter, err = ParseFilter(*filter); err != nil {
			return s, err
		}
		s.FilterText = *filter
	}
	if sortBy != nil && strings.TrimSpace(*sortBy) != "" {
		p, err := ParsePath(*sortBy)
		if err != nil {
			return s, within("sortBy", err)
		}
		s.SortBy = &p
	}
	if order != nil && *order != "" {
		s.Descending = strings.EqualFold(*order, "descending")
		if !s.Descending && !strings.EqualFold(*order, "ascending") {
			return s, BadRequest(TypeInvalidValue, "sortOrder is %q; it has to be %s", cut(*order), searchForm["sortOrder"])
		}
	}
	return s, nil
}

// searchReader reads parts of a search and keeps the first error.
type searchReader struct {
	read  func(name string) (any, error)
	wrong func(name string, v any) error
	err   error
}

func (r *searchReader) value(name string) any {
	if r.err != nil {
		return nil
	}
	var v any
	v, r.err = r.read(name)
	return v
}

func (r *searchReader) text(name string) *string {
	switch v := r.value(name).(type) {
	case nil:
	case string:
		return &v
	default:
		r.err = r.wrong(name, v)
	}
	return nil
}

func (r *searchReader) number(name string) *int {
	v := r.value(name)
	if v == nil {
		return nil
	}
	number, ok := v.(json.Number)
	if !ok {
		r.err = r.wrong(name, v)
		return nil
	}
	if !isInteger(number.String()) {
		r.err = BadRequest(TypeInvalidValue, "%s is %s; it has to be a whole number, such as 100", name, cut(number.String()))
		return nil
	}
	n := capped(number.String())
	return &n
}

func (r *searchReader) paths(name string) []Path {
	v := r.value(name)
	list, ok := v.([]any)
	if text, isText := v.(string); isText {
		list, ok = []any{text}, true
	}
	if v != nil && !ok {
		r.err = r.wrong(name, v)
	}
	var all []Path
	for _, item := range list {
		text, ok := item.(string)
		if !ok {
			r.err = r.wrong(name, item)
			return nil
		}
		if all, r.err = appendPaths(all, text); r.err != nil {
			r.err = within(name, r.err)
			return nil
		}
	}
	return all
}

// ParsePaths reads a list of paths with commas between them.
func ParsePaths(list string) ([]Path, error) { return appendPaths(nil, list) }

// maxNames bounds a list of attributes: each is looked up, and a User has 80
// with all its parts.
const maxNames = 200

func appendPaths(all []Path, list string) ([]Path, error) {
	for text := range strings.SplitSeq(list, ",") {
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		if len(all) >= maxNames {
			return nil, BadRequest(TypeInvalidValue,
				"a list of attributes has at most %d names; name whole attributes instead of their parts, a schema for all of its attributes, or none for what is returned by default", maxNames)
		}
		p, err := ParsePath(text)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

// isInteger reports whether s is a whole number, however large.
func isInteger(s string) bool {
	_, err := strconv.Atoi(s)
	return err == nil || errors.Is(err, strconv.ErrRange)
}

// capped reads a whole number. One that is out of range becomes the nearest that
// there is, which is as far beyond any list.
func capped(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}

// FilterPaths returns the paths of the attributes that a filter looks at, those
// within a value path as sub-attributes of it.
func FilterPaths(f Filter) []Path {
	var all []Path
	switch f := f.(type) {
	case And:
		for _, part := range f.Filters {
			all = append(all, FilterPaths(part)...)
		}
	case Or:
		for _, part := range f.Filters {
			all = append(all, FilterPaths(part)...)
		}
	case Not:
		return FilterPaths(f.Filter)
	case Compare:
		return []Path{f.Path}
	case Present:
		return []Path{f.Path}
	case ValuePath:
		return []Path{f.Path}
	}
	return all
}

// Work is how many comparisons Match makes of a resource, where each attribute
// has one value.
func Work(f Filter) int {
	all := func(filters []Filter) int {
		n := 0
		for _, part := range filters {
			n += Work(part)
		}
		return n
	}
	within := func(p Path) int {
		if p.Filter == nil {
			return 1
		}
		return 1 + Work(p.Filter)
	}
	switch f := f.(type) {
	case And:
		return all(f.Filters)
	case Or:
		return all(f.Filters)
	case Not:
		return Work(f.Filter)
	case Compare:
		return within(f.Path)
	case Present:
		return within(f.Path)
	case ValuePath:
		return 1 + Work(f.Filter)
	}
	return 1
}

// Within is a filter over several resource types as it holds for one of them:
// an attribute that the type does not have is one without a value (RFC 7644
// section 3.4.2.1), and the type itself is known. What is left is nil where
// nothing has to be asked; then the second result says whether all match or none.
func (d Definition) Within(f Filter) (Filter, bool) {
	switch f := f.(type) {
	case And:
		return d.withinAll(f.Filters, true, func(rest []Filter) Filter { return And{rest} })
	case Or:
		return d.withinAll(f.Filters, false, func(rest []Filter) Filter { return Or{rest} })
	case Not:
		rest, all := d.Within(f.Filter)
		if rest == nil {
			return nil, !all
		}
		return Not{rest}, false
	case Compare:
		return d.withinOne(f, f.Path)
	case Present:
		return d.withinOne(f, f.Path)
	case ValuePath:
		return d.withinOne(f, f.Path)
	}
	return f, false
}

// withinAll joins what is left of parts; neutral is the outcome of a part that
// does not decide.
func (d Definition) withinAll(filters []Filter, neutral bool, join func([]Filter) Filter) (Filter, bool) {
	var rest []Filter
	for _, part := range filters {
		left, all := d.Within(part)
		switch {
		case left != nil:
			rest = append(rest, left)
		case all != neutral:
			return nil, !neutral
		}
	}
	switch len(rest) {
	case 0:
		return nil, neutral
	case 1:
		return rest[0], false
	}
	return join(rest), false
}

func (d Definition) withinOne(f Filter, p Path) (Filter, bool) {
	_, canonical, known := d.Lookup(Path{URN: p.URN, Attr: p.Attr, Sub: p.Sub})
	isType := canonical.URN == "" && canonical.Attr == "meta" && canonical.Sub == "resourceType"
	if known && !isType {
		return f, false
	}
	all, err := Match(f, Resource{"meta": map[string]any{"resourceType": d.Name}}, d)
	if err != nil {
		return f, false // whoever asks the directory says what is wrong
	}
	return nil, all
}

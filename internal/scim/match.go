package scim

import (
	"cmp"
	"encoding/json"
	"strconv"
	"strings"
)

// Match reports whether the resource matches the filter by the rules of RFC 7644
// section 3.4.2.2. Text compares as the schema's caseExact says (see fold), numbers and
// times by value, a multi-valued attribute matches if any of its values does, and
// a complex one without a sub-attribute compares by its value. An attribute that
// is absent or unknown equals null and nothing else. A comparison that makes no
// sense for the attribute's type is a 400 invalidFilter.
func Match(f Filter, r Resource, def Definition) (bool, error) {
	return match(f, resourceScope(def, r))
}

// scope finds the values of a path and the attribute that says how they compare.
type scope func(p Path) (Attribute, []any, error)

func resourceScope(def Definition, r Resource) scope {
	return func(p Path) (Attribute, []any, error) {
		t, ok := def.find(p)
		if !ok {
			return Attribute{}, nil, nil
		}
		if t.path.Attr == "" {
			return t.leaf, elements(r.attributes(t.path.URN)), nil
		}
		values, err := valuesOf(t, r.attributes(t.path.URN)[t.path.Attr])
		return t.leaf, values, err
	}
}

func valuesOf(t target, v any) ([]any, error) {
	values := elements(v)
	if t.path.Filter != nil {
		var matching []any
		for _, v := range values {
			ok, err := match(t.path.Filter, elementScope(t.top, v))
			if err != nil {
				return nil, err
			}
			if ok {
				matching = append(matching, v)
			}
		}
		values = matching
	}
	if t.path.Sub == "" {
		return values, nil
	}
	var subs []any
	for _, v := range values {
		object, _ := v.(map[string]any)
		subs = append(subs, elements(object[t.path.Sub])...)
	}
	return subs, nil
}

// elementScope is the scope within the brackets of a value path.
func elementScope(a Attribute, element any) scope {
	return func(p Path) (Attribute, []any, error) {
		sub, ok := a.Sub(p.Attr)
		if !ok {
			return Attribute{}, nil, nil
		}
		if !a.isComplex() {
			return sub, elements(element), nil
		}
		object, _ := element.(map[string]any)
		return sub, elements(object[sub.Name]), nil
	}
}

// elements lists the values of an attribute, single or not.
func elements(v any) []any {
	switch v := v.(type) {
	case []any:
		return v
	case map[string]any:
		if len(v) == 0 {
			return nil
		}
	case nil:
		return nil
	}
	return []any{v}
}

func match(f Filter, s scope) (bool, error) {
	switch f := f.(type) {
	case And:
		return matchAll(f.Filters, s, func(a, b bool) bool { return a && b }, true)
	case Or:
		return matchAll(f.Filters, s, func(a, b bool) bool { return a || b }, false)
	case Not:
		ok, err := match(f.Filter, s)
		return !ok && err == nil, err
	case Present:
		_, values, err := s(f.Path)
		return len(values) > 0, err
	case ValuePath:
		p := f.Path
		p.Filter = f.Filter
		_, values, err := s(p)
		return len(values) > 0, err
	case Compare:
		a, values, err := s(f.Path)
		if err != nil {
			return false, err
		}
		return compareAny(f, a, values)
	}
	return false, BadRequest(TypeInvalidFilter, "filter: it has an empty part")
}

// matchAll evaluates every filter, so that a bad one is reported whatever the
// resource is.
func matchAll(filters []Filter, s scope, combine func(a, b bool) bool, start bool) (bool, error) {
	result := start
	for _, f := range filters {
		ok, err := match(f, s)
		if err != nil {
			return false, err
		}
		result = combine(result, ok)
	}
	return result, nil
}

func compareAny(f Compare, a Attribute, values []any) (bool, error) {
	if a.Name == "" { // no such attribute
		return f.Op == Ne && f.Value != nil || f.Op == Eq && f.Value == nil, nil
	}
	if a.isComplex() {
		value, ok := a.Sub("value")
		switch {
		case ok:
			a, values = value, valueParts(values)
		case f.Value != nil:
			return false, BadRequest(TypeInvalidFilter, "filter: %s is complex, expected one of its sub-attributes", f.Path.brief())
		}
	}
	if f.Value == nil {
		return compareNull(f, len(values) > 0)
	}
	test, err := comparison(f, a)
	if err != nil {
		return false, err
	}
	if len(values) == 0 {
		return f.Op == Ne, nil
	}
	for _, v := range values {
		if test(v) {
			return true, nil
		}
	}
	return false, nil
}

// valueParts takes the value of each complex element that has one.
func valueParts(elements []any) []any {
	parts := make([]any, 0, len(elements))
	for _, element := range elements {
		object, _ := element.(map[string]any)
		if v, ok := object["value"]; ok {
			parts = append(parts, v)
		}
	}
	return parts
}

func compareNull(f Compare, present bool) (bool, error) {
	switch f.Op {
	case Eq:
		return !present, nil
	case Ne:
		return present, nil
	}
	return false, BadRequest(TypeInvalidFilter, "filter: %s %s null makes no sense, expected eq or ne", f.Path.brief(), f.Op)
}

// Check says whether a comparison makes sense for the attribute's type: it is
// the 400 invalidFilter that Match would give, without a resource.
func (f Compare) Check(a Attribute) error {
	if f.Value == nil {
		return nil
	}
	_, err := comparison(f, a)
	return err
}

// comparison returns the test that a filter makes of one value.
func comparison(f Compare, a Attribute) (func(v any) bool, error) {
	wanted := text(f.Value)
	textual := f.Op == Co || f.Op == Sw || f.Op == Ew
	switch a.Type {
	case Boolean:
		b, ok := ParseBoolean(wanted)
		if !ok || f.Op != Eq && f.Op != Ne {
			return nil, BadRequest(TypeInvalidFilter, "filter: %s is a boolean, expected eq or ne with true or false", f.Path.brief())
		}
		return func(v any) bool {
			have, ok := ParseBoolean(text(v))
			return ok && (have == b) == (f.Op == Eq)
		}, nil
	case Binary:
		if f.Op != Eq && f.Op != Ne && !textual {
			return nil, BadRequest(TypeInvalidFilter, "filter: %s is binary and has no order, expected eq or ne", f.Path.brief())
		}
		if bytes, ok := DecodeBinary(wanted); ok && !textual {
			wanted = EncodeBinary(bytes)
		}
	case Integer, Decimal:
		if _, err := strconv.ParseFloat(wanted, 64); err != nil && !textual {
			return nil, BadRequest(TypeInvalidFilter, "filter: %s is a number, expected a number such as 42", f.Path.brief())
		}
		if !textual {
			return func(v any) bool { return ordered(f.Op, compareNumbers(text(v), wanted)) }, nil
		}
	case DateTime:
		at, ok := ParseDateTime(wanted)
		if !ok && !textual {
			return nil, BadRequest(TypeInvalidFilter, "filter: %s is a time, expected one such as \"2011-05-13T04:42:34Z\"", f.Path.brief())
		}
		if !textual {
			return func(v any) bool {
				have, ok := ParseDateTime(text(v))
				return ok && ordered(f.Op, have.Compare(at))
			}, nil
		}
	}
	return compareText(f.Op, wanted, a.CaseExact), nil
}

func compareText(op Op, wanted string, exact bool) func(v any) bool {
	form := fold
	if exact {
		form = Composed
	}
	wanted = form(wanted)
	return func(v any) bool {
		have := form(text(v))
		switch op {
		case Co:
			return strings.Contains(have, wanted)
		case Sw:
			return strings.HasPrefix(have, wanted)
		case Ew:
			return strings.HasSuffix(have, wanted)
		}
		return ordered(op, strings.Compare(have, wanted))
	}
}

// ordered reports whether the outcome of a three-way comparison satisfies op.
func ordered(op Op, c int) bool {
	switch op {
	case Eq:
		return c == 0
	case Ne:
		return c != 0
	case Gt:
		return c > 0
	case Ge:
		return c >= 0
	case Lt:
		return c < 0
	case Le:
		return c <= 0
	}
	return false
}

// compareNumbers compares exactly where both are 64-bit integers.
func compareNumbers(a, b string) int {
	x, errX := json.Number(a).Int64()
	y, errY := json.Number(b).Int64()
	if errX == nil && errY == nil {
		return cmp.Compare(x, y)
	}
	f, _ := json.Number(a).Float64()
	g, _ := json.Number(b).Float64()
	return cmp.Compare(f, g)
}

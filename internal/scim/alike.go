package scim

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
)

// alike reports whether the schema holds two values of an attribute equal: text
// without regard to case unless caseExact says otherwise, numbers and times by
// value, lists in any order. What the server fills in, and the $ref that follows
// from a value, is no part of a complex value.
func alike(a Attribute, x, y any) bool {
	if x == nil || y == nil {
		return x == nil && y == nil
	}
	return form(a, own(a, x)) == form(a, own(a, y))
}

// own is what a client can have said of a value.
func own(a Attribute, v any) any {
	switch v := v.(type) {
	case []any:
		all := make([]any, len(v))
		for i, element := range v {
			all[i] = own(a, element)
		}
		return all
	case map[string]any:
		parts := map[string]any{}
		for name, part := range v {
			sub, _ := a.Sub(name)
			if sub.Mutability != ReadOnly && (name != "$ref" || v["value"] == nil) {
				parts[name] = part
			}
		}
		return parts
	}
	return v
}

// form is one text for values that the schema holds equal in all their parts.
func form(a Attribute, v any) string {
	switch v := v.(type) {
	case []any:
		forms := make([]string, len(v))
		for i, element := range v {
			forms[i] = form(a, element)
		}
		slices.Sort(forms)
		return literal(forms)
	case map[string]any:
		parts := map[string]string{}
		for name, part := range v {
			sub, _ := a.Sub(name)
			parts[name] = form(sub, part)
		}
		return literal(parts)
	}
	return a.simpleForm(text(v))
}

func (a Attribute) simpleForm(s string) string {
	switch a.Type {
	case Boolean:
		if b, ok := ParseBoolean(s); ok {
			return strconv.FormatBool(b)
		}
	case Integer, Decimal:
		return numberForm(s)
	case DateTime:
		if at, ok := ParseDateTime(s); ok {
			return FormatDateTime(at)
		}
	case Binary:
		if bytes, ok := DecodeBinary(s); ok {
			return EncodeBinary(bytes)
		}
	}
	if a.CaseExact {
		return Composed(s)
	}
	return fold(s)
}

// numberForm writes 1, 1.0 and 1e0 alike, and whole numbers of 64 bits exactly.
func numberForm(s string) string {
	if n, err := json.Number(s).Int64(); err == nil {
		return strconv.FormatInt(n, 10)
	}
	f, err := json.Number(s).Float64()
	switch {
	case err != nil:
		return strings.TrimSpace(s)
	case f == math.Trunc(f) && math.Abs(f) < 1<<63:
		return strconv.FormatInt(int64(f), 10)
	}
	return strconv.FormatFloat(f, 'g', -1, 64)
}

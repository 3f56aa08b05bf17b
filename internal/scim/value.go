package scim

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// normalize gives what a client sent for attribute a the shape it has in a
// Resource, or nil if it says nothing: null, blank text, an empty list or
// object, or one that is empty once its parts are. Clients send booleans as text,
// lists of one for single values and single values for lists, and bare strings
// for complex attributes that have a value (docs/identity-providers.md, rules 6,
// 17 to 20). What cannot be understood is a 400 invalidValue that calls the
// attribute name.
func normalize(a Attribute, name string, v any) (any, error) {
	if !a.MultiValued {
		return normalizeOne(a, name, v)
	}
	given, ok := v.([]any)
	if !ok {
		if isBlank(v) {
			return nil, nil
		}
		given = []any{v}
	}
	list := make([]any, 0, len(given))
	for _, v := range given {
		element, err := normalizeOne(a, name, v)
		if err != nil {
			return nil, err
		}
		if element != nil {
			list = append(list, element)
		} else if a.keyed() {
			return nil, BadRequest(TypeInvalidValue, "%s: an element without a value, expected %s", name, example(a))
		}
	}
	if len(list) == 0 {
		return nil, nil
	}
	return list, nil
}

// normalizeOne is normalize for a single value, or one element of a list.
func normalizeOne(a Attribute, name string, v any) (any, error) {
	for {
		list, ok := v.([]any)
		if !ok {
			break
		}
		if len(list) > 1 {
			return nil, BadRequest(TypeInvalidValue, "%s: got %s, expected one value: %s", name, kindOf(v), example(a))
		}
		if len(list) == 0 {
			return nil, nil
		}
		v = list[0]
	}
	if isBlank(v) {
		return nil, nil
	}
	if a.isComplex() {
		return normalizeComplex(a, name, v)
	}
	_, isText := v.(string)
	isKey := a.Name == "value" && a.Mutability == Immutable
	// A number may stand for text, but not for an id: nobody's id is one, and
	// removing "17" would be a success that did nothing.
	if simple, ok := normalizeSimple(a.Type, v); ok && (isText || !isKey) {
		return canonical(a, name, simple)
	}
	return nil, BadRequest(TypeInvalidValue, "%s: got %s, expected %s", name, kindOf(v), example(a))
}

func normalizeComplex(a Attribute, name string, v any) (any, error) {
	given, ok := v.(map[string]any)
	if !ok {
		if _, ok := a.Sub("value"); !ok {
			return nil, BadRequest(TypeInvalidValue, "%s: got %s, expected %s", name, kindOf(v), example(a))
		}
		given = map[string]any{"value": v}
	}
	object := map[string]any{}
	valueless := false
	for _, key := range sortedKeys(given) {
		if a.keyed() && strings.EqualFold(key, "operation") {
			// SCIM 1.1 said "operation":"delete" here; taken as a plain
			// member it would add whom it wants removed.
			return nil, BadRequest(TypeInvalidValue, "%s: SCIM 1.1's %q is not supported, expected a PatchOp message", name, key)
		}
		sub, ok := a.Sub(key)
		if !ok || sub.Mutability == ReadOnly {
			continue
		}
		part, err := normalize(sub, name+"."+sub.Name, given[key])
		if err != nil {
			return nil, err
		}
		if part == nil {
			valueless = valueless || sub.Name == "value"
			continue
		}
		if old, twice := object[sub.Name]; twice && !equal(old, part) {
			return nil, BadRequest(TypeInvalidSyntax, "%s.%s: given twice, with different values; send it once", name, sub.Name)
		}
		object[sub.Name] = part
	}
	if _, ok := object["value"]; !ok && (valueless || a.keyed()) || len(object) == 0 {
		return nil, nil // {"value":"","type":"work"} is a template that nothing was filled into
	}
	return object, nil
}

// normalizeSimple reports false for what is not of the type.
func normalizeSimple(t Type, v any) (any, bool) {
	switch v.(type) {
	case string, bool, json.Number:
	default:
		return nil, false
	}
	s := text(v)
	_, isText := v.(string)
	switch t {
	case Boolean:
		_, number := v.(json.Number)
		b, ok := ParseBoolean(s)
		return b, ok && !number
	case Integer:
		n, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64)
		return json.Number(strconv.FormatInt(n, 10)), err == nil
	case Decimal:
		s = strings.TrimSpace(s)
		_, err := strconv.ParseFloat(s, 64)
		return json.Number(s), err == nil && json.Valid([]byte(s))
	case DateTime:
		at, ok := ParseDateTime(s)
		return FormatDateTime(at), ok
	case Binary:
		bytes, ok := DecodeBinary(s)
		return EncodeBinary(bytes), ok && isText
	}
	return s, true
}

// canonical holds a value against the canonical ones of an attribute that takes
// no others, and gives it their spelling.
func canonical(a Attribute, name string, v any) (any, error) {
	if !a.Restricted {
		return v, nil
	}
	for _, allowed := range a.CanonicalValues {
		if allowed == text(v) || !a.CaseExact && fold(allowed) == fold(text(v)) {
			return allowed, nil
		}
	}
	return nil, BadRequest(TypeInvalidValue, "%s: %q is none of its values, expected %s", name, text(v), strings.Join(a.CanonicalValues, ", "))
}

// ParseBoolean takes true and false in any case (Entra sends "True"); the second
// result says whether it was one of them.
func ParseBoolean(s string) (bool, bool) {
	s = strings.TrimSpace(s)
	isTrue := strings.EqualFold(s, "true")
	return isTrue, isTrue || strings.EqualFold(s, "false")
}

// isBlank reports whether a client's value says nothing by itself.
func isBlank(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return strings.TrimSpace(v) == ""
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	}
	return false
}

// example says what a value of the attribute looks like.
func example(a Attribute) string {
	switch a.Type {
	case Boolean:
		return "true or false"
	case Integer:
		return "a whole number such as 42"
	case Decimal:
		return "a number such as 4.2"
	case DateTime:
		return "a time such as \"2011-05-13T04:42:34Z\""
	case Binary:
		return "text in base64"
	}
	if !a.isComplex() {
		return "text"
	}
	if _, ok := a.Sub("value"); ok {
		return "an object such as {\"value\":\"…\"}"
	}
	if len(a.SubAttributes) == 0 {
		return "an object"
	}
	return "an object such as {\"" + a.SubAttributes[0].Name + "\":\"…\"}"
}

// equal compares two normalised values.
func equal(a, b any) bool {
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for k, v := range a {
			if w, ok := b[k]; !ok || !equal(v, w) {
				return false
			}
		}
		return true
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, equal)
	case string:
		b, ok := b.(string)
		return ok && a == b
	case bool:
		b, ok := b.(bool)
		return ok && a == b
	}
	return text(a) == text(b) && kindOf(a) == kindOf(b)
}

// clone copies a value deeply.
func clone(v any) any {
	switch v := v.(type) {
	case map[string]any:
		copied := make(map[string]any, len(v))
		for k, part := range v {
			copied[k] = clone(part)
		}
		return copied
	case []any:
		copied := make([]any, len(v))
		for i, part := range v {
			copied[i] = clone(part)
		}
		return copied
	}
	return v
}

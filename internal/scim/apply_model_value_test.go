package scim

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// understood is a client's value in its proper shape, nil if it says nothing.
func (m model) understood(a Attribute, v any) (any, error) {
	if !a.MultiValued {
		return m.understoodOne(a, v)
	}
	if empty(v) {
		return nil, nil
	}
	given, ok := v.([]any)
	if !ok {
		if !m.formsAreForgiven {
			return nil, fault(TypeInvalidValue)
		}
		given = []any{v}
	}
	var all []any
	for _, v := range given {
		e, err := m.understoodOne(a, v)
		if err != nil {
			return nil, err
		}
		if e != nil {
			all = append(all, e)
		} else if m.keyed(a) {
			return nil, fault(TypeInvalidValue)
		}
	}
	if all == nil {
		return nil, nil
	}
	return all, nil
}

func (m model) understoodOne(a Attribute, v any) (any, error) {
	for {
		list, ok := v.([]any)
		if !ok {
			break
		}
		if len(list) > 1 || !m.formsAreForgiven && len(list) == 1 {
			return nil, fault(TypeInvalidValue)
		}
		if len(list) == 0 {
			return nil, nil
		}
		v = list[0]
	}
	if empty(v) {
		return nil, nil
	}
	if complex1(a) {
		return m.understoodComplex(a, v)
	}
	s, isText := v.(string)
	n, isNumber := v.(json.Number)
	b, isBool := v.(bool)
	switch {
	case a.Type == Boolean && isBool:
		return b, nil
	case a.Type == Boolean && isText && m.formsAreForgiven && (strings.ToLower(s) == "true" || strings.ToLower(s) == "false"):
		return strings.ToLower(s) == "true", nil
	case a.Type == Boolean:
	case a.Type == Integer && (isText || isNumber):
		if i, err := strconv.Atoi(s + string(n)); err == nil {
			return json.Number(strconv.Itoa(i)), nil
		}
	case a.Type == Integer:
	case a.Type == Decimal && (isText || isNumber):
		if _, err := strconv.ParseFloat(s+string(n), 64); err == nil {
			return json.Number(s + string(n)), nil
		}
	case a.Type == Decimal:
	case a.Type == DateTime && isText:
		if at, err := time.Parse(time.RFC3339, s); err == nil {
			return at.UTC().Format(time.RFC3339), nil
		}
	case a.Type == DateTime:
	case isText:
		return s, nil
	case (isNumber || isBool) && !(a.Name == "value" && a.Mutability == Immutable):
		return fmt.Sprint(v), nil
	}
	return nil, fault(TypeInvalidValue)
}

func (m model) understoodComplex(a Attribute, v any) (any, error) {
	given, ok := v.(map[string]any)
	if !ok {
		if _, valued := named(a.SubAttributes, "value"); !valued || !m.formsAreForgiven {
			return nil, fault(TypeInvalidValue)
		}
		given = map[string]any{"value": v}
	}
	object := map[string]any{}
	emptied := false
	for key, v := range given {
		sub, ok := named(a.SubAttributes, key)
		if !ok || sub.Mutability == ReadOnly {
			continue
		}
		p, err := m.understood(sub, v)
		if err != nil {
			return nil, err
		}
		if p == nil {
			emptied = emptied || key == "value"
		} else {
			object[key] = p
		}
	}
	if object["value"] == nil && (emptied || m.keyed(a)) || len(object) == 0 {
		return nil, nil
	}
	return object, nil
}

// keyed reports whether elements are known by a value that cannot change.
func (m model) keyed(a Attribute) bool {
	v, ok := named(a.SubAttributes, "value")
	return m.membersAreKeyed && ok && a.MultiValued && v.Mutability == Immutable
}

func complex1(a Attribute) bool { return len(a.SubAttributes) > 0 }

func named(attributes []Attribute, name string) (Attribute, bool) {
	for _, a := range attributes {
		if a.Name == name {
			return a, true
		}
	}
	return Attribute{}, false
}

// part is a sub-attribute; a simple element is its own value.
func part(a Attribute, name string) (Attribute, bool) {
	if !complex1(a) && a.MultiValued && name == "value" {
		a.MultiValued = false
		return a, true
	}
	return named(a.SubAttributes, name)
}

func empty(v any) bool {
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

func listed(v any) []any {
	list, _ := copied(v).([]any)
	return list
}

// copied and same go by JSON, as an observer of the answers would.
func copied(v any) any {
	if v == nil {
		return nil
	}
	raw, _ := json.Marshal(v)
	var back any
	d := json.NewDecoder(strings.NewReader(string(raw)))
	d.UseNumber()
	_ = d.Decode(&back)
	return back
}

// equal reports whether the schema holds two values equal: case counts where it
// says so, numbers are what they are worth, and a list has no order.
func (m model) equal(a Attribute, x, y any) bool {
	switch x := x.(type) {
	case nil:
		return y == nil
	case []any:
		left, ok := y.([]any)
		left = append([]any{}, left...)
		for _, e := range x {
			i := slices.IndexFunc(left, func(o any) bool { return m.equal(a, e, o) })
			if i < 0 {
				return false
			}
			left = append(left[:i], left[i+1:]...)
		}
		return ok && len(left) == 0
	case map[string]any:
		y, ok := y.(map[string]any)
		for _, sub := range a.SubAttributes {
			ok = ok && m.equal(sub, x[sub.Name], y[sub.Name])
		}
		return ok
	case string:
		y, ok := y.(string)
		return ok && (x == y || !a.CaseExact && strings.EqualFold(x, y))
	case json.Number:
		y, ok := y.(json.Number)
		f, _ := strconv.ParseFloat(string(x), 64)
		g, _ := strconv.ParseFloat(string(y), 64)
		return ok && f == g
	}
	return same(x, y)
}

// stays reports whether a client that sends value leaves old as it is; what is
// the server's it need not send.
func (m model) stays(a Attribute, old, value any) bool {
	var writable []Attribute
	for _, sub := range a.SubAttributes {
		if sub.Mutability != ReadOnly {
			writable = append(writable, sub)
		}
	}
	a.SubAttributes = writable
	return m.equal(a, old, value)
}

func same(a, b any) bool {
	x, _ := json.Marshal(a)
	y, _ := json.Marshal(b)
	return string(x) == string(y)
}

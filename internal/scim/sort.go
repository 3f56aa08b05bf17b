package scim

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"strings"
	"unicode/utf8"
)

// keyBytes bounds a sort key: what two values have in common beyond it leaves
// them equal.
const keyBytes = 256

// Ordering is what a list is sorted by (RFC 7644 section 3.4.2.3).
type Ordering struct {
	t    target
	leaf Attribute // whose values are compared
}

// Ordering finds the attribute to sort by. What cannot be sorted by is a 400
// invalidPath; the second result is false where the type has no such attribute.
func (d Definition) Ordering(p Path) (Ordering, bool, error) {
	t, ok := d.find(p)
	if !ok {
		return Ordering{}, false, nil
	}
	o := Ordering{t: t, leaf: t.leaf}
	if value, ok := t.leaf.Sub("value"); ok && t.leaf.isComplex() {
		o.t.path.Sub, o.leaf = value.Name, value
	}
	refuse := func(why string) (Ordering, bool, error) {
		return Ordering{}, true, BadRequest(TypeInvalidPath, "sortBy: %s %s", t.path.String(), why)
	}
	name := o.t.path
	switch {
	case t.top.Returned == ReturnedNever || o.leaf.Returned == ReturnedNever:
		return refuse("is never shown and cannot be sorted by")
	case o.leaf.isComplex():
		return refuse("is complex; name one of its sub-attributes")
	case o.leaf.Type == Binary:
		return refuse("is binary and has no order")
	case name.URN == "" && (name.Attr == "schemas" || name.Attr == "meta" && name.Sub == "location"):
		return refuse("cannot be sorted by")
	}
	return o, true, nil
}

// Path is the canonical path of the attribute.
func (o Ordering) Path() Path { return o.t.path }

// Key is a resource's place in the order as text that compares byte by byte:
// text by its letters (without regard to case unless the schema says so),
// numbers and times by value, false before true, and what is absent after all
// that is not. Of several values the primary one counts, else the first.
func (o Ordering) Key(r Resource) string {
	v, ok := o.value(r)
	if !ok {
		return AbsentKey
	}
	return "0" + o.form(v)
}

// AbsentKey is the key of a resource without a value.
const AbsentKey = "1"

func (o Ordering) value(r Resource) (any, bool) {
	var first any
	found := false
	for _, element := range elements(r.attributes(o.t.path.URN)[o.t.path.Attr]) {
		if f := o.t.path.Filter; f != nil {
			if ok, err := match(f, elementScope(o.t.top, element)); err != nil || !ok {
				continue
			}
		}
		v := element
		object, isObject := element.(map[string]any)
		if o.t.path.Sub != "" {
			if v = object[o.t.path.Sub]; v == nil {
				continue
			}
		}
		if isObject && object["primary"] == true {
			return v, true
		}
		if !found {
			first, found = v, true
		}
	}
	return first, found
}

func (o Ordering) form(v any) string {
	s := text(v)
	switch o.leaf.Type {
	case Boolean:
		if b, ok := ParseBoolean(s); ok && b {
			return "1"
		}
		return "0"
	case Integer, Decimal:
		return numberKey(s)
	case DateTime:
		if t, ok := ParseDateTime(s); ok {
			return t.UTC().Format("2006-01-02T15:04:05.000000000")
		}
	}
	if o.leaf.CaseExact {
		return cutKey(Composed(s))
	}
	return cutKey(fold(s))
}

// numberKey writes a number so that bytes compare as numbers do, whole ones of
// 64 bits exactly.
func numberKey(s string) string {
	s = numberForm(s)
	f, _ := json.Number(s).Float64()
	if f == 0 {
		f = 0 // -0 is 0
	}
	bits := math.Float64bits(f)
	if bits>>63 == 1 {
		bits = ^bits
	} else {
		bits |= 1 << 63
	}
	n, err := json.Number(s).Int64()
	if err != nil {
		n = 0
	}
	key := binary.BigEndian.AppendUint64(nil, bits)
	return string(binary.BigEndian.AppendUint64(key, uint64(n)^1<<63))
}

// cutKey shortens text to what a key may hold, between two characters.
func cutKey(s string) string {
	if len(s) <= keyBytes {
		return s
	}
	end := keyBytes
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return strings.Clone(s[:end])
}

//go:build integration

package integration

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// operator is one that makes sense for the attribute.
func (m *filterModel) operator(a object) string {
	switch a["type"] {
	case "boolean", "binary":
		return []string{"eq", "ne"}[m.IntN(2)]
	case "dateTime", "integer", "decimal":
		return []string{"eq", "ne", "gt", "ge", "lt", "le"}[m.IntN(6)]
	}
	return []string{"eq", "eq", "eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"}[m.IntN(11)]
}

// holds compares one value by the attribute's type.
func holds(a object, op string, have any, wanted string) bool {
	switch a["type"] {
	case "boolean":
		return (fmt.Sprint(have) == strings.ToLower(wanted)) == (op == "eq")
	case "dateTime":
		x, _ := time.Parse(time.RFC3339, fmt.Sprint(have))
		y, err := time.Parse(time.RFC3339, wanted)
		return err == nil && ordered(op, x.Compare(y))
	case "integer", "decimal":
		x, _ := strconv.ParseFloat(fmt.Sprint(have), 64)
		y, err := strconv.ParseFloat(wanted, 64)
		return err == nil && ordered(op, cmp.Compare(x, y))
	case "binary":
		return (bytesOf(fmt.Sprint(have)) == bytesOf(wanted)) == (op == "eq")
	}
	x, y := composed(fmt.Sprint(have)), composed(wanted)
	if a["caseExact"] != true {
		x, y = strings.Map(caseless, x), strings.Map(caseless, y)
	}
	switch op {
	case "co":
		return strings.Contains(x, y)
	case "sw":
		return strings.HasPrefix(x, y)
	case "ew":
		return strings.HasSuffix(x, y)
	}
	return ordered(op, cmp.Compare(x, y))
}

// composed is text in Unicode's form C, but for the characters that would become
// ASCII: what is written in ASCII is no other letter.
func composed(s string) string { return beyondASCII.ReplaceAllStringFunc(s, norm.NFC.String) }

var beyondASCII = regexp.MustCompile(`[^\x{212A}\x{37E}\x{1FEF}]+`)

func ordered(op string, c int) bool {
	return map[string]bool{"eq": c == 0, "ne": c != 0, "gt": c > 0, "ge": c >= 0, "lt": c < 0, "le": c <= 0}[op]
}

// caseless maps letters that differ in nothing but case to one of them, as
// Unicode's simple case folding does: three sigmas are one. The Turkish i without
// a dot and the long s are letters of their own.
func caseless(r rune) rune {
	least := r
	for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
		least = min(least, next)
	}
	if r >= 0x80 && least < 0x80 || least == r && unicode.SimpleFold(r) == r {
		return r
	}
	return unicode.ToLower(least)
}

// value is mostly one that some resource has, as it is or bent a little.
func (m *filterModel) value(a object, values func(any) []any, samples []func(any) []any) string {
	var all []string
	for range 8 {
		r := any(m.resources[m.IntN(len(m.resources))])
		if len(samples) > 0 {
			elements := samples[0](r)
			if len(elements) == 0 {
				continue
			}
			r = elements[m.IntN(len(elements))]
		}
		for _, v := range values(r) {
			all = append(all, fmt.Sprint(v))
		}
	}
	switch {
	case a["type"] == "boolean":
		return []string{"true", "false", "True", "FALSE"}[m.IntN(4)]
	case a["type"] == "dateTime":
		return m.moment(all)
	case a["type"] == "binary":
		return m.bytes(all)
	case a["type"] == "integer" || a["type"] == "decimal":
		return m.number(all)
	}
	if len(all) == 0 || m.IntN(6) == 0 {
		return nastyValues[m.IntN(len(nastyValues))]
	}
	v := []rune(all[m.IntN(len(all))])
	from := m.IntN(len(v))
	switch m.IntN(6) {
	case 0:
		return strings.ToUpper(string(v))
	case 1:
		return strings.ToLower(string(v))
	case 2:
		return string(v[from:])
	case 3:
		return string(v[:from+1])
	case 4:
		return string(v[from : from+1+m.IntN(len(v)-from)])
	}
	return string(v)
}

// bytes are some of those that there are, in one of the alphabets of base64, or
// others.
func (m *filterModel) bytes(all []string) string {
	v := base64.StdEncoding.EncodeToString([]byte{1, 2, 3, 250})
	if len(all) > 0 && m.IntN(4) > 0 {
		v = all[m.IntN(len(all))]
	}
	if m.IntN(2) == 0 {
		v = base64.RawURLEncoding.EncodeToString([]byte(bytesOf(v)))
	}
	return v
}

func bytesOf(text string) string {
	for _, form := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
		if raw, err := form.DecodeString(text); err == nil {
			return string(raw)
		}
	}
	return text
}

// number is near one of those that there are, in some form.
func (m *filterModel) number(all []string) string {
	n := float64(m.IntN(9) - 4)
	if len(all) > 0 {
		n, _ = strconv.ParseFloat(all[m.IntN(len(all))], 64)
	}
	n += []float64{0, 0, 0, 1, -0.5}[m.IntN(5)]
	return []string{fmt.Sprint(n), strconv.FormatFloat(n, 'e', -1, 64), strconv.FormatFloat(n, 'f', 3, 64)}[m.IntN(3)]
}

// moment is a time near one of those that there are, in some form.
func (m *filterModel) moment(all []string) string {
	at := time.Now()
	if len(all) > 0 {
		at, _ = time.Parse(time.RFC3339, all[m.IntN(len(all))])
	}
	at = at.Add([]time.Duration{0, 0, time.Second, -time.Second, 500 * time.Millisecond, time.Hour}[m.IntN(6)])
	if m.IntN(2) == 0 {
		at = at.In(time.FixedZone("", 2*60*60))
	}
	return at.Format(time.RFC3339Nano)
}

// literal writes a value: quoted, or bare where that is understood.
func (m *filterModel) literal(a object, v string) string {
	bare := v != "" && v != "null" && strings.Trim(v, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.@-_:+") == ""
	if bare && m.IntN(4) == 0 && json.Valid([]byte(`"`+v+`"`)) && (a["type"] == "boolean" || !json.Valid([]byte(v))) {
		return v
	}
	if n := a["type"]; (n == "integer" || n == "decimal") && m.IntN(2) == 0 {
		return v
	}
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(raw)
}

// name writes a path in some case, perhaps with its schema's URN.
func (m *filterModel) name(p filterPath) string {
	text := m.word(p.attr)
	if p.sub != "" {
		text += "." + m.word(p.sub)
	}
	if p.urn != "" && m.IntN(4) > 0 {
		text = m.word(p.urn) + ":" + text
	}
	return text
}

func (m *filterModel) word(s string) string {
	switch m.IntN(6) {
	case 0:
		return strings.ToUpper(s)
	case 1:
		return strings.ToLower(s)
	}
	return s
}

func (m *filterModel) blanks(least int) string {
	if m.IntN(8) == 0 {
		least += m.IntN(3)
	}
	return strings.Repeat(" ", least)
}

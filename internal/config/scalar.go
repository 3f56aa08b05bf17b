package config

import (
	"encoding"
	"fmt"
	"math"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
)

// text returns the text of a scalar with its variables replaced. The second
// result is false after a fault.
func (d *decoder) text(at place, node ast.Node) (string, bool) {
	written := plain(node)
	text, problem := expand(written, d.env)
	if problem != "" {
		d.unreadable(at.key, d.at(at.key, node), "%s", problem)
		return "", false
	}
	if strings.Contains(strings.ReplaceAll(written, "$${", ""), "${") {
		d.fromEnv[at.key] = true
	}
	return text, true
}

// short fills a value from its short form.
func (d *decoder) short(at place, node ast.Node, v encoding.TextUnmarshaler) {
	text, ok := d.text(at, node)
	if !ok {
		return
	}
	if err := v.UnmarshalText([]byte(text)); err != nil {
		d.unreadable(at.key, d.at(at.key, node), "%s", err)
	}
}

func (d *decoder) scalar(at place, node ast.Node, v reflect.Value) {
	if !isScalar(node) {
		d.wrong(at, node, wantedBy(v))
		return
	}
	text, ok := d.text(at, node)
	if !ok {
		return
	}
	switch {
	case v.Type() == reflect.TypeFor[time.Duration]():
		duration, err := ParseDuration(text)
		if err != nil {
			d.unreadable(at.key, d.at(at.key, node), "%s", err)
			return
		}
		v.SetInt(int64(duration))
	case v.Kind() == reflect.String:
		v.SetString(text)
	case kindOf(node) == "text" && !d.fromEnv[at.key] && (text == "true" || text == "false" || isInt(text)):
		d.unreadable(at.key, d.at(at.key, node), "has quotes, which make it text; write %s without them", text)
	case v.Kind() == reflect.Bool:
		value := strings.ToLower(text)
		if value != "true" && value != "false" {
			d.unreadable(at.key, d.at(at.key, node), "%q is neither true nor false", plain(node))
			return
		}
		v.SetBool(value == "true")
	case v.CanInt():
		number, err := strconv.ParseInt(text, 10, v.Type().Bits())
		if err != nil {
			d.unreadable(at.key, d.at(at.key, node), "%q is not a whole number", plain(node))
			return
		}
		v.SetInt(number)
	default:
		// The structs are ours: a field of another kind shows in the first test.
		d.unreadable(at.key, d.at(at.key, node), "cannot be configured: the program has no form for a %s", v.Type())
	}
}

func isInt(text string) bool {
	_, err := strconv.ParseInt(text, 10, 64)
	return err == nil
}

func wantedBy(v reflect.Value) string {
	switch {
	case v.Type() == reflect.TypeFor[time.Duration]():
		return "a duration such as 5s"
	case v.Kind() == reflect.Bool:
		return "true or false"
	case v.CanInt():
		return "a whole number"
	}
	return "text"
}

var variable = regexp.MustCompile(`\$?\$\{([^}]*)(\}?)`)
var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// expand replaces ${NAME} by the value of the variable and $${ by ${. It
// returns the text and what is wrong with it, "" for nothing.
func expand(text string, env func(string) (string, bool)) (string, string) {
	problem := ""
	fail := func(format string, args ...any) {
		if problem == "" {
			problem = fmt.Sprintf(format, args...)
		}
	}
	text = variable.ReplaceAllStringFunc(text, func(found string) string {
		if strings.HasPrefix(found, "$$") {
			return found[1:]
		}
		part := variable.FindStringSubmatch(found)
		if part[2] == "" || !variableName.MatchString(part[1]) {
			// What stands there may be half a password: it is not repeated.
			fail("has ${ without the name of a variable and a } after it; write ${NAME}, or $${ for the characters ${")
			return found
		}
		value, ok := env(part[1])
		if !ok {
			fail("the environment variable %s is not set; set it, or write $${ for the characters ${", part[1])
		}
		return value
	})
	return text, problem
}

// ParseDuration reads Go's form of a duration, with days before it: 90d, 1d12h.
// The error says what would be right.
func ParseDuration(text string) (time.Duration, error) {
	rest, total := text, time.Duration(0)
	if days, after, ok := strings.Cut(text, "d"); ok {
		n, err := strconv.Atoi(days)
		if err != nil || n < 0 || n > math.MaxInt64/int(24*time.Hour) {
			return 0, fmt.Errorf("%q is not a duration; write for example 90d or 1d12h", text)
		}
		rest, total = after, time.Duration(n)*24*time.Hour
	}
	if rest == "" && rest != text {
		return total, nil
	}
	if _, err := strconv.ParseFloat(rest, 64); err == nil && rest != "0" {
		return 0, fmt.Errorf("%q has no unit; write for example %ss", text, text)
	}
	more, err := time.ParseDuration(rest)
	if err != nil || total+more < total && more > 0 {
		return 0, fmt.Errorf("%q is not a duration; write for example 500ms, 20s, 5m, 12h or 90d", text)
	}
	return total + more, nil
}

// Size is a number of bytes: 1048576, 100MB, 1MiB.
type Size int64

var units = []struct {
	name   string
	factor int64
}{
	{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30},
	{"kB", 1e3}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"B", 1},
}

// UnmarshalText reads a whole number with or without a unit.
func (s *Size) UnmarshalText(text []byte) error {
	number, factor := string(text), int64(1)
	for _, u := range units {
		if n, ok := strings.CutSuffix(number, u.name); ok {
			number, factor = strings.TrimSpace(n), u.factor
			break
		}
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n > math.MaxInt64/factor || n < math.MinInt64/factor {
		return fmt.Errorf("%q is not a size; write for example 1048576, 100MB or 1MiB", text)
	}
	*s = Size(n * factor)
	return nil
}

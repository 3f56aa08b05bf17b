//go:build integration

package integration

import (
	"fmt"
	"strconv"
	"strings"
)

// at follows $.a.b[0] into a JSON value and returns nil where it leads nowhere.
// A key may contain dots and colons: the longest that fits is taken.
func at(v any, path string) any {
	path = strings.TrimPrefix(path, "$")
	for path != "" {
		var ok bool
		if strings.HasPrefix(path, "[") {
			v, path, ok = index(v, path)
		} else {
			v, path, ok = member(v, strings.TrimPrefix(path, "."))
		}
		if !ok {
			return nil
		}
	}
	return v
}

func index(v any, path string) (any, string, bool) {
	n, rest, _ := strings.Cut(path[1:], "]")
	i, err := strconv.Atoi(n)
	list, _ := v.([]any)
	if err != nil || i < 0 || i >= len(list) {
		return nil, "", false
	}
	return list[i], rest, true
}

func member(v any, path string) (any, string, bool) {
	o, _ := v.(object)
	best, found := "", false
	for key := range o {
		rest, ok := strings.CutPrefix(path, key)
		if ok && (rest == "" || rest[0] == '.' || rest[0] == '[') && (!found || len(key) > len(best)) {
			best, found = key, true
		}
	}
	return o[best], path[len(best):], found
}

// missing returns where a JSON value lacks what is wanted, "" where it does
// not: objects by key; in lists every wanted element matches another one, and
// an empty list is an empty list.
func missing(got, want any, where string) string {
	switch want := want.(type) {
	case object:
		o, ok := got.(object)
		if !ok {
			return fmt.Sprintf("%s is %v, want an object", where, got)
		}
		for key, value := range want {
			if lack := missing(o[key], value, where+"."+key); lack != "" {
				return lack
			}
		}
		return ""
	case []any:
		list, ok := got.([]any)
		if !ok || len(want) == 0 && len(list) > 0 {
			return fmt.Sprintf("%s is %v, want %v", where, got, want)
		}
		if !matchAll(list, want, make([]bool, len(list))) {
			return fmt.Sprintf("%s is %v, want elements like %v", where, list, want)
		}
		return ""
	}
	if got != want {
		return fmt.Sprintf("%s is %v, want %v", where, got, want)
	}
	return ""
}

// matchAll finds an element of its own for everything that is wanted.
func matchAll(list, want []any, used []bool) bool {
	if len(want) == 0 {
		return true
	}
	for i := range list {
		if used[i] || missing(list[i], want[0], "") != "" {
			continue
		}
		used[i] = true
		if matchAll(list, want[1:], used) {
			return true
		}
		used[i] = false
	}
	return false
}

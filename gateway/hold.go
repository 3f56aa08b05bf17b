package gateway

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"scimgate/internal/scim"
)

// holds says what an operation has in common with others, with more rather than
// less: its target; the ids that it names; the unique values of its type, which
// a create takes, a delete frees and a change may do both with; and, where it
// relies on a version, everything that can change entries other than its target.
func (w *work) holds(targets map[string]bool) []hold {
	var all []hold
	switch {
	case w.id != "":
		all = append(all, hold{what: "id " + strings.ToLower(w.id)})
	case w.on != "":
		all = append(all, hold{what: "bulkId " + w.on})
	}
	for _, id := range mentions(w.Data, targets) {
		if id != strings.ToLower(w.id) {
			all = append(all, hold{"id " + id, "mention"})
		}
	}
	for _, id := range w.needs {
		if id != w.on {
			all = append(all, hold{"bulkId " + id, "mention"})
		}
	}
	keys, versions := hold{what: "keys " + w.typ.name()}, hold{"versions", "moves"}
	switch w.Method {
	case http.MethodPost:
		values, known := w.claims()
		if known {
			keys.as = "post"
			for _, v := range values {
				all = append(all, hold{what: keys.what + " " + v})
			}
		}
	case http.MethodDelete:
		keys.as = "delete"
	case http.MethodPatch:
		if p, err := scim.DecodePatch(encoded(w.Data)); err != nil || !w.typ.mapping.MayClaim(p) {
			keys = hold{}
			if !w.typ.reaches() {
				versions.as = "relies"
			}
		}
	}
	if w.typ.mapping.Upserts() { // a create may change whom another operation names by id
		found := hold{"found " + w.typ.name(), "change"}
		if w.Method == http.MethodPost {
			found.as = "post"
		}
		all = append(all, found)
	}
	if keys.what != "" {
		all = append(all, keys)
	}
	if w.Version != "" && versions.as == "moves" {
		versions.as = ""
	}
	if w.Version != "" || versions.as == "moves" {
		all = append(all, versions)
	}
	return unrepeated(all)
}

// unrepeated leaves of what is held twice one hold, the stricter one.
func unrepeated(all []hold) []hold {
	slices.SortStableFunc(all, func(a, b hold) int { return strings.Compare(a.what+"\x00"+a.as, b.what+"\x00"+b.as) })
	return slices.CompactFunc(all, func(a, b hold) bool { return a.what == b.what })
}

// claims returns the unique values that a create takes.
func (w *work) claims() ([]string, bool) {
	res, err := scim.Decode(encoded(w.Data), w.typ.mapping.Definition())
	if err != nil {
		return nil, true // it will be refused
	}
	return w.typ.mapping.Claims(res)
}

// mentions returns those of the ids that some text in the data is, or has as a
// part, in a filter or a URL.
func mentions(data map[string]any, ids map[string]bool) []string {
	found := map[string]bool{}
	var look func(v any)
	look = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for name, part := range v {
				look(name)
				look(part)
			}
		case []any:
			for _, part := range v {
				look(part)
			}
		case string:
			text := strings.ToLower(v)
			for _, part := range append(strings.FieldsFunc(text, func(c rune) bool { return strings.ContainsRune(`"/ `, c) }), text) {
				if ids[part] {
					found[part] = true
				}
			}
		}
	}
	look(data)
	return slices.Sorted(maps.Keys(found))
}

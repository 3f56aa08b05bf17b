package gateway

import (
	"errors"
	"fmt"
	"strings"

	"scimgate/internal/scim"
)

// placed says where in a search's filter the comparison stands that err speaks
// of. Nobody notes the places of what is right: the comparisons are looked at
// one by one once the whole is refused.
func (q *request) placed(err error, s scim.SearchRequest) error {
	if notFilter(err) || s.FilterText == "" {
		return err
	}
	for _, one := range scim.Comparisons(s.FilterText) {
		var e *scim.Error
		if bad := q.refused(one.Filter); !notFilter(bad) && errors.As(bad, &e) {
			at := *e
			at.Detail = fmt.Sprintf("filter, position %d: %s", one.Position, strings.TrimPrefix(e.Detail, "filter: "))
			return &at
		}
	}
	return err
}

// notFilter reports whether an error is another than that of a filter.
func notFilter(err error) bool {
	var e *scim.Error
	return !errors.As(err, &e) || e.Type != scim.TypeInvalidFilter
}

// refused returns what is wrong with a filter, whatever the directory holds.
func (q *request) refused(f scim.Filter) error {
	if err := q.filterable(f); err != nil {
		return err
	}
	for _, t := range q.types {
		def, rest := t.mapping.Definition(), f
		if len(q.types) > 1 {
			if rest, _ = def.Within(f); rest == nil {
				continue
			}
		}
		if _, _, err := t.mapping.Filter(rest, nil); err != nil {
			return err
		}
		if _, err := scim.Match(rest, anyone(rest, def), def); err != nil {
			return err
		}
	}
	return nil
}

// anyone is a resource with an element for a value path to look at.
func anyone(f scim.Filter, def scim.Definition) scim.Resource {
	res := scim.Resource{}
	of, ok := f.(scim.ValuePath)
	if !ok {
		return res
	}
	_, p, ok := def.Lookup(scim.Path{URN: of.Path.URN, Attr: of.Path.Attr})
	if !ok {
		return res
	}
	elements := []any{map[string]any{"value": "", "type": ""}}
	if p.URN != "" {
		res[p.URN] = map[string]any{p.Attr: elements}
	} else {
		res[p.Attr] = elements
	}
	return res
}

package gateway

import (
	"slices"
	"strings"

	"scimgate/internal/scim"
)

// searchable refuses a filter that is not one of those which the tenant takes. In
// a search over several types it has to be one of any of them.
func (q *request) searchable(f scim.Filter) error {
	var refusal error
	for _, t := range q.types {
		err := t.searchable(f)
		if err == nil {
			return nil
		}
		refusal = err
	}
	return refusal
}

func (t *resourceType) searchable(f scim.Filter) error {
	if f == nil || len(t.filters) == 0 {
		return nil
	}
	parts := []scim.Filter{f}
	if and, ok := f.(scim.And); ok {
		parts = and.Filters
	}
	var names []string
	for _, part := range parts {
		one, ok := part.(scim.Compare)
		if !ok || one.Op != scim.Eq || one.Path.Filter != nil {
			return t.unsearchable("it has a part that is not attribute eq \"value\"")
		}
		name, ok := t.addressed(one.Path)
		if !ok {
			name = one.Path.String()
		}
		names = append(names, name)
	}
	slices.Sort(names)
	if slices.ContainsFunc(t.filters, func(allowed []string) bool { return slices.Equal(allowed, names) }) {
		return nil
	}
	return t.unsearchable("it compares " + strings.Join(names, " and "))
}

// unsearchable says which filters there are.
func (t *resourceType) unsearchable(why string) error {
	var allowed []string
	for _, names := range t.filters {
		allowed = append(allowed, strings.Join(names, " and "))
	}
	const longest = 200
	if len(why) > longest {
		why = strings.ToValidUTF8(why[:longest], "") + "…"
	}
	return scim.BadRequest(scim.TypeInvalidFilter, "this filter on %s is not offered to this tenant: %s; what can be compared, with eq and joined by and, is: %s",
		t.mapping.Definition().Endpoint, why, strings.Join(allowed, "; "))
}

// addressed is a name under which all spellings of an attribute meet: of one with
// several parts whose value is meant, it is that of the value.
func (t *resourceType) addressed(p scim.Path) (string, bool) {
	def := t.mapping.Definition()
	found, canonical, ok := def.Lookup(p)
	if _, valued := found.Sub("value"); ok && valued && found.Type == scim.Complex {
		canonical.Sub = "value"
	}
	return canonical.String(), ok
}

// filterSets compiles the filters that an endpoint takes. The configuration has
// held the names against the schemas; what is none compares nothing.
func (t *resourceType) filterSets(declared [][]string) [][]string {
	var all [][]string
	for _, names := range declared {
		var set []string
		for _, name := range names {
			if p, err := scim.ParsePath(name); err == nil {
				name, _ = t.addressed(p)
			}
			set = append(set, name)
		}
		slices.Sort(set)
		all = append(all, set)
	}
	return all
}

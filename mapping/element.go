package mapping

import (
	"fmt"
	"slices"

	"scimgate/internal/directory"
	"scimgate/internal/scim"
)

// element is one element of a multi-valued complex attribute as the rules make
// it: the values of all rules that share the same constants.
type element struct {
	constant map[string]any
	rules    []*rule
}

// elements returns what the attribute at a path can consist of.
func (m *Mapping) elements(p scim.Path) []element {
	var all []element
	index := map[string]int{}
	for _, r := range m.at(p) {
		key := filterText(r.path.Filter)
		i, ok := index[key]
		if !ok {
			i = len(all)
			index[key] = i
			all = append(all, element{constant: r.constant})
		}
		all[i].rules = append(all[i].rules, r)
	}
	return all
}

// translate translates the filter of a value path for this element.
func (e element) translate(f scim.Filter, names Names) (term, error) {
	switch f := f.(type) {
	case scim.And:
		return e.and(f.Filters, names)
	case scim.Or:
		return e.or(f.Filters, names)
	case scim.Not:
		t, err := e.translate(f.Filter, names)
		if err != nil || !t.constant() {
			// That another value exists cannot be said in LDAP.
			return anything, err
		}
		return opposite(t), nil
	case scim.Compare:
		return e.compare(f, names)
	case scim.Present:
		return e.compare(scim.Compare{Path: f.Path, Op: scim.Ne}, names)
	}
	return term{}, scim.BadRequest(scim.TypeInvalidFilter, "a value path holds comparisons, not another value path; compare sub-attributes in its brackets")
}

func (t term) constant() bool {
	return t.exact && (t.filter.Op == directory.All || t.filter.Op == directory.None)
}

func opposite(t term) term {
	if t.filter.Op == directory.All {
		return nothing
	}
	return everything
}

// and is exact only where a single part asks for a value: two conditions in
// LDAP may be met by two different values of one attribute.
func (e element) and(filters []scim.Filter, names Names) (term, error) {
	t := term{filter: directory.Filter{Op: directory.And}, exact: true}
	for _, f := range filters {
		part, err := e.translate(f, names)
		if err != nil {
			return term{}, err
		}
		if part.constant() {
			if part.filter.Op == directory.None {
				return nothing, nil
			}
			continue
		}
		t.filter.Filters = append(t.filter.Filters, part.filter)
		t.exact = t.exact && part.exact
	}
	switch len(t.filter.Filters) {
	case 0:
		return everything, nil
	case 1:
		t.filter = t.filter.Filters[0]
	default:
		t.exact = false
	}
	return t, nil
}

func (e element) or(filters []scim.Filter, names Names) (term, error) {
	t := term{filter: directory.Filter{Op: directory.Or}, exact: true}
	for _, f := range filters {
		part, err := e.translate(f, names)
		if err != nil {
			return term{}, err
		}
		if part.constant() && part.filter.Op == directory.All {
			return everything, nil
		}
		t.filter.Filters = append(t.filter.Filters, part.filter)
		t.exact = t.exact && part.exact
	}
	return t, nil
}

// compare translates a comparison of one part of the element.
func (e element) compare(f scim.Compare, names Names) (term, error) {
	name := f.Path.Attr
	for _, r := range e.rules {
		if r.path.Sub == name || r.path.Sub == "" && name == "value" {
			if f.Value == nil && f.Op == scim.Eq {
				return anything, nil // in an element that other values make
			}
			return r.compare(f, names)
		}
		// These parts follow from the others and are in no attribute.
		if r.marks && name == "primary" {
			return anything, nil
		}
		if _, fixed := e.constant[name]; !fixed && r.shownOf(name) {
			return r.compareShown(f, name, names), nil
		}
	}
	value, ok := e.constant[name]
	if !ok {
		return absent(f), nil
	}
	if f.Value == nil {
		return opposite(absent(f)), nil
	}
	if f.Op != scim.Eq && f.Op != scim.Ne {
		return anything, nil
	}
	same, err := equalLiteral(value, f.Value)
	if err != nil || same != (f.Op == scim.Eq) {
		return nothing, err
	}
	return everything, nil
}

// present matches entries that have some value of the element: one of
// constants alone does not exist.
func (e element) present() term {
	if len(e.rules) == 0 {
		return nothing
	}
	some := make([]directory.Filter, len(e.rules))
	for i, r := range e.rules {
		some[i] = r.present()
	}
	// Names that do not show, such as an empty group's placeholder, are present too.
	shows := !slices.ContainsFunc(e.rules, func(r *rule) bool { return r.isReference() })
	return term{filter: directory.OrOf(some...), exact: shows}
}

// equalLiteral compares a constant with a literal of a filter, where booleans
// also come as text (Entra sends primary eq "True").
func equalLiteral(constant, literal any) (bool, error) {
	if want, ok := constant.(bool); ok {
		b, err := boolean(literal)
		return b == want, err
	}
	return equal(constant, literal), nil
}

// boolean reads a literal as a boolean.
func boolean(literal any) (bool, error) {
	if b, ok := literal.(bool); ok {
		return b, nil
	}
	b, ok := scim.ParseBoolean(fmt.Sprint(literal))
	if !ok {
		return false, scim.BadRequest(scim.TypeInvalidFilter, "%v is no boolean; compare with true or false", literal)
	}
	return b, nil
}

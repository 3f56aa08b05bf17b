package mapping

import (
	"slices"

	"scimgate/internal/directory"
	"scimgate/internal/scim"
)

// compareSchemas translates a comparison with the schemas of a resource: its
// core schema, and the extensions that it has values of.
func (m *Mapping) compareSchemas(f scim.Compare) term {
	switch {
	case f.Value == nil:
		return not(absent(f))
	case f.Op != scim.Eq:
		return anything
	case f.Text() == m.def.Core.ID, f.Text() == scim.ProvenanceURN && m.ProvenanceByDefault():
		return everything
	}
	some := directory.Filter{Op: directory.Or}
	for i := range m.rules {
		if r := &m.rules[i]; r.path.URN == f.Text() && !r.isComputed() && !r.isSecret() {
			some.Filters = append(some.Filters, r.present())
		}
	}
	if len(some.Filters) == 0 || f.Text() == "" {
		return nothing
	}
	return term{filter: some}
}

// compareFact translates comparisons of what is in meta besides times.
func (m *Mapping) compareFact(f scim.Compare) (term, error) {
	switch sub := f.Path.Sub; {
	case f.Value == nil && (sub == "" || sub == "location" || sub == "version"):
		return not(absent(f)), nil
	case sub == "resourceType":
		ok, err := scim.Match(f, scim.Resource{"meta": map[string]any{sub: m.def.Name}}, m.def)
		if err != nil || !ok {
			return nothing, err
		}
		return everything, nil
	case sub == "location" && f.Op == scim.Eq:
		return term{filter: directory.Eq(directory.AttrID, lastPart(f.Text()))}, nil
	}
	return anything, nil
}

// compareShown translates comparisons of what is shown of a resource that the
// rule's attribute refers to, beside its id: where it is, its type and its name.
func (r *rule) compareShown(f scim.Compare, sub string, names Names) term {
	switch {
	case metByNobody(f):
		return anything
	case sub == "$ref" && f.Op == scim.Eq:
		dn, ok := names[lastPart(f.Text())]
		if !ok {
			return nothing
		}
		return term{filter: r.asked(f.Op, dn)}
	}
	return term{filter: r.present()}
}

// shownOf tells which parts of an attribute follow from the resource that it
// refers to and are in no attribute of the directory.
func (r *rule) shownOf(sub string) bool {
	switch sub {
	case "$ref", "type", "display", "displayName":
		return r.isReference() && r.path.Sub == "value"
	}
	return false
}

// DisplayPaths returns the paths at which resources show what those are called
// that they refer to.
func (m *Mapping) DisplayPaths() []scim.Path {
	var paths []scim.Path
	for i := range m.rules {
		r := &m.rules[i]
		name := r.displayPart()
		mapped := slices.ContainsFunc(m.at(r.path), func(other *rule) bool { return other.path.Sub == name })
		if name != "" && !mapped {
			paths = append(paths, scim.Path{URN: r.path.URN, Attr: r.path.Attr, Sub: name})
		}
	}
	return paths
}

// ReferencePaths returns the paths of the attributes that refer to others.
func (m *Mapping) ReferencePaths() []scim.Path {
	var paths []scim.Path
	for _, r := range m.rules {
		if r.isReference() {
			paths = append(paths, scim.Path{URN: r.path.URN, Attr: r.path.Attr})
		}
	}
	return paths
}

// displayPart names the part of a reference in which the schema has the name of
// the resource: "display", or "displayName" for a manager; "" where it has none.
func (r *rule) displayPart() string {
	if !r.isReference() || r.path.Sub != "value" {
		return ""
	}
	for _, name := range []string{"display", "displayName"} {
		if _, ok := r.top.Sub(name); ok {
			return name
		}
	}
	return ""
}

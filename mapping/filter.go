package mapping

import (
	"strings"
	"time"

	"scimgate/internal/directory"
	"scimgate/internal/scim"
)

// term is a part of a filter in the directory's words. An exact term matches
// the same resources as the SCIM filter; another matches all of these and
// perhaps more, so that the rest is to be sorted out by scim.Match.
type term struct {
	filter directory.Filter
	exact  bool
}

var (
	everything = term{filter: directory.Filter{Op: directory.All}, exact: true}
	nothing    = term{filter: directory.Filter{Op: directory.None}, exact: true}
)

func exactly(f directory.Filter) term { return term{filter: f, exact: true} }

// Filter translates a SCIM filter (RFC 7644 section 3.4.2.2). The result is
// exact, or it matches more than it should and every hit has to be looked at
// with scim.Match. Errors are 400 invalidFilter.
func (m *Mapping) Filter(f scim.Filter, names Names) (directory.Filter, bool, error) {
	t, err := m.translate(f, names)
	return t.filter, t.exact, err
}

// FilterReferences returns the ids in a filter that have to be looked up
// before Filter.
func (m *Mapping) FilterReferences(f scim.Filter) []Reference {
	var refs []Reference
	var walk func(f scim.Filter, around scim.Path)
	walk = func(f scim.Filter, around scim.Path) {
		switch f := f.(type) {
		case scim.And:
			for _, part := range f.Filters {
				walk(part, around)
			}
		case scim.Or:
			for _, part := range f.Filters {
				walk(part, around)
			}
		case scim.Not:
			walk(f.Filter, around)
		case scim.ValuePath:
			walk(f.Filter, f.Path)
		case scim.Compare:
			p := f.Path
			if around.Attr != "" {
				p = scim.Path{URN: around.URN, Attr: around.Attr, Sub: p.Attr}
			}
			_, p, _ = m.def.Lookup(p)
			for _, r := range m.at(p) {
				if r.isReference() && f.Text() != "" {
					refs = append(refs, Reference{ID: f.Text(), Types: r.config.Reference})
				}
			}
		}
	}
	walk(f, scim.Path{})
	return refs
}

// at returns the rules of the attribute that a path begins with.
func (m *Mapping) at(p scim.Path) []*rule {
	var rules []*rule
	for i := range m.rules {
		if r := &m.rules[i]; !r.isComputed() && r.at(p.URN, p.Attr) {
			rules = append(rules, r)
		}
	}
	return rules
}

func (m *Mapping) translate(f scim.Filter, names Names) (term, error) {
	switch f := f.(type) {
	case scim.And:
		return m.combine(f.Filters, directory.And, names)
	case scim.Or:
		return m.combine(f.Filters, directory.Or, names)
	case scim.Not:
		t, err := m.translate(f.Filter, names)
		return not(t), err
	case scim.Compare:
		if f.Path.Filter != nil {
			inner := scim.Compare{Path: scim.Path{Attr: orValue(f.Path.Sub)}, Op: f.Op, Value: f.Value}
			return m.valuePath(f.Path, scim.And{Filters: []scim.Filter{f.Path.Filter, inner}}, names)
		}
		return m.compare(f, names)
	case scim.Present:
		if f.Path.Filter != nil {
			inner := scim.Present{Path: scim.Path{Attr: orValue(f.Path.Sub)}}
			return m.valuePath(f.Path, scim.And{Filters: []scim.Filter{f.Path.Filter, inner}}, names)
		}
		return m.compare(scim.Compare{Path: f.Path, Op: scim.Ne}, names)
	case scim.ValuePath:
		return m.valuePath(f.Path, f.Filter, names)
	}
	return term{}, scim.BadRequest(scim.TypeInvalidFilter, "this kind of filter is not known")
}

func orValue(sub string) string {
	if sub == "" {
		return "value"
	}
	return sub
}

func (m *Mapping) combine(filters []scim.Filter, op directory.FilterOp, names Names) (term, error) {
	t := term{filter: directory.Filter{Op: op}, exact: true}
	for _, f := range filters {
		part, err := m.translate(f, names)
		if err != nil {
			return term{}, err
		}
		t.filter.Filters = append(t.filter.Filters, part.filter)
		t.exact = t.exact && part.exact
	}
	return t, nil
}

// not negates a term. What matches too much negated would match too little, so
// such a term becomes everything, to be sorted out later.
func not(t term) term {
	if !t.exact {
		return term{filter: everything.filter}
	}
	return exactly(directory.NotOf(t.filter))
}

// compare translates a comparison outside of a value path. A comparison ne
// with null is what "present" means.
func (m *Mapping) compare(f scim.Compare, names Names) (term, error) {
	attribute, p, ok := m.def.Lookup(f.Path)
	if !ok {
		return term{}, scim.BadRequest(scim.TypeInvalidFilter, "%q is no attribute of %s", f.Path.String(), m.def.Name)
	}
	f.Path = p
	if p.URN == "" {
		switch p.Attr {
		case "id":
			return compareID(f)
		case "meta":
			return m.compareMeta(f)
		case "active":
			return m.compareActive(f)
		case "groups", "schemas":
			return term{}, scim.BadRequest(scim.TypeInvalidFilter, "%s cannot be filtered by", p.Attr)
		}
	}
	if attribute.Returned == scim.ReturnedNever {
		return term{}, scim.BadRequest(scim.TypeInvalidFilter, "%s is never shown and cannot be filtered by", p.String())
	}
	rules := m.at(p)
	if len(rules) > 0 && rules[0].top.MultiValued && len(rules[0].top.SubAttributes) > 0 {
		inner := scim.Compare{Path: scim.Path{Attr: orValue(p.Sub)}, Op: f.Op, Value: f.Value}
		return m.valuePath(p, inner, names)
	}
	for _, r := range rules {
		if r.path.Sub == p.Sub || p.Sub == "" && r.path.Sub == "value" {
			return r.compare(f, names)
		}
	}
	return absent(f), nil
}

// absent is what a comparison with an attribute that nobody has comes to.
func absent(f scim.Compare) term {
	if f.Op == scim.Eq && f.Value == nil || f.Op == scim.Ne && f.Value != nil {
		return everything
	}
	return nothing
}

// compare translates a comparison with the rule's attribute.
func (r *rule) compare(f scim.Compare, names Names) (term, error) {
	name, value := r.config.LDAP, text(f.Value)
	if r.isReference() && f.Value != nil {
		dn, ok := names[value]
		if !ok {
			return absent(f), nil
		}
		value = dn
		if f.Op != scim.Eq && f.Op != scim.Ne {
			return term{}, scim.BadRequest(scim.TypeInvalidFilter, "%s is an id; compare it with eq or ne", f.Path.String())
		}
	}
	if r.leaf.Type == scim.Boolean && f.Value != nil {
		b, err := boolean(f.Value)
		if err != nil {
			return term{}, err
		}
		value = ldapText(b)
	}
	present := directory.Filter{Op: directory.Present, Attribute: name}
	t := term{exact: !r.leaf.CaseExact && value == strings.Join(strings.Fields(value), " ") || r.isReference()}
	switch {
	case f.Value == nil:
		t = exactly(present)
		if f.Op == scim.Eq {
			t = not(t)
		}
	case value == "":
		t.filter, t.exact = present, false
	case f.Op == scim.Eq:
		t.filter = directory.Eq(name, value)
	case f.Op == scim.Ne:
		// That another value than this one exists cannot be said in LDAP.
		t.filter, t.exact = directory.Eq(name, value), t.exact && r.showsOne()
		return not(t), nil
	case f.Op == scim.Co:
		t.filter = directory.Filter{Op: directory.Contains, Attribute: name, Value: value}
	case f.Op == scim.Sw:
		t.filter = directory.Filter{Op: directory.Prefix, Attribute: name, Value: value}
	case f.Op == scim.Ew:
		t.filter = directory.Filter{Op: directory.Suffix, Attribute: name, Value: value}
	default:
		t.filter, t.exact = present, false
	}
	return t, nil
}

// valuePath translates a filter over the elements of a multi-valued attribute.
// The rules with the same constants together make one element.
func (m *Mapping) valuePath(p scim.Path, f scim.Filter, names Names) (term, error) {
	_, canonical, ok := m.def.Lookup(scim.Path{URN: p.URN, Attr: p.Attr})
	if !ok {
		return term{}, scim.BadRequest(scim.TypeInvalidFilter, "%q is no attribute of %s", p.Attr, m.def.Name)
	}
	some := term{filter: directory.Filter{Op: directory.Or}, exact: true}
	for _, element := range m.elements(canonical) {
		t, err := element.translate(f, names)
		if err != nil {
			return term{}, err
		}
		if t.constant() && t.filter.Op == directory.All {
			t = element.present()
		}
		some.filter.Filters = append(some.filter.Filters, t.filter)
		some.exact = some.exact && t.exact
	}
	if len(some.filter.Filters) == 0 {
		return nothing, nil
	}
	return some, nil
}

// compareID translates comparisons of the id.
func compareID(f scim.Compare) (term, error) {
	t := exactly(directory.Eq(directory.AttrID, f.Text()))
	switch {
	case f.Value == nil:
		return not(absent(f)), nil
	case f.Op == scim.Eq:
		return t, nil
	case f.Op == scim.Ne:
		return not(t), nil
	}
	return term{filter: everything.filter}, nil
}

// compareActive translates comparisons of active, which is the marker's state.
func (m *Mapping) compareActive(f scim.Compare) (term, error) {
	if len(m.steps) == 0 {
		return absent(f), nil
	}
	if f.Value == nil {
		return not(absent(f)), nil
	}
	want, err := boolean(f.Value)
	if err != nil || f.Op != scim.Eq && f.Op != scim.Ne {
		return term{}, scim.BadRequest(scim.TypeInvalidFilter, "active is compared with eq or ne and true or false")
	}
	t := exactly(directory.Eq(directory.AttrState, string(directory.Active)))
	if want != (f.Op == scim.Eq) {
		t = not(t)
	}
	return t, nil
}

// compareMeta translates comparisons of the times in meta.
func (m *Mapping) compareMeta(f scim.Compare) (term, error) {
	attribute := map[string]string{"created": directory.AttrCreated, "lastModified": directory.AttrModified}[f.Path.Sub]
	if attribute == "" {
		return term{filter: everything.filter}, nil
	}
	if f.Value == nil {
		return not(absent(f)), nil
	}
	when, err := time.Parse(time.RFC3339, f.Text())
	if err != nil {
		return term{}, scim.BadRequest(scim.TypeInvalidFilter,
			"%s is compared with a time such as \"2026-01-02T03:04:05Z\", not %q", f.Path.String(), f.Text())
	}
	return compareTime(f.Op, attribute, when)
}

// compareTime compares with the directory's times, which are whole seconds.
func compareTime(op scim.Op, attribute string, when time.Time) (term, error) {
	second := when.UTC().Truncate(time.Second)
	whole := when.Equal(second)
	value := second.Format(time.RFC3339)
	atLeast := exactly(directory.Filter{Op: directory.AtLeast, Attribute: attribute, Value: value})
	atMost := exactly(directory.Filter{Op: directory.AtMost, Attribute: attribute, Value: value})
	equal := exactly(directory.Eq(attribute, value))
	if !whole {
		equal = nothing
	}
	switch op {
	case scim.Eq:
		return equal, nil
	case scim.Ne:
		return not(equal), nil
	case scim.Gt:
		return not(atMost), nil
	case scim.Le:
		return atMost, nil
	case scim.Ge:
		if whole {
			return atLeast, nil
		}
		return not(atMost), nil
	case scim.Lt:
		if whole {
			return not(atLeast), nil
		}
		return atMost, nil
	}
	return term{}, scim.BadRequest(scim.TypeInvalidFilter, "a time is compared with eq, ne, gt, ge, lt or le")
}

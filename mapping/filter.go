package mapping

import (
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
	anything   = term{filter: directory.Filter{Op: directory.All}} // to be sorted out
)

func exactly(f directory.Filter) term { return term{filter: f, exact: true} }

// Filter translates a SCIM filter (RFC 7644 section 3.4.2.2). The result is
// exact, or it matches more than it should and every hit has to be looked at
// with scim.Match. Errors are 400 invalidFilter.
func (m *Mapping) Filter(f scim.Filter, names Names) (directory.Filter, bool, error) {
	t, err := m.translate(f, names)
	return t.filter, t.exact, err
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
		return m.compare(f, names)
	case scim.Present:
		return m.compare(scim.Compare{Path: f.Path, Op: scim.Ne}, names)
	case scim.ValuePath:
		return m.valuePath(f.Path, f.Filter, names)
	}
	return term{}, scim.BadRequest(scim.TypeInvalidFilter, "this kind of filter is not known; RFC 7644 section 3.4.2.2 has those there are")
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
	switch {
	case !t.exact:
		return anything
	case t.constant():
		return opposite(t)
	}
	return exactly(directory.NotOf(t.filter))
}

// compare translates a comparison outside of a value path. A comparison ne
// with null is what "present" means.
func (m *Mapping) compare(f scim.Compare, names Names) (term, error) {
	attribute, p, ok := m.def.Lookup(f.Path)
	if !ok {
		return term{}, scim.BadRequest(scim.TypeInvalidFilter, "%q is no attribute of %s; Schemas lists those there are", f.Path.String(), m.def.Name)
	}
	if f.Value == nil && f.Op != scim.Eq && f.Op != scim.Ne {
		return term{}, scim.BadRequest(scim.TypeInvalidFilter, "%s: null is compared with eq or ne", f.Path.String())
	}
	f.Path = p
	top, _, _ := m.def.Lookup(scim.Path{URN: p.URN, Attr: p.Attr})
	elements := len(top.SubAttributes) > 0 && top.MultiValued
	if p.Filter != nil && !elements {
		return m.compareWithin(f, names)
	}
	if p.URN == "" {
		switch p.Attr {
		case "id":
			return compareID(f)
		case "meta":
			return m.compareMeta(f)
		case "active":
			return m.compareActive(f)
		case "groups":
			if m.derivesGroups() {
				return m.compareGroups(f)
			}
		case "schemas":
			return m.compareSchemas(f), nil
		}
	}
	if p.URN == scim.ProvenanceURN {
		return m.compareProvenance(f, attribute)
	}
	if attribute.Returned == scim.ReturnedNever {
		return term{}, scim.BadRequest(scim.TypeInvalidFilter, "%s is never shown and cannot be filtered by; leave it out", p.String())
	}
	if p.Attr == "" { // a whole extension
		return anything, nil
	}
	if elements {
		return m.compareElements(f, names)
	}
	rules := m.at(p)
	for _, r := range rules {
		if r.path.Sub == p.Sub || p.Sub == "" && r.path.Sub == "value" {
			return r.compare(f, names)
		}
	}
	for _, r := range rules {
		if r.shownOf(p.Sub) {
			return r.compareShown(f, p.Sub, names), nil
		}
	}
	if len(rules) > 0 && (p.Sub == "" || rules[0].isReference()) {
		return anything, nil // a complex attribute as a whole, or what follows from a reference
	}
	return absent(f), nil
}

// compareWithin translates a comparison with a part of what a value filter
// selects, where that is no list of complex values: name[givenName pr].familyName.
func (m *Mapping) compareWithin(f scim.Compare, names Names) (term, error) {
	selects, err := m.valuePath(f.Path, f.Path.Filter, names)
	if err != nil {
		return term{}, err
	}
	f.Path.Filter = nil
	t, err := m.compare(f, names)
	if err != nil || metByNobody(f) {
		return anything, err
	}
	return term{filter: directory.AndOf(selects.filter, t.filter)}, nil
}

// metByNobody reports whether a comparison holds where there is no value.
func metByNobody(f scim.Compare) bool {
	return f.Op == scim.Ne && f.Value != nil || f.Op == scim.Eq && f.Value == nil
}

// compareElements translates a comparison with the elements of a multi-valued
// complex attribute.
func (m *Mapping) compareElements(f scim.Compare, names Names) (term, error) {
	p := f.Path
	if metByNobody(f) {
		return anything, nil
	}
	if f.Value == nil && p.Sub == "" && p.Filter == nil {
		t := nothing
		if rules := m.at(p); len(rules) > 0 {
			t = element{rules: rules}.present()
			t.exact = false
		}
		return t, nil
	}
	inner := scim.Filter(scim.Compare{Path: scim.Path{Attr: orValue(p.Sub)}, Op: f.Op, Value: f.Value})
	if p.Filter != nil {
		inner = scim.And{Filters: []scim.Filter{p.Filter, inner}}
	}
	return m.valuePath(p, inner, names)
}

// absent is what a comparison with an attribute that nobody has comes to.
func absent(f scim.Compare) term {
	if metByNobody(f) {
		return everything
	}
	return nothing
}

// compare translates a comparison with the rule's attribute. LDAP compares all
// the values there are and folds blanks; what shows in a resource may be fewer,
// and counts by its letters. So hits are looked at again, but for names in a
// list, which are all compared as names.
func (r *rule) compare(f scim.Compare, names Names) (term, error) {
	switch {
	case f.Value == nil && f.Op == scim.Ne:
		return term{r.present(), r.showsOne() && !r.isReference()}, nil
	case f.Value == nil && r.showsOne() && !r.isReference():
		return exactly(directory.NotOf(r.present())), nil
	case f.Value == nil:
		return anything, nil
	case r.isReference():
		return r.compareReference(f, names)
	}
	if err := f.Check(r.leaf); err != nil {
		return term{}, err
	}
	value := text(f.Value)
	if r.leaf.Type == scim.Boolean {
		b, err := boolean(f.Value)
		if err != nil {
			return term{}, err
		}
		value = text(b)
	}
	if f.Op == scim.Ne {
		return anything, nil
	}
	return term{filter: r.asked(f.Op, value)}, nil
}

// substrings are the comparisons that LDAP has too.
var substrings = map[scim.Op]directory.FilterOp{
	scim.Eq: directory.Equal, scim.Co: directory.Contains, scim.Sw: directory.Prefix, scim.Ew: directory.Suffix,
}

// compareReference translates a comparison with an id.
func (r *rule) compareReference(f scim.Compare, names Names) (term, error) {
	dn, ok := names[text(f.Value)]
	switch {
	case f.Op == scim.Ne:
		return anything, nil
	case f.Op != scim.Eq: // a part of an id says nothing of a name
		return term{filter: r.present()}, nil
	case !ok:
		return nothing, nil
	}
	return term{r.asked(f.Op, dn), !r.showsOne() && r.comparable(directory.Equal)}, nil
}

// valuePath translates a filter over the elements of a multi-valued attribute.
// The rules with the same constants together make one element.
func (m *Mapping) valuePath(p scim.Path, f scim.Filter, names Names) (term, error) {
	_, canonical, ok := m.def.Lookup(scim.Path{URN: p.URN, Attr: p.Attr})
	if !ok {
		return term{}, scim.BadRequest(scim.TypeInvalidFilter, "%q is no attribute of %s; Schemas lists those there are", p.Attr, m.def.Name)
	}
	if canonical.URN == "" {
		switch canonical.Attr {
		case "groups":
			if !m.derivesGroups() {
				break
			}
			if _, p, ok = m.def.Lookup(scim.Path{Attr: "groups", Filter: f}); !ok {
				return nothing, nil // a part that no group has
			}
			return m.inGroup(p.Filter), nil
		case "schemas", "meta", "id", "active":
			return anything, nil
		}
	}
	if _, p, ok := m.def.Lookup(scim.Path{URN: p.URN, Attr: p.Attr, Filter: f}); ok {
		f = p.Filter // with the names as the rules spell them
	}
	some := term{filter: directory.Filter{Op: directory.Or}, exact: true}
	for _, element := range m.elements(canonical) {
		t, err := element.translate(f, names)
		if err != nil {
			return term{}, err
		}
		if t.filter.Op == directory.All { // there has to be an element
			exact := t.exact
			t = element.present()
			t.exact = t.exact && exact
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
	return anything, nil
}

// compareActive translates comparisons of active, which is the marker's state.
func (m *Mapping) compareActive(f scim.Compare) (term, error) {
	if !m.Deactivates() {
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
		return m.compareFact(f)
	}
	if f.Value == nil {
		return not(absent(f)), nil
	}
	when, ok := scim.ParseDateTime(f.Text())
	if !ok {
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

package mapping

import (
	"slices"
	"strings"

	"scimgate/internal/directory"
	"scimgate/internal/scim"
)

// Membership is a group that a user is in, by itself or by groups in it.
type Membership struct {
	Group  Ref
	Direct bool
}

// WithGroups returns the mapping of users as it is where the tenant has groups:
// their resources show which they are in (RFC 7643 section 4.1.2), and filters
// can ask for it. A mapping of what cannot be in these groups stays as it is.
func (m *Mapping) WithGroups(groups *Mapping) *Mapping {
	if !m.derivesGroups() || groups.member == nil || !slices.Contains(groups.member.config.Reference, m.def.Name) {
		return m
	}
	in := *m
	in.groups = groups
	return &in
}

// derivesGroups reports whether the type has groups as a user has them, and no
// rule of its own for them.
func (m *Mapping) derivesGroups() bool {
	a, p, ok := m.def.Lookup(scim.Path{Attr: "groups"})
	_, displayed := a.Sub("display")
	return ok && p.URN == "" && a.Mutability == scim.ReadOnly && displayed && len(m.at(p)) == 0
}

// HasGroups reports whether resources show the groups that they are in.
func (m *Mapping) HasGroups() bool { return m.groups != nil }

// Nests reports whether groups of this mapping can be in each other.
func (m *Mapping) Nests() bool {
	return m.member != nil && slices.Contains(m.member.config.Reference, m.def.Name)
}

// ShowGroups puts the groups that a user is in into a resource.
func (m *Mapping) ShowGroups(res scim.Resource, in []Membership) {
	if len(in) == 0 {
		return
	}
	list := make([]any, len(in))
	for i, g := range in {
		element := map[string]any{"value": g.Group.ID, "type": "indirect"}
		if g.Direct {
			element["type"] = "direct"
		}
		if g.Group.Display != "" {
			element["display"] = g.Group.Display
		}
		list[i] = element
	}
	res["groups"] = list
}

// display returns the rules of what a resource is called where others refer to
// it, the best first.
func (m *Mapping) display() []*rule {
	var rules []*rule
	for _, name := range []string{"displayName", "userName"} {
		for i := range m.rules {
			if r := &m.rules[i]; r.at("", name) && !r.isReference() {
				rules = append(rules, r)
			}
		}
	}
	return rules
}

// DisplayAttributes returns the attributes to read for Display. It is never nil.
func (m *Mapping) DisplayAttributes() []string {
	names := []string{}
	for _, r := range m.display() {
		names = append(names, r.config.LDAP)
	}
	return names
}

// Display returns what an entry is called where others refer to it: by its
// displayName, else by its userName.
func (m *Mapping) Display(e directory.Entry) string {
	for _, r := range m.display() {
		if v := e.Attributes.First(r.config.LDAP); v != "" {
			return v
		}
	}
	return ""
}

// GroupQuestions are what a filter asks about the groups that users are in.
type GroupQuestions struct {
	// Asks is false where it asks nothing.
	Asks bool
	// Groups are filters of groups: those that the filter speaks of are among
	// what these find.
	Groups []directory.Filter
	// Whole says that these do not do: the filter may speak of any group.
	Whole bool
}

// GroupQuestions returns what a filter asks about the groups that users are in.
func (m *Mapping) GroupQuestions(f scim.Filter) GroupQuestions {
	var all GroupQuestions
	if m.groups == nil {
		return all
	}
	var walk func(f scim.Filter, p scim.Path)
	walk = func(f scim.Filter, p scim.Path) {
		switch f := f.(type) {
		case scim.And:
			for _, part := range f.Filters {
				walk(part, p)
			}
		case scim.Or:
			for _, part := range f.Filters {
				walk(part, p)
			}
		case scim.Not:
			walk(f.Filter, p)
		case scim.Compare:
			p = f.Path
		case scim.Present:
			p = f.Path
		case scim.ValuePath:
			p = f.Path
		}
		if _, p, _ = m.def.Lookup(scim.Path{URN: p.URN, Attr: p.Attr}); p.URN != "" || p.Attr != "groups" {
			return
		}
		all.Asks = true
		if t, err := m.translate(f, nil); err == nil && t.filter.Op == directory.MemberOf {
			all.Groups = append(all.Groups, t.filter.Filters[0])
		} else if err == nil && !t.constantly(directory.None) {
			all.Whole = true
		}
	}
	walk(f, scim.Path{})
	return all
}

// constantly reports whether a term is exactly this constant.
func (t term) constantly(op directory.FilterOp) bool { return t.exact && t.filter.Op == op }

// compareGroups translates a comparison with the groups that a user is in.
func (m *Mapping) compareGroups(f scim.Compare) (term, error) {
	if f.Op == scim.Ne && f.Value != nil || f.Value == nil {
		if m.groups == nil {
			return absent(f), nil
		}
		return anything, nil // met by who is in no group, or in whichever
	}
	inner := scim.Filter(scim.Compare{Path: scim.Path{Attr: orValue(f.Path.Sub)}, Op: f.Op, Value: f.Value})
	if f.Path.Filter != nil {
		inner = scim.And{Filters: []scim.Filter{f.Path.Filter, inner}}
	}
	return m.inGroup(inner), nil
}

// inGroup matches who is in a group that the filter of a value path describes.
func (m *Mapping) inGroup(f scim.Filter) term {
	if m.groups == nil {
		return nothing
	}
	t, ok := m.describe(f)
	if !ok {
		return anything
	}
	return term{directory.Filter{Op: directory.MemberOf, Filters: []directory.Filter{t.filter}}, t.exact}
}

// describe translates the filter of a value path into one of the groups
// themselves. It fails where that would find groups of every kind.
func (m *Mapping) describe(f scim.Filter) (term, bool) {
	switch f := f.(type) {
	case scim.And:
		t := term{filter: directory.Filter{Op: directory.And}, exact: true}
		for _, part := range f.Filters {
			some, ok := m.describe(part)
			if ok {
				t.filter.Filters = append(t.filter.Filters, some.filter)
			}
			t.exact = t.exact && ok && some.exact
		}
		return t, len(t.filter.Filters) > 0
	case scim.Or:
		t := term{filter: directory.Filter{Op: directory.Or}, exact: true}
		for _, part := range f.Filters {
			some, ok := m.describe(part)
			if !ok {
				return term{}, false
			}
			t.filter.Filters = append(t.filter.Filters, some.filter)
			t.exact = t.exact && some.exact
		}
		return t, true
	case scim.Compare:
		return m.describeOne(f)
	}
	return term{}, false
}

func (m *Mapping) describeOne(f scim.Compare) (term, bool) {
	_, textual := substrings[f.Op]
	switch name := f.Path.Attr; {
	case f.Text() == "":
	case name == "value" && f.Op == scim.Eq:
		return exactly(directory.Eq(directory.AttrID, f.Text())), true
	case name == "$ref" && f.Op == scim.Eq:
		return term{filter: directory.Eq(directory.AttrID, lastPart(f.Text()))}, true
	case name == "display" && textual:
		t, err := m.groups.translate(scim.Compare{Path: scim.Path{Attr: "displayName"}, Op: f.Op, Value: f.Text()}, nil)
		return term{filter: t.filter}, err == nil
	}
	return term{}, false
}

// lastPart returns the id at the end of a resource's URL.
func lastPart(url string) string { return url[strings.LastIndexByte(url, '/')+1:] }

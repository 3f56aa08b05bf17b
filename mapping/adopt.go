package mapping

import (
	"fmt"
	"slices"
	"strings"

	"scimgate/internal/directory"
	"scimgate/internal/scim"
)

// adoption compiles by which attributes an entry that nobody manages is found.
func (c *compiler) adoption() {
	adopt := c.m.config.OnExisting.Adopt
	if adopt == nil {
		return
	}
	if strings.TrimSpace(adopt.Filter) == "" {
		c.fault("onExisting.adopt.filter", "is missing: without one any entry could be taken over; give for example (employeeType=staff)")
	}
	if len(adopt.By) == 0 {
		c.fault("onExisting.adopt.by", "is missing; name the attribute that finds the entry, for example [userName]")
	}
	for i, name := range adopt.By {
		if r := c.finder(fmt.Sprintf("onExisting.adopt.by[%d]", i), name, c.m.by); r != nil {
			c.m.by = append(c.m.by, r)
		}
	}
}

// finder returns the rule of an attribute by which an entry is found; nil, after a
// fault, for one that cannot find it, or that is among those before.
func (c *compiler) finder(key, name string, before []*rule) *rule {
	r := c.find(name)
	switch {
	case r == nil:
		c.fault(key, "no rule maps %q; name an attribute of a rule, for example userName", name)
	case r.isComputed() || r.isReference() || r.isSecret() || r.readOnly() || r.leaf.Type != scim.String:
		c.fault(key, "%s is no text that is written as it comes, so it finds nobody; name another, for example userName", name)
	case !r.showsOne():
		c.fault(key, "%s can have several values; give its rule single: primary or first, or name another", name)
	case slices.Contains(before, r):
		c.fault(key, "%s stands here twice; remove one", name)
	default:
		return r
	}
	return nil
}

// Adopts reports whether a create may take over an entry that nobody manages.
func (m *Mapping) Adopts() bool { return len(m.by) > 0 }

// AdoptFilter is what such an entry has to match.
func (m *Mapping) AdoptFilter() directory.Filter {
	if !m.Adopts() {
		return directory.Filter{Op: directory.None}
	}
	return directory.RawOf(m.config.OnExisting.Adopt.Filter)
}

// AdoptBy returns the values by which an entry is found that a create may take
// over. lacks is the attribute of which the resource has no value; then there is
// no such entry.
func (m *Mapping) AdoptBy(want Want) (by []directory.Key, lacks string) {
	for _, r := range m.by {
		value := want.Attributes.First(r.config.LDAP)
		if value == "" {
			return nil, r.label()
		}
		by = append(by, directory.Key{Attribute: r.config.LDAP, Value: value, Exact: r.leaf.CaseExact})
	}
	return by, ""
}

// AdoptAttributes are the LDAP attributes by which an entry is found.
func (m *Mapping) AdoptAttributes() []string {
	var names []string
	for _, r := range m.by {
		names = append(names, r.config.LDAP)
	}
	return names
}

// ClassAttribute says what an entry is; Room and Adopt read it.
const ClassAttribute = "objectClass"

// Room says why an entry of the object classes has no room for what the mapping
// writes; "" where it has, once classes are added that can be.
func (m *Mapping) Room(classes []string) string {
	_, lacks := m.joining(classes)
	if lacks == "" {
		return ""
	}
	return "it has not the object class " + lacks + ", which cannot be added to an entry"
}

// joining returns the declared object classes that an entry has to be given. lacks
// is one that it cannot be given.
func (m *Mapping) joining(classes []string) (add []string, lacks string) {
	schema := m.schema.Load()
	has := map[string]bool{}
	var visit func(name string)
	visit = func(name string) {
		names := []string{name}
		var superiors []string
		if schema != nil {
			if c, ok := (*schema).Class(name); ok {
				names, superiors = append(names, c.Names...), c.Superiors
			}
		}
		if has[strings.ToLower(name)] {
			return
		}
		for _, n := range names {
			has[strings.ToLower(n)] = true
		}
		for _, super := range superiors {
			visit(super)
		}
	}
	for _, name := range classes {
		visit(name)
	}
	for _, name := range m.config.ObjectClasses {
		if has[strings.ToLower(name)] || strings.EqualFold(name, "top") {
			continue
		}
		if schema != nil {
			if c, ok := (*schema).Class(name); ok && (c.Kind != "AUXILIARY" || m.allocates(c.Must)) {
				return nil, name
			}
		}
		add = append(add, name)
	}
	return add, ""
}

// Adopt returns what makes the resource's entry of one that nobody manages. The
// entry keeps its name, its password, its lock, and whatever does not show in the
// resource; the members of a group only grow.
func (m *Mapping) Adopt(old directory.Entry, refs Refs, want Want, stamp Stamp) directory.Change {
	want.Secrets = nil
	want.Hidden = want.Hidden.Clone()
	for name := range want.Hidden {
		if secret(name) {
			delete(want.Hidden, name)
		}
	}
	want.Attributes = want.Attributes.Clone()
	for _, r := range m.by { // equal already: the directory's spelling stays
		for _, v := range old.Attributes[r.config.LDAP] {
			if directory.FoldValue(v) == directory.FoldValue(want.Attributes.First(r.config.LDAP)) {
				want.Attributes[r.config.LDAP] = []string{v}
			}
		}
	}
	if m.member != nil {
		want.Members.Add = append(slices.Clone(want.Members.Add), want.Attributes[m.member.config.LDAP]...)
		delete(want.Attributes, m.member.config.LDAP)
		old.Attributes = old.Attributes.Clone()
		delete(old.Attributes, m.member.config.LDAP)
	}
	if want.Active == nil {
		active := true
		want.Active = &active
	}
	c := m.Change(old, refs, want, stamp)
	c.Name = ""
	if named := len(old.Attributes[m.config.RDN.LDAP]) > 0; !named {
		c.Mods = append(c.Mods, directory.Mod{Op: directory.ModAdd, Attribute: m.config.RDN.LDAP, Values: []string{want.Name}})
	} else {
		c.Keys = slices.DeleteFunc(c.Keys, func(k directory.Key) bool { return k.Attribute == m.config.RDN.LDAP })
	}
	c.Marker.Source, c.Marker.Adopted, c.Marker.Managed = m.source, true, stamp.Now
	if m.stable != nil && m.stable != m.naming {
		if before := old.Attributes[m.StableKey()]; len(before) > 0 {
			c.Marker.Before = map[string][]string{m.StableKey(): before}
		}
	}
	if add, _ := m.joining(old.Attributes[ClassAttribute]); len(add) > 0 {
		c.Marker.Classes = add
		c.Mods = append([]directory.Mod{{Op: directory.ModAdd, Attribute: ClassAttribute, Values: add}}, c.Mods...)
	}
	return c
}

// Release returns what gives an adopted entry back: the marker goes, the stable
// key, and the object classes that the adoption added, with the values that only
// these allow. keep leaves the classes, where somebody else relies on them.
func (m *Mapping) Release(old directory.Entry, keep bool) directory.Change {
	c := directory.Change{}
	if m.stable != nil && m.stable != m.naming {
		name := m.StableKey()
		c.Mods = directory.Diff(directory.Attributes{name: old.Attributes[name]}, directory.Attributes{name: old.Marker.Before[name]})
	}
	classes := slices.DeleteFunc(slices.Clone(old.Marker.Classes), func(name string) bool {
		return !slices.ContainsFunc(old.Attributes[ClassAttribute], func(has string) bool { return strings.EqualFold(has, name) })
	})
	if keep || len(classes) == 0 {
		return c
	}
	for _, name := range m.only(old.Attributes[ClassAttribute], classes) {
		if values := old.Attributes[name]; len(values) > 0 && !slices.Contains(c.Attributes(), name) {
			c.Mods = append(c.Mods, directory.Mod{Op: directory.ModDelete, Attribute: name})
		}
	}
	c.Mods = append(c.Mods, directory.Mod{Op: directory.ModDelete, Attribute: ClassAttribute, Values: classes})
	return c
}

// only returns the mapped attributes that an entry may have by some of its
// classes alone.
func (m *Mapping) only(all, some []string) []string {
	schema := m.schema.Load()
	if schema == nil {
		return nil
	}
	rest := slices.DeleteFunc(slices.Clone(all), func(name string) bool {
		return slices.ContainsFunc(some, func(s string) bool { return strings.EqualFold(s, name) })
	})
	allowed := func(classes []string) map[string]bool {
		must, may, _ := (*schema).Allowed(classes)
		names := map[string]bool{}
		for _, name := range slices.Concat(must, may) {
			names[strings.ToLower(name)] = true
		}
		return names
	}
	stays, goes := allowed(rest), allowed(some)
	var names []string
	for _, name := range m.attributes() {
		base, _, _ := strings.Cut(strings.ToLower(name), ";")
		if goes[base] && !stays[base] && name != m.config.RDN.LDAP {
			names = append(names, name)
		}
	}
	return names
}

// allocates reports whether one of the attributes is a number that new entries are
// given, and no others.
func (m *Mapping) allocates(attributes []string) bool {
	return slices.ContainsFunc(attributes, func(name string) bool {
		return slices.ContainsFunc(m.rules, func(r rule) bool { return r.isAllocated() && strings.EqualFold(r.config.LDAP, name) })
	})
}

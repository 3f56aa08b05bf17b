// Package mapping translates between SCIM resources and LDAP entries as a
// declaration says, in both directions:
//
//	resource --Want--> wanted entry --Change--> modifications
//	entry    --Resource--> resource
//	SCIM filter --Filter--> directory filter
//
// A Mapping is compiled once at start; whatever is wrong with a declaration is
// found then. After that it is pure: it knows no context, clock, network or
// log, and the same input always gives the same output. Identifiers of other
// resources are translated with tables that the caller looked up.
//
// It must not know how names and filters are written in LDAP, nor what HTTP is.
package mapping

import (
	"slices"
	"strings"
	"sync/atomic"

	"scimgate/internal/directory"
	"scimgate/internal/scim"
)

// Mapping is the compiled translation of one resource type of one tenant.
type Mapping struct {
	config Config
	source string
	def    scim.Definition
	rules  []rule
	naming *rule    // the rule that feeds the relative distinguished name
	stable *rule    // the rule of the stable key
	member *rule    // the rule of a group's members; nil for other types
	groups *Mapping // of the groups that resources show they are in; nil for none
	checks []check
	barred []scim.Path // what no client may set anyway, and may not even send
	by     []*rule     // what finds an entry that may be adopted; none where none is
	// finders find, beside the stable key, somebody whom the tenant has or had.
	finders []*rule
	schema  *atomic.Pointer[directory.Schema]
	steps   []step
}

// Names gives the distinguished name for a resource id.
type Names map[string]string

// Ref is a resource that another one refers to.
type Ref struct {
	ID   string
	Type string // the resource type: User or Group
	DN   string // as the directory spells it
	// Display is what it is called, where that was looked up.
	Display string
}

// Refs gives the resource behind a distinguished name, keyed by
// directory.FoldDN.
type Refs map[string]Ref

// Names returns the same table the other way round.
func (r Refs) Names() Names {
	names := make(Names, len(r))
	for _, ref := range r {
		names[ref.ID] = ref.DN
	}
	return names
}

// Label names an LDAP attribute as a client knows it: by the SCIM attribute
// that is mapped to it.
func (m *Mapping) Label(ldap string) string {
	for i := range m.rules {
		if strings.EqualFold(m.rules[i].config.LDAP, ldap) {
			return m.rules[i].label()
		}
	}
	return ldap
}

// Definition returns the vocabulary of the resource type, mapped or not.
func (m *Mapping) Definition() scim.Definition { return m.def }

// DeletesForGood reports whether a delete removes the entry.
func (m *Mapping) DeletesForGood() bool { return m.config.Delete == DeleteRemove }

// Deactivates reports whether resources of the type can be inactive.
func (m *Mapping) Deactivates() bool { return len(m.config.Deactivate) > 0 }

// WritesPasswords reports whether the password of a resource goes anywhere.
func (m *Mapping) WritesPasswords() bool {
	for i := range m.rules {
		if m.rules[i].isPassword() {
			return true
		}
	}
	return false
}

// StableKey returns the LDAP attribute that carries the stable key, "" where
// the declaration names none.
func (m *Mapping) StableKey() string {
	if m.stable == nil {
		return ""
	}
	return m.stable.config.LDAP
}

// Naming returns the LDAP attribute that entries are named by.
func (m *Mapping) Naming() string { return m.config.RDN.LDAP }

// Members returns the LDAP attribute of a group's members, "" for types that
// have none.
func (m *Mapping) Members() string {
	if m.member == nil {
		return ""
	}
	return m.member.config.LDAP
}

// Collection returns the part of the directory that the mapping writes to.
func (m *Mapping) Collection() directory.Collection {
	c := directory.Collection{
		Source:          m.source,
		Base:            m.config.Base,
		ObjectClasses:   m.config.ObjectClasses,
		StateAttribute:  m.config.Marker.State,
		SourceAttribute: m.config.Marker.Source,
		Naming:          m.config.RDN.LDAP,
		Attributes:      m.attributes(),
	}
	if place := m.place(); place != "" {
		c.Places = []string{place}
	}
	if m.member != nil {
		c.Member = m.member.config.LDAP
		c.EmptyMember = m.member.config.EmptyMember
		c.MemberBy.Attribute = m.member.config.By
	}
	return c
}

// Referrers returns the places where entries of this type refer to others.
func (m *Mapping) Referrers() []directory.Referrer {
	var places []directory.Referrer
	for i := range m.rules {
		r := &m.rules[i]
		if !r.isReference() || r.readOnly() {
			continue
		}
		for _, tree := range m.Collection().Trees() {
			places = append(places, directory.Referrer{
				Base: tree, Attribute: r.config.LDAP, SourceAttribute: m.config.Marker.Source, By: r.config.By,
				Member: r == m.member || m.inheritable(r), EmptyMember: r.config.EmptyMember,
			})
		}
	}
	return places
}

// inheritable reports whether a name in the rule's attribute can outlive its
// bearer: those of further types are removed and leave no tombstone behind that
// keeps the name.
func (m *Mapping) inheritable(r *rule) bool {
	return slices.ContainsFunc(r.config.Reference, func(t string) bool { return slices.Contains(m.config.Peers, t) })
}

// attributes returns the LDAP attributes that the mapping reads.
func (m *Mapping) attributes() []string {
	names := []string{m.config.RDN.LDAP}
	add := func(name string) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, r := range m.rules {
		if !r.isSecret() {
			add(r.config.LDAP)
		}
	}
	for _, s := range m.steps {
		add(s.attribute())
	}
	return names
}

// WithoutMembers returns the attributes to read where a group's members are
// not wanted.
func (m *Mapping) WithoutMembers() []string {
	return slices.DeleteFunc(m.attributes(), func(name string) bool {
		return m.member != nil && name == m.member.config.LDAP
	})
}

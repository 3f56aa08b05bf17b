package mapping

import (
	"fmt"
	"slices"
	"strings"

	"scimgate/internal/directory"
	"scimgate/internal/scim"
)

// markerBytes is about how long the text of a marker gets: with the request, the
// values that a deactivation replaced, and those that a tombstone gave up.
const markerBytes = 1000

// Review holds the declaration against the schema as Hold does, and returns what
// Hold lets pass and an operator should know. It learns nothing.
func (m *Mapping) Review(schema directory.Schema) []directory.Fault {
	var found []directory.Fault
	add := func(severity directory.Severity, key, format string, args ...any) {
		found = append(found, directory.Fault{Key: key, Problem: fmt.Sprintf(format, args...), Severity: severity})
	}
	if a, ok := schema.Attribute(m.config.Marker.State); ok && a.Length > 0 && a.Length < markerBytes {
		add(directory.SevereWarning, "marker.state", "%s is made for values of %d characters, and the text of a marker has up to about %d; use an attribute without a bound, or with a higher one",
			m.config.Marker.State, a.Length, markerBytes)
	}
	if a, ok := schema.Attribute(m.config.Marker.Source); ok && a.Length > 0 && a.Length < len(m.source) {
		add(directory.SevereWarning, "marker.source", "%s is made for values of %d characters, and the tenant's name has %d; use another attribute, or a shorter name",
			m.config.Marker.Source, a.Length, len(m.source))
	}
	var incomparable, unsearchable []string
	for i := range m.rules {
		r := &m.rules[i]
		a, ok := schema.Attribute(r.config.LDAP)
		if !ok || a.Syntax == "" {
			continue
		}
		for j, v := range r.config.CanonicalValues {
			if a.Length > 0 && len(v) > a.Length {
				add(directory.SevereWarning, fmt.Sprintf("%s.canonicalValues[%d]", m.ruleKey(i), j),
					"%q has %d characters, and %s is made for %d; shorten it, or use another attribute", v, len(v), r.config.LDAP, a.Length)
			}
		}
		if r.isComputed() || r.isSecret() || numeric(r.leaf.Type) {
			continue
		}
		if a.Equality == "" && !r.distinct {
			incomparable = append(incomparable, r.config.LDAP)
		}
		if a.Substring == "" && !r.isReference() && r.leaf.Type == scim.String {
			unsearchable = append(unsearchable, r.config.LDAP)
		}
	}
	const finished = "the gateway finishes such a filter entry by entry, up to server.limits.filterEntries"
	if len(incomparable) > 0 {
		add(directory.SevereNote, "attributes", "the directory has no rule of equality for %s: %s, and a change writes such an attribute as a whole; use others where that is too slow",
			strings.Join(incomparable, ", "), strings.Replace(finished, "such a filter", "a filter with eq on them", 1))
	}
	if unsearchable = slices.DeleteFunc(unsearchable, func(a string) bool { return slices.Contains(incomparable, a) }); len(unsearchable) > 0 {
		add(directory.SevereNote, "attributes", "the directory has no rule of substrings for %s: %s; use others where that is too slow",
			strings.Join(unsearchable, ", "), strings.Replace(finished, "such a filter", "a filter with co, sw or ew on them", 1))
	}
	return found
}

// Place is an LDAP attribute and the key of the declaration that names it.
type Place struct{ Key, Attribute string }

// Searched returns the attributes that the gateway searches by equal values in
// requests that are no list: unique ones, the stable key, references and the
// marker's source.
func (m *Mapping) Searched() []Place {
	all := []Place{{"marker.source", m.config.Marker.Source}}
	for i := range m.rules {
		if r := &m.rules[i]; r.distinct || r.isReference() && !r.readOnly() {
			all = append(all, Place{m.ruleKey(i) + ".ldap", r.config.LDAP})
		}
	}
	return all
}

// Distinct returns the attributes of which no two entries may have one value.
func (m *Mapping) Distinct() []Place {
	var all []Place
	for i := range m.rules {
		if m.rules[i].distinct {
			all = append(all, Place{m.ruleKey(i) + ".ldap", m.rules[i].config.LDAP})
		}
	}
	return all
}

// Counter is an entry that holds the next number to be given.
type Counter struct{ Key, Name, Attribute string }

// Counters returns the entries that the rules count with.
func (m *Mapping) Counters() []Counter {
	var all []Counter
	for i := range m.rules {
		r := &m.rules[i]
		if !r.isAllocated() || r.config.Allocate.Counter == "" {
			continue
		}
		c := Counter{m.ruleKey(i) + ".allocate.counter", r.config.Allocate.Counter, r.config.Allocate.Attribute}
		if c.Attribute == "" {
			c.Attribute = r.config.LDAP
		}
		all = append(all, c)
	}
	return all
}

// Written returns the attributes that the gateway writes to an entry.
func (m *Mapping) Written() []Place {
	all := []Place{{"marker.state", m.config.Marker.State}, {"marker.source", m.config.Marker.Source}}
	for i := range m.rules {
		if r := &m.rules[i]; r.isComputed() || r.isAllocated() || !r.readOnly() {
			all = append(all, Place{m.ruleKey(i) + ".ldap", r.config.LDAP})
		}
	}
	for i, s := range m.config.Deactivate {
		switch key := fmt.Sprintf("deactivate[%d].", i); {
		case s.Set != nil:
			all = append(all, Place{key + "set.ldap", s.Set.LDAP})
		case s.Bit != nil:
			all = append(all, Place{key + "bit.ldap", s.Bit.LDAP})
		case s.Scramble != nil:
			all = append(all, Place{key + "scramble.ldap", s.Scramble.LDAP})
		}
	}
	return all
}

// Specimen returns the attributes of an entry of the mapping's kind, with the
// name and no more than the object classes demand.
func (m *Mapping) Specimen(schema directory.Schema, name string) directory.Attributes {
	made := directory.Attributes{m.naming.config.LDAP: {name}}
	must, _, _ := schema.Allowed(m.config.ObjectClasses)
	for _, attribute := range must {
		if strings.EqualFold(attribute, "objectClass") || strings.EqualFold(attribute, m.naming.config.LDAP) {
			continue
		}
		a, _ := schema.Attribute(attribute)
		if v, ok := m.sample(a, name); ok {
			made[attribute] = []string{v}
		}
	}
	return made
}

// Sample returns a value that an attribute could have, in an entry of that name;
// false where none is known.
func (m *Mapping) Sample(schema directory.Schema, attribute, name string) (string, bool) {
	a, ok := schema.Attribute(attribute)
	if !ok {
		return "", false
	}
	for _, s := range m.config.Deactivate {
		if s.Set != nil && strings.EqualFold(s.Set.LDAP, attribute) {
			return s.Set.Inactive, true
		}
	}
	return m.sample(a, name)
}

func (m *Mapping) sample(a directory.AttributeType, name string) (string, bool) {
	switch strings.TrimPrefix(a.Syntax, syntaxPrefix) {
	case "12", "34":
		if m.member != nil && m.member.config.EmptyMember != "" {
			return m.member.config.EmptyMember, true
		}
		return m.config.Base, true
	case "15", "26", "40", "44":
		return name, true
	case "22", "36", "50":
		return "1", true
	case "27":
		return "2147483000", true // nobody's number, where it is one of a user or a group
	case "7":
		return "TRUE", true
	case "24":
		return "20260101000000Z", true
	}
	return "", false
}

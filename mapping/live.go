package mapping

import (
	"fmt"
	"slices"
	"strings"

	"scimgate/internal/directory"
)

// Hold holds the declaration against the schema that the directory has: what
// it does not know, does not allow, or demands without a source. It notes what the
// directory makes of each attribute. Requests may run meanwhile: until then they
// ask for more than they need, and write an attribute as a whole.
func (m *Mapping) Hold(schema directory.Schema) []directory.Fault {
	m.schema.Store(&schema)
	h := holder{schema: schema}
	for i, name := range m.config.ObjectClasses {
		if _, ok := schema.Class(name); !ok {
			h.fault(fmt.Sprintf("objectClasses[%d]", i), "the directory has no object class %s; correct the name, or load the schema that has it", name)
		}
	}
	var must []string
	must, h.may, h.extensible = schema.Allowed(m.config.ObjectClasses)
	h.may = append(h.may, must...)
	fed := []string{"objectClass"}
	writes := func(key, ldap string) {
		if a, ok := h.writable(key, ldap); ok {
			fed = append(fed, a.Names[0])
		}
	}
	writes("marker.state", m.config.Marker.State)
	writes("marker.source", m.config.Marker.Source)
	for i, s := range m.config.Deactivate {
		h.step(fmt.Sprintf("deactivate[%d].%s", i, s.kind()), s)
	}
	for i := range m.rules {
		r := &m.rules[i]
		key := m.ruleKey(i)
		if !r.isComputed() && r.readOnly() && !r.isAllocated() {
			if a, ok := h.known(key+".ldap", r.config.LDAP); ok {
				r.learn(a)
				h.holds(key, r, a)
			}
			continue
		}
		a, ok := h.writable(key+".ldap", r.config.LDAP)
		if !ok {
			continue
		}
		r.learn(a)
		r.must.Store(slices.ContainsFunc(must, func(m string) bool { return strings.EqualFold(m, a.Names[0]) }))
		if r.isAllocated() {
			h.counts(key, r, a)
		}
		if a.Single && r.path.Attr != "" && r.top.MultiValued && r.config.Single == "" && !r.joined() {
			h.fault(key+".single", "%s holds one value in this directory and %s can have several; use primary, first or reject",
				r.config.LDAP, r.path.String())
		}
		h.holds(key, r, a)
		if r.distinct {
			h.comparable(key, a)
		}
		if r.always(m) {
			fed = append(fed, a.Names[0])
		}
	}
	for _, name := range must {
		if !slices.ContainsFunc(fed, func(f string) bool { return strings.EqualFold(f, name) }) {
			h.fault("attributes", "the object classes demand %s, and no rule always gives it a value; map it as required, with a default or a template", name)
		}
	}
	h.markable(m.config.Marker)
	h.constants(m)
	return h.faults
}

// joined reports whether the rule feeds one part of an element, as a town is
// one part of an address: of several elements the first counts.
func (r *rule) joined() bool { return r.path.Sub != "value" && r.path.Sub != "" }

// always reports whether the rule gives every entry a value.
func (r *rule) always(m *Mapping) bool {
	return r.config.Required || r == m.naming || r.isAllocated() || r.computed != nil || r.fallback != nil || r.config.EmptyMember != ""
}

// ruleKey is the place of a rule in the declaration.
func (m *Mapping) ruleKey(i int) string {
	if i < len(m.config.Attributes) {
		return fmt.Sprintf("attributes[%d]", i)
	}
	i -= len(m.config.Attributes)
	for e, extension := range m.config.Extensions {
		if i < len(extension.Attributes) {
			return fmt.Sprintf("extensions[%d].attributes[%d]", e, i)
		}
		i -= len(extension.Attributes)
	}
	return "rdn"
}

// holder collects what does not hold.
type holder struct {
	schema     directory.Schema
	may        []string
	extensible bool
	faults     []directory.Fault
}

func (h *holder) fault(key, format string, args ...any) {
	h.faults = append(h.faults, directory.Fault{Key: key, Problem: fmt.Sprintf(format, args...)})
}

// known looks whether the directory has an attribute, under that name.
func (h *holder) known(key, ldap string) (directory.AttributeType, bool) {
	a, ok := h.schema.Attribute(ldap)
	name, option, _ := strings.Cut(ldap, ";")
	switch {
	case !ok || len(a.Names) == 0:
		h.fault(key, "the directory has no attribute %s; correct the name, or load the schema that has it", ldap)
		return a, false
	case !strings.EqualFold(a.Names[0], name):
		if option != "" {
			option = ";" + option
		}
		h.fault(key, "the directory returns %s as %s; use that name", ldap, a.Names[0]+option)
		return a, false
	}
	return a, true
}

// writable looks whether an entry of the object classes can have an attribute.
// Operational attributes, such as a password policy's lock, belong to no class.
func (h *holder) writable(key, ldap string) (directory.AttributeType, bool) {
	a, ok := h.known(key, ldap)
	switch {
	case !ok:
		return a, false
	case a.ReadOnly:
		h.fault(key, "%s is written by the directory alone; use another attribute, or mutability: readOnly", ldap)
		return a, false
	case !a.Operational && !h.extensible && !slices.ContainsFunc(h.may, func(m string) bool { return strings.EqualFold(m, a.Names[0]) }):
		h.fault(key, "%s is not allowed by the object classes; add one that allows it", ldap)
		return a, false
	}
	return a, true
}

// step holds a step of deactivation against what the directory has.
func (h *holder) step(key string, s StepConfig) {
	switch {
	case s.Set != nil:
		h.writable(key+".ldap", s.Set.LDAP)
	case s.Bit != nil:
		a, ok := h.writable(key+".ldap", s.Bit.LDAP)
		if ok && a.Syntax != "" && strings.TrimPrefix(a.Syntax, syntaxPrefix) != "27" {
			h.fault(key+".ldap", "%s holds no whole number in this directory, so it has no bits; use set", s.Bit.LDAP)
		}
	case s.Scramble != nil:
		h.writable(key+".ldap", s.Scramble.LDAP)
	}
}

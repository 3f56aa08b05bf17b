package mapping

import (
	"slices"

	"scimgate/internal/scim"
)

// Schemas returns what GET /Schemas announces for this type: the attributes
// that the mapping carries and no others (RFC 7643 section 7).
func (m *Mapping) Schemas() []scim.Schema {
	all := append([]scim.Schema{m.def.Core}, m.def.Extensions...)
	var announced []scim.Schema
	for i, s := range all {
		urn := s.ID
		if i == 0 {
			urn = "" // paths of the core schema carry none
		}
		kept := s
		if !s.Apart { // which no rule carries, and all resources have
			kept.Attributes = m.announce(urn, s.Attributes)
		}
		if i == 0 || len(kept.Attributes) > 0 {
			announced = append(announced, kept)
		}
	}
	return announced
}

// refers names the resource types of a reference where its parts tell them.
func (r *rule) refers(subs []scim.Attribute) []scim.Attribute {
	subs = slices.Clone(subs)
	if ref := named(subs, "$ref"); ref != nil {
		ref.ReferenceTypes = r.config.Reference
	}
	if _, fixed := r.constant["type"]; !fixed {
		if kind := named(subs, "type"); kind != nil {
			kind.CanonicalValues = r.config.Reference
		}
	}
	return subs
}

func (m *Mapping) announce(urn string, attributes []scim.Attribute) []scim.Attribute {
	var kept []scim.Attribute
	for _, a := range attributes {
		if urn == "" && a.Name == "active" && m.Deactivates() {
			kept = append(kept, a)
			continue
		}
		if urn == "" && a.Name == "groups" && m.groups != nil {
			kept = append(kept, a)
			continue
		}
		parts := map[string]bool{}
		mapped := false
		for i := range m.rules {
			r := &m.rules[i]
			if !r.at(urn, a.Name) {
				continue
			}
			mapped = true
			parts[r.path.Sub] = true
			for name := range r.constant {
				parts[name] = true
			}
			if r.marks {
				parts["primary"] = true
			}
			if r.isReference() {
				parts["$ref"] = true
				parts["type"] = true
				parts[r.displayPart()] = true
				a.SubAttributes = r.refers(a.SubAttributes)
			}
			a.Required = a.Required || r.config.Required && r.path.Filter == nil && (r.path.Sub == "" || r.path.Sub == "value")
			if r.config.Unique {
				a.Uniqueness = scim.UniqueServer
			}
		}
		if !mapped {
			continue
		}
		a.SubAttributes = slices.DeleteFunc(slices.Clone(a.SubAttributes), func(s scim.Attribute) bool { return !parts[s.Name] })
		if types := m.typesKept(urn, a.Name); types != nil {
			if i := slices.IndexFunc(a.SubAttributes, func(s scim.Attribute) bool { return s.Name == "type" }); i >= 0 {
				a.SubAttributes[i].CanonicalValues = types
			}
		}
		kept = append(kept, a)
	}
	return kept
}

// typesKept returns the types of elements that have a place in the directory,
// or nil where every type has: an element of another one is taken and not kept.
func (m *Mapping) typesKept(urn, name string) []string {
	var kept []string
	for i := range m.rules {
		r := &m.rules[i]
		if !r.at(urn, name) {
			continue
		}
		kind, ok := r.constant["type"].(string)
		if !ok {
			return nil
		}
		if !slices.Contains(kept, kind) {
			kept = append(kept, kind)
		}
	}
	return kept
}

package config

import (
	"fmt"
	"reflect"
	"slices"

	"scimgate/mapping"
)

// exceptions notes where a line of the file says false to what a rule for whole
// resources, most often that of a profile, would ask of its attribute, and looks
// whether the rules that a tenant is without are any.
func (c *Config) exceptions(s *Source) error {
	for i, t := range c.Tenants {
		except(s, tenantKey(i)+".users", t.Users)
		except(s, tenantKey(i)+".groups", t.Groups)
		for j := range t.ResourceTypes {
			except(s, resourceTypeKey(i, j), &t.ResourceTypes[j].Config)
		}
	}
	return nil
}

func except(s *Source, key string, m *mapping.Config) {
	if m == nil {
		return
	}
	known := fieldsOf(reflect.TypeFor[mapping.RulesConfig]())
	for i, name := range m.Rules.Without {
		if !slices.ContainsFunc(known, func(f field) bool { return f.name == name && name != "without" }) {
			s.fault(fmt.Sprintf("%s.rules.without[%d]", key, i), "%q is no rule; name a key that a profile has under rules, such as forbiddenCharacters", name)
		}
	}
	for i := range m.Attributes {
		r, at := &m.Attributes[i], fmt.Sprintf("%s.attributes[%d]", key, i)
		r.Optional = !r.Required && s.Has(at+".required")
		r.Shared = !r.Unique && s.Has(at+".unique")
	}
}

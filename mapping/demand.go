package mapping

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"scimgate/internal/directory"
	"scimgate/internal/scim"
)

// demands compiles what is asked of a whole resource.
func (c *compiler) demands() {
	rules := c.m.config.Rules
	for i, name := range rules.Required {
		if p, _, ok := c.demanded("required", i, name); ok && !c.optional(p) {
			c.m.checks = append(c.m.checks, c.m.required(p))
		}
	}
	if rules.OneValue {
		c.m.checks = append(c.m.checks, c.m.oneValue)
	}
	for i, name := range rules.Primary {
		p, top, ok := c.demanded("primary", i, name)
		if _, has := top.Sub("primary"); ok && (!has || p.Sub != "" || p.Filter != nil) {
			c.fault(fmt.Sprintf("rules.primary[%d]", i), "%q has no primary value; name an attribute that has, for example emails", name)
			continue
		}
		if ok {
			c.m.checks = append(c.m.checks, primary(p))
		}
	}
	for i, name := range rules.NotSupported {
		p, top, ok := c.demanded("notSupported", i, name)
		if !ok {
			continue
		}
		if leaf, _, _ := c.m.def.Lookup(p); top.Mutability == scim.ReadOnly || leaf.Mutability == scim.ReadOnly {
			c.m.barred = append(c.m.barred, p)
			continue
		}
		c.m.checks = append(c.m.checks, c.m.notSupported(p))
	}
	c.addresses()
	c.together()
}

// optional reports whether a line says that its attribute is not required.
func (c *compiler) optional(p scim.Path) bool {
	return slices.ContainsFunc(c.m.rules, func(r rule) bool { return r.config.Optional && r.under(p) })
}

// demanded looks up a path in one of the lists of rules.
func (c *compiler) demanded(list string, i int, name string) (scim.Path, scim.Attribute, bool) {
	p, top, ok := c.lookUp(name)
	if !ok {
		c.fault(fmt.Sprintf("rules.%s[%d]", list, i), "%q is no attribute of %s in RFC 7643, the enterprise extension or a declared one", name, c.m.def.Name)
	}
	return p, top, ok
}

// unique makes the rules of a path those of values that no two resources share.
func (c *compiler) unique() {
	for i, name := range c.m.config.Rules.Unique {
		p, _, ok := c.demanded("unique", i, name)
		if !ok {
			continue
		}
		var group []*rule
		for j := range c.m.rules {
			r := &c.m.rules[j]
			if r.under(p) && !r.config.Shared && !r.isSecret() && !r.readOnly() {
				r.distinct, r.config.Unique = true, true
				group = append(group, r)
			}
		}
		for _, r := range group {
			for _, other := range group {
				if r != other {
					r.peers = append(r.peers, other)
				}
			}
		}
	}
}

// under reports whether a rule translates what a path names: all of it, or one
// of its values.
func (r *rule) under(p scim.Path) bool {
	if r.isComputed() || !r.at(p.URN, p.Attr) || p.Filter != nil && filterText(p.Filter) != filterText(r.path.Filter) {
		return false
	}
	return p.Sub == r.path.Sub || p.Sub == "" && r.path.Sub == "value"
}

// Unmapped warns of paths in the rules of a declaration that has no faults whose
// values are asked for and then kept nowhere, so that they can neither be shown
// again nor be compared.
func (c Config) Unmapped(name string) []directory.Fault {
	m, faults := Compile(c, name, "")
	if len(faults) > 0 {
		return nil
	}
	var all []directory.Fault
	for list, paths := range map[string][]string{"required": c.Rules.Required, "unique": c.Rules.Unique} {
		for i, written := range paths {
			p, err := scim.ParsePath(written)
			_, p, ok := m.def.Lookup(p)
			kept := func(r rule) bool { return r.under(p) || !r.isComputed() && p.Sub == "" && r.at(p.URN, p.Attr) }
			if err == nil && ok && !slices.ContainsFunc(m.rules, kept) {
				all = append(all, directory.Fault{Key: fmt.Sprintf("rules.%s[%d]", list, i),
					Problem: fmt.Sprintf("asks for %s, and no line of attributes keeps it; add one, or take it out of the rule", p)})
			}
		}
	}
	return all
}

func (m *Mapping) required(p scim.Path) check {
	at := p
	if leaf, _, _ := m.def.Lookup(p); p.Sub == "" {
		if _, valued := leaf.Sub("value"); valued {
			at.Sub = "value"
		}
	}
	return func(res scim.Resource) []breach {
		if slices.ContainsFunc(m.valuesAt(res, at), func(v any) bool { return !blank(v) }) {
			return nil
		}
		return []breach{{about: p.String(), detail: fmt.Sprintf(
			"%s is required and has no value; map one to it at the identity provider", p)}}
	}
}

// oneValue is the check that attributes which could have several values have one.
func (m *Mapping) oneValue(res scim.Resource) []breach {
	var all []breach
	for i, schema := range append([]scim.Schema{m.def.Core}, m.def.Extensions...) {
		urn := schema.ID
		if i == 0 {
			urn = ""
		}
		for _, a := range schema.Attributes {
			values, _ := holderOf(res, urn)[a.Name].([]any)
			if a.Mutability == scim.ReadOnly || len(values) < 2 || m.member != nil && m.member.at(urn, a.Name) {
				continue
			}
			label := scim.Path{URN: urn, Attr: a.Name}.String()
			all = append(all, breach{about: label, extent: len(values), detail: fmt.Sprintf(
				"%s has %d values, and one is the most that is taken; send the one that counts", label, len(values))})
		}
	}
	return all
}

func primary(p scim.Path) check {
	return func(res scim.Resource) []breach {
		elements := elementsAt(res, p)
		if len(elements) == 0 || slices.ContainsFunc(elements, func(e map[string]any) bool { return e["primary"] == true }) {
			return nil
		}
		return []breach{{about: p.String(), detail: fmt.Sprintf(
			"%s: the value %q is not the primary one; send \"primary\": true with it", p, text(elements[0]["value"]))}}
	}
}

func (m *Mapping) notSupported(p scim.Path) check {
	return func(res scim.Resource) []breach {
		values := slices.DeleteFunc(m.valuesAt(res, p), blank)
		if len(values) == 0 {
			return nil
		}
		raw, err := json.Marshal(values)
		if err != nil {
			return nil // what was decoded can be encoded
		}
		return []breach{{about: string(raw), detail: unsupported(p)}}
	}
}

func unsupported(p scim.Path) string {
	return fmt.Sprintf("%s has a value, which is not supported here; take it out of what the identity provider sends", p)
}

// valuesAt returns the values at a path. They are the resource's own, and the
// list of them is not.
func (m *Mapping) valuesAt(res scim.Resource, p scim.Path) []any {
	return slices.Clone(res.Values(m.def, p))
}

// elementsAt returns the complex values of the attribute that a path begins with.
func elementsAt(res scim.Resource, p scim.Path) []map[string]any {
	list, _ := holderOf(res, p.URN)[p.Attr].([]any)
	var all []map[string]any
	for _, item := range list {
		if element, ok := item.(map[string]any); ok {
			all = append(all, element)
		}
	}
	return all
}

// blank reports whether a value says nothing: blanks, or a complex one of such.
func blank(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return strings.TrimSpace(v) == ""
	case map[string]any:
		for _, part := range v {
			if !blank(part) {
				return false
			}
		}
		return true
	case []any:
		return !slices.ContainsFunc(v, func(part any) bool { return !blank(part) })
	}
	return false
}

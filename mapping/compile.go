package mapping

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"scimgate/internal/directory"
	"scimgate/internal/scim"
)

// Compile makes a declaration ready for use. name is the resource type, User
// or Group; source is the tenant. It returns every fault it finds, not only the
// first; with a fault there is no mapping.
func Compile(cfg Config, name, source string) (*Mapping, []directory.Fault) {
	c := compiler{m: &Mapping{config: cfg, source: source, def: definition(cfg, name)}}
	for i, rc := range cfg.Attributes {
		c.rule(fmt.Sprintf("attributes[%d]", i), rc, "")
	}
	for i, e := range cfg.Extensions {
		if !c.urn(fmt.Sprintf("extensions[%d].urn", i), e.URN) {
			continue
		}
		for j, rc := range e.Attributes {
			c.rule(fmt.Sprintf("extensions[%d].attributes[%d]", i, j), rc, e.URN)
		}
	}
	c.roles()
	c.once()
	c.together()
	for _, s := range cfg.Deactivate {
		if s.Set != nil {
			c.m.steps = append(c.m.steps, *s.Set)
		}
	}
	if len(c.faults) > 0 {
		return nil, c.faults
	}
	return c.m, nil
}

// urn refuses an extension without a URN of its own.
func (c *compiler) urn(key, urn string) bool {
	switch {
	case !strings.HasPrefix(urn, "urn:") || strings.Count(urn, ":") < 3:
		c.fault(key, "is missing or no URN; give one of your own, for example urn:example:params:scim:schemas:extension:badge:2.0:User")
	case strings.HasPrefix(strings.ToLower(urn), "urn:ietf:params:scim:schemas:core:"), strings.EqualFold(urn, scim.EnterpriseURN):
		c.fault(key, "is a URN of the standard; give one of your own")
	default:
		return true
	}
	return false
}

// definition is the vocabulary of a resource type: its core schema and the
// extensions that the standard and the declaration add.
func definition(cfg Config, name string) scim.Definition {
	def := scim.UserDefinition()
	if name == "Group" {
		def = scim.GroupDefinition()
	}
	for _, e := range cfg.Extensions {
		def.Extensions = append(def.Extensions, e.schema())
	}
	return def
}

// schema is what a declared extension looks like.
func (e ExtensionConfig) schema() scim.Schema {
	s := scim.Schema{ID: e.URN, Name: extensionName(e.URN), Description: "Declared in the configuration"}
	for _, r := range e.Attributes {
		a := scim.Attribute{
			Name: r.SCIM, Type: scim.String, MultiValued: r.MultiValued, Required: r.Required,
			Mutability: scim.ReadWrite, Returned: scim.ReturnedDefault, Uniqueness: scim.UniqueNone,
		}
		if r.Type != "" {
			a.Type = scim.Type(r.Type)
		}
		if r.Unique {
			a.Uniqueness = scim.UniqueServer
		}
		s.Attributes = append(s.Attributes, a)
	}
	return s
}

// extensionTypes are the SCIM types that a declared attribute may have.
var extensionTypes = []scim.Type{scim.String, scim.Boolean, scim.Integer, scim.Decimal}

type compiler struct {
	m      *Mapping
	faults []directory.Fault
}

func (c *compiler) fault(key, format string, args ...any) {
	c.faults = append(c.faults, directory.Fault{Key: key, Problem: fmt.Sprintf(format, args...)})
}

// rule compiles one line of the declaration.
func (c *compiler) rule(key string, rc RuleConfig, urn string) {
	r := rule{config: rc}
	if rc.LDAP == "" {
		c.fault(key+".ldap", "is missing; name the LDAP attribute")
	}
	if urn != "" && rc.Type != "" && !slices.Contains(extensionTypes, scim.Type(rc.Type)) {
		c.fault(key+".type", "%q is not known; use string, boolean, integer or decimal", rc.Type)
	}
	if urn == "" && (rc.Type != "" || rc.MultiValued) {
		c.fault(key, "type and multiValued belong to extensions; the schema of %s is fixed", rc.SCIM)
	}
	oneOf(func(k, f string, a ...any) { c.fault(key+"."+k, f, a...) },
		"single", rc.Single, "", SingleReject, SinglePrimary, SingleFirst)
	c.templates(key, &r)
	if rc.SCIM == "" {
		if rc.Template == "" {
			c.fault(key+".scim", "is missing; name the SCIM attribute, or give a template that computes the value")
		}
	} else {
		c.path(key, &r, urn)
	}
	c.m.rules = append(c.m.rules, r)
}

func (c *compiler) templates(key string, r *rule) {
	if r.config.Template != "" && r.config.SCIM != "" {
		c.fault(key+".template", "computes a value, so it takes no scim; use default for a value where there is none")
		return
	}
	for k, text := range map[string]string{"template": r.config.Template, "default": r.config.Default} {
		if text == "" {
			continue
		}
		t, err := parseTemplate(text, c.m.def)
		if err != nil {
			c.fault(key+"."+k, "%v", err)
			continue
		}
		r.literal += actions.ReplaceAllString(text, "")
		if k == "template" {
			r.computed = t
		} else {
			r.fallback = t
		}
	}
}

// path resolves the SCIM side of a rule.
func (c *compiler) path(key string, r *rule, urn string) {
	p, err := scim.ParsePath(r.config.SCIM)
	if err != nil {
		c.fault(key+".scim", "%s", detail(err))
		return
	}
	if urn != "" {
		p.URN = urn
	}
	leaf, canonical, ok := c.m.def.Lookup(p)
	if !ok {
		c.fault(key+".scim", "%q is no attribute of %s in RFC 7643, the enterprise extension or a declared one", r.config.SCIM, c.m.def.Name)
		return
	}
	r.path, r.leaf = canonical, leaf
	r.top, _, _ = c.m.def.Lookup(scim.Path{URN: canonical.URN, Attr: canonical.Attr})
	if len(leaf.SubAttributes) > 0 { // a complex attribute stands for its value
		r.path.Sub = "value"
		if leaf, _, ok = c.m.def.Lookup(r.path); !ok {
			c.fault(key+".scim", "%q is complex; name one of its parts, for example %s.%s", r.config.SCIM,
				r.config.SCIM, r.top.SubAttributes[0].Name)
			return
		}
		r.leaf = leaf
	}
	c.mutability(key, r)
	c.selection(key, r)
	c.reference(key, r)
}

// detail is what an error says to people.
func detail(err error) string {
	var e *scim.Error
	if errors.As(err, &e) {
		return e.Detail
	}
	return err.Error()
}

// mutability refuses to map what a client cannot write.
func (c *compiler) mutability(key string, r *rule) {
	switch {
	case r.path.Attr == "active" && r.path.URN == "":
		c.fault(key+".scim", "active is mapped by deactivate, not by a rule")
	case r.top.Mutability == scim.ReadOnly || r.leaf.Mutability == scim.ReadOnly:
		c.fault(key+".scim", "%s is read-only in SCIM and cannot be mapped", r.path.String())
	}
}

// selection compiles the value filter of a path and decides which rule takes
// elements that do not say what they are.
func (c *compiler) selection(key string, r *rule) {
	r.constant = map[string]any{}
	if r.path.Filter != nil && !constants(r.path.Filter, r.constant) {
		c.fault(key+".scim", "a value path may only ask for equal values joined by and, as in emails[type eq \"work\"].value")
	}
	if !r.top.MultiValued {
		if r.config.Single != "" {
			c.fault(key+".single", "%s has one value anyway; remove the key", r.path.String())
		}
		return
	}
	if r.path.Filter == nil && r.path.Sub != "value" && r.path.Sub != "" && r.config.Single == "" {
		c.fault(key+".single", "is missing: the parts of several %s cannot be told apart; use primary or first, or a value path", r.path.Attr)
	}
	first, marked := true, false
	for _, other := range c.m.rules {
		if other.at(r.path.URN, r.path.Attr) {
			first = first && filterText(other.path.Filter) == filterText(r.path.Filter)
			marked = marked || other.marks
		}
	}
	r.untyped = first
	r.marks = r.config.Single == SinglePrimary && !marked
}

func filterText(f scim.Filter) string {
	if f == nil {
		return ""
	}
	return f.String()
}

// constants reads a filter of equal values joined by and into a table.
func constants(f scim.Filter, into map[string]any) bool {
	switch f := f.(type) {
	case scim.And:
		for _, part := range f.Filters {
			if !constants(part, into) {
				return false
			}
		}
		return true
	case scim.Compare:
		if f.Op != scim.Eq || f.Path.Sub != "" || f.Path.Filter != nil || f.Value == nil {
			return false
		}
		into[f.Path.Attr] = f.Value
		return true
	}
	return false
}

func (c *compiler) reference(key string, r *rule) {
	for i, t := range r.config.Reference {
		if t != "User" && t != "Group" {
			c.fault(fmt.Sprintf("%s.reference[%d]", key, i), "%q is no resource type; use User or Group", t)
		}
	}
	if c.m.def.Name == "Group" && r.at("", "members") {
		if !r.isReference() {
			c.fault(key+".reference", "is missing: members are ids; use [User, Group]")
		}
	} else if r.config.EmptyMember != "" {
		c.fault(key+".emptyMember", "belongs to the members of a group")
	}
}

// roles finds the rules that the rest of the gateway relies on.
func (c *compiler) roles() {
	m := c.m
	for i := range m.rules {
		r := &m.rules[i]
		if strings.EqualFold(r.config.LDAP, m.config.RDN) {
			m.naming = r
		}
		if m.def.Name == "Group" && r.at("", "members") {
			m.member = r
		}
	}
	if m.config.StableKey != "" {
		m.stable = c.find(m.config.StableKey)
	}
	if m.naming == nil && m.config.RDN != "" {
		c.fault("rdn", "no rule feeds %s, so an entry would have no name; add one to attributes", m.config.RDN)
	}
	if m.stable == nil && m.config.StableKey != "" {
		c.fault("stableKey", "no rule maps %s, so nobody could be found again; add one to attributes", m.config.StableKey)
	}
}

// once refuses two sources for one LDAP attribute: reading it back, nobody
// could tell which one a value came from.
func (c *compiler) once() {
	taken := map[string]string{}
	claim := func(key, ldap, by string) {
		name := strings.ToLower(ldap)
		if name == "" {
			return
		}
		if first, ok := taken[name]; ok {
			c.fault(key, "%s is used by %s already", ldap, first)
			return
		}
		taken[name] = by
	}
	claim("marker.state", c.m.config.Marker.State, "marker.state")
	claim("marker.source", c.m.config.Marker.Source, "marker.source")
	for i, s := range c.m.config.Deactivate {
		if s.Set != nil {
			key := fmt.Sprintf("deactivate[%d].set.ldap", i)
			claim(key, s.Set.LDAP, key)
		}
	}
	for i, r := range c.m.config.Attributes {
		key := fmt.Sprintf("attributes[%d].ldap", i)
		claim(key, r.LDAP, key)
	}
	for i, e := range c.m.config.Extensions {
		for j, r := range e.Attributes {
			key := fmt.Sprintf("extensions[%d].attributes[%d].ldap", i, j)
			claim(key, r.LDAP, key)
		}
	}
}

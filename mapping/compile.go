package mapping

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"scimgate/internal/directory"
	"scimgate/internal/scim"
)

// Compile makes a declaration ready for use. name is the resource type: User,
// Group, or that of a further one; source is the tenant. It returns every fault
// it finds, not only the first; with a fault there is no mapping.
func Compile(cfg Config, name, source string) (*Mapping, []directory.Fault) {
	if cfg.Delete == "" && name != "User" {
		cfg.Delete = DeleteRemove
	}
	c := compiler{m: &Mapping{config: cfg, source: source, schema: new(atomic.Pointer[directory.Schema])}}
	lines := c.lines(cfg)
	c.define(cfg, name, lines)
	for _, l := range lines {
		c.rule(l)
	}
	c.roles()
	c.once()
	c.confine(lines)
	c.demands()
	c.m.steps = stepsOf(cfg.Deactivate)
	c.adoption()
	c.upsert()
	if len(c.faults) > 0 {
		return nil, c.faults
	}
	c.m.provenance()
	return c.m, nil
}

// line is one line of the declaration.
type line struct {
	key      string // its place
	urn      string // of the extension that it is in
	declares bool   // the attribute is the declaration's own
	rule     RuleConfig
}

// lines lists the rules of a declaration in the order of Mapping.rules.
func (c *compiler) lines(cfg Config) []line {
	var all []line
	for i, rc := range cfg.Attributes {
		l := line{key: fmt.Sprintf("attributes[%d]", i), rule: rc}
		l.declares = cfg.further() && !common(rc.SCIM)
		all = append(all, l)
	}
	seen := map[string]bool{strings.ToLower(cfg.Kind.Schema): true}
	for i, e := range cfg.Extensions {
		key := fmt.Sprintf("extensions[%d]", i)
		if !c.urn(key+".urn", e.URN) {
			continue
		}
		if urn := strings.ToLower(e.URN); seen[urn] {
			c.fault(key+".urn", "is the URN of another schema of this type; give it one of its own, or put the attributes together")
			continue
		}
		seen[strings.ToLower(e.URN)] = true
		for j, rc := range e.Attributes {
			all = append(all, line{fmt.Sprintf("%s.attributes[%d]", key, j), e.URN, true, rc})
		}
	}
	if cfg.RDN.Template != "" {
		all = append(all, line{key: "rdn", rule: cfg.RDN.rule()})
	}
	return all
}

// common reports whether a path is in the attributes that every resource has.
func common(path string) bool {
	p, err := scim.ParsePath(path)
	_, _, ok := scim.Definition{}.Lookup(scim.Path{Attr: p.Attr})
	return err == nil && p.URN == "" && ok
}

// StandardURN reports whether a URN has its meaning from the standard, so that
// no declaration can give it another.
func StandardURN(urn string) bool {
	urn = strings.ToLower(urn)
	switch urn {
	case strings.ToLower(scim.UserURN), strings.ToLower(scim.GroupURN), strings.ToLower(scim.EnterpriseURN), strings.ToLower(scim.ProvenanceURN),
		strings.ToLower(scim.SchemaURN), strings.ToLower(scim.ResourceTypeURN), strings.ToLower(scim.ServiceProviderConfigURN):
		return true
	}
	return strings.HasPrefix(urn, "urn:ietf:params:scim:api:")
}

// urn refuses an extension without a URN of its own.
func (c *compiler) urn(key, urn string) bool {
	switch {
	case !strings.HasPrefix(urn, "urn:") || strings.Count(urn, ":") < 3:
		c.fault(key, "is missing or no URN; give one of your own, for example urn:example:params:scim:schemas:extension:badge:2.0:User")
	case StandardURN(urn):
		c.fault(key, "is a URN of the standard; give one of your own")
	default:
		return true
	}
	return false
}

type compiler struct {
	m        *Mapping
	standard scim.Definition // what there is before the declaration
	broken   map[string]bool // lines whose path has a fault already
	faults   []directory.Fault
}

func (c *compiler) fault(key, format string, args ...any) {
	c.faults = append(c.faults, directory.Fault{Key: key, Problem: fmt.Sprintf(format, args...)})
}

// rule compiles one line of the declaration.
func (c *compiler) rule(l line) {
	key, rc := l.key, l.rule
	r := rule{config: rc, told: new(atomic.Pointer[directory.AttributeType]), must: new(atomic.Bool)}
	if rc.LDAP == "" {
		c.fault(key+".ldap", "is missing; name the LDAP attribute")
	}
	c.characteristics(l)
	oneOf(func(k, f string, a ...any) { c.fault(key+"."+k, f, a...) },
		"single", rc.Single, "", SingleReject, SinglePrimary, SingleFirst)
	c.templates(key, &r)
	c.shape(l)
	c.allocation(l)
	if rc.SCIM == "" {
		if rc.Template == "" && rc.Allocate == nil {
			c.fault(key+".scim", "is missing; name the SCIM attribute, or give a template that computes the value")
		}
	} else {
		if !c.broken[key] {
			c.path(l, &r)
		}
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
func (c *compiler) path(l line, r *rule) {
	key := l.key
	p, err := scim.ParsePath(r.config.SCIM)
	if err != nil {
		c.fault(key+".scim", "%s", detail(err))
		return
	}
	if l.urn != "" {
		p.URN = l.urn
	}
	if p.URN == "" && strings.EqualFold(p.Attr, "active") {
		c.fault(key+".scim", "active is mapped by deactivate, not by a rule")
		return
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
	c.mutability(key, p, r)
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

// mutability refuses to map what the standard reserves, and rules that would
// have to write what is never written.
func (c *compiler) mutability(key string, p scim.Path, r *rule) {
	leaf, path, ok := c.standard.Lookup(p)
	top, _, _ := c.standard.Lookup(scim.Path{URN: path.URN, Attr: path.Attr})
	if ok && (top.Mutability == scim.ReadOnly || leaf.Mutability == scim.ReadOnly) {
		c.fault(key+".scim", "%s is read-only in SCIM and cannot be mapped", r.path.String())
		return
	}
	if !r.readOnly() {
		return
	}
	for k, given := range map[string]bool{
		"required": r.config.Required, "unique": r.config.Unique, "default": r.config.Default != "", "emptyMember": r.config.EmptyMember != "",
	} {
		if given {
			c.fault(key+"."+k, "has no effect on what nobody writes over SCIM; remove it, or mutability: readOnly")
		}
	}
}

// selection compiles the value filter of a path and decides which rule takes
// elements that do not say what they are.
func (c *compiler) selection(key string, r *rule) {
	r.constant = map[string]any{}
	if r.path.Filter != nil && !constantsOf(r.path.Filter, r.constant) {
		c.fault(key+".scim", "%s", badValuePath)
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
			marked = marked || other.marks && filterText(other.path.Filter) != filterText(r.path.Filter)
		}
	}
	r.untyped = first
	r.marks = r.config.Single == SinglePrimary && !marked
}

const badValuePath = "a value path may only ask for equal values joined by and, as in emails[type eq \"work\"].value"

func filterText(f scim.Filter) string {
	if f == nil {
		return ""
	}
	return f.String()
}

// constantsOf reads a filter of equal values joined by and into a table.
func constantsOf(f scim.Filter, into map[string]any) bool {
	switch f := f.(type) {
	case scim.And:
		for _, part := range f.Filters {
			if !constantsOf(part, into) {
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
	known := append([]string{"User", "Group"}, c.m.config.Peers...)
	for i, t := range r.config.Reference {
		if !slices.Contains(known, t) {
			c.fault(fmt.Sprintf("%s.reference[%d]", key, i), "%q is no resource type; use %s", t, strings.Join(known, " or "))
			return
		}
	}
	if _, ok := r.top.Sub("type"); len(r.config.Reference) > 1 && !ok {
		c.fault(key+".reference", "%s has no type that could tell whom it refers to; name one resource type", r.path.String())
	}
	if c.m.def.Name == "Group" && r.at("", "members") {
		if !r.isReference() {
			c.fault(key+".reference", "is missing: members are ids; use [User, Group]")
		}
		if r.config.By != "" && !slices.Equal(r.config.Reference, []string{"User"}) {
			c.fault(key+".by", "lists people alone: groups have no %s; use reference: User", r.config.By)
		}
		return
	}
	for k, given := range map[string]bool{"emptyMember": r.config.EmptyMember != "", "by": r.config.By != ""} {
		if given {
			c.fault(key+"."+k, "belongs to the members of a group")
		}
	}
}

// roles finds the rules that the rest of the gateway relies on.
func (c *compiler) roles() {
	m := c.m
	for i := range m.rules {
		r := &m.rules[i]
		if strings.EqualFold(r.config.LDAP, m.config.RDN.LDAP) {
			m.naming = r
		}
		if m.def.Name == "Group" && r.at("", "members") {
			m.member = r
		}
	}
	if m.config.StableKey != "" {
		m.stable = c.find(m.config.StableKey)
	}
	for i := range m.rules {
		r := &m.rules[i]
		r.distinct = r.config.Unique || r == m.stable || r == m.naming
	}
	c.unique()
	for key, r := range map[string]*rule{"rdn": m.naming, "stableKey": m.stable} {
		if r != nil && !r.isComputed() && (r.readOnly() || r.isSecret() || r.leaf.Type == scim.Binary) {
			c.fault(key, "%s cannot be written and read as text, so it is no %s", r.label(), map[string]string{"rdn": "name", "stableKey": "key"}[key])
		}
	}
	c.named()
	if m.naming == nil && m.config.RDN.LDAP != "" {
		c.fault("rdn", "no rule feeds %s, so an entry would have no name; add one to attributes", m.config.RDN.LDAP)
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
		name := strings.TrimSuffix(strings.ToLower(ldap), binaryOption)
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
	if c.m.config.RDN.Template != "" {
		claim("rdn.ldap", c.m.config.RDN.LDAP, "rdn.ldap")
	}
	for i, s := range c.m.config.Deactivate {
		key := fmt.Sprintf("deactivate[%d].%s.ldap", i, s.kind())
		claim(key, s.ldap(), key)
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

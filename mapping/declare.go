package mapping

import (
	"fmt"
	"slices"
	"strings"

	"scimgate/internal/scim"
)

// define makes the vocabulary of the resource type: the schemas of the standard,
// those that the declaration makes, and where the declaration is stricter than
// the standard, its characteristics.
func (c *compiler) define(cfg Config, name string, lines []line) {
	c.standard, c.broken = beginning(cfg, name), map[string]bool{}
	def := beginning(cfg, name)
	for _, e := range cfg.Extensions {
		if _, twice := schemaOf(&def, e.URN); !twice {
			def.Extensions = append(def.Extensions, scim.Schema{ID: e.URN, Name: extensionName(e.URN), Description: "Declared in the configuration"})
		}
	}
	d := declarer{compiler: c, def: &def, leaves: map[string]line{}, tops: map[string][]line{}}
	for _, l := range lines {
		d.line(l)
	}
	for _, key := range d.order {
		d.lift(d.tops[key])
	}
	c.m.def = def
}

// beginning is the vocabulary before the declaration.
func beginning(cfg Config, name string) scim.Definition {
	switch {
	case cfg.further():
		def := scim.Definition{Name: name, Endpoint: cfg.Kind.Endpoint,
			Core: scim.Schema{ID: cfg.Kind.Schema, Name: name, Description: described(cfg.Kind.Description)}}
		if len(cfg.Deactivate) > 0 {
			def.Core.Attributes = append(def.Core.Attributes,
				scim.Attribute{Name: "active", Description: "Whether it is in use.", Type: scim.Boolean}.WithDefaults())
		}
		return def
	case name == "Group":
		return scim.GroupDefinition()
	}
	return scim.UserDefinition()
}

// schemaOf finds the schema that rules below a URN belong to.
func schemaOf(def *scim.Definition, urn string) (*scim.Schema, bool) {
	if urn == "" || strings.EqualFold(urn, def.Core.ID) {
		return &def.Core, true
	}
	for i := range def.Extensions {
		if strings.EqualFold(def.Extensions[i].ID, urn) {
			return &def.Extensions[i], true
		}
	}
	return nil, false
}

// declarer turns lines into attributes.
type declarer struct {
	*compiler
	def    *scim.Definition
	leaves map[string]line   // the first line of each attribute that has a value
	tops   map[string][]line // the lines of each attribute at the beginning of a path
	order  []string          // of tops
}

// line adds what one line declares. What is wrong with its path is found when
// its rule is compiled.
func (d *declarer) line(l line) {
	p, err := scim.ParsePath(l.rule.SCIM)
	if err != nil || l.rule.SCIM == "" {
		return
	}
	if l.urn != "" {
		p.URN = l.urn
	}
	if l.declares && p.Attr != "" && !strings.EqualFold(p.Attr, "active") {
		schema, ok := schemaOf(d.def, p.URN)
		if ok && !d.declare(schema, p, l) {
			d.broken[l.key] = true
			return
		}
	}
	_, canonical, ok := d.def.Lookup(p)
	if !ok || canonical.Attr == "" {
		return
	}
	canonical.Filter = nil
	top, leaf := d.find(canonical)
	if leaf == nil {
		if l.rule.Mutability != "" || l.rule.Returned != "" || len(l.rule.CanonicalValues) > 0 {
			d.fault(l.key, "mutability, returned and canonicalValues of %s are the standard's; remove them", canonical.String())
		}
		return
	}
	root := scim.Path{URN: canonical.URN, Attr: canonical.Attr}.String()
	if leaf != top && canonical.Sub == "" {
		canonical.Sub = "value"
	}
	if first, there := d.leaves[canonical.String()]; !there {
		d.leaves[canonical.String()] = l
		d.characterize(leaf, l)
	} else if problem := differ(first.rule, l.rule); problem != "" {
		d.fault(l.key+"."+problem, "differs from what %s says of the same attribute, which has one %s for all its values; write the same here",
			first.key, problem)
	}
	if d.tops[root] == nil {
		d.order = append(d.order, root)
	}
	d.tops[root] = append(d.tops[root], l)
}

// find returns the attribute at the beginning of a canonical path, and the one
// that has the value, to be changed. Common attributes cannot be: nil.
func (d *declarer) find(p scim.Path) (top, leaf *scim.Attribute) {
	schema, ok := schemaOf(d.def, p.URN)
	if !ok {
		return nil, nil
	}
	top = named(schema.Attributes, p.Attr)
	if top == nil || len(top.SubAttributes) == 0 {
		return top, top
	}
	sub := p.Sub
	if sub == "" {
		sub = "value"
	}
	return top, named(top.SubAttributes, sub)
}

func named(attributes []scim.Attribute, name string) *scim.Attribute {
	i := slices.IndexFunc(attributes, func(a scim.Attribute) bool { return strings.EqualFold(a.Name, name) })
	if i < 0 {
		return nil
	}
	return &attributes[i]
}

// declare adds the attribute of a path to a schema, or the part of one that is
// there. It reports false after a fault.
func (d *declarer) declare(schema *scim.Schema, p scim.Path, l line) bool {
	rc := l.rule
	leaf := scim.Attribute{Name: p.Attr, Type: scim.Type(rc.Type), Required: rc.Required && p.Filter == nil, CaseExact: rc.CaseExact}
	if leaf.Type == scim.Reference || leaf.Type == scim.Binary || l.isPassword() {
		leaf.CaseExact = true // RFC 7643 sections 2.3.6 and 2.3.7
	}
	if leaf.Type == scim.Reference && len(rc.Reference) == 0 {
		leaf.ReferenceTypes = rc.ReferenceTypes
		if len(leaf.ReferenceTypes) == 0 {
			leaf.ReferenceTypes = []string{"uri"}
		}
	}
	constants := map[string]any{}
	if p.Filter != nil && !constantsOf(p.Filter, constants) {
		d.fault(l.key+".scim", "%s", badValuePath)
		return false
	}
	multi := rc.MultiValued || p.Filter != nil
	simple := p.Sub == "" && p.Filter == nil && len(rc.Reference) == 0
	there := named(schema.Attributes, p.Attr)
	if simple {
		if there != nil && len(there.SubAttributes) > 0 {
			d.fault(l.key+".scim", "%s has parts already; name one of them, for example %s.value", p.Attr, p.Attr)
			return false
		}
		if there == nil {
			leaf.MultiValued, leaf.Description = multi, described(rc.Description)
			schema.Attributes = append(schema.Attributes, leaf.WithDefaults())
		}
		return true
	}
	if there != nil && len(there.SubAttributes) == 0 {
		d.fault(l.key+".scim", "%s has a value of its own already, so it can have no parts", p.Attr)
		return false
	}
	if there == nil {
		schema.Attributes = append(schema.Attributes, scim.Attribute{Name: p.Attr, Type: scim.Complex, Description: described(rc.Description)}.WithDefaults())
		there = &schema.Attributes[len(schema.Attributes)-1]
	}
	there.MultiValued = there.MultiValued || multi
	leaf.Name = orValue(p.Sub)
	leaf.Description = described(rc.Description)
	if len(rc.Reference) > 0 {
		leaf.Type, leaf.Description = scim.String, "The id of the resource."
	}
	if named(there.SubAttributes, leaf.Name) == nil {
		there.SubAttributes = append(there.SubAttributes, leaf.WithDefaults())
	}
	d.companions(there, rc, constants)
	return true
}

// companions adds the parts of a complex attribute that follow from its rules.
func (d *declarer) companions(a *scim.Attribute, rc RuleConfig, constants map[string]any) {
	add := func(sub scim.Attribute) *scim.Attribute {
		if there := named(a.SubAttributes, sub.Name); there != nil {
			return there
		}
		a.SubAttributes = append(a.SubAttributes, sub.WithDefaults())
		return &a.SubAttributes[len(a.SubAttributes)-1]
	}
	for name, value := range constants {
		if _, ok := value.(bool); ok {
			add(scim.Attribute{Name: name, Description: "What the value is.", Type: scim.Boolean})
			continue
		}
		sub := add(scim.Attribute{Name: name, Description: "What the value is for."})
		if v := text(value); !slices.Contains(sub.CanonicalValues, v) {
			sub.CanonicalValues = append(sub.CanonicalValues, v)
		}
	}
	if rc.Single == SinglePrimary {
		add(scim.Attribute{Name: "primary", Description: "Whether this is the preferred value; true at most once.", Type: scim.Boolean})
	}
	if len(rc.Reference) == 0 {
		return
	}
	add(scim.Attribute{Name: "$ref", Description: "The URI of the resource.", Type: scim.Reference,
		ReferenceTypes: rc.Reference, CaseExact: true, Mutability: scim.ReadOnly})
	if a.MultiValued || len(rc.Reference) > 1 {
		add(scim.Attribute{Name: "type", Description: "The resource type.", CanonicalValues: rc.Reference, Mutability: scim.ReadOnly})
	}
}

// characterize gives an attribute what its line says of it.
func (d *declarer) characterize(a *scim.Attribute, l line) {
	rc := l.rule
	if l.declares && l.isPassword() {
		a.Mutability, a.Returned = scim.WriteOnly, scim.ReturnedNever
	}
	if rc.Mutability != "" {
		a.Mutability = scim.Mutability(rc.Mutability)
	}
	if a.Mutability == scim.WriteOnly {
		a.Returned = scim.ReturnedNever
	}
	if rc.Returned != "" {
		a.Returned = scim.Returned(rc.Returned)
	}
	if len(rc.CanonicalValues) > 0 {
		a.CanonicalValues, a.Restricted = rc.CanonicalValues, true
	}
	if l.declares && rc.Unique {
		a.Uniqueness = scim.UniqueServer
	}
}

// lift gives a complex attribute as a whole what all the lines of its parts
// agree on.
func (d *declarer) lift(lines []line) {
	p, _ := scim.ParsePath(lines[0].rule.SCIM)
	if lines[0].urn != "" {
		p.URN = lines[0].urn
	}
	_, p, _ = d.def.Lookup(scim.Path{URN: p.URN, Attr: p.Attr})
	top, _ := d.find(p)
	if len(top.SubAttributes) == 0 {
		return
	}
	all := func(is func(RuleConfig) bool) bool {
		return !slices.ContainsFunc(lines, func(l line) bool { return !is(l.rule) })
	}
	for _, m := range []scim.Mutability{scim.ReadOnly, scim.WriteOnly, scim.Immutable} {
		// Of a single value each part can be set once, at its own time.
		apart := m == scim.Immutable && !top.MultiValued
		if !apart && all(func(rc RuleConfig) bool { return rc.Mutability == string(m) }) {
			top.Mutability = m
		}
	}
	for _, r := range []scim.Returned{scim.ReturnedNever, scim.ReturnedAlways, scim.ReturnedRequest} {
		if all(func(rc RuleConfig) bool { return rc.Returned == string(r) }) {
			top.Returned = r
		}
	}
	if top.Mutability == scim.WriteOnly {
		top.Returned = scim.ReturnedNever
	}
	for _, l := range lines {
		if top.MultiValued && top.Mutability != scim.Immutable && l.rule.Mutability == string(scim.Immutable) {
			d.fault(l.key+".mutability", "a part of one of several values cannot be immutable by itself; say it in every line of %s, or in none", top.Name)
		}
	}
	for i := range top.SubAttributes {
		sub := &top.SubAttributes[i]
		if top.Returned == scim.ReturnedRequest && sub.Returned == scim.ReturnedRequest {
			sub.Returned = scim.ReturnedDefault
		}
		if top.MultiValued && top.Mutability == scim.Immutable && sub.Mutability == scim.Immutable {
			sub.Mutability = scim.ReadWrite // else it would be known by its value, as a member is
		}
	}
}

// differ names the first characteristic in which two lines of one attribute
// differ, "" for none.
func differ(a, b RuleConfig) string {
	switch {
	case a.Mutability != b.Mutability:
		return "mutability"
	case a.Returned != b.Returned:
		return "returned"
	case !slices.Equal(a.CanonicalValues, b.CanonicalValues):
		return "canonicalValues"
	case a.Type != b.Type:
		return "type"
	case a.CaseExact != b.CaseExact:
		return "caseExact"
	case a.MultiValued != b.MultiValued:
		return "multiValued"
	}
	return ""
}

func (l line) isPassword() bool { return l.urn == "" && strings.EqualFold(l.rule.SCIM, "password") }

// declarable are the SCIM types that an attribute can be declared with. A
// complex one is declared by its parts.
var declarable = []string{"", string(scim.String), string(scim.Boolean), string(scim.Integer), string(scim.Decimal),
	string(scim.DateTime), string(scim.Binary), string(scim.Reference)}

// characteristics refuses what a line cannot say of its attribute.
func (c *compiler) characteristics(l line) {
	rc := l.rule
	fault := func(key, format string, args ...any) { c.fault(l.key+"."+key, format, args...) }
	oneOf(fault, "mutability", rc.Mutability, "", "readOnly", "readWrite", "immutable", "writeOnly")
	oneOf(fault, "returned", rc.Returned, "", "always", "default", "request", "never")
	members := c.m.def.Name == "Group" && strings.HasPrefix(strings.ToLower(rc.SCIM), "members")
	switch never := rc.Returned == "never" || rc.Mutability == "writeOnly"; {
	case rc.SCIM == "" && (rc.Mutability != "" || rc.Returned != "" || len(rc.CanonicalValues) > 0):
		fault("scim", "is missing: a computed value has no characteristics")
	case members && (rc.Mutability != "" || rc.Returned != ""):
		fault("mutability", "and returned of a group's members are the standard's; remove them")
	case rc.Mutability == "writeOnly" && rc.Returned != "" && rc.Returned != "never":
		fault("returned", "%s contradicts mutability: writeOnly, which is never returned; remove one of them", rc.Returned)
	case rc.Mutability == "readOnly" && rc.Returned == "never":
		fault("returned", "never and mutability: readOnly leave nothing that a client could do; remove one of them")
	case never && (rc.Unique || len(rc.Reference) > 0):
		fault("returned", "what is never returned can neither be unique nor a reference: the first would tell what it is, the second could not be kept")
	case never && rc.Required && !l.isPassword():
		fault("required", "cannot be asked of what is never returned: a later PATCH could not know that it is there; remove it")
	}
	if !l.declares {
		if rc.Type != "" || rc.MultiValued || rc.CaseExact || rc.Description != "" || len(rc.ReferenceTypes) > 0 {
			c.fault(l.key, "type, multiValued, caseExact, description and referenceTypes belong to extensions and further resource types; the schema of %s is fixed", rc.SCIM)
		}
		return
	}
	c.typed(l, fault)
}

// typed holds the characteristics of a declared attribute against its type.
func (c *compiler) typed(l line, fault func(key, format string, args ...any)) {
	rc := l.rule
	t := scim.Type(rc.Type)
	words := t == "" || t == scim.String || t == scim.Reference
	switch {
	case t == scim.Complex:
		fault("type", "complex attributes are declared by their parts, for example %s.number and %s.issued; remove the key and name a part", rc.SCIM, rc.SCIM)
	case !slices.Contains(declarable, rc.Type):
		fault("type", "%q is not known; use %s", rc.Type, strings.Join(declarable[1:], ", "))
	case len(rc.Reference) > 0 && t != "" && t != scim.Reference:
		fault("type", "%s is no id of a resource; remove type, or reference", t)
	case len(rc.ReferenceTypes) > 0 && (t != scim.Reference || len(rc.Reference) > 0):
		fault("referenceTypes", "belongs to type: reference without a reference to a resource type")
	case len(rc.CanonicalValues) > 0 && (!words || len(rc.Reference) > 0):
		fault("canonicalValues", "belongs to text; remove the key")
	case rc.CaseExact && !words:
		fault("caseExact", "belongs to text; remove the key")
	case rc.Unique && (t == scim.Binary || t == scim.Boolean || t == scim.DateTime):
		fault("unique", "cannot be asked of type %s", t)
	case l.isPassword() && (rc.Type != "" || rc.MultiValued || rc.Mutability != "" || rc.Returned != ""):
		fault("scim", "password is a text that is written and never returned; remove type, multiValued, mutability and returned")
	}
	for i, t := range rc.ReferenceTypes {
		if t != "uri" && t != "external" {
			fault(fmt.Sprintf("referenceTypes[%d]", i), "%q is not known; use uri or external, or reference for a resource type", t)
		}
	}
}

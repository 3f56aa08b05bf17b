package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"scimgate/mapping"
)

var (
	typeName     = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]*$`)
	endpointName = regexp.MustCompile(`^[A-Za-z0-9._~-]+$`)
	schemaName   = regexp.MustCompile(`^urn:[A-Za-z0-9][A-Za-z0-9-]*(:[A-Za-z0-9._~-]+)+$`)
)

// taken are what the standard has put below a base path.
var taken = []string{"Users", "Groups", "Me", "Bulk", ".search", "Schemas", "ResourceTypes", "ServiceProviderConfig"}

func resourceTypeKey(tenant, i int) string {
	return fmt.Sprintf("%s.resourceTypes[%d]", tenantKey(tenant), i)
}

// kinds tells every mapping of a tenant what type it is of, and what others
// there are.
func (c *Config) kinds() {
	for i := range c.Tenants {
		t := &c.Tenants[i]
		var peers []string
		for _, rt := range t.ResourceTypes {
			known := append([]string{"User", "Group"}, peers...)
			if typeName.MatchString(rt.Name) && !slices.ContainsFunc(known, func(n string) bool { return strings.EqualFold(n, rt.Name) }) {
				peers = append(peers, rt.Name)
			}
		}
		for _, m := range []*mapping.Config{t.Users, t.Groups} {
			if m != nil {
				m.Peers, m.Provenance = peers, t.Provenance
			}
		}
		for j := range t.ResourceTypes {
			rt := &t.ResourceTypes[j]
			rt.Peers, rt.Provenance = peers, t.Provenance
			rt.Kind = mapping.Kind{Endpoint: rt.Endpoint, Schema: rt.Schema, Description: rt.Description}
			if rt.Schema == "" { // a fault already; what follows from it is none
				rt.Kind.Schema = "urn:missing"
			}
		}
	}
}

// resourceTypes records the faults of what further types call themselves.
func (t Tenant) resourceTypes(s *Source, key string) {
	names, endpoints := map[string]string{"user": "users", "group": "groups"}, map[string]string{}
	schemas := map[string]string{}
	once := func(seen map[string]string, key, value, what string) {
		folded := strings.ToLower(value)
		if first, twice := seen[folded]; twice {
			s.fault(key, "%q is the %s of %s too; every resource type needs its own", value, what, first)
			return
		}
		seen[folded] = parent(key)
	}
	for i, rt := range t.ResourceTypes {
		key := fmt.Sprintf("%s.resourceTypes[%d]", key, i)
		switch {
		case rt.Name == "":
			s.fault(key+".name", "is missing; give for example Device")
		case !typeName.MatchString(rt.Name):
			s.fault(key+".name", "%q is no name; begin with a letter, and use letters, digits, - and _", rt.Name)
		default:
			once(names, key+".name", rt.Name, "name")
		}
		switch {
		case rt.Endpoint == "":
			s.fault(key+".endpoint", "is missing; give for example Devices")
		case slices.ContainsFunc(taken, func(name string) bool { return strings.EqualFold(name, rt.Endpoint) }):
			s.fault(key+".endpoint", "%s has a meaning in SCIM already; choose another", rt.Endpoint)
		case !endpointName.MatchString(rt.Endpoint) || strings.Trim(rt.Endpoint, ".") == "":
			s.fault(key+".endpoint", "%q is no name of a path; write for example Devices", rt.Endpoint)
		default:
			once(endpoints, key+".endpoint", rt.Endpoint, "endpoint")
		}
		switch {
		case rt.Schema == "":
			s.fault(key+".schema", "is missing; give a URN of your own, for example urn:example:params:scim:schemas:core:2.0:Device")
		case mapping.StandardURN(rt.Schema):
			s.fault(key+".schema", "has a meaning in SCIM already; give a URN of your own")
		case !schemaName.MatchString(rt.Schema):
			s.fault(key+".schema", "%q is no URN; write for example urn:example:params:scim:schemas:core:2.0:Device", rt.Schema)
		default:
			once(schemas, key+".schema", rt.Schema, "schema")
		}
	}
}

// declaration is one resource type of a tenant and where it stands.
type declaration struct {
	key, name string
	config    *mapping.Config
}

// tree is a name below which entries of a type are, and its key.
type tree struct{ key, what, name string }

// trees are the base and where deactivation moves to.
func (d declaration) trees() []tree {
	all := []tree{{d.key + ".base", "the base", d.config.Base}}
	for i, step := range d.config.Deactivate {
		if step.Move != nil {
			all = append(all, tree{fmt.Sprintf("%s.deactivate[%d].move.to", d.key, i), "the place of the inactive", step.Move.To})
		}
	}
	return all
}

// nests records the faults of names of two types that lie in each other.
func (d declaration) nests(s *Source, before declaration) {
	for _, mine := range d.trees() {
		for _, other := range before.trees() {
			if nested(other.name, mine.name) {
				s.fault(mine.key, "%q and %s of %s, %q, lie in each other, and entries of the two could not be told apart; give each a base of its own",
					mine.name, other.what, before.name, other.name)
				break
			}
		}
	}
}

// leaves records the faults of steps that need groups, and the warnings of steps
// that do what nobody may expect.
func (t Tenant) leaves(s *Source, all []declaration) {
	for _, d := range all {
		for i, step := range d.config.Deactivate {
			if step.Leave != nil && t.Groups == nil {
				s.fault(fmt.Sprintf("%s.deactivate[%d].leave", d.key, i), "has no groups to leave: the tenant declares none; remove the step, or declare groups")
			}
		}
		for _, w := range d.config.Warnings() {
			s.warn(d.key+"."+w.Key, w.Problem)
		}
	}
}

// apart records the faults of what the types of a tenant do to each other.
func (t Tenant) apart(s *Source, key string) {
	all := t.declarations(key)
	t.leaves(s, all)
	for i, d := range all {
		for _, before := range all[:i] {
			d.nests(s, before)
			for _, f := range mapping.Disagreements(*before.config, *d.config) {
				f.Problem = fmt.Sprintf(f.Problem, before.name)
				s.Fault(d.key, f)
			}
		}
	}
}

package config

import (
	"fmt"
	"slices"
	"strings"

	"scimgate/internal/directory"
	"scimgate/mapping"
)

// Protocol is what a tenant offers of SCIM. Where it says nothing, all of it is
// offered; every key takes something away.
type Protocol struct {
	// Off are endpoints (Me, Bulk, .search) and methods of endpoints (PUT Groups).
	Off []string `yaml:"off,orscalar"`
	// Filters are the only filters that lists take.
	Filters ProtocolFilters `yaml:"filters"`
	// Members bounds requests about members of groups.
	Members ProtocolMembers `yaml:"members"`
	// Patch narrows patches.
	Patch ProtocolPatch `yaml:"patch"`
}

// ProtocolFilters lists what a filter may compare, with eq: one attribute, or
// several with the word and between them. None is every filter.
type ProtocolFilters struct {
	Users  []string `yaml:"users,orscalar"`
	Groups []string `yaml:"groups,orscalar"`
}

// ProtocolMembers bounds requests about members of groups.
type ProtocolMembers struct {
	// PerRequest is how many members one request may name; 0 is any number.
	PerRequest int `yaml:"perRequest"`
	// RefuseAll refuses patches that replace all members or remove all of them.
	RefuseAll bool `yaml:"refuseAll"`
	// Shown is always (the default), single (not in lists) or never.
	Shown string `yaml:"shown"`
}

// ProtocolPatch narrows patches of users and of groups.
type ProtocolPatch struct {
	Users  PatchRules `yaml:"users"`
	Groups PatchRules `yaml:"groups"`
}

// PatchRules narrow the patches of one type.
type PatchRules struct {
	// Attributes are the only ones that a patch may change; none is any.
	Attributes []string `yaml:"attributes,orscalar"`
	// Once are attributes that may not be removed, nor be in two operations.
	Once []string `yaml:"once,orscalar"`
	// PathFilters is any (the default) or eq.
	PathFilters string `yaml:"pathFilters"`
}

// The values of ProtocolMembers.Shown and PatchRules.PathFilters.
const (
	MembersShownAlways = "always"
	MembersShownSingle = "single"
	MembersShownNever  = "never"

	PathFiltersAny = "any"
	PathFiltersEq  = "eq"
)

// Sets takes the lines of a filter list apart: id and members are two attributes
// of one filter.
func Sets(lines []string) [][]string {
	sets := make([][]string, len(lines))
	for i, line := range lines {
		for name := range strings.SplitSeq(" "+line+" ", " and ") {
			sets[i] = append(sets[i], strings.TrimSpace(name))
		}
	}
	return sets
}

// offEndpoints are the endpoints that a tenant can be without. Without those of
// resources, or of what there is, nothing would be left.
var offEndpoints = []string{"Me", "Bulk", ".search"}

// offMethods are the methods that can be taken from an endpoint of resources.
var offMethods = []string{"POST", "PUT", "PATCH", "DELETE"}

// protocol records the faults of what a tenant offers that show without its
// mappings.
func (t Tenant) protocol(s *Source, key string) {
	p := t.Protocol
	endpoints := []string{"Users", "Groups"}
	for _, rt := range t.ResourceTypes {
		endpoints = append(endpoints, rt.Endpoint)
	}
	for i, off := range p.Off {
		at := fmt.Sprintf("%s.off[%d]", key, i)
		if !s.Has(at) { // of a profile, or the only one
			at = key + ".off"
		}
		method, endpoint, one := strings.Cut(off, " ")
		switch {
		case off == "Me" && t.Me != nil && s.Has(parent(key)+".me"):
			s.fault(at, "Me cannot be off where the key me offers it; remove that key, or write off without Me")
		case slices.Contains(offEndpoints, off):
		case !one || !slices.Contains(offMethods, method):
			s.fault(at, "%q is not known; use Me, Bulk, .search, or a method and an endpoint, such as PUT Groups (POST, PUT, PATCH and DELETE can be off)", off)
		case !slices.Contains(endpoints, endpoint):
			s.fault(at, "%s is no endpoint of this tenant; those are: %s", endpoint, strings.Join(endpoints, ", "))
		}
	}
	if p.Members.PerRequest < 0 {
		s.fault(key+".members.perRequest", "%d is below zero; 0 is any number", p.Members.PerRequest)
	}
	choice(s, key+".members.shown", p.Members.Shown, MembersShownAlways, MembersShownSingle, MembersShownNever)
	choice(s, key+".patch.users.pathFilters", p.Patch.Users.PathFilters, PathFiltersAny, PathFiltersEq)
	choice(s, key+".patch.groups.pathFilters", p.Patch.Groups.PathFilters, PathFiltersAny, PathFiltersEq)
}

// choice records a fault about a value that is not among the known ones; "" is
// what holds where nothing is said.
func choice(s *Source, key, value string, known ...string) {
	if value != "" && !slices.Contains(known, value) {
		s.fault(key, "%q is not known; use %s or %s", value, strings.Join(known[:len(known)-1], ", "), known[len(known)-1])
	}
}

// protocolNames asks a mapping without faults whether it has the attributes that
// the protocol speaks of.
func protocolNames(s *Source, key, kind string, declared mapping.Config, name string, filters []string, patch PatchRules) {
	m, faults := mapping.Compile(declared, name, "")
	if len(faults) > 0 {
		return
	}
	look := func(at string, i int, name string) {
		if problem := m.Unaddressed(name); problem != "" {
			if place := fmt.Sprintf("%s[%d]", at, i); s.Has(key + "." + place) {
				at = place
			}
			s.Fault(key, directory.Fault{Key: at, Problem: problem})
		}
	}
	for i, set := range Sets(filters) {
		for _, name := range set {
			look("filters."+kind, i, name)
		}
	}
	for i, name := range patch.Attributes {
		look("patch."+kind+".attributes", i, name)
	}
	for i, name := range patch.Once {
		look("patch."+kind+".once", i, name)
	}
}

package gateway

import (
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"scimgate/internal/scim"
)

// Policy is what a tenant offers of the protocol. The zero value offers all of it.
// It narrows what requests can ask for and what answers show; it never widens
// either, and says nothing of values, which are the mapping's.
type Policy struct {
	// Off are endpoints (Me, Bulk, .search) and methods of the endpoints of resources
	// (PUT Groups) that there are not.
	Off []string
	// Filters are, by endpoint, the only attributes that a filter may compare, each
	// set of them in one filter; eq, joined by and, is the only operator then. An
	// endpoint without a line takes every filter.
	Filters map[string][][]string
	// Members is what holds for the members of groups.
	Members MemberPolicy
	// Patch narrows the patches of an endpoint's resources.
	Patch map[string]PatchPolicy
}

// MemberPolicy bounds requests about members of groups, and says where they show.
type MemberPolicy struct {
	// PerRequest is how many members one create or replace may list, and one patch
	// name; 0 is any number.
	PerRequest int
	// RefuseAll refuses patches that replace the members, or remove all of them.
	RefuseAll bool
	// Shown says which answers have members.
	Shown MembersShown
}

// MembersShown says which answers have the members of groups.
type MembersShown int

// The answers that have members.
const (
	MembersAlways MembersShown = iota
	MembersSingle              // those about one group; lists have none
	MembersNever               // none: the list of members is empty everywhere
)

// PatchPolicy narrows patches of one type.
type PatchPolicy struct {
	// Attributes are the only ones that may be changed; none is any.
	Attributes []string
	// Once are attributes that may not be removed, nor be in more than one operation.
	Once []string
	// OnlyEq lets the filters in paths compare by eq alone.
	OnlyEq bool
}

// The endpoints beside those of resources that a tenant can be without.
const (
	offMe     = "Me"
	offBulk   = "Bulk"
	offSearch = ".search"
)

// offers reports whether a tenant has an endpoint or a method of one.
func (p Policy) offers(what string) bool {
	return !slices.ContainsFunc(p.Off, func(off string) bool { return strings.EqualFold(off, what) })
}

// offered answers 501 where the tenant does not have the endpoint (RFC 7644
// section 3.12), like one that nobody built.
func (t *tenant) offered(endpoint string, next echo.HandlerFunc) echo.HandlerFunc {
	if t.policy.offers(endpoint) {
		return next
	}
	return notImplemented
}

// takes reports whether the endpoint has a method. One that it has not has no
// route, so the answer is 405 with what is possible (RFC 9110 section 15.5.6).
func (t *resourceType) takes(method string) bool {
	return t.tenant.policy.offers(method + " " + t.mapping.Definition().Endpoint)
}

// possible refuses a method that the endpoint does not have to those that come to
// it by another way than its route: by Bulk and by Me.
func (q *request) possible(method string) error {
	if q.typ.takes(method) {
		return nil
	}
	return &scim.Error{Status: http.StatusMethodNotAllowed, Detail: method + " of " + q.typ.mapping.Definition().Endpoint + " is not offered to this tenant"}
}

// bulkOffered is what ServiceProviderConfig says of Bulk (RFC 7643 section 5).
func (t *tenant) bulkOffered(limits Limits) map[string]any {
	if !t.policy.offers(offBulk) {
		return map[string]any{"supported": false, "maxOperations": 0, "maxPayloadSize": 0}
	}
	return map[string]any{"supported": true, "maxOperations": limits.BulkOperations, "maxPayloadSize": limits.BodyBytes}
}

// patches reports whether any resource of the tenant can be patched.
func (t *tenant) patches() bool {
	return slices.ContainsFunc(t.types, func(rt *resourceType) bool { return rt.takes(http.MethodPatch) })
}

// hide takes the members of groups out of a view where the tenant does not show
// them; then they are not even read.
func (p Policy) hide(v view, list bool) view {
	v.emptied = p.Members.Shown == MembersNever
	v.hides = v.emptied || p.Members.Shown == MembersSingle && list
	return v
}

// excludes returns what the view leaves out of the resources of a type.
func (v view) excludes(t *resourceType) []scim.Path {
	if !v.hides || t.mapping.Members() == "" {
		return v.excluded
	}
	return append(slices.Clone(v.excluded), scim.Path{Attr: "members"})
}

// announces is a schema as the tenant keeps to it: members that are shown to nobody
// are never returned.
func (p Policy) announces(s scim.Schema) scim.Schema {
	s.Attributes = slices.Clone(s.Attributes)
	for i, a := range s.Attributes {
		if p.Members.Shown == MembersNever && s.ID == scim.GroupURN && a.Name == "members" {
			s.Attributes[i].Returned = scim.ReturnedNever
		}
	}
	return s
}

// project returns the part of the resources of a type that the view shows. Where
// the tenant shows no members, groups have the list of nobody in their place.
func (v view) project(t *resourceType) func(scim.Resource) scim.Resource {
	def, members := t.mapping.Definition(), scim.Path{Attr: "members"}
	shown := scim.NewView(def, v.attributes, v.excludes(t))
	if !v.emptied || t.mapping.Members() == "" || !scim.NewView(def, v.attributes, v.excluded).Shows(members) {
		return shown.Project
	}
	return func(res scim.Resource) scim.Resource {
		made := shown.Project(res)
		made[members.Attr] = []any{}
		return made
	}
}

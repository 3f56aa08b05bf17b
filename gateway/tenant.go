package gateway

import (
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"scimgate/internal/brake"
	"scimgate/internal/directory"
	"scimgate/mapping"
)

// tenant is a Tenant ready for requests.
type tenant struct {
	name         string
	basePaths    []string
	tokens       Authenticator
	issuer       string // see Tenant
	certificates Certificates
	types        []*resourceType
	me           *Me
	toggle       Switch
	limits       Limits
	policy       Policy
	keep         keep
	brake        *brake.Brake
	bodies       echo.MiddlewareFunc // reads no more of one than the limit
	writers      *directory.Locks    // by id: one read-modify-write on an entry at a time
	edition      uint64              // of its mappings: what was remembered under others is of no use
}

// resourceType is one endpoint of a tenant.
type resourceType struct {
	tenant  *tenant
	mapping *mapping.Mapping
	store   directory.Store
	bases   []string   // the ends of the folded names of its entries
	filters [][]string // the attributes of the filters that are taken; none for every filter
	patches patchPolicy
}

func newTenant(t Tenant, known *Memory) *tenant {
	made := &tenant{
		name: t.Name, basePaths: t.BasePaths, tokens: t.Tokens, issuer: t.Issuer, certificates: t.Certificates,
		me: t.Me, toggle: t.Switch, limits: t.Limits, policy: t.Policy, brake: t.Brake,
	}
	made.writers, made.edition = known.of(t)
	for _, typ := range t.Types {
		rt := &resourceType{tenant: made, mapping: typ.Mapping, store: typ.Store}
		for _, tree := range typ.Mapping.Collection().Trees() {
			rt.bases = append(rt.bases, ","+directory.FoldDN(tree))
		}
		endpoint := typ.Mapping.Definition().Endpoint
		rt.filters, rt.patches = rt.filterSets(t.Policy.Filters[endpoint]), rt.patchPolicy(t.Policy.Patch[endpoint])
		made.types = append(made.types, rt)
	}
	if groups := made.byName("Group"); groups != nil {
		for _, rt := range made.types {
			rt.mapping = rt.mapping.WithGroups(groups.mapping)
		}
	}
	made.keep = newKeep(t.Keep, made.types)
	return made
}

func (t *resourceType) name() string { return t.mapping.Definition().Name }

// holds reports whether a folded name lies where entries of the type are.
func (t *resourceType) holds(name string) bool {
	return slices.ContainsFunc(t.bases, func(base string) bool { return strings.HasSuffix(name, base) })
}

// reaches reports whether a write to an entry may write to others that it does
// not name: who is moved takes references along, who is inactive leaves groups,
// and groups wait for them.
func (t *resourceType) reaches() bool {
	return t.mapping.Moves() || t.mapping.Leaves() || t.mapping.Members() != "" && t.tenant.leaves()
}

// byName returns the tenant's type with the name, nil where it has none.
func (t *tenant) byName(name string) *resourceType {
	for _, rt := range t.types {
		if rt.name() == name {
			return rt
		}
	}
	return nil
}

// endpoints are where the tenant's resources are.
func (t *tenant) endpoints() []string {
	names := make([]string, len(t.types))
	for i, rt := range t.types {
		names[i] = rt.mapping.Definition().Endpoint
	}
	return names
}

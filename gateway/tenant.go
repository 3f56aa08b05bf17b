package gateway

import (
	"slices"
	"strings"

	"scimgate/internal/brake"
	"scimgate/internal/directory"
	"scimgate/mapping"
)

// tenant is a Tenant ready for requests.
type tenant struct {
	name      string
	basePaths []string
	tokens    Authenticator
	types     []*resourceType
	me        *Me
	brake     *brake.Brake
	writers   *directory.Locks // by id: one read-modify-write on an entry at a time
}

// resourceType is one endpoint of a tenant.
type resourceType struct {
	tenant  *tenant
	mapping *mapping.Mapping
	store   directory.Store
	bases   []string // the ends of the folded names of its entries
}

func newTenant(t Tenant) *tenant {
	made := &tenant{name: t.Name, basePaths: t.BasePaths, tokens: t.Tokens, me: t.Me, brake: t.Brake, writers: directory.NewLocks()}
	for _, typ := range t.Types {
		rt := &resourceType{tenant: made, mapping: typ.Mapping, store: typ.Store}
		for _, tree := range typ.Mapping.Collection().Trees() {
			rt.bases = append(rt.bases, ","+directory.FoldDN(tree))
		}
		made.types = append(made.types, rt)
	}
	if groups := made.byName("Group"); groups != nil {
		for _, rt := range made.types {
			rt.mapping = rt.mapping.WithGroups(groups.mapping)
		}
	}
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

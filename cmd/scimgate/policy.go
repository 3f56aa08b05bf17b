package main

import (
	"scimgate/gateway"
	"scimgate/internal/config"
)

// policyOf is what a tenant offers of the protocol, in the words of the package
// that speaks it.
func policyOf(p config.Protocol) gateway.Policy {
	shown := map[string]gateway.MembersShown{
		"": gateway.MembersAlways, config.MembersShownAlways: gateway.MembersAlways,
		config.MembersShownSingle: gateway.MembersSingle, config.MembersShownNever: gateway.MembersNever,
	}
	patch := func(r config.PatchRules) gateway.PatchPolicy {
		return gateway.PatchPolicy{Attributes: r.Attributes, Once: r.Once, OnlyEq: r.PathFilters == config.PathFiltersEq}
	}
	return gateway.Policy{
		Off:     p.Off,
		Filters: map[string][][]string{"Users": config.Sets(p.Filters.Users), "Groups": config.Sets(p.Filters.Groups)},
		Members: gateway.MemberPolicy{PerRequest: p.Members.PerRequest, RefuseAll: p.Members.RefuseAll, Shown: shown[p.Members.Shown]},
		Patch:   map[string]gateway.PatchPolicy{"Users": patch(p.Patch.Users), "Groups": patch(p.Patch.Groups)},
	}
}

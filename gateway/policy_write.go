package gateway

import (
	"fmt"
	"slices"
	"strings"

	"scimgate/internal/scim"
)

// roomy refuses a group that lists more members than one request may.
func (t *resourceType) roomy(res scim.Resource) error {
	members, _ := res["members"].([]any)
	if t.mapping.Members() == "" {
		return nil
	}
	return t.tenant.policy.Members.hold(len(members))
}

func (p MemberPolicy) hold(named int) error {
	if p.PerRequest == 0 || named <= p.PerRequest {
		return nil
	}
	return scim.BadRequest(scim.TypeInvalidValue, "members: the request names %d members, and one request may name at most %d; nothing was changed: send them in several requests",
		named, p.PerRequest)
}

// patchPolicy is a PatchPolicy whose attributes have been looked up.
type patchPolicy struct {
	attributes, once []scim.Path
	onlyEq           bool
}

func (t *resourceType) patchPolicy(declared PatchPolicy) patchPolicy {
	lookUp := func(names []string) []scim.Path {
		var paths []scim.Path
		for _, name := range names {
			p, err := scim.ParsePath(name)
			if err != nil {
				continue // the configuration has refused it
			}
			if _, canonical, ok := t.mapping.Definition().Lookup(p); ok {
				paths = append(paths, canonical)
			}
		}
		return paths
	}
	return patchPolicy{attributes: lookUp(declared.Attributes), once: lookUp(declared.Once), onlyEq: declared.OnlyEq}
}

// patchable refuses a patch, as a whole, of which the tenant does not offer a part.
func (t *resourceType) patchable(p scim.Patch) error {
	touches := scim.Touches(t.mapping.Definition(), p)
	if t.mapping.Members() != "" {
		named, all := scim.MembersNamed(touches)
		if all && t.tenant.policy.Members.RefuseAll {
			return scim.BadRequest(scim.TypeInvalidValue,
				"members: this tenant takes no patch that replaces all members or removes all of them; nothing was changed: add and remove them by their ids, such as members[value eq \"…\"]")
		}
		if err := t.tenant.policy.Members.hold(named); err != nil {
			return err
		}
	}
	return t.patches.hold(touches)
}

func (p patchPolicy) hold(touches []scim.Touch) error {
	operations := make([][]int, len(p.once)) // by attribute, those that it is in
	for _, t := range touches {
		if t.Ignored {
			continue
		}
		refuse := func(scimType, format string, args ...any) error {
			return scim.BadRequest(scimType, "operation %d (%s %s): %s; nothing was changed", t.Operation, t.Op, briefly(t.Path.String()), fmt.Sprintf(format, args...))
		}
		if len(p.attributes) > 0 && !slices.ContainsFunc(p.attributes, func(a scim.Path) bool { return t.Known && pathWithin(t.Path, a) }) {
			return refuse(scim.TypeInvalidPath, "a patch can change %s here, and nothing else", pathNames(p.attributes))
		}
		if p.onlyEq && t.Path.Filter != nil && !onlyEq(t.Path.Filter) {
			return refuse(scim.TypeInvalidFilter, "a filter in a path can compare by eq alone here, such as [value eq \"…\"]")
		}
		for i, a := range p.once {
			if !pathWithin(t.Path, a) {
				continue
			}
			if t.Empties() {
				return refuse(scim.TypeMutability, "%s cannot be removed; replace it by another value", a)
			}
			if !slices.Contains(operations[i], t.Operation) {
				operations[i] = append(operations[i], t.Operation)
			}
			if len(operations[i]) > 1 {
				return refuse(scim.TypeInvalidValue, "%s is in operation %d already; send its new value once", a, operations[i][0])
			}
		}
	}
	return nil
}

// pathWithin reports whether a path is an attribute, or in it.
func pathWithin(p, attribute scim.Path) bool {
	return p.URN == attribute.URN && (attribute.Attr == "" || p.Attr == attribute.Attr && (attribute.Sub == "" || p.Sub == attribute.Sub))
}

// onlyEq reports whether a filter compares by eq and nothing else.
func onlyEq(f scim.Filter) bool {
	all := func(filters []scim.Filter) bool {
		return !slices.ContainsFunc(filters, func(f scim.Filter) bool { return !onlyEq(f) })
	}
	switch f := f.(type) {
	case scim.And:
		return all(f.Filters)
	case scim.Or:
		return all(f.Filters)
	case scim.Compare:
		return f.Op == scim.Eq
	}
	return false
}

func pathNames(paths []scim.Path) string {
	names := make([]string, len(paths))
	for i, p := range paths {
		names[i] = p.String()
	}
	return strings.Join(names, ", ")
}

// briefly shortens a path that a client sent.
func briefly(s string) string {
	const most = 100
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}

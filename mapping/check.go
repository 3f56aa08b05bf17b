package mapping

import (
	"fmt"
	"slices"
	"strings"

	"scimgate/internal/scim"
)

// breach is one way in which a resource breaks a rule.
type breach struct {
	// about tells the breaches of one rule apart: the attribute, or the value where
	// another one would be another breach.
	about string
	// extent is how much of it there is; more is worse.
	extent int
	detail string
}

// check looks at a whole resource for what breaks one rule.
type check func(scim.Resource) []breach

// hold checks a resource. What was broken before in the same way and to the same
// extent is let be: a person who came with it, by adoption or before there was
// the rule, could otherwise not even be deactivated. was is nil for a new one.
func (m *Mapping) hold(was, res scim.Resource) error {
	for _, c := range m.checks {
		for _, b := range c(res) {
			before := func(o breach) bool { return o.about == b.about && o.extent >= b.extent }
			if was == nil || !slices.ContainsFunc(c(was), before) {
				return scim.BadRequest(scim.TypeInvalidValue, "%s", b.detail)
			}
		}
	}
	return nil
}

// together compiles the groups of attributes that come all or none.
func (c *compiler) together() {
	for i, group := range c.m.config.Rules.Together {
		if parts, ok := c.partsOf(group); ok {
			c.m.checks = append(c.m.checks, whole(parts))
			continue
		}
		var members []*rule
		for j, name := range group {
			r := c.find(name)
			if r == nil {
				c.fault(fmt.Sprintf("rules.together[%d][%d]", i, j), "no rule maps %q", name)
				continue
			}
			members = append(members, r)
		}
		c.m.checks = append(c.m.checks, allOrNone(members))
	}
}

// partsOf reports whether the paths are parts of one attribute with several
// values, so that they belong together in each of them, mapped or not.
func (c *compiler) partsOf(group []string) ([]scim.Path, bool) {
	parts := make([]scim.Path, len(group))
	for i, name := range group {
		p, top, ok := c.lookUp(name)
		if !ok || !top.MultiValued || p.Filter != nil || p.Sub == "" || p.URN != parts[0].URN && i > 0 || p.Attr != parts[0].Attr && i > 0 {
			return nil, false
		}
		parts[i] = p
	}
	return parts, len(parts) > 0
}

// lookUp finds a path as the declaration writes it, and the attribute that it
// begins with.
func (c *compiler) lookUp(name string) (scim.Path, scim.Attribute, bool) {
	p, err := scim.ParsePath(name)
	if err != nil {
		return p, scim.Attribute{}, false
	}
	_, p, ok := c.m.def.Lookup(p)
	if !ok || p.Attr == "" {
		return p, scim.Attribute{}, false
	}
	top, _, _ := c.m.def.Lookup(scim.Path{URN: p.URN, Attr: p.Attr})
	return p, top, true
}

// find returns the rule for a path as the declaration writes it.
func (c *compiler) find(name string) *rule {
	canonical, _, ok := c.lookUp(name)
	if !ok {
		return nil
	}
	for i := range c.m.rules {
		if c.m.rules[i].path.String() == canonical.String() {
			return &c.m.rules[i]
		}
	}
	return nil
}

func allOrNone(members []*rule) check {
	return func(res scim.Resource) []breach {
		var present, absent []string
		for _, r := range members {
			if len(r.find(res)) > 0 {
				present = append(present, r.label())
			} else {
				absent = append(absent, r.label())
			}
		}
		if len(present) == 0 || len(absent) == 0 {
			return nil
		}
		return []breach{{extent: len(absent), detail: incomplete(present, absent)}}
	}
}

// whole is allOrNone for the parts of each value of an attribute.
func whole(parts []scim.Path) check {
	return func(res scim.Resource) []breach {
		var all breach
		for _, element := range elementsAt(res, parts[0]) {
			var present, absent []string
			for _, p := range parts {
				if blank(element[p.Sub]) {
					absent = append(absent, p.String())
				} else {
					present = append(present, p.String())
				}
			}
			if len(present) > 0 && len(absent) > 0 {
				all.extent += len(absent)
				all.detail = incomplete(present, absent)
			}
		}
		if all.extent == 0 {
			return nil
		}
		return []breach{all}
	}
}

func incomplete(present, absent []string) string {
	return fmt.Sprintf("%s came without %s; send all of them or none", strings.Join(present, ", "), strings.Join(absent, ", "))
}

package mapping

import (
	"fmt"
	"strings"

	"scimgate/internal/scim"
)

// check looks at a whole resource. Its errors are *scim.Error.
type check func(scim.Resource) error

// together compiles the groups of attributes that come all or none.
func (c *compiler) together() {
	for i, group := range c.m.config.Rules.Together {
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

// find returns the rule for a path as the declaration writes it.
func (c *compiler) find(name string) *rule {
	p, err := scim.ParsePath(name)
	if err != nil {
		return nil
	}
	_, canonical, ok := c.m.def.Lookup(p)
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
	return func(res scim.Resource) error {
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
		return scim.BadRequest(scim.TypeInvalidValue, "%s came without %s; send all of them or none",
			strings.Join(present, ", "), strings.Join(absent, ", "))
	}
}

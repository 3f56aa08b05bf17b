package check

import (
	"context"
	"fmt"

	"scimgate/internal/config"
	"scimgate/ldapsink"
)

// IdleLocks returns the keys of the deactivation steps of a tenant's users after
// which people could still sign in, and the attributes that they set. A policy
// may be out of the gateway's sight.
func IdleLocks(ctx context.Context, sink *ldapsink.Sink, t config.Tenant) (keys, attributes []string) {
	for i, step := range t.Users.Deactivate {
		if step.Set == nil {
			continue
		}
		if idle, err := sink.Idle(ctx, step.Set.LDAP, t.Users.Base); err == nil && idle {
			keys = append(keys, fmt.Sprintf("deactivate[%d].set.ldap", i))
			attributes = append(attributes, step.Set.LDAP)
		}
	}
	return keys, attributes
}

// locks warns of deactivation that stops nobody.
func (c *checker) locks(ctx context.Context, sink *ldapsink.Sink, t Tenant) {
	keys, attributes := IdleLocks(ctx, sink, t.Config)
	for i, key := range keys {
		c.warn(t.Types[0].Key+"."+key, "no password policy with pwdLockout TRUE can be seen, without which %s stops nobody from signing in; "+
			"load the overlay ppolicy with such a policy, or let the account read it", attributes[i])
	}
}

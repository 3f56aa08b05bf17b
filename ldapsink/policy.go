package ldapsink

import (
	"context"
	"strings"

	"scimgate/internal/directory"
)

// lockoutAttribute stops a bind only where a password policy says that it does
// (draft-behera-ldap-password-policy, section 5.2.9).
const lockoutAttribute = "pwdAccountLockedTime"

// Idle reports whether a value in the attribute would stop nobody, as far as
// can be seen: it is a lock of the password policy, and no policy in the tree of
// the base has lockout in force.
func (s *Sink) Idle(ctx context.Context, attribute, base string) (bool, error) {
	if !strings.EqualFold(attribute, lockoutAttribute) {
		return false, nil
	}
	st := &store{s, directory.Collection{Base: base}}
	top, err := st.top(ctx)
	if err != nil {
		return false, wrap("search", err)
	}
	found, err := s.search(ctx, top, "(&(objectClass=pwdPolicy)(pwdLockout=TRUE))", []string{"1.1"})
	return len(found) == 0, wrap("search", err)
}

package ldapsink

import (
	"context"
	"slices"
	"strings"

	"github.com/go-ldap/ldap/v3"
	"go.uber.org/zap"

	"scimgate/internal/directory"
)

// own is who the gateway is in the directory, and who its administrators by
// name are.
type own struct {
	ids   []string // as the directory has them; none where the account has no entry
	names []string
	roots []string
}

// add takes entries for the gateway's own.
func (o *own) add(f flavor, found []*ldap.Entry) {
	for _, raw := range found {
		o.ids, o.names = append(o.ids, f.idOf(raw)), append(o.names, directory.FoldDN(raw.DN))
	}
}

func (o *own) is(e directory.Entry) string {
	switch {
	case slices.ContainsFunc(o.ids, func(id string) bool { return strings.EqualFold(id, e.ID) }), slices.Contains(o.names, directory.FoldDN(e.DN)):
		return whySelf
	case len(o.roots) > 0 && slices.Contains(o.roots, directory.FoldDN(e.DN)):
		return whyRoot
	}
	return ""
}

// own finds that out, once.
func (st *store) own(ctx context.Context) (*own, error) {
	if known := st.self.Load(); known != nil {
		return known, nil
	}
	made := &own{}
	name := st.pool.cfg.Bind.DN
	if err := st.signedIn(ctx, made); err != nil {
		return nil, err
	}
	if len(made.ids) > 0 {
		// The directory itself has said who it is.
	} else if _, err := ldap.ParseDN(name); err == nil && strings.Contains(name, "=") {
		made.names = []string{directory.FoldDN(name)}
		raw, err := st.base(ctx, name, []string{st.flavor.id})
		if err != nil && !ldap.IsErrorAnyOf(err, ldap.LDAPResultInsufficientAccessRights, ldap.LDAPResultReferral) {
			return nil, err
		}
		if raw != nil {
			made.ids, made.names = []string{st.flavor.idOf(raw)}, []string{directory.FoldDN(raw.DN)}
		}
	} else if err := st.loggedIn(ctx, name, made); err != nil {
		return nil, err
	}
	if at := st.flavor.protects.roots; at[0] != "" {
		found, err := st.search(ctx, at[0], "("+at[1]+"=*)", []string{at[1]})
		if directory.Is(wrap("search", err), directory.Unavailable) {
			return nil, err
		}
		for _, raw := range found { // whoever may not look there learns of none
			for _, dn := range values(raw, at[1]) {
				made.roots = append(made.roots, directory.FoldDN(dn))
			}
		}
	}
	st.self.Store(made)
	return made, nil
}

// signedIn asks the directory whom it takes the gateway for. Of the security
// identifiers of a session the account's own is the one that is no group's. There
// are more ways to write a bind name than loggedIn knows.
func (st *store) signedIn(ctx context.Context, made *own) error {
	p := st.flavor.protects
	if p.token == "" {
		return nil
	}
	root, err := st.base(ctx, "", []string{p.token})
	if err != nil || root == nil {
		return err
	}
	top, err := st.top(ctx)
	if err != nil {
		return err
	}
	for part := range slices.Chunk(root.GetEqualFoldRawAttributeValues(p.token), alternatives) {
		var any strings.Builder
		for _, sid := range part {
			any.WriteString("(" + p.sid + "=" + ldap.EscapeFilter(string(sid)) + ")")
		}
		found, err := st.search(ctx, top, "(&(objectClass="+st.flavor.account+")(|"+any.String()+"))", []string{st.flavor.id})
		if err != nil {
			return err
		}
		made.add(st.flavor, found)
	}
	return nil
}

// loggedIn finds the entry of an account whose bind name is no distinguished
// name: ann@example.org, or EXAMPLE\ann. Who else has such a name is protected
// as well: nobody takes the protection from the account by being named like it.
func (st *store) loggedIn(ctx context.Context, name string, made *own) error {
	top, err := st.top(ctx)
	if err != nil {
		return err
	}
	short := name[strings.LastIndex(name, `\`)+1:]
	short, _, _ = strings.Cut(short, "@")
	var any []directory.Filter
	for _, login := range st.flavor.protects.logins {
		any = append(any, directory.Eq(login, name), directory.Eq(login, short))
	}
	filter, err := st.renderer().render(directory.OrOf(any...))
	if err != nil {
		return fail(directory.Internal, err)
	}
	found, err := st.search(ctx, top, filter, []string{st.flavor.id})
	if err != nil {
		return err
	}
	if len(found) != 1 {
		st.log.Warn("the gateway's own account cannot be told from others by its bind name, so none of them is written; give its distinguished name as bind.dn", zap.Int("found", len(found)))
	}
	made.add(st.flavor, found)
	return nil
}

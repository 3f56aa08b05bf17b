package ldapsink

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"scimgate/internal/directory"
)

// Some entries are nobody's to provision: administrators, and the account that
// the gateway itself uses. What an entry's own attributes say is read with it
// and costs nothing. Groups are looked at where an entry that nobody manages is
// about to be taken over.

// Protected is what a configuration adds to the entries that a flavor protects.
type Protected struct {
	Groups []string // names of groups whose members are protected
	Filter string   // what it matches is protected
}

// protection is what a flavor protects. It is data.
type protection struct {
	marks []mark
	// sid is the attribute with the security identifier; accounts and groups
	// are the last parts of those that are privileged, and primary names the
	// attribute with the last part of the group that is in no list of members.
	sid, primary     string
	accounts, groups []uint32
	// inChain is the rule by which memberOf follows groups in groups; "" where
	// members are read instead.
	inChain string
	// groupNames are privileged groups, without the top of the tree.
	groupNames []string
	// roots is an entry and its attribute with the names of administrators that
	// need no entry.
	roots [2]string
	// logins are the attributes that a bind name which is no distinguished name
	// may stand in.
	logins []string
	// token is the attribute of the root DSE with the security identifiers of
	// whoever asks, their own and those of their groups; "" where there is none.
	token string
}

// mark is a value by which an entry itself says that it is protected.
type mark struct{ attribute, value, why string }

// Clauses that clients may see.
const (
	whySelf   = "it is the account that this gateway itself uses"
	whyRoot   = "it is the directory's own administrator"
	whyGroup  = "it is in a group of administrators"
	whyRID    = "it is one of the directory's built-in accounts or groups of administrators"
	whyConfig = "the configuration of this gateway protects it"
)

// attributes are what has to be read of an entry beside what is asked for.
func (p protection) attributes() []string {
	var names []string
	for _, m := range p.marks {
		names = append(names, m.attribute)
	}
	for _, name := range []string{p.sid, p.primary} {
		if name != "" {
			names = append(names, name)
		}
	}
	return names
}

// of says why an entry is protected by its own attributes.
func (p protection) of(raw *ldap.Entry) string {
	for _, m := range p.marks {
		if strings.EqualFold(first(raw, m.attribute), m.value) {
			return m.why
		}
	}
	if p.sid == "" {
		return ""
	}
	if sid := raw.GetEqualFoldRawAttributeValue(p.sid); len(sid) >= 12 {
		last := binary.LittleEndian.Uint32(sid[len(sid)-4:])
		if slices.Contains(p.accounts, last) || slices.Contains(p.groups, last) {
			return whyRID
		}
	}
	if primary := first(raw, p.primary); slices.ContainsFunc(p.groups, func(rid uint32) bool { return fmt.Sprint(rid) == primary }) {
		return whyGroup
	}
	return ""
}

// refuse is the error of a write to a protected entry.
func refuse(dn, why string) error {
	return &directory.Error{Kind: directory.Protected, Reason: why, Err: fmt.Errorf("%s is protected: %s", dn, why)}
}

// writable refuses writes to an entry that is protected, as it was read.
func (st *store) writable(ctx context.Context, e directory.Entry) error {
	if e.Protected != "" {
		return refuse(e.DN, e.Protected)
	}
	own, err := st.own(ctx)
	if err != nil {
		return err
	}
	if why := own.is(e); why != "" {
		return refuse(e.DN, why)
	}
	if st.protected.Filter == "" {
		return nil
	}
	found, err := st.find(ctx, directory.AndOf(directory.Eq(directory.AttrID, e.ID), directory.RawOf(st.protected.Filter)), selection{})
	if err == nil && len(found) > 0 {
		return refuse(e.DN, whyConfig)
	}
	return err
}

// guard fills in which of the entries that a search has found are protected by
// what they do not say themselves.
func (st *store) guard(ctx context.Context, q directory.Query, entries []directory.Entry) error {
	if len(entries) == 0 {
		return nil
	}
	own, err := st.own(ctx)
	if err != nil {
		return err
	}
	find := func(f directory.Filter) ([]directory.Entry, error) { return st.find(ctx, f, selection{}) }
	if q.Scope == directory.Tree {
		find = func(f directory.Filter) ([]directory.Entry, error) { return st.findInTree(ctx, f, selection{}) }
	}
	listed, err := st.sheltered(ctx, q.Filter, find)
	if err != nil {
		return err
	}
	for i := range entries {
		e := &entries[i]
		why := own.is(*e)
		if why == "" {
			why = listed[e.ID]
		}
		if e.Protected == "" {
			e.Protected = why
		}
	}
	return nil
}

// sheltered finds, of the entries that a filter matches, those that groups or the
// configured filter protect, by id.
func (st *store) sheltered(ctx context.Context, f directory.Filter, find func(directory.Filter) ([]directory.Entry, error)) (map[string]string, error) {
	listed := map[string]string{}
	note := func(f directory.Filter, why string) error {
		found, err := find(f)
		for _, e := range found {
			listed[e.ID] = why
		}
		return err
	}
	if filter := st.protected.Filter; filter != "" {
		if err := note(directory.AndOf(f, directory.RawOf(filter)), whyConfig); err != nil {
			return nil, err
		}
	}
	groups, err := st.privileged(ctx)
	if err != nil || len(groups) == 0 {
		return listed, err
	}
	if rule := st.flavor.protects.inChain; rule != "" {
		var in []directory.Filter
		for _, dn := range groups {
			in = append(in, directory.RawOf("(memberOf:"+rule+":="+ldap.EscapeFilter(dn)+")"))
		}
		return listed, note(directory.AndOf(f, directory.OrOf(in...)), whyGroup)
	}
	members, err := st.membersOf(ctx, groups)
	if err != nil {
		return nil, err
	}
	for part := range slices.Chunk(members, alternatives) {
		if err := note(directory.AndOf(f, directory.OrOf(part...)), whyGroup); err != nil {
			return nil, err
		}
	}
	return listed, nil
}

// privileged returns the names of the groups whose members are protected:
// those of the flavor that there are, and those of the configuration.
func (st *store) privileged(ctx context.Context) ([]string, error) {
	names := slices.Clone(st.protected.Groups)
	p := st.flavor.protects
	if len(p.groups) == 0 && len(p.groupNames) == 0 {
		return names, nil
	}
	top, err := st.top(ctx)
	if err != nil {
		return nil, err
	}
	for _, name := range p.groupNames {
		names = append(names, name+","+top)
	}
	if len(p.groups) == 0 {
		return names, nil
	}
	domain, err := st.base(ctx, top, []string{p.sid})
	if err != nil {
		return nil, err
	}
	var any []string
	for _, rid := range p.groups {
		parent := builtin
		if rid < firstBuiltin {
			if domain == nil || len(domain.GetEqualFoldRawAttributeValue(p.sid)) < 8 {
				continue // no domain to ask
			}
			parent = string(domain.GetEqualFoldRawAttributeValue(p.sid))
		}
		any = append(any, "("+p.sid+"="+ldap.EscapeFilter(sidOf(parent, rid))+")")
	}
	found, err := st.search(ctx, top, "(|"+strings.Join(any, "")+")", []string{"1.1"})
	for _, e := range found {
		names = append(names, e.DN)
	}
	return names, err
}

// builtin is the security identifier S-1-5-32, of the groups that every domain
// has; their last parts begin at firstBuiltin.
const (
	builtin      = "\x01\x01\x00\x00\x00\x00\x00\x05\x20\x00\x00\x00"
	firstBuiltin = 544
)

// sidOf adds a last part to a security identifier.
func sidOf(parent string, rid uint32) string {
	sid := []byte(parent)
	sid[1]++ // counts the parts
	return string(binary.LittleEndian.AppendUint32(sid, rid))
}

// groupLevels is how deep groups in groups are followed.
const groupLevels = 20

// membersOf returns filters that match the members of groups, and of the groups
// in them. A group that is not there has none.
func (st *store) membersOf(ctx context.Context, groups []string) ([]directory.Filter, error) {
	var filters []directory.Filter
	seen := map[string]bool{}
	level, err := st.each(ctx, groups)
	for depth := 0; err == nil && len(level) > 0 && depth < groupLevels; depth++ {
		var next []string
		for _, raw := range level {
			for _, uid := range values(raw, "memberUid") {
				filters = append(filters, directory.Eq("uid", uid))
			}
			for _, dn := range slices.Concat(values(raw, "member"), values(raw, "uniqueMember")) {
				if key := directory.FoldDN(dn); !seen[key] {
					seen[key] = true
					filters = append(filters, directory.Eq(directory.AttrDN, dn))
					next = append(next, dn)
				}
			}
		}
		level, err = st.groupsAmong(ctx, next)
	}
	return filters, err
}

// grouping are the attributes that hold members.
var grouping = []string{"member", "uniqueMember", "memberUid"}

// each reads the members of groups one by one.
func (st *store) each(ctx context.Context, names []string) ([]*ldap.Entry, error) {
	var found []*ldap.Entry
	for _, dn := range names {
		raw, err := st.base(ctx, dn, grouping)
		if err != nil && !ldap.IsErrorAnyOf(err, ldap.LDAPResultInsufficientAccessRights, ldap.LDAPResultInvalidDNSyntax) {
			return nil, err
		}
		if raw != nil {
			found = append(found, raw)
		}
	}
	return found, nil
}

// groupsAmong reads the members of those of the entries that have some.
func (st *store) groupsAmong(ctx context.Context, names []string) ([]*ldap.Entry, error) {
	if st.flavor.dn == "" { // no filter can ask for a name
		return st.each(ctx, names)
	}
	top, err := st.top(ctx)
	if err != nil {
		return nil, err
	}
	var all []*ldap.Entry
	for part := range slices.Chunk(names, alternatives) {
		filter, err := st.renderer().render(directory.AndOf(directory.AnyOf(directory.AttrDN, part),
			directory.RawOf("(|(member=*)(uniqueMember=*)(memberUid=*))")))
		if err != nil {
			return nil, fail(directory.Internal, err)
		}
		found, err := st.search(ctx, top, filter, grouping)
		if err != nil && !ldap.IsErrorAnyOf(err, ldap.LDAPResultNoSuchObject, ldap.LDAPResultInsufficientAccessRights) {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}

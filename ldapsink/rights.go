package ldapsink

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"scimgate/internal/directory"
)

// oidEffectiveRights is draft-ietf-ldapext-acl-model, as 389 DS has it.
const oidEffectiveRights = "1.3.6.1.4.1.42.2.27.9.5.2"

// Rights are what the bind account may do with one entry, as the directory
// says. The pointers are nil where it does not say.
type Rights struct {
	Add, Delete, Rename *bool
	// creates are the classes of entries that may be put below it; nil for any.
	creates, writes map[string]bool
	some            bool
}

// Writes reports whether an attribute may be written.
func (r *Rights) Writes(attribute string) bool {
	name, _, _ := strings.Cut(strings.ToLower(attribute), ";")
	return r.writes[name]
}

// Creates reports whether an entry of the class may be put below.
func (r *Rights) Creates(class string) bool {
	if r.creates == nil {
		return r.Add != nil && *r.Add
	}
	return r.creates[strings.ToLower(class)]
}

// Moves reports whether an entry of the class may be moved to below it; nil where
// the directory does not say, as 389 DS, which has a right of its own for that.
func (r *Rights) Moves(class string) *bool {
	if r.creates == nil {
		return nil
	}
	may := r.Creates(class)
	return &may
}

// Any reports whether the entry, or what is below it, can be changed in any way.
func (r *Rights) Any() bool { return r.some }

// Rights asks what the bind account may do with an entry, and with these of its
// attributes; nil where the directory has no way to tell.
func (s *Sink) Rights(ctx context.Context, dn string, attributes []string) (*Rights, error) {
	ask := s.trait().rights
	if ask == nil {
		ask = effectiveRights
	}
	r, err := ask(ctx, s, dn, attributes)
	return r, wrap("search", err)
}

// activeDirectoryRights reads attributes that are computed for whoever asks.
func activeDirectoryRights(ctx context.Context, s *Sink, dn string, _ []string) (*Rights, error) {
	e, err := s.base(ctx, dn, []string{"allowedAttributesEffective", "allowedChildClassesEffective"})
	if err != nil || e == nil {
		return nil, err
	}
	r := &Rights{creates: set(values(e, "allowedChildClassesEffective")), writes: set(values(e, "allowedAttributesEffective"))}
	r.some = len(r.creates) > 0 || len(r.writes) > 0
	r.writes["unicodepwd"] = true // resetting a password is a right of another kind, which is not told
	return r, nil
}

func set(names []string) map[string]bool {
	all := make(map[string]bool, len(names))
	for _, name := range names {
		all[strings.ToLower(name)] = true
	}
	return all
}

// effectiveRights asks by a control.
func effectiveRights(ctx context.Context, s *Sink, dn string, attributes []string) (*Rights, error) {
	var r *Rights
	who := s.pool.cfg.Bind.DN
	err := s.read(ctx, func(ctx context.Context, l *link) error {
		if !l.supports(oidEffectiveRights) {
			return nil
		}
		control := ldap.NewControlString(oidEffectiveRights, false, "dn:"+who)
		request := ldap.NewSearchRequest(dn, ldap.ScopeBaseObject, ldap.NeverDerefAliases, 0, 0, false, matchAll,
			append([]string{"*"}, attributes...), []ldap.Control{control})
		found, err := ask(ctx, s.pool, l, true, func(conn *ldap.Conn) (*ldap.SearchResult, error) { return conn.Search(request) })
		if err == nil && len(found.Entries) > 0 {
			r = rightsOf(found.Entries[0])
		}
		return err
	})
	return r, err
}

// rightsOf reads "entryLevelRights: vadn" and "attributeLevelRights: cn:rscwo, sn:rsc".
func rightsOf(e *ldap.Entry) *Rights {
	level := first(e, "entryLevelRights")
	if level == "" {
		return nil
	}
	may := func(letter string) *bool { ok := strings.Contains(level, letter) && level != "none"; return &ok }
	r := &Rights{Add: may("a"), Delete: may("d"), Rename: may("n"), writes: map[string]bool{}}
	for _, text := range values(e, "attributeLevelRights") {
		for _, part := range strings.Split(text, ",") {
			name, letters, _ := strings.Cut(strings.TrimSpace(part), ":")
			if letters != "none" && strings.ContainsAny(letters, "w") {
				r.writes[strings.ToLower(name)] = true
			}
		}
	}
	r.some = *r.Add || *r.Delete || *r.Rename || len(r.writes) > 0
	return r
}

// Powers names what makes the bind account more than a service account needs to
// be, as far as can be seen.
func (s *Sink) Powers(ctx context.Context, base string) ([]string, error) {
	if s.trait().powers == nil {
		return nil, nil
	}
	all, err := s.trait().powers(ctx, s, base)
	return all, wrap("search", err)
}

// openLDAPPowers finds a rootdn: the settings name it, or it is bound without
// being an entry. An account that may not even know of itself looks the same.
func openLDAPPowers(ctx context.Context, s *Sink, base string) ([]string, error) {
	found, err := s.settings(ctx, "cn=config", "(olcSuffix=*)", "olcSuffix", "olcRootDN")
	if err != nil {
		return nil, err
	}
	who := s.pool.cfg.Bind.DN
	if database := holding(found, "olcSuffix", base); database != nil {
		if directory.FoldDN(first(database, "olcRootDN")) == directory.FoldDN(who) {
			return []string{"is the rootdn of its database"}, nil
		}
		return nil, nil
	}
	_, err = s.search(ctx, who, matchAll, []string{"1.1"})
	if ldap.IsErrorWithCode(err, ldap.LDAPResultNoSuchObject) {
		return []string{"can bind without being an entry that it sees, which is so of the rootdn of a database"}, nil
	}
	return nil, nil
}

func ds389Powers(ctx context.Context, s *Sink, _ string) ([]string, error) {
	root := "cn=Directory Manager"
	e, err := s.base(ctx, "cn=config", []string{"nsslapd-rootdn"})
	if ldap.IsErrorWithCode(err, ldap.LDAPResultInsufficientAccessRights) {
		err = nil
	}
	if e != nil && first(e, "nsslapd-rootdn") != "" {
		root = first(e, "nsslapd-rootdn")
	}
	if directory.FoldDN(root) == directory.FoldDN(s.pool.cfg.Bind.DN) {
		return []string{"is the directory's manager, " + root}, err
	}
	return nil, err
}

// mighty are the last numbers of the identifiers of privileged groups
// ([MS-DTYP] section 2.4.2.4).
var mighty = map[uint32]string{
	512: "Domain Admins", 518: "Schema Admins", 519: "Enterprise Admins", 544: "Administrators", 548: "Account Operators",
}

func activeDirectoryPowers(ctx context.Context, s *Sink, base string) ([]string, error) {
	dn, err := s.account(ctx, base)
	if err != nil || dn == "" {
		return nil, err
	}
	e, err := s.base(ctx, dn, []string{"tokenGroups"})
	if err != nil || e == nil {
		return nil, err
	}
	var all []string
	for _, sid := range values(e, "tokenGroups") {
		if len(sid) < 12 {
			continue
		}
		last := sid[len(sid)-4:]
		rid := uint32(last[0]) | uint32(last[1])<<8 | uint32(last[2])<<16 | uint32(last[3])<<24
		if name := mighty[rid]; name != "" {
			all = append(all, name)
		}
	}
	if len(all) == 0 {
		return nil, nil
	}
	slices.Sort(all)
	return []string{"is a member of " + strings.Join(slices.Compact(all), ", ")}, nil
}

// account returns the name of the bind account's entry: Active Directory takes
// user@domain and DOMAIN\user as well.
func (s *Sink) account(ctx context.Context, base string) (string, error) {
	who := s.pool.cfg.Bind.DN
	if _, err := ldap.ParseDN(who); err == nil && strings.Contains(who, "=") {
		return who, nil
	}
	attribute, value := "userPrincipalName", who
	if _, name, ok := strings.Cut(who, `\`); ok {
		attribute, value = "sAMAccountName", name
	}
	top, err := (&store{s, directory.Collection{Base: base}}).top(ctx)
	if err != nil {
		return "", err
	}
	found, err := s.search(ctx, top, fmt.Sprintf("(%s=%s)", attribute, ldap.EscapeFilter(value)), []string{"1.1"})
	if err != nil || len(found) == 0 {
		return "", err
	}
	return found[0].DN, nil
}

// Top returns the naming context that a base is in.
func (s *Sink) Top(ctx context.Context, base string) (string, error) {
	top, err := (&store{s, directory.Collection{Base: base}}).top(ctx)
	return top, wrap("search", err)
}

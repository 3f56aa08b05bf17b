package ldapsink

import (
	"context"
	"strconv"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"scimgate/internal/directory"
)

// Long attributes. Active Directory returns no more than so many values of an
// attribute (1,500 as a rule), under a name that says which: member;range=0-1499,
// and at the end member;range=1500-* ([MS-ADTS] section 3.1.1.3.1.3.3). An entry
// is never believed to be whole with only these.

// rangeTries is how often an entry is read again that others change meanwhile:
// the second part of one list and the first of another would lack members.
const rangeTries = 5

// ranged parts "member;range=0-1499" into its name and the number of the first
// value that is missing; next is -1 where nothing is.
func ranged(description string) (name string, next int, ok bool) {
	name, span, ok := cutOption(description, "range=")
	if !ok {
		return "", 0, false
	}
	_, last, ok := strings.Cut(span, "-")
	switch {
	case !ok:
		return "", 0, false
	case last == "*":
		return name, -1, true
	}
	n, err := strconv.Atoi(last)
	if err != nil || n < 0 {
		return "", 0, false
	}
	return name, n + 1, true
}

// cutOption takes the option with a prefix, in whatever case, out of an attribute
// description.
func cutOption(description, prefix string) (rest, value string, ok bool) {
	parts := strings.Split(description, ";")
	for i, p := range parts {
		if i > 0 && len(p) >= len(prefix) && strings.EqualFold(p[:len(prefix)], prefix) {
			return strings.Join(append(parts[:i:i], parts[i+1:]...), ";"), p[len(prefix):], true
		}
	}
	return description, "", false
}

// inParts reports whether an entry has an attribute of which values are missing,
// or that is at least named as a part.
func inParts(raw *ldap.Entry) bool {
	for _, a := range raw.Attributes {
		if _, _, ok := ranged(a.Name); ok {
			return true
		}
	}
	return false
}

// whole reads what is missing of an entry's long attributes, all from one version
// of the entry.
func (s *Sink) whole(ctx context.Context, l *link, raw *ldap.Entry) (*ldap.Entry, error) {
	for range rangeTries {
		full, err := s.gather(ctx, l, raw)
		if full != nil || err != nil {
			return full, err
		}
		again, err := s.partOn(ctx, l, raw.DN, namesOf(raw))
		if err != nil {
			return nil, err
		}
		raw = again
	}
	return nil, failf(directory.Unavailable, "%s was changed by others each time that its values were read", raw.DN)
}

// namesOf returns the attributes of an entry, without what says which part they are.
func namesOf(raw *ldap.Entry) []string {
	var all []string
	for _, a := range raw.Attributes {
		name, _, ok := ranged(a.Name)
		if !ok {
			name = a.Name
		}
		all = append(all, name)
	}
	return all
}

// gather reads the parts of an entry that are missing. It returns nil where the
// entry was changed meanwhile.
func (s *Sink) gather(ctx context.Context, l *link, raw *ldap.Entry) (*ldap.Entry, error) {
	version := first(raw, s.flavor.version)
	full := &ldap.Entry{DN: raw.DN}
	put := map[string]*ldap.EntryAttribute{}
	for _, a := range raw.Attributes {
		name, next, ok := ranged(a.Name)
		if !ok {
			name, next = a.Name, -1
		}
		key := strings.ToLower(name)
		there := put[key]
		if there == nil {
			there = &ldap.EntryAttribute{Name: name}
			put[key] = there
			full.Attributes = append(full.Attributes, there)
		}
		there.Values = append(there.Values, a.Values...)
		for next >= 0 {
			part, err := s.partOn(ctx, l, raw.DN, []string{name + ";range=" + strconv.Itoa(next) + "-*", s.flavor.version})
			if err != nil {
				return nil, err
			}
			if version != "" && first(part, s.flavor.version) != version {
				return nil, nil
			}
			var values []string
			values, next = partOf(part, name)
			there.Values = append(there.Values, values...)
		}
	}
	return full, nil
}

// partOf returns the values of an attribute that is returned in parts, and the
// number of the first that is still missing, or -1.
func partOf(raw *ldap.Entry, name string) ([]string, int) {
	for _, a := range raw.Attributes {
		if base, next, ok := ranged(a.Name); ok && strings.EqualFold(base, name) && len(a.Values) > 0 {
			return a.Values, next
		}
	}
	return nil, -1
}

// partOn reads attributes of one entry as the server returns them.
func (s *Sink) partOn(ctx context.Context, l *link, dn string, attributes []string) (*ldap.Entry, error) {
	request := ldap.NewSearchRequest(dn, ldap.ScopeBaseObject, ldap.NeverDerefAliases, 0, 0, false, matchAll, attributes, nil)
	found, err := ask(ctx, s.pool, l, true, func(conn *ldap.Conn) (*ldap.SearchResult, error) { return conn.Search(request) })
	switch {
	case ldap.IsErrorWithCode(err, ldap.LDAPResultNoSuchObject), err == nil && len(found.Entries) == 0:
		return nil, failf(directory.Changed, "the entry was renamed or removed while it was read")
	case err != nil:
		return nil, err
	}
	return found.Entries[0], nil
}

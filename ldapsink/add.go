package ldapsink

import (
	"context"
	"errors"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/go-ldap/ldap/v3"

	"scimgate/internal/directory"
)

// Add implements directory.Store.
//
// The name is unique because the directory says so. Other keys are kept unique
// by a lock per value within this process and, between processes, by a look
// after the write: of entries that claim one value at once, the one that the
// directory made first stays, and whoever made another removes it again.
func (st *store) Add(ctx context.Context, e directory.NewEntry) (directory.Entry, error) {
	ctx, t := traced(ctx)
	entry, err := complete(ctx, st.Sink, func(ctx context.Context) (directory.Entry, error) {
		release, waited, err := st.locks.Acquire(ctx, keyLocks(e.Keys)...)
		if err != nil {
			return directory.Entry{}, err
		}
		defer release()
		// Whoever waited searched before another had written.
		if waited {
			if err := st.free(ctx, e.Keys, ""); err != nil {
				return directory.Entry{}, err
			}
		}
		return st.addNumbered(ctx, e)
	})
	delete(entry.Attributes, st.flavor.made) // which nobody asked for
	return entry, st.afterAdd(t, e, entry, wrap("add", err))
}

// add writes the entry and looks what else there is. The caller holds the locks.
func (st *store) add(ctx context.Context, e directory.NewEntry) (directory.Entry, error) {
	if err := st.nameable(e.Name); err != nil {
		return directory.Entry{}, err
	}
	dn := Name(st.c.Naming, e.Name, st.c.Base)
	request, err := st.addRequest(dn, e)
	if err != nil {
		return directory.Entry{}, err
	}
	if err := st.notElsewhere(ctx, dn, e.Keys); err != nil {
		return directory.Entry{}, err
	}
	if err := st.take(ctx, dn, ""); err != nil {
		return directory.Entry{}, err
	}
	password := slices.ContainsFunc(request.Attributes, func(a ldap.Attribute) bool { return isPassword(a.Type) })
	err = st.write(ctx, func(ctx context.Context, l *link) error {
		if password {
			request.Controls = l.policy()
		}
		_, err := ask(ctx, st.pool, l, false, func(conn *ldap.Conn) (struct{}, error) {
			return struct{}{}, conn.Add(request)
		})
		return err
	}, func(ctx context.Context, l *link) (bool, error) { return st.added(ctx, l, dn, e.Marker) })
	if err != nil {
		return directory.Entry{}, st.refusedAdd(err, e.Name)
	}
	return st.lookAfterAdd(ctx, dn, e)
}

// addRequest puts everything into one Add: object classes, attributes, marker.
func (st *store) addRequest(dn string, e directory.NewEntry) (*ldap.AddRequest, error) {
	text, err := e.Marker.Text()
	if err != nil {
		return nil, fail(directory.Internal, err)
	}
	all := attributeList{}
	all.add("objectClass", st.c.ObjectClasses...)
	for _, name := range e.Attributes.Names() {
		all.add(name, e.Attributes[name]...)
	}
	if !slices.ContainsFunc(all.values(st.c.Naming), func(v string) bool { return sameFolded(v, e.Name) }) {
		all.add(st.c.Naming, e.Name)
	}
	all.add(st.c.StateAttribute, text)
	all.add(st.c.SourceAttribute, e.Marker.Source)
	if st.c.EmptyMember != "" && len(all.values(st.c.Member)) == 0 {
		all.add(st.c.Member, st.c.EmptyMember)
	}
	if st.lacksPassword(all) {
		all.add(adPasswordAttribute, randomPassword())
	}
	request := ldap.NewAddRequest(dn, nil)
	for _, a := range all {
		request.Attribute(a.Type, onWire(a.Type, a.Vals))
	}
	return request, nil
}

// lacksPassword reports whether an entry is an account that needs a password and
// has none: identity providers that keep theirs to themselves send none.
func (st *store) lacksPassword(all attributeList) bool {
	account := st.flavor.account
	return account != "" && slices.ContainsFunc(all.values("objectClass"), func(c string) bool { return strings.EqualFold(c, account) }) &&
		!slices.ContainsFunc(all, func(a ldap.Attribute) bool { return isPassword(a.Type) })
}

// attributeList collects values by attribute: an Add may name each only once.
type attributeList []ldap.Attribute

func (list *attributeList) add(name string, values ...string) {
	for i := range *list {
		a := &(*list)[i]
		if strings.EqualFold(a.Type, name) {
			for _, v := range values {
				if !slices.Contains(a.Vals, v) {
					a.Vals = append(a.Vals, v)
				}
			}
			return
		}
	}
	if len(values) > 0 {
		*list = append(*list, ldap.Attribute{Type: name, Vals: slices.Clone(values)})
	}
}

func (list attributeList) values(name string) []string {
	for _, a := range list {
		if strings.EqualFold(a.Type, name) {
			return a.Vals
		}
	}
	return nil
}

// added finds out whether an Add whose answer was lost has been carried out.
func (st *store) added(ctx context.Context, l *link, dn string, m directory.Marker) (bool, error) {
	raw, err := st.baseOn(ctx, l, dn, []string{st.c.StateAttribute, st.c.SourceAttribute})
	if err != nil || raw == nil {
		return false, err
	}
	if st.marker(raw).Request == m.Request && m.Request != "" {
		return true, nil
	}
	return false, failf(directory.Exists, "the name was taken meanwhile")
}

// refusedAdd reads the result codes that mean something of their own to an Add.
func (st *store) refusedAdd(err error, name string) error {
	switch {
	case ldap.IsErrorWithCode(err, ldap.LDAPResultNoSuchObject):
		return failf(directory.Internal, "the base %q does not exist: %w", st.c.Base, err)
	case ldap.IsErrorAnyOf(err, ldap.LDAPResultInvalidDNSyntax, ldap.LDAPResultNamingViolation):
		return &directory.Error{Kind: directory.Invalid, Attribute: st.c.Naming, Err: err}
	case st.flavor.notUnique(err):
		return fail(directory.Exists, err)
	case st.flavor.unheardOf(err):
		return fail(directory.Internal, err)
	}
	return st.refusedName(err, name)
}

// nameable refuses a naming value that is no text. A server may take what its
// own decoder makes of the bytes, and the entry would have another name.
func (st *store) nameable(name string) error {
	why := "the name has a character that the directory changes"
	switch {
	case !utf8.ValidString(name):
		why = "the name is not UTF-8"
	case !strings.ContainsAny(name, st.flavor.noNames):
		return nil
	}
	return &directory.Error{Kind: directory.Invalid, Attribute: st.c.Naming, Err: errors.New(why)}
}

// refusedName recognises that a name is too long for the directory. OpenLDAP
// says no more than "other", because its database's keys are too short for it.
func (st *store) refusedName(err error, name string) error {
	if st.flavor.longName > 0 && len(escapeName(name)) > st.flavor.longName && ldap.IsErrorWithCode(err, ldap.LDAPResultOther) {
		return &directory.Error{Kind: directory.Invalid, Attribute: st.c.Naming, Limit: st.flavor.longName, Err: err}
	}
	return err
}

// lookAfterAdd fetches the new entry and, in the same search, whoever else
// claims one of its keys.
func (st *store) lookAfterAdd(ctx context.Context, dn string, e directory.NewEntry) (directory.Entry, error) {
	s := st.selected(nil)
	s.times = true
	filters := append([]directory.Filter{directory.Eq(directory.AttrDN, dn)}, keyFilters(e.Keys)...)
	name := directory.Key{Attribute: st.c.Naming, Value: e.Name}
	s = s.with(append(e.Keys[:len(e.Keys):len(e.Keys)], name))
	s.names = append(s.names, st.made()...)
	found, err := st.find(ctx, directory.OrOf(filters...), s)
	if err != nil {
		return directory.Entry{}, err
	}
	at := slices.IndexFunc(found, func(f directory.Entry) bool {
		_, parent := splitName(f.DN)
		return f.Marker.Request == e.Marker.Request && directory.FoldDN(parent) == directory.FoldDN(st.c.Base) &&
			claims(f, []directory.Key{name}, func(a, b string) bool { return a == b })
	})
	if at < 0 {
		return directory.Entry{}, failf(directory.Internal, "the entry that was added cannot be read: it was removed at once, or rights to read it are missing")
	}
	mine := found[at]
	rivals, err := st.rivals(ctx, slices.Delete(found, at, at+1), e.Keys)
	if err != nil {
		return directory.Entry{}, err
	}
	for _, rival := range rivals {
		if rival.Marker.Source == "" || st.flavor.older(rival, mine) {
			return directory.Entry{}, st.withdraw(ctx, mine)
		}
	}
	return mine, nil
}

// withdraw removes an entry of one's own that came second: the one with this id
// and version, which carries one's own request id, and no other.
func (st *store) withdraw(ctx context.Context, mine directory.Entry) error {
	if err := wrap("delete", st.remove(ctx, mine)); err != nil && !directory.Is(err, directory.Changed) {
		return err
	}
	return failf(directory.Exists, "another entry claimed the same value first")
}

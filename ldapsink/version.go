package ldapsink

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"scimgate/internal/directory"
)

// looseMark begins a version that stands in for one that the directory does not
// keep.
const looseMark = "@"

// version returns what changes with every write to an entry. Where the directory
// has no attribute for that, or none that can be relied on, it is the time of the
// last write with a digest of what else there is: of the marker, which every
// write of the gateway changes, within one second too. Of others' writes and of
// members' those of one second may look the same.
func (st *store) version(raw *ldap.Entry) string {
	v := first(raw, st.flavor.version)
	if v != "" && !st.flavor.loose {
		return v
	}
	sum := sha256.Sum256([]byte(v + "\x00" + st.storedMarker(raw)))
	return looseMark + first(raw, st.flavor.modified) + "-" + hex.EncodeToString(sum[:6])
}

// facts are the attributes by which an entry is known again, in its version.
func (st *store) facts() []string {
	names := []string{st.flavor.id, st.flavor.modified, st.c.StateAttribute}
	if st.flavor.version != "" {
		names = append(names, st.flavor.version)
	}
	return names
}

// is reports whether an entry that was read with facts is the one with the id,
// in the version. "" stands for any version, nil is no entry.
func (st *store) is(raw *ldap.Entry, id, version string) bool {
	return raw != nil && st.flavor.idOf(raw) == id && (version == "" || st.version(raw) == version)
}

// sameVersion matches entries in a version as far as a filter can: of one that
// stands in it is the time. The marker's old value, which the write deletes, is
// the rest.
func (st *store) sameVersion(version string) directory.Filter {
	stands, loose := strings.CutPrefix(version, looseMark)
	if !loose {
		return directory.Eq(st.flavor.version, version)
	}
	at, _, _ := strings.Cut(stands, "-")
	if at == "" {
		return directory.Filter{}
	}
	return directory.Eq(st.flavor.modified, at)
}

// target is the name under which a write reaches the entry with an id: a name
// that no other entry can take, where the directory has such names.
func (st *store) target(dn, id string) string {
	if name, ok := st.flavor.nameByID(id); ok {
		return name
	}
	return dn
}

// nameByID returns the name that stands for the entry with an id.
func (f flavor) nameByID(id string) (string, bool) {
	if !f.namesByID {
		return "", false
	}
	if _, ok := f.form.value(id); !ok {
		return "", false
	}
	return "<GUID=" + id + ">", true
}

// still lets a write to a name happen only to the entry with the id in the
// version: by the control that it returns, or where the server announces none, by
// a look on the link that the write takes. The look fails as the control
// would. Between look and write others can come; what keeps their writes from
// being lost then is in the write: the marker's old value and each old value of
// an attribute are deleted by it, and are not there any more. "" stands for any
// version.
func (st *store) still(ctx context.Context, l *link, dn, id, version string) ([]ldap.Control, error) {
	_, sure := st.flavor.nameByID(id)
	switch {
	case id == "" || version == "" && sure && dn == st.target(dn, id):
		return nil, nil
	case l.supports(oidAssertion):
		return st.asserted(l, id, version)
	}
	_, err := st.looked(ctx, l, dn, id, version)
	return nil, err
}

// looked is the look of still.
func (st *store) looked(ctx context.Context, l *link, dn, id, version string) (*ldap.Entry, error) {
	raw, err := st.baseOn(ctx, l, dn, st.facts())
	switch {
	case err != nil:
		return nil, err
	case raw == nil:
		return nil, ldap.NewError(ldap.LDAPResultNoSuchObject, errors.New("looked at before the write: no entry has the name"))
	case !st.is(raw, id, version):
		return nil, ldap.NewError(ldap.LDAPResultAssertionFailed, errors.New("looked at before the write: the entry is another, or another version"))
	}
	return raw, nil
}

// heldMods are modifications together with what holds them to the entry with the
// id: a control, a name that is its own, or, where there is neither, the marker's
// value, which they delete and add again. No other entry has it, as it has the
// id of a request in it.
func (st *store) heldMods(ctx context.Context, l *link, dn, id, version string, mods []directory.Mod) ([]directory.Mod, []ldap.Control, error) {
	if _, sure := st.flavor.nameByID(id); sure || l.supports(oidAssertion) {
		controls, err := st.still(ctx, l, dn, id, version)
		return mods, controls, err
	}
	raw, err := st.looked(ctx, l, dn, id, version)
	if err != nil {
		return nil, nil, err
	}
	if text := st.storedMarker(raw); text != "" {
		mods = append(slices.Clone(mods), stays(st.c.StateAttribute, text)...)
	}
	return mods, nil, nil
}

// asserted returns the control by which the server itself holds a write against
// id and version.
func (st *store) asserted(l *link, id, version string) ([]ldap.Control, error) {
	same := []directory.Filter{directory.Eq(directory.AttrID, id)}
	if version != "" {
		own, ok := l.untagged(version)
		if !ok {
			return nil, failf(directory.Changed, "the version is another server's")
		}
		same = append(same, st.sameVersion(own))
	}
	filter, err := st.renderer().render(directory.AndOf(same...))
	if err != nil {
		return nil, fail(directory.Internal, err)
	}
	control, err := assertion(filter)
	if err != nil {
		return nil, fail(directory.Internal, err)
	}
	return []ldap.Control{control}, nil
}

// asserts reports whether the server holds writes against a version itself.
func (st *store) asserts(ctx context.Context, version string) (bool, error) {
	if strings.HasPrefix(version, looseMark) {
		return false, nil
	}
	var does bool
	err := st.read(ctx, func(_ context.Context, l *link) error {
		does = l.supports(oidAssertion)
		return nil
	})
	return does, err
}

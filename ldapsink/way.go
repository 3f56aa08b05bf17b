package ldapsink

import (
	"context"
	"fmt"
	"slices"

	"github.com/go-ldap/ldap/v3"
	"go.uber.org/zap"

	"scimgate/internal/directory"
)

// way is from one name to another: a new relative name, a new superior, or both.
type way struct {
	rdn      string
	parent   string
	superior string // parent where it is new, else ""
}

func (w way) to() string { return w.rdn + "," + w.parent }

// wayTo is the way between two names.
func wayTo(from, to string) way {
	rdn, parent := splitName(to)
	w := way{rdn: rdn, parent: parent}
	if !directlyBelow(from, parent) {
		w.superior = parent
	}
	return w
}

// directlyBelow reports whether a name is one level below another.
func directlyBelow(dn, parent string) bool {
	return directory.FoldDN(directory.Parent(dn)) == directory.FoldDN(parent)
}

// wayOf finds out where a change leads and that nobody is there. Where somebody
// is, and the change has a spare name, the entry takes that, and the change's
// marker says what it gave up.
func (st *store) wayOf(ctx context.Context, old directory.Entry, c *directory.Change) (way, error) {
	rdn, parent := splitName(old.DN)
	if c.Name != "" && !st.hasName(old.DN, c.Name) {
		if err := st.nameable(c.Name); err != nil {
			return way{}, err
		}
		rdn = relativeName(st.c.Naming, c.Name)
	}
	if c.Move != "" {
		var err error
		if parent, err = st.placeFor(ctx, c.Move); err != nil {
			return way{}, err
		}
	}
	w := wayTo(old.DN, rdn+","+parent)
	err := st.takeFor(ctx, w.to(), old)
	if !directory.Is(err, directory.Exists) || c.Spare == "" {
		return w, err
	}
	name := c.Name
	if name == "" {
		name = old.Attributes.First(st.c.Naming)
	}
	c.Name, c.Marker.Called = c.Spare, name
	w.rdn = relativeName(st.c.Naming, c.Spare)
	return w, st.takeFor(ctx, w.to(), old)
}

// placeFor is where to move to: the place itself, or the base where a place that
// somebody came from is no more.
func (st *store) placeFor(ctx context.Context, place string) (string, error) {
	if slices.ContainsFunc(st.c.Places, func(p string) bool { return directory.FoldDN(p) == directory.FoldDN(place) }) {
		return place, nil
	}
	there, err := st.base(ctx, place, []string{"1.1"})
	if err != nil || there != nil {
		return place, err
	}
	st.log.Warn("the place that an entry was moved from is no more; it goes to the base", zap.String("place", place), zap.String("base", st.c.Base))
	return st.c.Base, nil
}

// refusedWay tells a place that is missing from an entry that is.
func (st *store) refusedWay(ctx context.Context, w way, err error) error {
	if w.superior == "" || !ldap.IsErrorWithCode(err, ldap.LDAPResultNoSuchObject) {
		return err
	}
	there, failed := st.base(ctx, w.superior, []string{"1.1"})
	if failed != nil {
		return failed
	}
	if there == nil {
		return fail(directory.Internal, fmt.Errorf("%q, where entries are moved to, does not exist: %w", w.superior, err))
	}
	return err
}

// locks reports whether a change makes an active entry inactive, or keeps one
// so. Its lock stays though its move is refused: stopping leaves less access.
func locks(c directory.Change) bool {
	return c.Move != "" && c.Marker.State != directory.Active && c.Marker.State != ""
}

package check

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"time"

	"scimgate/internal/directory"
	"scimgate/ldapsink"
	"scimgate/mapping"
)

// cleanup is how long the entry of a write test is tried to be removed, also
// after the check was interrupted.
const cleanup = 20 * time.Second

// write tries for real what the gateway has to do: it adds one entry below the
// base, writes each attribute, renames the entry and removes it. The entry is a
// tombstone from its beginning, so that no request to a running gateway sees it.
func (c *checker) write(ctx context.Context, schema directory.Schema, typ Type) {
	w := &writer{checker: c, typ: typ, schema: schema, name: "scimgate-check-" + strings.ToLower(rand.Text()[:10])}
	collection := typ.Mapping.Collection()
	marker := directory.Marker{Source: collection.Source, State: directory.Deleted, Request: w.name, Since: c.Now}
	e, err := typ.Store.Add(ctx, directory.NewEntry{Name: w.name, Attributes: typ.Mapping.Specimen(schema, w.name), Marker: marker})
	defer w.clean(ctx) // after an error, too: it may be there all the same
	if err != nil {
		c.refused(typ.Key+".base", "add an entry below "+collection.Base, err)
		return
	}
	e = w.attributes(ctx, e, marker)
	renamed, err := w.update(ctx, e, directory.Change{Name: w.name + "-2", Marker: marker})
	if err != nil {
		c.refused(typ.Key+".rdn", "rename an entry below "+collection.Base, err)
		return
	}
	if err := typ.Store.Remove(ctx, renamed); err != nil {
		c.refused(typ.Key+".base", "delete an entry below "+collection.Base, err)
	}
}

// refused reports an operation of the test that failed.
func (c *checker) refused(key, what string, err error) {
	if ldapsink.Denied(err) {
		c.err(key, "the account may not %s; give it the right", what)
		return
	}
	c.err(key, "the attempt to %s failed: %v; mend that, or tell us if it is not the directory's fault", what, err)
}

// writer is one write test.
type writer struct {
	*checker
	typ    Type
	schema directory.Schema
	name   string
}

// attributes writes each attribute of the mapping that can be tried with some
// value, alone, and returns the entry as it is then.
func (w *writer) attributes(ctx context.Context, e directory.Entry, marker directory.Marker) directory.Entry {
	var untried []string
	for _, p := range w.typ.Mapping.Written() {
		if strings.EqualFold(p.Attribute, w.typ.Config.Marker.State) || strings.EqualFold(p.Attribute, w.typ.Config.Marker.Source) || w.has(e, p) {
			continue // it was written with the entry
		}
		value, ok := w.typ.Mapping.Sample(w.schema, p.Attribute, w.name)
		if !ok {
			untried = append(untried, p.Attribute)
			continue
		}
		mod := directory.Mod{Op: directory.ModReplace, Attribute: p.Attribute, Values: []string{value}}
		next, err := w.update(ctx, e, directory.Change{Mods: []directory.Mod{mod}, Marker: marker})
		e = next
		switch {
		case err == nil:
		case ldapsink.Denied(err):
			w.err(w.typ.Key+"."+p.Key, "the account may not write %s; give it the right", p.Attribute)
		default: // the made-up value may be to blame
			untried = append(untried, p.Attribute)
		}
	}
	if len(untried) > 0 {
		w.note(w.typ.Key+".attributes", "writing %s was not tried, for want of a value that the directory takes; see to it that the account may", list(untried))
	}
	return e
}

// update makes one change, once more where the entry has meanwhile another
// version, as a refused write gives it at some servers. It returns the entry as
// it is then.
func (w *writer) update(ctx context.Context, e directory.Entry, change directory.Change) (directory.Entry, error) {
	next, err := w.typ.Store.Update(ctx, e, change)
	if err == nil {
		return next, nil
	}
	found, failed := w.mine(ctx)
	if failed != nil || len(found) != 1 {
		return e, err
	}
	if directory.Is(err, directory.Changed) {
		if next, err = w.typ.Store.Update(ctx, found[0], change); err == nil {
			return next, nil
		}
	}
	return found[0], err
}

// mine returns what there is of the test's entry, under either name.
func (w *writer) mine(ctx context.Context) ([]directory.Entry, error) {
	filter := directory.AnyOf(w.typ.Mapping.Collection().Naming, []string{w.name, w.name + "-2"})
	return w.typ.Store.Search(ctx, directory.Query{Filter: filter, Scope: directory.Anyone})
}

// has reports whether the entry had the attribute from its beginning.
func (w *writer) has(e directory.Entry, p mapping.Place) bool {
	return len(e.Attributes[p.Attribute]) > 0
}

// clean removes what the test has left, whatever happened to it.
func (w *writer) clean(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanup)
	defer cancel()
	naming := w.typ.Mapping.Collection().Naming
	found, err := w.mine(ctx)
	left := fmt.Sprintf("%s=%s* below %s", naming, w.name, w.typ.Mapping.Collection().Base)
	for _, e := range found {
		if failed := w.typ.Store.Remove(ctx, e); failed != nil {
			err, left = failed, e.DN
		}
	}
	if err != nil {
		w.err(w.typ.Key+".base", "the entry of the write test may be left behind: %s: %v; remove it by hand", left, err)
	}
}

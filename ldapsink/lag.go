package ldapsink

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"scimgate/internal/directory"
)

// A server of the directory gets the writes of another some time later. After a
// change of server the gateway so may look for an entry that it has written, and
// find nothing, or what was there before. Within the configured time of a write
// that is not taken for an answer: the search waits a little, and then says that
// the directory is not ready.

// lagError is a server that does not have yet what was written on another.
type lagError struct{ server, entry string }

func (e *lagError) Error() string {
	return fmt.Sprintf("%s does not have yet what was written on another server: %s", e.server, e.entry)
}

// current does a search again until what it found is not behind what the gateway
// has written, or the retries are over.
func (st *store) current(ctx context.Context, f directory.Filter, found *[]directory.Entry, search func(context.Context) error) error {
	waits := st.pool.cfg.Retry.policy()
	for {
		ctx, t := traced(ctx)
		if err := search(ctx); err != nil {
			return err
		}
		server, _, _ := t.seen()
		came, err := st.misses(ctx, server, f, *found)
		if came { // between the search and the look: what was found is what was before
			continue
		}
		var lag *lagError
		if !errors.As(err, &lag) {
			return err
		}
		if wait, stop := waits.Next(); stop || !st.pause(ctx, wait) {
			return fail(directory.Unavailable, err)
		}
	}
}

// misses returns a lagError if a server's answer to a search misses a write, or
// shows what was before it. came says that the server has by now what it misses.
func (st *store) misses(ctx context.Context, server string, f directory.Filter, found []directory.Entry) (came bool, err error) {
	elsewhere := st.recent.elsewhere(server)
	if len(elsewhere) == 0 {
		return false, nil
	}
	byID := make(map[string]directory.Entry, len(found))
	for _, e := range found {
		byID[strings.ToLower(e.ID)] = e
	}
	var some []written
	for _, w := range elsewhere {
		if !meet(w.trees, st.c.Trees()) {
			continue
		}
		e, there := byID[w.key()]
		if there && w.shows(e.Version, e.Marker.Request, true, st.flavor.ordered()) {
			st.recent.has(server, w)
		} else if there || w.concerns(f) {
			some = append(some, w)
		}
	}
	if len(some) == 0 {
		return false, nil
	}
	err = st.read(ctx, func(ctx context.Context, l *link) error {
		if l.server != server {
			return nil // the search is made again on the server that is in use now
		}
		return fatal(st.hasAll(ctx, l, some))
	})
	return err == nil, err
}

// notElsewhere makes sure that no entry of the name or with one of the keys was
// written on another server and is only not here yet.
func (st *store) notElsewhere(ctx context.Context, dn string, keys []directory.Key) error {
	if len(st.recent.elsewhere(st.pool.inUse())) == 0 {
		return nil
	}
	_, err := st.find(ctx, directory.OrOf(append(keyFilters(keys), directory.Eq(directory.AttrDN, dn))...), selection{})
	return err
}

// fatal keeps a lagError from being tried again by those who do not know it.
func fatal(err error) error {
	var lag *lagError
	if errors.As(err, &lag) {
		return fail(directory.Unavailable, lag)
	}
	return err
}

// hasRecent makes sure that a server has all that was written lately.
func (s *Sink) hasRecent(ctx context.Context, l *link) error {
	return s.hasAll(ctx, l, s.recent.elsewhere(l.server))
}

// hasAll makes sure that a server has the writes; the newest are asked for first.
func (s *Sink) hasAll(ctx context.Context, l *link, all []written) error {
	for some := range slices.Chunk(all, alternatives) {
		for len(some) > 0 {
			trees := some[0].trees
			if err := s.hasSome(ctx, l, trees, some); err != nil {
				return err
			}
			some = slices.DeleteFunc(slices.Clone(some), func(w written) bool { return slices.Equal(w.trees, trees) })
		}
	}
	return nil
}

// meet reports whether one of the trees is in one of the others, or the other way round.
func meet(some, others []string) bool {
	return slices.ContainsFunc(some, func(a string) bool {
		return slices.ContainsFunc(others, func(b string) bool { return below(a, b) || below(b, a) })
	})
}

// hasSome is hasAll for those of the same trees.
func (s *Sink) hasSome(ctx context.Context, l *link, trees []string, all []written) error {
	some := slices.DeleteFunc(slices.Clone(all), func(w written) bool { return !slices.Equal(w.trees, trees) })
	found, err := s.those(ctx, l, trees, some)
	if err != nil {
		return err
	}
	for _, w := range some {
		at := slices.IndexFunc(found, func(raw *ldap.Entry) bool {
			if w.id != "" {
				return strings.EqualFold(s.flavor.idOf(raw), w.id)
			}
			return directory.FoldDN(raw.DN) == w.dn
		})
		version, request := "", ""
		if at >= 0 {
			m, _, _ := directory.ParseMarker(values(found[at], w.state)) // one that cannot be read has no request
			version, request = first(found[at], s.flavor.version), m.Request
		}
		if !w.shows(version, request, at >= 0, s.flavor.ordered()) {
			return &lagError{l.server, w.key()}
		}
		s.recent.has(l.server, w)
	}
	return nil
}

// those reads what a server has of the entries of writes.
func (s *Sink) those(ctx context.Context, l *link, trees []string, some []written) ([]*ldap.Entry, error) {
	attributes := []string{s.flavor.id}
	if s.flavor.version != "" {
		attributes = append(attributes, s.flavor.version)
	}
	for _, w := range some {
		if !slices.Contains(attributes, w.state) {
			attributes = append(attributes, w.state)
		}
	}
	var found []*ldap.Entry
	var either []directory.Filter
	for _, w := range some {
		switch {
		case w.id != "":
			either = append(either, directory.Eq(directory.AttrID, w.id))
		case s.flavor.dn != "":
			either = append(either, directory.Eq(directory.AttrDN, w.dn))
		default: // no filter can ask for a name
			raw, err := s.baseOn(ctx, l, w.dn, attributes)
			if err != nil {
				return nil, err
			}
			if raw != nil {
				found = append(found, raw)
			}
		}
	}
	filter, err := renderer{flavor: s.flavor}.render(directory.OrOf(either...))
	if err != nil {
		return nil, err
	}
	for _, tree := range trees {
		var part []*ldap.Entry
		request := ldap.NewSearchRequest(tree, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, 0, false, filter, attributes, nil)
		err := s.searchOn(ctx, l, request, false, func() { part = nil }, func(raw *ldap.Entry) error {
			part = append(part, l.tagged(raw, s.flavor))
			return nil
		})
		if err != nil {
			return nil, err
		}
		found = append(found, part...)
	}
	return found, nil
}

// writtenTo is the beginning of what is remembered of a write.
func (st *store) writtenTo(server, id string) *written {
	w := &written{server: server, id: id, trees: st.c.Trees(), state: st.c.StateAttribute}
	w.touch(st.c.StateAttribute)
	return w
}

// afterAdd remembers an Add, also one that may have been made.
func (st *store) afterAdd(t *trace, e directory.NewEntry, entry directory.Entry, err error) error {
	_, server, doubt := t.seen()
	lost := doubt != "" && directory.Is(err, directory.Unavailable)
	if st.recent.off || server == "" && !lost {
		return err
	}
	w := st.writtenTo(server, entry.ID)
	if lost {
		w.server = doubt
	}
	w.dn, w.version, w.request = directory.FoldDN(entry.DN), entry.Version, entry.Marker.Request
	w.made = true
	for _, attributes := range []directory.Attributes{e.Attributes, entry.Attributes} {
		for name, values := range attributes {
			w.touch(name, values...)
		}
	}
	w.touch("objectClass", st.c.ObjectClasses...)
	w.touch(st.c.Naming, e.Name)
	w.touch(st.c.SourceAttribute, e.Marker.Source)
	switch {
	case err == nil:
	case directory.Is(err, directory.Internal) && server != st.pool.inUse():
		// It is looked at after the write, and the server was another by then.
		err = fail(directory.Unavailable, err)
		fallthrough
	case directory.Is(err, directory.Unavailable):
		w.id, w.doubt = "", true
		w.dn = directory.FoldDN(Name(st.c.Naming, e.Name, st.c.Base))
	default:
		return err // it was taken back
	}
	st.recent.note(w)
	return err
}

// afterUpdate remembers an Update.
func (st *store) afterUpdate(ctx context.Context, t *trace, old directory.Entry, c directory.Change, entry directory.Entry, err error) error {
	if _, server, _ := t.seen(); server != "" && !st.recent.off {
		w := st.writtenTo(server, old.ID)
		w.dn, w.moved = directory.FoldDN(old.DN), c.Marker.State != old.Marker.State
		w.waited = !slices.Equal(c.Marker.Left, old.Marker.Left)
		if err == nil {
			w.dn, w.version, w.request = directory.FoldDN(entry.DN), entry.Version, entry.Marker.Request
		}
		for _, mods := range [][]directory.Mod{c.Mods, c.Unlock} {
			for _, m := range mods {
				w.touch(m.Attribute)
				if m.Op != directory.ModDelete {
					w.touch(m.Attribute, m.Values...)
				}
			}
		}
		if c.Name != "" {
			w.touch(st.c.Naming, c.Name)
		}
		if old.Marker.Source != c.Marker.Source {
			w.touch(st.c.SourceAttribute, c.Marker.Source)
		}
		st.recent.note(w)
	}
	return st.orBehind(ctx, old.ID, err)
}

// afterMembers remembers a change of members and, where it is known, the version
// that it has made. Where it is not, nothing but the group itself tells whether
// the change has come to another server.
func (st *store) afterMembers(ctx context.Context, t *trace, id string, c directory.MemberChange, version string, err error) error {
	if _, server, _ := t.seen(); server != "" && !st.recent.off {
		w := st.writtenTo(server, id)
		w.members, w.version = true, version
		w.touch(st.c.Member, c.Add...)
		st.recent.note(w)
	}
	return st.orBehind(ctx, id, err)
}

// afterRemove remembers a Remove.
func (st *store) afterRemove(t *trace, e directory.Entry, err error) error {
	if _, server, _ := t.seen(); server != "" && err == nil && !st.recent.off {
		w := st.writtenTo(server, e.ID)
		w.dn, w.gone = directory.FoldDN(e.DN), true
		st.recent.note(w)
	}
	return err
}

// orBehind makes of an entry that is not there one that may only not be there yet.
func (st *store) orBehind(ctx context.Context, id string, err error) error {
	if !directory.Is(err, directory.NotFound) || len(st.recent.elsewhere(st.pool.inUse())) == 0 {
		return err
	}
	if _, failed := st.byID(ctx, id, directory.Anyone, selection{}); failed != nil {
		return wrap("search", failed)
	}
	return err
}

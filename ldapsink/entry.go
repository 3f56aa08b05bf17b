package ldapsink

import (
	"slices"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"
	"go.uber.org/zap"

	"scimgate/internal/directory"
)

// selection is which attributes of an entry are read.
type selection struct {
	names []string // as the caller spells them
	times bool
	// places leaves out all that a place in a list is not made of.
	places bool
}

// selected returns the selection of a query.
func (st *store) selected(names []string) selection {
	if names == nil {
		names = st.c.Attributes
	}
	return selection{names: names, times: len(names) > 0}
}

// asked returns what a query reads.
func (st *store) asked(q directory.Query) selection {
	s := st.selected(q.Attributes)
	s.places = q.Places
	return s
}

// wire returns the names to send: the caller's and those that an Entry needs.
func (st *store) wire(s selection) []string {
	names := slices.Clone(s.names)
	own := append(st.facts(), st.c.SourceAttribute)
	if s.places {
		own = []string{st.flavor.id, st.flavor.created}
	} else if s.times {
		own = append(own, st.flavor.created, st.flavor.modified)
	}
	if !s.places {
		own = append(own, st.flavor.protects.attributes()...)
	}
	for _, name := range own {
		if !slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, name) }) {
			names = append(names, name)
		}
	}
	return names
}

// entry turns what the directory sent into an Entry.
func (st *store) entry(raw *ldap.Entry, s selection) directory.Entry {
	f := st.flavor
	e := directory.Entry{
		DN: raw.DN, ID: f.idOf(raw),
		Created: when(first(raw, f.created)),
	}
	if !s.places {
		e.Version, e.Marker = st.version(raw), st.marker(raw)
		e.Protected = f.protects.of(raw)
	}
	if s.times && !s.places {
		e.Modified = when(first(raw, f.modified))
	}
	if len(s.names) > 0 {
		e.Attributes = make(directory.Attributes, len(s.names))
	}
	for _, a := range raw.Attributes {
		name, ok := spelled(a.Name, s.names)
		if !ok {
			continue
		}
		values := a.Values
		if st.c.EmptyMember != "" && strings.EqualFold(a.Name, st.c.Member) {
			values = st.withoutPlaceholder(values)
		}
		if len(values) > 0 {
			e.Attributes[name] = values
		}
	}
	return e
}

// spelled returns the name that was asked for under which a returned attribute
// goes: the same name, or that name with options that the directory has added
// (RFC 4511 section 4.5.1.8), which it keeps.
func spelled(returned string, asked []string) (string, bool) {
	base, options, tagged := strings.Cut(returned, ";")
	for _, name := range asked {
		if strings.EqualFold(name, returned) {
			return name, true
		}
	}
	if tagged {
		for _, name := range asked {
			if strings.EqualFold(name, base) {
				return name + ";" + options, true
			}
		}
	}
	return "", false
}

// marker reads what the gateway wrote about an entry. A marker that cannot be
// understood leaves an entry of no known state with its source: this tenant's,
// and nothing to undo in it.
func (st *store) marker(raw *ldap.Entry) directory.Marker {
	m, text, err := directory.ParseMarker(values(raw, st.c.StateAttribute))
	if err != nil {
		st.log.Warn("marker cannot be read", zap.String("dn", raw.DN), zap.Error(err))
	}
	if text == "" {
		return directory.Marker{}
	}
	sources := values(raw, st.c.SourceAttribute)
	for _, source := range sources {
		if strings.EqualFold(source, st.c.Source) {
			m.Source = st.c.Source
			return m
		}
	}
	if len(sources) > 0 {
		m.Source = sources[0]
	}
	return m
}

// storedMarker returns the marker's value as the directory has it, or "".
func (st *store) storedMarker(raw *ldap.Entry) string {
	_, text, _ := directory.ParseMarker(values(raw, st.c.StateAttribute)) // a broken one is a value all the same
	return text
}

// withoutPlaceholder drops the value that stands for an empty group.
func (st *store) withoutPlaceholder(members []string) []string {
	nobody := directory.FoldDN(st.c.EmptyMember)
	i := slices.IndexFunc(members, func(m string) bool { return directory.FoldDN(m) == nobody })
	if i < 0 {
		return members
	}
	return slices.Delete(members, i, i+1)
}

func values(raw *ldap.Entry, attribute string) []string {
	return raw.GetEqualFoldAttributeValues(attribute)
}

func first(raw *ldap.Entry, attribute string) string {
	return raw.GetEqualFoldAttributeValue(attribute)
}

// when reads a generalized time (RFC 4517 section 3.3.13); the zero time stands
// for one that is missing.
func when(text string) time.Time {
	for _, layout := range []string{generalizedTime, "20060102150405Z0700", "200601021504Z0700", "2006010215Z0700"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}

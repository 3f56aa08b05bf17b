package check

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"scimgate/internal/directory"
	"scimgate/ldapsink"
)

// most is how many entries with foreign values are counted.
const most = 1000

// marker looks whether the attributes of the marker are somebody else's already.
func (c *checker) marker(ctx context.Context, schema *ldapsink.Schema, typ Type) {
	marker := typ.Config.Marker
	if schema == nil {
		return
	}
	if a, ok := schema.Attribute(marker.State); ok && a.Substring != "" {
		strange := directory.AndOf(directory.Filter{Op: directory.Present, Attribute: marker.State},
			directory.Filter{Op: directory.Not, Filters: []directory.Filter{{Op: directory.Prefix, Attribute: marker.State, Value: directory.StatePrefix("")[:len("scimgate:")]}}})
		c.foreign(ctx, typ, "marker.state", marker.State, strange, a.Single, "have a value there that is no marker")
	}
	if a, ok := schema.Attribute(marker.Source); ok && a.Equality != "" {
		strange := directory.AndOf(directory.Filter{Op: directory.Present, Attribute: marker.Source},
			directory.Filter{Op: directory.Not, Filters: []directory.Filter{directory.AnyOf(marker.Source, c.sources())}})
		c.foreign(ctx, typ, "marker.source", marker.Source, strange, a.Single, "have a value there that is no tenant of this file")
	}
}

// foreign reports the entries below the base that a filter finds.
//
// A directory without an index looks at every entry for it, once a check.
func (c *checker) foreign(ctx context.Context, typ Type, key, attribute string, strange directory.Filter, single bool, what string) {
	found, err := typ.Store.Search(ctx, directory.Query{Filter: strange, Scope: directory.Anyone, Attributes: []string{}, Limit: most})
	count, example := fmt.Sprintf("%d entries", len(found)), ""
	switch {
	case ldapsink.Slow(err):
		c.note(typ.Key+"."+key, "whether %s is in use by others could not be found out, for the search takes the directory too long; look once by hand", attribute)
		return
	case directory.Is(err, directory.TooMany):
		count = fmt.Sprintf("more than %d entries", most)
	case err != nil || len(found) == 0:
		return
	default:
		names := make([]string, len(found))
		for i, e := range found {
			names[i] = e.DN
		}
		slices.Sort(names)
		example = " (the first is " + names[0] + ")"
		if len(names) == 1 {
			count, example = names[0], ""
			what = strings.Replace(what, "have", "has", 1)
		}
	}
	key = typ.Key + "." + key
	if single {
		c.err(key, "%s is in use: %s below the base %s%s, and it holds one value; take another attribute, or empty it", attribute, count, what, example)
		return
	}
	c.warn(key, "%s is in use: %s below the base %s%s; take another attribute, unless whoever writes it leaves other values alone", attribute, count, what, example)
}

// sources are the names of the tenants, as they stand in markers.
func (c *checker) sources() []string {
	var names []string
	for _, t := range c.Tenants {
		names = append(names, t.Config.Name)
	}
	slices.Sort(names)
	return slices.CompactFunc(names, strings.EqualFold)
}

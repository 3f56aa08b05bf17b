package config

import (
	"fmt"
	"slices"
	"strings"
)

// neighbours records tenants whose entries are in the same part of a directory and
// whose markers are in other attributes: neither would see what is the other's, and
// each could take it over.
func (c *Config) neighbours(s *Source) {
	for i, t := range c.Tenants {
		for j, before := range c.Tenants[:i] {
			if !c.sameDirectory(t.Directory, before.Directory) {
				continue
			}
			for _, d := range t.declarations(tenantKey(i)) {
				for _, other := range before.declarations(tenantKey(j)) {
					tell := func(key, problem string) { s.fault(key, "%s", problem) }
					if t.Directory != before.Directory { // a name may stand for several servers
						tell = s.warn
					}
					d.agrees(tell, other)
				}
			}
		}
	}
}

// sameDirectory reports whether two names stand for one directory, as far as
// their servers tell.
func (c *Config) sameDirectory(a, b string) bool {
	one, known := c.Directories[a]
	two, alsoKnown := c.Directories[b]
	if !known || !alsoKnown {
		return false
	}
	return a == b || slices.ContainsFunc(one.URLs, func(url string) bool {
		return slices.ContainsFunc(two.URLs, func(other string) bool { return strings.EqualFold(url, other) })
	})
}

// agrees tells if the entries of the two lie in each other's places and
// their markers are not the same.
func (d declaration) agrees(tell func(key, problem string), other declaration) {
	same := strings.EqualFold(d.config.Marker.State, other.config.Marker.State) &&
		strings.EqualFold(d.config.Marker.Source, other.config.Marker.Source)
	if same {
		return
	}
	for _, mine := range d.trees() {
		for _, theirs := range other.trees() {
			if nested(theirs.name, mine.name) {
				tell(d.key+".marker", fmt.Sprintf("is not that of %s, and entries of both are below %q: each would take what the other manages for nobody's; give both the same marker, or bases apart",
					other.key, inner(mine.name, theirs.name)))
				return
			}
		}
	}
}

// inner is the one of two nested names that lies in the other.
func inner(a, b string) string {
	if len(b) > len(a) {
		return b
	}
	return a
}

// declarations are those of all types of a tenant.
func (t Tenant) declarations(key string) []declaration {
	all := []declaration{{key + ".users", "users", t.Users}, {key + ".groups", "groups", t.Groups}}
	for i := range t.ResourceTypes {
		at := fmt.Sprintf("resourceTypes[%d]", i)
		all = append(all, declaration{key + "." + at, at, &t.ResourceTypes[i].Config})
	}
	return slices.DeleteFunc(all, func(d declaration) bool { return d.config == nil })
}

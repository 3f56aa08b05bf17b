package config

import (
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"scimgate/mapping"
)

var (
	tenantName = regexp.MustCompile(`^[a-z0-9-]+$`)
	pathSyntax = regexp.MustCompile(`^(/[A-Za-z0-9._~-]+)+$`)
)

func (t Tenant) validate(s *Source, key string) {
	switch {
	case t.Name == "":
		s.fault(key+".name", "is missing; give for example okta")
	case !tenantName.MatchString(t.Name):
		s.fault(key+".name", "%q has other characters than a-z, 0-9 and -", t.Name)
	}
	if t.Profile != "" && !slices.Contains(Profiles(), t.Profile) {
		s.fault(key+".profile", "%q is not known; use %s", t.Profile, profileNames())
	}
	t.Tokens.validate(s, key+".tokens")
	if t.Provenance != mapping.ProvenanceOnRequest && t.Provenance != mapping.ProvenanceByDefault {
		s.fault(key+".provenance", "%q is not known; use %s or %s", t.Provenance, mapping.ProvenanceOnRequest, mapping.ProvenanceByDefault)
	}
	t.Me.validate(s, key+".me")
	t.protocol(s, key+".protocol")
	if t.Users == nil {
		s.fault(key+".users", "is missing; declare where the people are and how they are written")
	}
	t.resourceTypes(s, key)
}

// names records the faults of what tenants call themselves and each other.
func (c *Config) names(s *Source) {
	first, primary := map[string]int{}, -1
	for i, t := range c.Tenants {
		key := tenantKey(i)
		if before, twice := first[t.Name]; twice && t.Name != "" {
			s.fault(key+".name", "%q is the name of %s too; every tenant needs its own", t.Name, tenantKey(before))
		} else {
			first[t.Name] = i
		}
		if t.Primary && primary >= 0 {
			s.fault(key+".primary", "%s is primary already; only one tenant can answer at %s", tenantKey(primary), DefaultBasePath)
		} else if t.Primary {
			primary = i
		}
		known := slices.Sorted(maps.Keys(c.Directories))
		switch {
		case t.Directory == "":
			s.fault(key+".directory", "is missing; name one of the directories: %s", strings.Join(known, ", "))
		case !slices.Contains(known, t.Directory):
			s.fault(key+".directory", "%q is not declared; the directories are: %s", t.Directory, strings.Join(known, ", "))
		}
	}
}

// basePaths sets the paths of the tenants that have none of their own.
func (c *Config) basePaths() {
	for i := range c.Tenants {
		t := &c.Tenants[i]
		switch {
		case t.BasePath != "" && t.BasePath != "/":
			t.BasePath = strings.TrimSuffix(t.BasePath, "/")
		case t.BasePath == "" && len(c.Tenants) == 1:
			t.BasePath = DefaultBasePath
		case t.BasePath == "":
			t.BasePath = "/" + t.Name + DefaultBasePath
		}
	}
}

// paths records base paths that are none and those under which a request would
// belong to two tenants.
func (c *Config) paths(s *Source) {
	type claim struct {
		path   string
		tenant int
	}
	var claims []claim
	names := map[string]bool{}
	primary := false
	for i, t := range c.Tenants {
		key := tenantKey(i) + ".basePath"
		switch {
		case !s.Has(key) && (names[t.Name] || !tenantName.MatchString(t.Name)):
			continue // the path follows from the name, which has a fault
		case !pathSyntax.MatchString(t.BasePath) || path.Clean(t.BasePath) != t.BasePath:
			s.fault(key, "%q is not a path; write for example /okta/scim/v2", t.BasePath)
			continue
		}
		names[t.Name] = true
		t.Primary = t.Primary && !primary // a second one is a fault already
		primary = primary || t.Primary
		for _, p := range t.BasePaths() {
			for _, other := range claims {
				if other.tenant != i && (under(p, other.path) || under(other.path, p)) {
					s.fault(key, "%s meets %s of %s; every tenant needs a path that is not below another's", p, other.path, tenantKey(other.tenant))
				}
			}
			claims = append(claims, claim{p, i})
		}
	}
}

// under reports whether path is base or below it.
func under(path, base string) bool {
	return path == base || strings.HasPrefix(path, base+"/")
}

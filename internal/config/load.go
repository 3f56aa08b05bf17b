package config

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"scimgate/internal/directory"
	"scimgate/ldapsink"
	"scimgate/mapping"
)

// maxFile bounds a configuration file in bytes: the YAML parser takes many times
// that, and its recursion could not be stopped.
const maxFile = 1 << 20

// Load reads the configuration file at path. The warnings are sorted by
// position and worth showing with or without an error.
//
// The error is a *Report of every fault that can be found without asking a
// directory; the Config is nil then.
func Load(path string) (*Config, []Warning, error) {
	text, err := contents(path, maxFile)
	if err != nil {
		return nil, nil, &Report{Faults: []Fault{{File: path, Problem: fileProblem(path, err)}}}
	}
	if len(text) > maxFile {
		return nil, nil, &Report{Faults: []Fault{{File: path, Problem: fmt.Sprintf("has %d bytes; a configuration has at most %d", len(text), maxFile)}}}
	}
	return read(path, text, os.LookupEnv)
}

// read is Load for a text that is already in memory; path is its file.
func read(path string, text []byte, env func(string) (string, bool)) (*Config, []Warning, error) {
	s := newSource(path)
	c := &Config{source: s}
	c.Defaults()
	d := &decoder{Source: s, env: env}
	d.decode(text, c)
	c.basePaths()
	for _, underneath := range []func(*Source) error{c.profiles, c.exceptions, c.presets} {
		if err := underneath(s); err != nil {
			return nil, sorted(s.warnings), err
		}
	}
	c.kinds()
	c.files(s, filepath.Dir(path))
	c.validate(s)
	if err := s.err(); err != nil {
		return nil, sorted(s.warnings), c.naming(err)
	}
	return c, sorted(s.warnings), nil
}

// composed asks the packages whose declarations the file contains for the
// faults that they find.
func (c *Config) composed(s *Source) {
	below := func(prefix string, faults []directory.Fault) {
		for _, f := range faults {
			s.Fault(prefix, f)
		}
	}
	unmapped := func(prefix string, m mapping.Config, name string) {
		for _, w := range m.Unmapped(name) {
			s.warn(join(prefix, w.Key), w.Problem)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Directories)) {
		below("directories."+name, c.Directories[name].Sink().Validate())
	}
	for i, t := range c.Tenants {
		users, groups := tenantKey(i)+".users", tenantKey(i)+".groups"
		if t.Users != nil {
			s.rulesMissing(users)
			faults := slices.Concat(t.Users.Validate("User"), adoptFilter(*t.Users))
			below(users, faults)
			unmapped(users, *t.Users, "User")
			if len(faults) == 0 {
				t.Me.hold(s, tenantKey(i)+".me", *t.Users)
				protocolNames(s, tenantKey(i)+".protocol", "users", *t.Users, "User", t.Protocol.Filters.Users, t.Protocol.Patch.Users)
			}
		}
		if t.Groups != nil {
			s.rulesMissing(groups)
			below(groups, slices.Concat(t.Groups.Validate("Group"), adoptFilter(*t.Groups)))
			unmapped(groups, *t.Groups, "Group")
			protocolNames(s, tenantKey(i)+".protocol", "groups", *t.Groups, "Group", t.Protocol.Filters.Groups, t.Protocol.Patch.Groups)
		}
		for j, rt := range t.ResourceTypes {
			key := resourceTypeKey(i, j)
			s.rulesMissing(key)
			below(key, slices.Concat(rt.Validate(rt.Name), adoptFilter(rt.Config)))
			unmapped(key, rt.Config, rt.Name)
		}
		t.apart(s, tenantKey(i))
	}
	c.neighbours(s)
}

// adoptFilter finds what is wrong with the filter of an adoption. Only the package
// that speaks LDAP can read it.
func adoptFilter(m mapping.Config) []directory.Fault {
	adopt := m.OnExisting.Adopt
	if adopt == nil || strings.TrimSpace(adopt.Filter) == "" { // missing, which is a fault already
		return nil
	}
	if err := ldapsink.CheckFilter(adopt.Filter); err != nil {
		return []directory.Fault{{Key: "onExisting.adopt.filter", Problem: err.Error()}}
	}
	return nil
}

// rulesMissing keeps quiet about keys that need a rule where the rules could
// not all be read.
func (s *Source) rulesMissing(mapping string) {
	for _, key := range []string{mapping + ".rdn", mapping + ".stableKey"} {
		if (s.Has(key) || s.filled[key]) && s.anyBroken(mapping+".attributes") {
			s.broken[key] = true
		}
	}
}

// nested reports whether one of two names is the other or above it.
func nested(a, b string) bool {
	a, b = directory.FoldDN(a), directory.FoldDN(b)
	return a != "" && b != "" && (a == b || strings.HasSuffix(a, ","+b) || strings.HasSuffix(b, ","+a))
}

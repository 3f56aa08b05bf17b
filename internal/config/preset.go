package config

import (
	"embed"
	"fmt"
	"path"
	"slices"

	"scimgate/mapping"
)

//go:embed presets/*.yaml
var presetFiles embed.FS

// preset is what a flavor of directory says about the mappings before it.
type preset struct {
	Users  mapping.Config `yaml:"users"`
	Groups mapping.Config `yaml:"groups"`
}

// presetOf reads the preset of a flavor; one that there is not presets nothing,
// and ldapsink has the fault.
func presetOf(flavor string) (preset, error) {
	var p preset
	file := path.Join("presets", path.Base(flavor)+".yaml")
	text, err := presetFiles.ReadFile(file)
	if err != nil {
		return p, nil
	}
	s := newSource(file)
	d := &decoder{Source: s, env: func(string) (string, bool) { return "", false }}
	d.decode(text, &p)
	return p, s.err()
}

// presets fills in, key by key, what the file leaves to the flavor of a tenant's
// directory.
func (c *Config) presets(s *Source) error {
	for i := range c.Tenants {
		t := &c.Tenants[i]
		p, err := presetOf(c.Directories[t.Directory].Flavor)
		if err != nil {
			return fmt.Errorf("presets of %s: %w", c.Directories[t.Directory].Flavor, err)
		}
		fill(s, tenantKey(i)+".users", t.Users, p.Users)
		fill(s, tenantKey(i)+".groups", t.Groups, p.Groups)
	}
	return nil
}

// fill gives a declaration what it does not say itself. A rule of the preset is
// for an LDAP attribute that the declaration names nowhere.
func fill(s *Source, key string, m *mapping.Config, p mapping.Config) {
	if m == nil {
		return
	}
	for name, set := range map[string]func(){
		"objectClasses": func() { m.ObjectClasses = slices.Clone(p.ObjectClasses) },
		"rdn":           func() { m.RDN = p.RDN },
		"marker.state":  func() { m.Marker.State = p.Marker.State },
		"marker.source": func() { m.Marker.Source = p.Marker.Source },
		"stableKey":     func() { m.StableKey = p.StableKey },
		"deactivate":    func() { m.Deactivate = slices.Clone(p.Deactivate) },
	} {
		if !s.Has(key+"."+name) && !s.filled[key+"."+name] && !s.broken[key+"."+name] && !s.broken[key] {
			set()
			s.filled[key+"."+name] = true
		}
	}
	if s.anyBroken(key + ".attributes") {
		return // which attributes it names is not known
	}
	for _, r := range p.Attributes {
		if _, _, _, named := m.Origin(r.LDAP); !named {
			m.Attributes = append(m.Attributes, r)
		}
	}
}

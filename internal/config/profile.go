package config

import (
	"embed"
	"encoding"
	"fmt"
	"path"
	"reflect"
	"slices"
	"strings"

	"scimgate/mapping"
)

//go:embed profiles/*.yaml
var profileFiles embed.FS

// profile is a rule set: what a tenant that names it has where its own file says
// nothing. Its keys are those of a tenant; whose directory it is, where and under
// which names, it cannot say.
type profile struct {
	Tokens     Tokens         `yaml:"tokens"`
	Limits     TenantLimits   `yaml:"limits"`
	Provenance string         `yaml:"provenance"`
	Protocol   Protocol       `yaml:"protocol"`
	Users      profileMapping `yaml:"users"`
	Groups     profileMapping `yaml:"groups"`
}

// profileMapping is what a rule set says of a mapping. It speaks of SCIM alone.
type profileMapping struct {
	OnExisting    mapping.OnExisting   `yaml:"onExisting"`
	OnForeignLock string               `yaml:"onForeignLock"`
	Rules         mapping.RulesConfig  `yaml:"rules"`
	Upsert        mapping.UpsertConfig `yaml:"upsert"`
}

// Profiles returns the names of the rule sets, in their order.
func Profiles() []string {
	files, err := profileFiles.ReadDir("profiles")
	if err != nil {
		return nil // the folder is inside the program
	}
	names := make([]string, len(files))
	for i, f := range files {
		names[i] = strings.TrimSuffix(f.Name(), ".yaml")
	}
	return names
}

// ProfileText returns a rule set as it is shipped, comments included.
func ProfileText(name string) (string, error) {
	if !slices.Contains(Profiles(), name) {
		return "", fmt.Errorf("%q is not known; the rule sets are %s", name, profileNames())
	}
	text, err := profileFiles.ReadFile(profileFile(name))
	return string(text), err
}

// ProfileSummary returns what a rule set is for: the beginning of its opening comment.
func ProfileSummary(name string) string {
	text, err := ProfileText(name)
	if err != nil {
		return ""
	}
	var comment []string
	for line := range strings.Lines(text) {
		said, is := strings.CutPrefix(strings.TrimSpace(line), "# ")
		if !is {
			break
		}
		comment = append(comment, said)
	}
	summary := strings.Join(comment, " ")
	for _, end := range []string{". ", ": "} {
		summary, _, _ = strings.Cut(summary, end)
	}
	return summary
}

func profileFile(name string) string { return path.Join("profiles", name+".yaml") }

func profileNames() string {
	names := Profiles()
	return strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1]
}

// profileOf reads a rule set and where its keys are. One that there is not is a
// fault of the tenant, found elsewhere.
func profileOf(name string) (profile, *Source, error) {
	var p profile
	s := newSource(profileFile(name))
	text, err := ProfileText(name)
	if err != nil {
		return p, s, nil
	}
	d := &decoder{Source: s, env: func(string) (string, bool) { return "", false }, refuse: refuseLater}
	d.decode([]byte(text), &p)
	return p, s, s.err()
}

// profiles fills in, key by key, what the file leaves to the rule set that a
// tenant names.
func (c *Config) profiles(s *Source) error {
	for i := range c.Tenants {
		t := &c.Tenants[i]
		p, from, err := profileOf(t.Profile)
		if err != nil {
			return fmt.Errorf("the profile %s: %w", t.Profile, err)
		}
		o := overlay{file: s, from: from, by: "the profile " + t.Profile}
		o.keys(place{key: tenantKey(i)}, place{}, reflect.ValueOf(t).Elem(), reflect.ValueOf(p))
	}
	return nil
}

// overlay lays the keys that one source has under those of a file.
type overlay struct {
	file, from *Source
	by         string // who gives them, in a fault
}

// keys gives the struct to what from has and the file has not. A type of the
// mapping that the tenant does not declare stays undeclared.
func (o overlay) keys(at, under place, to, from reflect.Value) {
	known := fieldsOf(to.Type())
	for _, f := range fieldsOf(from.Type()) {
		below := under.field(f)
		i := slices.IndexFunc(known, func(k field) bool { return k.name == f.name })
		if i < 0 || !o.from.Has(below.key) {
			continue
		}
		o.value(at.field(f), below, to.FieldByIndex(known[i].index), from.FieldByIndex(f.index))
	}
}

func (o overlay) value(at, under place, to, from reflect.Value) {
	if to.Kind() == reflect.Pointer && from.Kind() != reflect.Pointer {
		if to.IsNil() {
			return
		}
		to = to.Elem()
	}
	_, short := to.Addr().Interface().(encoding.TextUnmarshaler)
	switch {
	case o.file.broken[at.key]:
	case to.Type() == reflect.TypeFor[mapping.RulesConfig]():
		o.rules(at, under, to, from)
	case to.Kind() == reflect.Struct && !short:
		o.keys(at, under, to, from)
	case to.Kind() == reflect.Pointer && !to.IsNil() && to.Elem().Kind() == reflect.Struct:
		o.keys(at, under, to.Elem(), from.Elem())
	case !o.file.Has(at.key):
		to.Set(from)
		o.fill(at.key)
	}
}

func (o overlay) fill(key string) { o.file.filled[key], o.file.by[key] = true, o.by }

// rules lays the rules for a whole resource under those of the file, which add
// to them: a list or a set of characters gets what the file has not. A rule that is
// not to hold is named in without.
func (o overlay) rules(at, under place, to, from reflect.Value) {
	without := to.Addr().Interface().(*mapping.RulesConfig).Without
	for _, f := range fieldsOf(to.Type()) {
		at, below := at.field(f), under.field(f)
		to, from := to.FieldByIndex(f.index), from.FieldByIndex(f.index)
		switch {
		case !o.from.Has(below.key) || o.file.anyBroken(at.key) || slices.Contains(without, f.name):
		case !o.file.Has(at.key):
			to.Set(from)
			o.fill(at.key)
		case to.Kind() == reflect.String:
			o.adds(at, f.name, to)
			to.SetString(unite(to.String(), from.String()))
		case to.Kind() == reflect.Slice:
			o.adds(at, f.name, to)
			for i := range from.Len() {
				if !contains(to, from.Index(i)) {
					o.fill(at.index(to.Len()).key)
					to.Set(reflect.Append(to, from.Index(i)))
				}
			}
		}
	}
}

// adds warns of a key that adds nothing: whoever wrote it may have meant to be
// without the rule.
func (o overlay) adds(at place, name string, value reflect.Value) {
	if value.Len() == 0 {
		o.file.warn(at.key, fmt.Sprintf("adds nothing to what %s has there, which holds; remove the key, or write without: [%s] under rules to be without it", o.by, name))
	}
}

// unite adds to a set of characters those of another.
func unite(set, more string) string {
	for _, c := range more {
		if !strings.ContainsRune(set, c) {
			set += string(c)
		}
	}
	return set
}

func contains(list, v reflect.Value) bool {
	for i := range list.Len() {
		if reflect.DeepEqual(list.Index(i).Interface(), v.Interface()) {
			return true
		}
	}
	return false
}

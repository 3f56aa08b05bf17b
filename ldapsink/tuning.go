package ldapsink

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

// Tuning is how a directory is set up where a collection's entries live.
type Tuning struct {
	// Unique are the attributes whose values the directory itself keeps unique.
	Unique []string
	// how is the order that makes an index, with %s for the attribute.
	how     string
	indexed map[string]bool // by the attribute in lower case
}

// Indexed reports whether a search for equal values of an attribute has an index.
func (t *Tuning) Indexed(attribute string) bool {
	name, _, _ := strings.Cut(strings.ToLower(attribute), ";")
	return t.indexed[name]
}

// Order is what an administrator writes to make the index.
func (t *Tuning) Order(attribute string) string { return fmt.Sprintf(t.how, attribute) }

// Tuning reads the indexes and unique attributes of the tree of a base; nil
// where the bind account cannot see them.
func (s *Sink) Tuning(ctx context.Context, base string) (*Tuning, error) {
	if s.trait().tuning == nil {
		return nil, nil
	}
	t, err := s.trait().tuning(ctx, s, base)
	return t, wrap("search", err)
}

// settings searches where servers show their settings. What the account may not
// see is not there.
func (s *Sink) settings(ctx context.Context, base, filter string, attributes ...string) ([]*ldap.Entry, error) {
	found, err := s.search(ctx, base, filter, attributes)
	if ldap.IsErrorAnyOf(err, ldap.LDAPResultNoSuchObject, ldap.LDAPResultInsufficientAccessRights, ldap.LDAPResultInvalidDNSyntax) {
		return nil, nil
	}
	return found, err
}

// holding returns the settings of the tree that a base is in: those with the
// longest suffix above it.
func holding(found []*ldap.Entry, suffix, base string) *ldap.Entry {
	var best *ldap.Entry
	longest := -1
	for _, e := range found {
		for _, s := range values(e, suffix) {
			if below(base, s) && len(s) > longest {
				best, longest = e, len(s)
			}
		}
	}
	return best
}

// openLDAPTuning reads cn=config, slapd-config(5).
func openLDAPTuning(ctx context.Context, s *Sink, base string) (*Tuning, error) {
	found, err := s.settings(ctx, "cn=config", "(|(olcSuffix=*)(objectClass=olcUniqueConfig))", "olcSuffix", "olcDbIndex", "olcUniqueURI")
	database := holding(found, "olcSuffix", base)
	if err != nil || database == nil {
		return nil, err
	}
	t := &Tuning{indexed: map[string]bool{"entrydn": true}, how: "add olcDbIndex: %s eq"}
	var usual bool // what an index without kinds has
	for _, text := range values(database, "olcDbIndex") {
		names, kinds, _ := strings.Cut(text, " ")
		usual = usual || names == "default" && strings.Contains(kinds, "eq")
	}
	for _, text := range values(database, "olcDbIndex") {
		names, kinds, given := strings.Cut(text, " ")
		if given && slices.Contains(strings.FieldsFunc(kinds, func(c rune) bool { return c == ',' || c == ' ' }), "eq") || !given && usual {
			for _, name := range strings.Split(names, ",") {
				t.indexed[strings.ToLower(name)] = true
			}
		}
	}
	for _, e := range found {
		if below(e.DN, database.DN) {
			for _, uri := range values(e, "olcUniqueURI") {
				t.Unique = append(t.Unique, uniqueOf(uri)...)
			}
		}
	}
	return t, nil
}

// uniqueOf returns the attributes of "strict ldap:///ou=people?uid,mail?sub".
func uniqueOf(uri string) []string {
	parts := strings.Split(uri, "?")
	if len(parts) < 2 || parts[1] == "" {
		return nil
	}
	return strings.Split(parts[1], ",")
}

// ds389Tuning reads the indexes of a backend and the plug-in of unique attributes.
func ds389Tuning(ctx context.Context, s *Sink, base string) (*Tuning, error) {
	found, err := s.settings(ctx, "cn=ldbm database,cn=plugins,cn=config",
		"(|(objectClass=nsBackendInstance)(objectClass=nsIndex))", "nsslapd-suffix", "cn", "nsIndexType")
	backend := holding(found, "nsslapd-suffix", base)
	if err != nil || backend == nil {
		return nil, err
	}
	name := first(backend, "cn")
	t := &Tuning{indexed: map[string]bool{"entrydn": true}, how: "run dsconf INSTANCE backend index add --attr %s --index-type eq --reindex " + name}
	for _, e := range found {
		if below(e.DN, "cn=index,"+backend.DN) && slices.Contains(values(e, "nsIndexType"), "eq") {
			t.indexed[strings.ToLower(first(e, "cn"))] = true
		}
	}
	plugins, err := s.settings(ctx, "cn=plugins,cn=config", "(&(nsslapd-pluginInitfunc=NSUniqueAttr_Init)(nsslapd-pluginEnabled=on))",
		"uniqueness-attribute-name", "nsslapd-pluginarg0")
	for _, p := range plugins {
		t.Unique = append(t.Unique, values(p, "uniqueness-attribute-name")...)
		t.Unique = append(t.Unique, values(p, "nsslapd-pluginarg0")...)
	}
	return t, err
}

// activeDirectoryTuning reads the schema: bit 0 of searchFlags is an index.
func activeDirectoryTuning(ctx context.Context, s *Sink, _ string) (*Tuning, error) {
	dse, err := s.base(ctx, "", []string{"schemaNamingContext"})
	if err != nil || dse == nil {
		return nil, err
	}
	found, err := s.settings(ctx, first(dse, "schemaNamingContext"),
		"(&(objectClass=attributeSchema)(searchFlags:1.2.840.113556.1.4.803:=1))", "lDAPDisplayName")
	if err != nil || len(found) == 0 {
		return nil, err
	}
	t := &Tuning{
		Unique:  []string{"sAMAccountName", "userPrincipalName"},
		indexed: map[string]bool{"distinguishedname": true, "objectguid": true},
		how:     "set bit 0 of searchFlags of the attributeSchema of %s",
	}
	for _, e := range found {
		t.indexed[strings.ToLower(first(e, "lDAPDisplayName"))] = true
	}
	// References are links, which the server follows in both directions.
	for _, linked := range []string{"member", "manager"} {
		t.indexed[linked] = true
	}
	return t, nil
}

// Searched are the attributes, beside those of a mapping, that every request
// searches by equal values.
func (s *Sink) Searched() []string {
	var names []string
	for _, name := range []string{s.flavor.id, s.flavor.dn} {
		if name != "" {
			names = append(names, name)
		}
	}
	return names
}

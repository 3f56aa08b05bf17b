// Package check looks for everything that can be found wrong with a
// configuration before traffic arrives, and reports all of it at once:
//
//	file        what config.Load says (finding.go)
//	machine     certificate, state folder, tokens, addresses (machine.go)
//	callers     issuers of access tokens, authorities of certificates (identity.go)
//	directory   each server: reach, TLS, bind, root DSE (server.go)
//	brake       whether there is one (brake.go)
//	mapping     the live schema (hold.go), the marker (marker.go), locks (lock.go),
//	            counters (counter.go)
//	tuning      indexes, uniqueness (tuning.go)
//	rights      of the bind account (rights.go), tried for real (write.go)
//
// A directory that does not answer is one finding; the rest goes on. Nothing is
// written anywhere unless Options.Write asks for it.
//
// The packages below offer facts, opinions are here: what is an error, a warning
// or a note, and what would be right. The package knows neither LDAP text nor
// HTTP.
package check

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"scimgate/internal/config"
	"scimgate/internal/directory"
	"scimgate/ldapsink"
	"scimgate/mapping"
)

// Type is one resource type of a tenant, ready to be held against its directory.
type Type struct {
	Key     string // where its declaration stands: tenants[0].users
	Config  *mapping.Config
	Mapping *mapping.Mapping
	Store   directory.Store
}

// Tenant is a tenant of the configuration with its types.
type Tenant struct {
	Config config.Tenant
	Types  []Type
}

// Options say what is checked and how.
type Options struct {
	Config   *config.Config
	Warnings []config.Warning // of config.Load
	Sinks    map[string]*ldapsink.Sink
	Tenants  []Tenant
	// Write lets the check make, change and remove one entry below each base.
	Write bool
	Now   time.Time
}

// Run looks at everything and returns the report. Only ctx can end it early.
func Run(ctx context.Context, o Options) Report {
	c := &checker{Options: o, seen: map[Finding]bool{}, outside: map[string]bool{}}
	for _, w := range o.Warnings {
		c.fault(w, directory.SevereWarning)
	}
	c.machine()
	c.callers(ctx)
	for _, name := range slices.Sorted(maps.Keys(o.Sinks)) {
		c.directory(ctx, name, o.Sinks[name])
	}
	return report(c.findings)
}

// checker collects what is found.
type checker struct {
	Options
	findings []Finding
	seen     map[Finding]bool
	outside  map[string]bool // keys of types whose base is in no tree of their directory
}

// directory checks one directory and what its tenants ask of it.
func (c *checker) directory(ctx context.Context, name string, sink *ldapsink.Sink) {
	key := "directories." + name
	var tenants []Tenant
	for _, t := range c.Tenants {
		if t.Config.Directory == name {
			tenants = append(tenants, t)
		}
	}
	if len(tenants) == 0 {
		c.warn(key, "no tenant uses this directory; remove it, or name it in a tenant")
	}
	if !c.servers(ctx, key, sink, tenants) {
		return
	}
	schema, err := sink.Schema(ctx)
	if err != nil {
		c.err(key, "the schema cannot be read: %v; let the account read the subschema entry", err)
	}
	c.powers(ctx, key, sink, tenants)
	for _, t := range tenants {
		c.locks(ctx, sink, t)
		for _, typ := range t.Types {
			c.typ(ctx, sink, schema, typ)
		}
	}
}

// typ checks one resource type against its directory.
func (c *checker) typ(ctx context.Context, sink *ldapsink.Sink, schema *ldapsink.Schema, typ Type) {
	if schema != nil {
		c.all(typ.Key, typ.Mapping.Hold(schema))
		c.all(typ.Key, typ.Mapping.Review(schema))
	}
	if c.outside[typ.Key] {
		return
	}
	missing := Base(ctx, sink, typ.Mapping, typ.Store)
	c.all(typ.Key, missing)
	if len(missing) > 0 {
		return
	}
	c.marker(ctx, schema, typ)
	c.counters(ctx, sink, typ)
	c.tuning(ctx, sink, typ)
	c.rights(ctx, sink, schema, typ)
	if c.Write && schema != nil {
		c.write(ctx, schema, typ)
	}
}

// bases returns where the entries of tenants live, each place once.
func bases(tenants []Tenant) []string {
	var all []string
	for _, t := range tenants {
		for _, typ := range t.Types {
			if base := typ.Mapping.Collection().Base; !slices.Contains(all, base) {
				all = append(all, base)
			}
		}
	}
	return all
}

func (c *checker) all(key string, faults []directory.Fault) {
	for _, f := range faults {
		c.fault(c.Config.Source().Locate(key, f), f.Severity)
	}
}

func (c *checker) err(key, format string, args ...any) {
	c.at(directory.SevereError, key, format, args...)
}

func (c *checker) warn(key, format string, args ...any) {
	c.at(directory.SevereWarning, key, format, args...)
}

func (c *checker) note(key, format string, args ...any) {
	c.at(directory.SevereNote, key, format, args...)
}

func (c *checker) at(severity directory.Severity, key, format string, args ...any) {
	c.all(key, []directory.Fault{{Problem: fmt.Sprintf(format, args...), Severity: severity}})
}

// fault adds a fault once.
func (c *checker) fault(f config.Fault, severity directory.Severity) {
	found := finding(f, severity)
	if !c.seen[found] {
		c.seen[found] = true
		c.findings = append(c.findings, found)
	}
}

// list joins names for a sentence.
func list(names []string) string { return strings.Join(names, ", ") }

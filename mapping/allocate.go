package mapping

import (
	"fmt"
	"math"
	"strings"

	"scimgate/internal/directory"
)

// AllocateConfig says where the numbers of new entries come from: from an entry
// that counts, or from a range, one above the highest in use.
type AllocateConfig struct {
	// Counter is the name of the entry that holds the next number.
	Counter string `yaml:"counter"`
	// Attribute is where it holds it; by default the attribute of the line.
	Attribute string `yaml:"attribute"`
	// Min and Max are the first and the last number.
	Min int64 `yaml:"min"`
	Max int64 `yaml:"max"`
}

// isAllocated reports whether the rule's value is a number that an entry gets
// when it is made and keeps for ever.
func (r *rule) isAllocated() bool { return r.config.Allocate != nil }

// highestNumber is what fits the number of a user or a group on every system
// that reads them; one above is -1 to some.
const highestNumber = math.MaxUint32 - 1

// allocation refuses what cannot give numbers, or would give one twice.
func (c *compiler) allocation(l line) {
	a, rc := l.rule.Allocate, l.rule
	if a == nil {
		return
	}
	fault := func(key, format string, args ...any) { c.fault(l.key+"."+key, format, args...) }
	switch {
	case rc.SCIM != "" && rc.Mutability != "readOnly":
		fault("mutability", "is missing: the number of %s is given by the gateway and never changes; write mutability: readOnly, or leave scim out", rc.SCIM)
	case rc.Template != "" || rc.Default != "" || rc.OnCollision != "" || rc.MaxLength != 0 || rc.Forbidden+rc.ForbiddenAtEnd != "" || len(rc.Reference) > 0:
		fault("allocate", "gives the value, so it takes no template, default, onCollision, maxLength, forbidden, forbiddenAtEnd and reference")
	case rc.Unique || rc.Required:
		fault("allocate", "gives every entry a number of its own; remove unique and required")
	}
	switch {
	case a.Min < 1 || a.Max < 1:
		fault("allocate", "needs min and max, both above zero, for example min: 10000 and max: 59999")
	case a.Min > a.Max:
		fault("allocate.max", "%d is below min, %d", a.Max, a.Min)
	case a.Max > highestNumber:
		fault("allocate.max", "%d is too large; %d is the highest that systems can read", a.Max, int64(highestNumber))
	}
	switch {
	case a.Counter == "" && a.Attribute != "":
		fault("allocate.counter", "is missing: attribute is one of the entry that counts; name the entry, or remove attribute")
	case a.Counter != "" && !strings.Contains(a.Counter, "="):
		fault("allocate.counter", "%q is no distinguished name; give for example cn=uidNext,ou=system,dc=example,dc=org", a.Counter)
	case a.Counter == "" && c.m.config.Delete == DeleteRemove:
		instead := ", or say delete: disable"
		if c.m.def.Name == "Group" {
			instead = "" // a group cannot be disabled
		}
		fault("allocate.counter", "is missing: of a removed entry nobody knows the number, and it would be given again; name an entry that counts%s", instead)
	}
}

// numbers are what a new entry is to be given.
func (m *Mapping) numbers() []directory.Number {
	var all []directory.Number
	for i := range m.rules {
		r := &m.rules[i]
		if !r.isAllocated() {
			continue
		}
		a := r.config.Allocate
		n := directory.Number{Attribute: r.config.LDAP, Min: a.Min, Max: a.Max, Counter: a.Counter}
		if n.CounterAttribute = a.Attribute; n.CounterAttribute == "" && n.Counter != "" {
			n.CounterAttribute = r.config.LDAP
		}
		all = append(all, n)
	}
	return all
}

// counts looks whether an attribute can hold the numbers of a rule, and be
// searched for them.
func (h *holder) counts(key string, r *rule, a directory.AttributeType) {
	if syntax, known := strings.CutPrefix(a.Syntax, syntaxPrefix); known && syntax != "27" && syntax != "36" && syntax != "15" && syntax != "26" {
		h.fault(key+".ldap", "%s cannot hold a number in this directory; use an attribute with syntax INTEGER", r.config.LDAP)
	}
	h.comparable(key, a)
	if counter := r.config.Allocate.Attribute; counter != "" {
		h.known(fmt.Sprintf("%s.allocate.attribute", key), counter)
	}
}

package directory

import (
	"maps"
	"slices"
	"time"
)

// Attributes are the values of an entry by attribute description, spelled as
// the mapping spells it. An attribute without values is absent.
type Attributes map[string][]string

// First returns the first value of an attribute, or "" where it has none.
func (a Attributes) First(name string) string {
	if v := a[name]; len(v) > 0 {
		return v[0]
	}
	return ""
}

// Clone returns a deep copy.
func (a Attributes) Clone() Attributes {
	c := make(Attributes, len(a))
	for name, values := range a {
		c[name] = slices.Clone(values)
	}
	return c
}

// Names returns the attribute descriptions in a fixed order.
func (a Attributes) Names() []string { return slices.Sorted(maps.Keys(a)) }

// Entry is an LDAP entry as a Store read it.
type Entry struct {
	// ID is the directory's own immutable identifier in its usual text form.
	ID string
	// DN is the distinguished name as the directory spells it.
	DN string
	// Version changes with every write to the entry, whoever makes it.
	Version string
	// Created and Modified are the directory's own operational times.
	Created, Modified time.Time
	// Marker is what the gateway wrote about the entry; its zero value means
	// that no tenant manages it.
	Marker Marker
	// Protected says why no write may touch the entry, in a clause that anybody
	// may see; "" where nothing that was read forbids it. What only a look at
	// groups can tell is there with Query.Guard alone.
	Protected string
	// Attributes are those of the attributes asked for that have values.
	Attributes Attributes
}

// NewEntry is an entry that is to be added.
type NewEntry struct {
	// Name is the value of the collection's naming attribute.
	Name string
	// Attributes are all attributes but the object classes and the marker.
	Attributes Attributes
	Marker     Marker
	// Keys are the values that no other entry of the collection may have.
	Keys []Key
	// Numbers are what the entry is to be given beside Attributes.
	Numbers []Number
}

// Number is a number that an entry is given when it is made, and that no other
// entry of the directory has or will have.
type Number struct {
	Attribute string
	Min, Max  int64
	// Counter is the name of the entry that holds, in CounterAttribute, the next
	// number to be given. Without one the next is one above the highest in use.
	Counter, CounterAttribute string
	// Value is the number, once Add has chosen it; 0 before. Who adds the same
	// entry again keeps it.
	Value int64
}

// Key is a value that at most one entry of a collection may have.
type Key struct {
	Attribute, Value string
	// Exact compares byte for byte, whatever the attribute's own matching rule
	// says. Otherwise the directory's equality decides.
	Exact bool
}

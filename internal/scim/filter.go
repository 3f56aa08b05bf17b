package scim

import "strings"

// Filter is a filter of RFC 7644 section 3.4.2.2: one of [And], [Or], [Not],
// [Compare], [Present] and [ValuePath].
type Filter interface {
	// String is the canonical text, which ParseFilter reads back.
	String() string
	isFilter()
}

// Op is a comparison operator.
type Op string

// The comparison operators (RFC 7644 table 3).
const (
	Eq Op = "eq" // equal
	Ne Op = "ne" // not equal
	Co Op = "co" // contains
	Sw Op = "sw" // starts with
	Ew Op = "ew" // ends with
	Gt Op = "gt" // greater than
	Ge Op = "ge" // greater than or equal to
	Lt Op = "lt" // less than
	Le Op = "le" // less than or equal to
)

// And matches what all its filters match. It has two or more.
type And struct{ Filters []Filter }

// Or matches what any of its filters matches. It has two or more.
type Or struct{ Filters []Filter }

// Not matches what its filter does not.
type Not struct{ Filter Filter }

// Compare compares an attribute's values with a literal: string, bool,
// json.Number or nil. Its path may carry a value filter, although the RFC's
// grammar has none there: emails[type eq "work"].value eq "x" is what Entra
// sends.
type Compare struct {
	Path  Path
	Op    Op
	Value any
}

// Present matches if the attribute has a value.
type Present struct{ Path Path }

// ValuePath matches if some element of a multi-valued attribute matches the
// filter as a whole: emails[type eq "work" and value co "@x"]. The names in the
// filter are those of sub-attributes.
type ValuePath struct {
	Path   Path // without a Filter
	Filter Filter
}

func (And) isFilter()       {}
func (Or) isFilter()        {}
func (Not) isFilter()       {}
func (Compare) isFilter()   {}
func (Present) isFilter()   {}
func (ValuePath) isFilter() {}

func (f And) String() string {
	return join(f.Filters, " and ", func(f Filter) bool {
		or, ok := f.(Or)
		return ok && len(or.Filters) > 1 // or binds weaker than and
	})
}

func (f Or) String() string {
	return join(f.Filters, " or ", func(Filter) bool { return false })
}

func (f Not) String() string { return "not (" + f.Filter.String() + ")" }

func (f Compare) String() string {
	return f.Path.String() + " " + string(f.Op) + " " + literal(f.Value)
}

func (f Present) String() string { return f.Path.String() + " pr" }

func (f ValuePath) String() string { return f.Path.String() + "[" + f.Filter.String() + "]" }

// Text is the value compared with, as the text a string attribute would hold:
// `externalId eq 123` compares with the text 123. It is "" for null.
func (f Compare) Text() string { return text(f.Value) }

func join(filters []Filter, separator string, enclose func(Filter) bool) string {
	parts := make([]string, len(filters))
	for i, f := range filters {
		parts[i] = f.String()
		if enclose(f) {
			parts[i] = "(" + parts[i] + ")"
		}
	}
	return strings.Join(parts, separator)
}

package directory

// FilterOp is the kind of a filter (RFC 4511 section 4.5.1.7).
type FilterOp int

// The kinds of filter. All matches every entry, None matches none.
const (
	All FilterOp = iota
	None
	And
	Or
	Not
	Equal
	Present
	Prefix
	Suffix
	Contains
	AtLeast
	AtMost
	// MemberOf matches who is in a group that its one filter matches, or in a
	// group in such a group. No Store knows it: a caller finds the groups first
	// and puts names in its place.
	MemberOf
	// Raw is a filter in the directory's own words, in Value, that somebody has
	// declared and a Store has checked. It is not to be looked into.
	Raw
)

// Attributes that every directory has under a name of its own. A Store puts
// its directory's name and value syntax in their place.
const (
	AttrID       = "@id"       // Entry.ID
	AttrDN       = "@dn"       // Entry.DN; Equal only
	AttrCreated  = "@created"  // RFC 3339 in UTC
	AttrModified = "@modified" // RFC 3339 in UTC
	AttrLeft     = "@left"     // the groups in Marker.Left; Equal with an id only, and it may match too much
	AttrState    = "@state"    // the marker's state; Equal with a State only
)

// Filter is a search filter that is not yet escaped text. Its zero value
// matches every entry.
type Filter struct {
	Op        FilterOp
	Attribute string
	Value     string
	Filters   []Filter // of And, Or, Not and MemberOf (exactly one)
}

// Eq matches entries whose attribute has the value.
func Eq(attribute, value string) Filter {
	return Filter{Op: Equal, Attribute: attribute, Value: value}
}

// AnyOf matches entries whose attribute has one of the values.
func AnyOf(attribute string, values []string) Filter {
	filters := make([]Filter, len(values))
	for i, v := range values {
		filters[i] = Eq(attribute, v)
	}
	return OrOf(filters...)
}

// AndOf matches entries that every filter matches.
func AndOf(filters ...Filter) Filter { return Filter{Op: And, Filters: filters} }

// OrOf matches entries that some filter matches.
func OrOf(filters ...Filter) Filter {
	switch len(filters) {
	case 0:
		return Filter{Op: None}
	case 1:
		return filters[0]
	}
	return Filter{Op: Or, Filters: filters}
}

// RawOf is a filter in the directory's own words.
func RawOf(text string) Filter { return Filter{Op: Raw, Value: text} }

// NotOf matches entries that the filter does not match.
func NotOf(f Filter) Filter { return Filter{Op: Not, Filters: []Filter{f}} }

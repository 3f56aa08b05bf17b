package directory

import (
	"context"
	"slices"
)

// Collection is one tenant's part of a directory for one resource type.
type Collection struct {
	// Source is the tenant's name, written to the marker of every entry.
	Source string
	// Base is the name below which the collection's entries live; new ones are
	// put directly below it.
	Base string
	// Places are names below which entries may live besides: where deactivation
	// moves them.
	Places []string
	// ObjectClasses are those of a new entry.
	ObjectClasses []string
	// StateAttribute and SourceAttribute carry the marker.
	StateAttribute, SourceAttribute string
	// Naming is the attribute of the relative distinguished name.
	Naming string
	// Attributes are all attributes that a search returns by default.
	Attributes []string
	// Member is the attribute that ChangeMembers changes; "" where the
	// collection has none.
	Member string
	// MemberBy says that members are listed by a value that they are named after,
	// as in memberUid: ann. To callers they are names all the same.
	MemberBy MemberBy
	// EmptyMember is the value that stands for an empty group where the object
	// class demands at least one member; "" where it does not.
	EmptyMember string
	// Referrers are the places where this tenant refers to entries by name. A
	// rename takes these references along.
	Referrers []Referrer
}

// MemberBy is how entries are listed by value: the attribute that they are named
// after, and the bases and places below which they live, the base first. Its zero
// value is by name.
type MemberBy struct {
	Attribute string
	Bases     []string
}

// Referrer is an attribute of a tenant's entries whose values are names of
// entries.
type Referrer struct {
	Base, Attribute string
	// By is the attribute that entries are named after, where its values and not
	// the names are listed.
	By string
	// Member says that being named there is being a member of a group.
	Member bool
	// EmptyMember and SourceAttribute are those of the referring collection.
	EmptyMember, SourceAttribute string
}

// Trees are the bases of all searches of the collection, none in another.
func (c Collection) Trees() []string {
	trees := []string{c.Base}
	for _, place := range c.Places {
		if !slices.ContainsFunc(trees, func(t string) bool { return FoldDN(place) == FoldDN(t) || Below(place, t) }) {
			trees = append(trees, place)
		}
	}
	return trees
}

// Scope says which entries of a collection a search sees.
type Scope int

// The scopes of a search.
const (
	// Live: what this tenant manages and has not deleted.
	Live Scope = iota
	// Anyone: every entry below the base, whoever manages it.
	Anyone
	// Tree: every entry of the tree that the base is in, as far as the gateway may
	// look.
	Tree
)

// Query is a search.
type Query struct {
	Filter Filter
	Scope  Scope
	// Attributes are the attributes to read: nil for all of the collection,
	// empty for none. ID, DN, Version and the marker are always read, the
	// times only with attributes.
	Attributes []string
	// Places reads, beside Attributes, only what an entry's place in a list is
	// made of: ID, DN and Created, neither version nor marker.
	Places bool
	// Guard looks at groups too to fill in Entry.Protected, for entries that
	// nobody manages yet.
	Guard bool
	// Limit is the most entries that the caller has use for; 0 is no limit. More
	// are the error TooMany, and are not read.
	Limit int
}

// Store reads and writes the entries of one collection. It is safe for
// concurrent use. Every error is an *Error; retries for what can pass by itself
// are inside, so a caller repeats nothing but reads and writes after Changed.
type Store interface {
	// Search returns the entries that match, in no particular order.
	// Errors: TooMany, Unavailable, Internal.
	Search(ctx context.Context, q Query) ([]Entry, error)

	// Add adds an entry and returns it as the directory has it. Exists means
	// that the name or one of the keys is taken; of several equal entries made
	// at once one is kept and the others' makers get Exists.
	// Errors: Exists, Invalid, Exhausted, Unavailable, Internal.
	Add(ctx context.Context, e NewEntry) (Entry, error)

	// Update changes an entry that was read as old and returns it as the
	// directory has it then. Changed means that it is no longer old.
	// References to an entry that is renamed or moved follow it. Members of the change come and
	// go as with ChangeMembers, and without the others being read.
	// Errors: NotFound, Changed, Exists, Invalid, Protected, Unavailable, Internal.
	Update(ctx context.Context, old Entry, c Change) (Entry, error)

	// ChangeMembers adds and removes members of the live entry with the id
	// without reading the others. version, where not "", is the version that
	// the entry must have, else Changed. A change that is so already leaves the
	// entry's version as it is.
	// Errors: NotFound, Changed, Invalid, Protected, Unavailable, Internal.
	ChangeMembers(ctx context.Context, id, version string, c MemberChange) error

	// Remove deletes the entry for good, if it was not adopted. An entry that is
	// gone is no error.
	// Errors: Changed, Protected, Unavailable, Internal.
	Remove(ctx context.Context, e Entry) error
}

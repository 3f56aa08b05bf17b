package directory

import (
	"errors"
	"fmt"
)

// Kind says what an error of the directory means to its caller.
type Kind int

// The kinds of error.
const (
	// Internal is everything that only an operator can explain: missing
	// rights, a mapping that the schema refuses, an answer nobody expected.
	Internal Kind = iota
	// NotFound: the entry is not there, or not this tenant's.
	NotFound
	// Exists: the name or a unique value is taken. Nothing of the write is left.
	Exists
	// Changed: the entry is no longer the version that the write began with.
	// Nothing was written; reading it again and retrying is right.
	Changed
	// Invalid: the directory refuses a value. Nothing was written.
	Invalid
	// TooMany: the search exceeds a limit of the directory.
	TooMany
	// Protected: the entry is one that no gateway may write, such as an
	// administrator's. Nothing was written.
	Protected
	// Unavailable: the directory cannot be reached or is too busy. A write may
	// or may not have happened; repeating the request is right.
	Unavailable
	// Exhausted: a range of numbers has none left. Nothing was written, and the
	// request is right once an operator has made the range larger.
	Exhausted
)

var kindText = [...]string{"internal", "not found", "exists", "changed", "invalid", "too many", "protected", "unavailable", "exhausted"}

func (k Kind) String() string { return kindText[k] }

// Error is a failed operation of a Store.
type Error struct {
	Op        string // what was tried: search, add, modify, rename, delete
	Kind      Kind
	Attribute string // the LDAP attribute to blame, where the directory tells
	Reason    string // for clients: why a password policy refused a password (Invalid), or why an entry is Protected
	// With Invalid: Malformed says that the value breaks the attribute's syntax or
	// a constraint of it, Limit how many bytes it may have, where that is known.
	Malformed bool
	Limit     int
	Err       error // the cause with the server's own words: for logs, never for clients
}

func (e *Error) Error() string { return fmt.Sprintf("%s: %s: %v", e.Op, e.Kind, e.Err) }

func (e *Error) Unwrap() error { return e.Err }

// Is reports whether err is an Error of the kind.
func Is(err error, kind Kind) bool {
	var e *Error
	return errors.As(err, &e) && e.Kind == kind
}

// Fault is one mistake in the declaration of a tenant or a directory.
type Fault struct {
	Key      string // path of the key below the declaration: attributes[2].scim
	Problem  string // what is wrong and, after "; ", what would be right
	Severity Severity
}

// Severity says how bad a Fault is.
type Severity int

// The severities.
const (
	SevereError   Severity = iota // requests will fail, or do what nobody wants
	SevereWarning                 // it works and is unwise
	SevereNote                    // worth knowing
)

var severityText = [...]string{"error", "warning", "note"}

func (s Severity) String() string { return severityText[s] }

func (f Fault) Error() string { return f.Key + ": " + f.Problem }

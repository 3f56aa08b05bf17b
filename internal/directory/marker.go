package directory

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// State says in which part of its life a managed entry is.
type State string

// The states of a managed entry.
const (
	// Active entries belong to people who may sign in, and to groups.
	Active State = "active"
	// Inactive entries are locked and visible over SCIM.
	Inactive State = "inactive"
	// Deleting entries are locked and on their way to Deleted: still visible,
	// so that the same request completes what was interrupted, but no longer
	// to be referred to.
	Deleting State = "deleting"
	// Deleted entries are tombstones: locked and invisible over SCIM.
	Deleted State = "deleted"
)

// Marker is what the gateway writes about an entry that it manages. The source
// stands in an attribute of its own, all the rest is one value of a second
// attribute, so that any two attributes of a directory can carry it and
// deleting the old value while adding the new one is a compare-and-set.
type Marker struct {
	// Source is the name of the tenant that manages the entry; "" where none does.
	Source string `json:"-"`
	State  State  `json:"-"`
	// Request is the request id of the last write to the entry. After a lost
	// connection it tells one's own write from another's.
	Request string `json:"request,omitempty"`
	// Since is when State began.
	Since time.Time `json:"since,omitzero"`
	// Undo holds what deactivation replaced: for each attribute that it set,
	// the values before. An attribute that is missing here was locked by
	// somebody else and is not the gateway's to unlock.
	Undo map[string][]string `json:"undo,omitempty"`
	// Home is the name below which the entry was before the gateway moved it; ""
	// says that it is where others have put it.
	Home string `json:"home,omitempty"`
	// Called is the name that the entry gave up because another had it where
	// the entry was moved to: it still goes by that name.
	Called string `json:"called,omitempty"`
	// Left are the groups that wait for somebody inactive, each as CompactID has
	// it: those that the gateway took them out of, and those that they were put
	// into since. A group that is missing here is not the gateway's to rejoin.
	Left []string `json:"left,omitempty"`
	// Aside holds the name and the unique values that a tombstone gave up.
	Aside map[string][]string `json:"aside,omitempty"`
	// From is the name that an unfinished rename began with: references to it
	// may still have to follow.
	From string `json:"from,omitempty"`
	// Adopted says that the entry was there before the gateway.
	Adopted bool `json:"adopted,omitempty"`
	// Managed is when it was adopted; of others the entry's own time of creation
	// tells it.
	Managed time.Time `json:"managed,omitzero"`
	// Classes are the object classes that an adoption added, and Before the
	// values that the attribute of the stable key had until then: a release
	// takes the ones away and puts the others back.
	Classes []string            `json:"classes,omitempty"`
	Before  map[string][]string `json:"before,omitempty"`
}

// markerPrefix tells the gateway's value from others in an attribute that
// holds several.
const markerPrefix = "scimgate:"

// StatePrefix returns the text that every marker value of a state begins with.
func StatePrefix(s State) string { return markerPrefix + string(s) + " " }

// Text returns the marker's value for the state attribute.
func (m Marker) Text() (string, error) {
	facts, err := json.Marshal(m)
	if err != nil {
		return "", fmt.Errorf("write marker: %w", err)
	}
	return StatePrefix(m.State) + string(facts), nil
}

// ParseMarker finds the marker among the values of the state attribute and
// returns it with the value it was read from. Both are empty where no value is
// a marker. An error means that a marker is there and cannot be understood.
func ParseMarker(values []string) (Marker, string, error) {
	for _, v := range values {
		rest, ok := strings.CutPrefix(v, markerPrefix)
		if !ok {
			continue
		}
		state, facts, _ := strings.Cut(rest, " ")
		m := Marker{State: State(state)}
		switch m.State {
		case Active, Inactive, Deleting, Deleted:
		default:
			return Marker{}, v, fmt.Errorf("read marker: unknown state %q", state)
		}
		if err := json.Unmarshal([]byte(facts), &m); err != nil {
			return Marker{}, v, fmt.Errorf("read marker: %w", err)
		}
		return m, v, nil
	}
	return Marker{}, "", nil
}

// CompactID returns a short form of an id for notes that have to be many in one
// value: 22 characters for the 16 bytes that directories have, the id itself
// for others.
func CompactID(id string) string {
	digits, err := hex.DecodeString(strings.ReplaceAll(id, "-", ""))
	if err != nil || len(digits) != 16 {
		return id
	}
	return base64.RawURLEncoding.EncodeToString(digits)
}

// ExpandID is the way back. like is any id of the same directory, which shows
// where the dashes go.
func ExpandID(compact, like string) string {
	digits, err := base64.RawURLEncoding.DecodeString(compact)
	if err != nil || len(digits) != 16 || CompactID(like) == like {
		return compact
	}
	rest := hex.EncodeToString(digits)
	var b strings.Builder
	for _, c := range like {
		if c == '-' {
			b.WriteByte('-')
		} else if rest != "" {
			b.WriteByte(rest[0])
			rest = rest[1:]
		}
	}
	return b.String()
}

package shutoff

import (
	"fmt"
	"time"

	"scimgate/internal/state"
)

// Position is how a tenant's switch stands. The zero value is that of a tenant
// that was never switched off.
type Position struct {
	Off bool `json:"off"`
	// Since and By are when it was put so, and by whom.
	Since time.Time `json:"since,omitzero"`
	By    string    `json:"by,omitempty"`
	// Reason is what they gave as the reason for switching off.
	Reason string `json:"reason,omitempty"`
}

// File is the switch of one tenant as it is kept. It has no state of its own and
// is safe for concurrent use.
type File struct{ document *state.File[Position] }

// Open names the switch of a tenant below the state folder, and touches nothing.
func Open(stateDir, tenant string) *File {
	return &File{state.Open[Position](stateDir, "switch", tenant, nil)}
}

// Read returns how the switch stands.
func (f *File) Read() (Position, error) { return f.document.Read() }

// Set puts the switch into a position and returns the one that it was in. A
// switch that is so already keeps who put it there, when and why.
func (f *File) Set(to Position) (before Position, err error) {
	err = f.document.Change(func(now Position) (Position, error) {
		if before = now; now.Off == to.Off {
			return now, nil
		}
		return to, nil
	})
	if err != nil {
		return before, fmt.Errorf("the switch was left as it is: %w", err)
	}
	return before, nil
}

package shutoff

import (
	"sync"
	"time"

	"scimgate/internal/state"
)

// Switch is the switch of a tenant in a running gateway. It is safe for
// concurrent use and notices by itself that it was put into another position.
type Switch struct {
	file  *File
	watch *state.Watch[Position]
	told  func(Position, error)

	mu      sync.Mutex
	read    bool // the document was read once, or there is none
	checked time.Time
	now     Position
	failed  bool // the last look
}

// Watch watches the switch of a tenant. told hears of every other position that is
// noticed, the first one only if it is off, and once of each time from which on
// the document cannot be read.
func Watch(f *File, told func(Position, error)) *Switch {
	return &Switch{file: f, watch: state.NewWatch(f.document, 0), told: told}
}

// Off reports whether the tenant is switched off.
func (s *Switch) Off() bool { return s.Position().Off }

// Position returns how the switch stands: as it was last read, at most
// state.Fresh ago where it can be read. As long as a gateway could not read it
// even once it is off: somebody has switched there, since without a document
// there would be nothing that could not be read.
func (s *Switch) Position() Position {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.checked.IsZero() && time.Since(s.checked) < state.Fresh {
		return s.now
	}
	s.checked = time.Now()
	now, err := s.look()
	before := s.now
	switch {
	case err == nil:
		s.now, s.read = now, true
	case !s.read:
		s.now = Position{Off: true}
	}
	if err != nil && !s.failed || err == nil && s.now != before {
		s.told(s.now, err)
	}
	s.failed = err != nil
	return s.now
}

// look reads the document. A Watch goes by what it knew, which is nothing until
// the document was read once.
func (s *Switch) look() (Position, error) {
	if !s.read {
		if _, err := s.file.Read(); err != nil {
			return Position{}, err
		}
	}
	return s.watch.Now()
}

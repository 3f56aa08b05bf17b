package ldapsink

import (
	"errors"
	"sync"

	"github.com/go-ldap/ldap/v3"
	"go.uber.org/zap"

	"scimgate/internal/directory"
)

// memory is what two Sinks of one directory have to share while both are in use,
// and what the later one takes over.
type memory struct {
	locks  *directory.Locks // on entries and unique values: writers of both wait for each other
	ranges *sync.Map        // numbers that were given are not given again
	writes *writes          // so that another server is not believed too early
}

func newMemory() memory {
	return memory{directory.NewLocks(), &sync.Map{}, newWrites()}
}

// Follow returns a Sink for the same directory under another configuration. It
// has connections of its own, so this one is closed when its last request ended.
func (s *Sink) Follow(cfg Config, log *zap.Logger) (*Sink, error) {
	return newSink(cfg, log, s.pool.names.resolver, s.pool.names.every, memory{s.locks, s.ranges, s.recent.writes})
}

// Rely says which bases a server has to hold to be taken for one of the
// directory. Until it is called they are those of all stores.
func (s *Sink) Rely(bases []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bases, s.fixed = bases, true
}

// Finish waits for writes whose requests have ended already, and closes the Sink.
// There must be no more requests.
func (s *Sink) Finish() {
	s.ending.Wait()
	s.Close()
}

// Refused reports whether a directory could be reached and would not let the
// gateway in: asking again would count against the account, and change nothing.
func Refused(err error) bool {
	var dial *dialError
	var answer *ldap.Error
	return errors.As(err, &dial) && errors.As(err, &answer) && classify(dial) == permanent
}

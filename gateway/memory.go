package gateway

import (
	"slices"
	"sync"

	"golang.org/x/sync/semaphore"

	"scimgate/internal/directory"
	"scimgate/mapping"
)

// Memory is what the gateways of one process have in common that follow each
// other as the configuration changes. For a while two of them are at work, the
// old one on the requests that it began: writers of both wait for each other, and
// what bounds the work bounds it for both. It is safe for concurrent use.
type Memory struct {
	walks *walks
	// enumerating bounds how many long lists are read at a time.
	enumerating *semaphore.Weighted
	// attempts are the tokens that were none, by address.
	attempts *attempts

	mu      sync.Mutex
	tenants map[string]*remembered
	last    uint64 // edition
}

// remembered is what is kept of a tenant, also of one that is not configured any
// more: it may come back while its last requests are still running.
type remembered struct {
	writers  *directory.Locks
	mappings []*mapping.Mapping
	edition  uint64
}

// NewMemory returns the memory of a process that has just begun.
func NewMemory() *Memory {
	return &Memory{
		walks: newWalks(placesKept), enumerating: semaphore.NewWeighted(enumerations),
		attempts: newAttempts(addressesKept), tenants: map[string]*remembered{},
	}
}

// of returns the locks of a tenant's writers, and the edition of its mappings,
// which is another one for other mappings.
func (m *Memory) of(t Tenant) (*directory.Locks, uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.tenants[t.Name]
	if r == nil {
		r = &remembered{writers: directory.NewLocks()}
		m.tenants[t.Name] = r
	}
	var mappings []*mapping.Mapping
	for _, typ := range t.Types {
		mappings = append(mappings, typ.Mapping)
	}
	if r.edition == 0 || !slices.Equal(mappings, r.mappings) {
		m.last++
		r.mappings, r.edition = mappings, m.last
	}
	return r.writers, r.edition
}

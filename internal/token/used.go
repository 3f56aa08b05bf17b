package token

import (
	"maps"
	"sync"
	"time"

	"scimgate/internal/state"
)

const (
	// keepEvery is how often the last use of a token is written, at most.
	keepEvery = time.Minute
	// forgetAfter is how long the use of a token is kept that the token file does not
	// have: a gateway may see a newer file than another one.
	forgetAfter = 24 * time.Hour
	// notedMost is how many ids are noted at a time.
	notedMost = 1000
)

// Uses remembers when the tokens of a tenant were used last. Noting is for
// requests, and never waits for a disk; what was noted goes to a file now and then.
// That file tells people, and nothing relies on it.
type Uses struct {
	document *state.File[uses]
	tokens   *state.Watch[document]
	every    time.Duration
	first    chan struct{} // a token was used that was not for a while

	mu      sync.Mutex
	noted   map[string]time.Time // and not yet written
	written map[string]time.Time // when the use of a token was written, by this process
}

// uses is the form of the file.
type uses struct {
	Used map[string]time.Time `json:"used"`
}

// OpenUses names the file with the last uses of the tokens in f, below the state
// folder. It touches nothing.
func OpenUses(stateDir, tenant string, f *File) *Uses {
	return &Uses{
		document: state.Open[uses](stateDir, "used", tenant, nil),
		tokens:   state.NewWatch(f.document, state.Fresh),
		every:    keepEvery,
		first:    make(chan struct{}, 1),
		noted:    map[string]time.Time{}, written: map[string]time.Time{},
	}
}

// Note remembers that the token with an id was used now. Whether it is a token's
// shows when the notes are kept: others are forgotten then.
func (u *Uses) Note(id string, now time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if _, ok := u.noted[id]; !ok && len(u.noted) >= notedMost {
		return
	}
	if now.After(u.noted[id]) {
		u.noted[id] = now
	}
	if now.Sub(u.written[id]) >= u.every {
		select {
		case u.first <- struct{}{}:
		default: // the keeper knows already
		}
	}
}

// Due says that something is worth writing: a token was used that was not for a
// minute.
func (u *Uses) Due() <-chan struct{} { return u.first }

// Keep writes what was noted. It waits for the disk. What could not be written is
// kept for the next time.
func (u *Uses) Keep(now time.Time) error {
	known, _ := u.tokens.Look() // the Verifier says what is wrong with it
	u.mu.Lock()
	noted := u.noted
	u.noted = map[string]time.Time{}
	u.mu.Unlock()
	maps.DeleteFunc(noted, func(id string, _ time.Time) bool { return !known.has(id) })
	if len(noted) == 0 {
		return nil
	}
	err := u.document.Change(func(d uses) (uses, error) { return d.with(noted, known, now), nil })
	u.mu.Lock()
	defer u.mu.Unlock()
	for id, at := range noted {
		if err != nil && at.After(u.noted[id]) {
			u.noted[id] = at
		}
		u.written[id] = now // or tried: not every request is to try again
	}
	maps.DeleteFunc(u.written, func(id string, _ time.Time) bool { return !known.has(id) })
	return err
}

// Last returns when tokens were used last, by their ids. Who was never seen is not
// in it.
func (u *Uses) Last() (map[string]time.Time, error) {
	d, err := u.document.Read()
	return d.Used, err
}

// with merges newer uses. Other gateways write too: the latest wins.
func (d uses) with(noted map[string]time.Time, known document, now time.Time) uses {
	merged := uses{maps.Clone(d.Used)}
	if merged.Used == nil {
		merged.Used = map[string]time.Time{}
	}
	for id, at := range noted {
		if at = at.UTC().Truncate(time.Second); at.After(merged.Used[id]) {
			merged.Used[id] = at
		}
	}
	maps.DeleteFunc(merged.Used, func(id string, at time.Time) bool {
		return !known.has(id) && now.Sub(at) > forgetAfter
	})
	return merged
}

func (d document) has(id string) bool {
	for _, t := range d.Tokens {
		if t.ID == id {
			return true
		}
	}
	return false
}

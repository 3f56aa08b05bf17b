package identity

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"golang.org/x/sync/singleflight"
	"golang.org/x/time/rate"
)

const (
	// freshFor is how long keys are used without a look at the issuer. After that it
	// is asked beside the work, and after staleFor, when no token came for a while,
	// before it: one that the issuer has withdrawn is refused then.
	freshFor = 15 * time.Minute
	staleFor = 2 * freshFor
	// goodFor is how long keys are used that the issuer, being away, cannot confirm.
	goodFor = 24 * time.Hour
	// retryAfter is how long an issuer that did not answer is left alone.
	retryAfter = 5 * time.Second
	// Keys that nobody knows, which anybody can name, make the gateway ask the
	// issuer a few times at once and then every quarter of a minute.
	unknownAtOnce = 4
	unknownEvery  = 15 * time.Second
)

// keys are the public keys of an issuer, as far as they are known.
//
// The library's own key set asks the issuer anew for every signature that does not
// fit, as often as somebody sends one, and never forgets a key that the issuer has
// withdrawn.
type keys struct {
	issuer string
	client *http.Client
	asking singleflight.Group

	mu         sync.Mutex
	known      []jose.JSONWebKey
	fetched    time.Time // when they were, by the clock of the callers
	failed     time.Time // when the last attempt did, zero after one that did not
	cause      error     // of the last attempt
	attempts   int
	refreshing bool
	unknown    *rate.Limiter
}

func newKeys(issuer string, client *http.Client) *keys {
	return &keys{
		issuer: issuer, client: client,
		unknown: rate.NewLimiter(rate.Every(unknownEvery), unknownAtOnce),
	}
}

// find returns the keys that a signature can be by: those of the id, or all where
// it names none. No keys and no error means that the issuer has no such key. An
// error means that it cannot be told.
func (k *keys) find(id, algorithm string, now time.Time) ([]jose.JSONWebKey, error) {
	k.mu.Lock()
	found, age := fitting(k.known, id, algorithm), now.Sub(k.fetched)
	usable := len(found) > 0 && age < goodFor
	stale := usable && age >= staleFor && k.failed.IsZero() // one that is away is not waited for again and again
	if seen := k.attempts; stale {
		k.mu.Unlock()
		if k.refresh(now, seen) != nil {
			return found, nil
		}
		return k.fitting(id, algorithm), nil
	}
	if usable && age >= freshFor && !k.refreshing && now.Sub(k.failed) >= retryAfter {
		k.refreshing = true
		go k.confirm(now, k.attempts) // nobody waits for it
	}
	k.mu.Unlock()
	if usable {
		return found, nil
	}
	return k.anew(id, algorithm, now)
}

// fitting are those of the known keys that a signature can be by.
func (k *keys) fitting(id, algorithm string) []jose.JSONWebKey {
	k.mu.Lock()
	defer k.mu.Unlock()
	return fitting(k.known, id, algorithm)
}

// anew is find for a key that is not among those that are known.
func (k *keys) anew(id, algorithm string, now time.Time) ([]jose.JSONWebKey, error) {
	k.mu.Lock()
	seen := k.attempts
	switch {
	case now.Sub(k.failed) < retryAfter:
		defer k.mu.Unlock()
		return nil, fmt.Errorf("the issuer did not answer a moment ago: %w", k.cause)
	case now.Sub(k.fetched) < goodFor && !k.unknown.AllowN(now, 1):
		k.mu.Unlock()
		return nil, errors.New("the key of the token is not among those that are known, and the issuer was asked for new ones a moment ago")
	}
	k.mu.Unlock()
	if err := k.refresh(now, seen); err != nil {
		return nil, err
	}
	return k.fitting(id, algorithm), nil
}

// confirm asks the issuer whether the keys are still its own. One that does not
// answer is asked again by a later token.
func (k *keys) confirm(now time.Time, seen int) {
	_ = k.refresh(now, seen) // the cause is kept
	k.mu.Lock()
	defer k.mu.Unlock()
	k.refreshing = false
}

// refresh asks the issuer, unless that was done since the caller has seen so many
// attempts. Who comes while it is being asked gets the same answer.
func (k *keys) refresh(now time.Time, seen int) error {
	_, err, _ := k.asking.Do("", func() (any, error) {
		k.mu.Lock()
		done, cause := k.attempts != seen, k.cause
		k.mu.Unlock()
		if done {
			return nil, cause
		}
		ctx, cancel := context.WithTimeout(context.Background(), fetchTimeout)
		defer cancel()
		begin := time.Now()
		found, err := k.fetch(ctx)
		k.mu.Lock()
		defer k.mu.Unlock()
		k.attempts++
		if k.cause = err; err != nil {
			k.failed = now.Add(time.Since(begin)) // the rest begins when it was given up
			return nil, err
		}
		k.known, k.fetched, k.failed = found, now, time.Time{}
		return nil, nil
	})
	return err
}

// fitting are the keys that a signature by that key and algorithm can be checked with.
func fitting(known []jose.JSONWebKey, id, algorithm string) []jose.JSONWebKey {
	var found []jose.JSONWebKey
	for _, key := range known {
		if (id == "" || key.KeyID == id) && (key.Algorithm == "" || key.Algorithm == algorithm) {
			found = append(found, key)
		}
	}
	return found
}

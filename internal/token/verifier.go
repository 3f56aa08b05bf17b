package token

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"time"

	"scimgate/internal/state"
)

// Verifier tells the live tokens of a tenant from any other text. It is safe
// for concurrent use and looks for a new token file by itself.
type Verifier struct {
	tenant string
	tokens *state.Watch[document]
}

// NewVerifier returns a verifier of the tokens in a file, which need not exist
// yet.
func NewVerifier(f *File) *Verifier {
	return &Verifier{f.tenant, state.NewWatch(f.document, state.Fresh)}
}

// Identity is what a token says of whoever presents it.
type Identity struct {
	ID      string // of the token
	Subject string // the id of the person that it names; "" is a client that acts for all
}

// Verify reports whether text is a live token, and whose. It does not say what
// is wrong with one that is not.
//
// The error is for the log and says that the token file could not be read; the
// answer then rests on what was read last. It comes once for each look at the
// file, not for each call.
func (v *Verifier) Verify(text string, now time.Time) (Identity, bool, error) {
	known, err := v.tokens.Now()
	if err != nil {
		err = fmt.Errorf("read tokens of %s, the last ones stay in force: %w", v.tenant, err)
	}
	id, found := known.find(text, now)
	if !found {
		// It may have been made a moment ago: whoever was given it need not wait. What
		// went wrong with the file has been said, or will be by the next look.
		if known, err := v.tokens.Look(); err == nil {
			id, found = known.find(text, now)
		}
	}
	return id, found, err
}

// Live returns the tokens that are good, oldest first.
func (v *Verifier) Live(now time.Time) ([]Token, error) {
	known, err := v.tokens.Now()
	var live []Token
	for _, t := range known.Tokens {
		if t.Live(now) {
			live = append(live, t)
		}
	}
	return live, err
}

// find compares a text with all tokens, so that the time says nothing about which
// came close.
func (d document) find(text string, now time.Time) (Identity, bool) {
	sum := sha256.Sum256([]byte(text))
	presented := []byte(hex.EncodeToString(sum[:]))
	id, found := Identity{}, false
	for _, t := range d.Tokens {
		if subtle.ConstantTimeCompare(presented, []byte(t.Hash)) == 1 && t.Live(now) {
			id, found = Identity{t.ID, t.Subject}, true
		}
	}
	return id, found
}
